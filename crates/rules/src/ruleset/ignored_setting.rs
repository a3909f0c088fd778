//! A setting of a rule file that changes nothing here.

use std::ops::Range;
use std::sync::Arc;

use gatepost_words::diagnostic::Source;

/// A setting that was accepted and changes nothing.
#[derive(Clone, Debug)]
pub struct IgnoredSetting {
    /// Its name.
    pub name: String,
    /// What it belongs to, or where it is decided instead.
    pub reason: &'static str,
    /// Where it is first.
    pub source: Arc<Source>,
    /// The stretch of the name in that source.
    pub span: Range<usize>,
}
