//! A rule as a file defines it, before metas are compiled and scores are known.

use std::ops::Range;
use std::sync::Arc;

use super::kind::RuleKind;
use super::rule::Test;
use gatepost_words::diagnostic::Source;

/// Where something was said.
pub(crate) type At = (Arc<Source>, Range<usize>);

/// A rule as defined last.
pub(crate) struct Defined {
    pub(crate) name: String,
    pub(crate) kind: RuleKind,
    pub(crate) definition: String,
    /// Where the name is.
    pub(crate) at: At,
    /// Where the definition is.
    pub(crate) definition_at: Range<usize>,
    pub(crate) earlier: Option<At>,
    pub(crate) test: Test,
    pub(crate) disabled: Option<String>,
}

impl Defined {
    /// The names that its regular expression captures.
    pub(crate) fn captures(&self) -> Option<Vec<String>> {
        match &self.test {
            Test::Pattern { negated: false, .. } => {
                Some(crate::ruleset::template::captured_names(&self.definition))
            }
            _ => None,
        }
    }
}
