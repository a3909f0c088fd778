//! Loading with every diagnostic, and the in-file tests, for `gatepost rules check`.

use std::sync::Arc;

use super::rule_lints::lint;
use crate::ruleset::ruleset::Ruleset;
use gatepost_words::diagnostic::{Diagnostic, Source};

/// Loads, as [`Ruleset::load`] does, and reports everything: what loading reports, what the lint
/// finds, and the test lines that fail.
pub fn check(sources: &[Arc<Source>]) -> (Option<Ruleset>, Vec<Diagnostic>) {
    let (ruleset, mut diagnostics) = Ruleset::load(sources);
    diagnostics.extend(ruleset.iter().flat_map(lint));
    (ruleset, diagnostics)
}
