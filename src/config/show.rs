//! `config show`: the values in force, as TOML, with the place where each was set.

use std::fmt::Write as _;

use serde_json::Value;

use super::keys::Key;
use super::layers::Merged;
use super::lookup::{find, is_section};
use super::origin::Origin;
use super::table::KEYS;

/// Which values to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All that are in force.
    All,
    /// Those that were set by a file or by the environment.
    Changed,
}

/// The values as TOML, each with a comment that says where it was set. `only` narrows to one key or
/// section; `None` where it is neither. Keys among `waiting` are marked: the files have another
/// value for them, which needs a restart.
pub fn show(
    merged: &Merged,
    which: Which,
    only: Option<&str>,
    waiting: &[String],
) -> Option<String> {
    let only = only.unwrap_or_default();
    if !only.is_empty() && find(only).is_none() && !is_section(only) {
        return None;
    }
    let mut text = String::new();
    let mut section = "";
    for key in KEYS {
        let is_waiting = waiting.iter().any(|path| path == key.path);
        let is_set = merged.places.contains_key(key.path);
        if key.is_of_listener()
            || !is_within(key.path, only)
            || !(which == Which::All || is_set || is_waiting)
        {
            continue;
        }
        if key.section() != section {
            section = key.section();
            let gap = if text.is_empty() { "" } else { "\n" };
            writeln!(text, "{gap}[{section}]").unwrap_or_default();
        }
        key_line(&mut text, merged, key, is_waiting);
    }
    if is_within("listener", only) {
        listeners(&mut text, merged, which);
    }
    Some(text)
}

fn is_within(path: &str, only: &str) -> bool {
    only.is_empty()
        || path
            .strip_prefix(only)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn key_line(text: &mut String, merged: &Merged, key: &Key, is_waiting: bool) {
    let pointer = format!("/{}", key.path.replace('.', "/"));
    let Some(value) = merged.tree.pointer(&pointer) else {
        return;
    };
    let place = place(merged, key.path);
    let note = if is_waiting {
        "; the files have another value, which needs a restart"
    } else {
        ""
    };
    writeln!(text, "{} = {}  # {place}{note}", key.name(), to_toml(value)).unwrap_or_default();
}

fn place(merged: &Merged, path: &str) -> String {
    let origin = merged.places.get(path);
    origin.map_or("default".to_owned(), Origin::show)
}

fn listeners(text: &mut String, merged: &Merged, which: Which) {
    let listeners = merged.tree.pointer("/listener").and_then(Value::as_array);
    for (number, listener) in listeners.into_iter().flatten().enumerate() {
        let path = format!("listener.{number}");
        if which == Which::Changed && !merged.places.contains_key(&path) {
            continue;
        }
        let gap = if text.is_empty() { "" } else { "\n" };
        let place = place(merged, &path);
        writeln!(text, "{gap}[[listener]]  # {place}").unwrap_or_default();
        table(text, listener, "");
    }
}

/// The keys of a table in name order, tables in it as dotted keys. Depth is bounded: only known
/// keys are in the tree.
fn table(text: &mut String, value: &Value, prefix: &str) {
    for (name, value) in value.as_object().into_iter().flatten() {
        if value.is_object() {
            table(text, value, &format!("{prefix}{name}."));
        } else {
            writeln!(text, "{prefix}{name} = {}", to_toml(value)).unwrap_or_default();
        }
    }
}

/// A value as TOML writes it.
fn to_toml(value: &Value) -> String {
    match value {
        Value::String(text) => toml::Value::String(text.clone()).to_string(),
        Value::Array(entries) => format!(
            "[{}]",
            entries.iter().map(to_toml).collect::<Vec<_>>().join(", ")
        ),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::config::Config;
    use gatepost_words::diagnostic::Source;

    fn merged(text: &str) -> Merged {
        Config::from_sources(
            vec![Arc::new(Source::new("a.toml", text))],
            &BTreeMap::new(),
        )
        .unwrap()
        .merged
    }

    #[test]
    fn what_is_shown_loads_again_as_the_same() {
        let first = merged(
            "[policy]\nrequired = 6.5\nrefuse.helo = [\"a\\\"b\"]\n[[listener]]\nname = \"x\"\nsocket = \"unix:/x\"\npolicy.required = 7.0\n",
        );
        let text = show(&first, Which::All, None, &[]).unwrap();
        assert_eq!(merged(&text).tree, first.tree, "{text}");
        let changed = show(&first, Which::Changed, None, &[]).unwrap();
        assert!(
            changed.starts_with("[policy]\nrequired = 6.5  # a.toml:2\n\n[policy.refuse]\n"),
            "{changed}"
        );
        assert_eq!(merged(&changed).tree, first.tree, "{changed}");
    }

    #[test]
    fn one_key_or_one_section_and_nothing_unknown() {
        let merged = merged("");
        assert_eq!(
            show(&merged, Which::All, Some("log.level"), &[]).unwrap(),
            "[log]\nlevel = \"info\"  # default\n"
        );
        assert!(
            show(&merged, Which::All, Some("log"), &[])
                .unwrap()
                .contains("format")
        );
        assert!(
            show(&merged, Which::All, Some("listener"), &[])
                .unwrap()
                .contains("milter.sock")
        );
        assert_eq!(show(&merged, Which::All, Some("lo"), &[]), None);
        assert_eq!(show(&merged, Which::Changed, None, &[]).unwrap(), "");
    }
}
