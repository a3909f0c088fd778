//! Reading values out of the merged tree.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::units;
use super::value::read_size;

/// Reads values out of the tree. What is not there, or does not fit, was reported before and reads
/// as nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'t> {
    pub(super) tree: &'t Value,
}

impl<'t> View<'t> {
    pub(super) fn get(self, path: &str) -> Option<&'t Value> {
        self.tree.pointer(&format!("/{}", path.replace('.', "/")))
    }

    pub(super) fn text(self, path: &str) -> &'t str {
        self.get(path).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn flag(self, path: &str) -> bool {
        self.get(path).and_then(Value::as_bool).unwrap_or_default()
    }

    pub(super) fn points(self, path: &str) -> f64 {
        self.get(path).and_then(Value::as_f64).unwrap_or_default()
    }

    pub(super) fn count(self, path: &str) -> usize {
        self.get(path)
            .and_then(Value::as_u64)
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or_default()
    }

    pub(super) fn size(self, path: &str) -> usize {
        let bytes = self
            .get(path)
            .and_then(|value| read_size(value).ok())
            .unwrap_or_default();
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    pub(super) fn duration(self, path: &str) -> Duration {
        Duration::from_millis(units::duration(self.text(path)).unwrap_or_default())
    }

    pub(super) fn list(self, path: &str) -> Vec<String> {
        let entries = self
            .get(path)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        entries
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }

    pub(super) fn path(self, path: &str) -> Option<PathBuf> {
        Some(self.text(path))
            .filter(|text| !text.is_empty())
            .map(PathBuf::from)
    }
}
