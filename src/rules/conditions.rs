//! `if`, `ifplugin`, `else`, `endif`, and what we answer to their questions.

use super::expression::{self, Malformed};

/// The version of SpamAssassin whose language this is.
const VERSION: f64 = 4.000_001;
/// The version of Perl that rules may assume.
const PERL_VERSION: f64 = 5.036;

/// Plugins whose rules we run, at least in part. Others are answered as not loaded.
const PLUGINS: &[&str] = &["BodyEval", "Check", "HTMLEval", "HeaderEval", "MIMEEval", "MIMEHeader", "URIEval"];

/// Abilities that rule files ask for with `can(Mail::SpamAssassin::…)`; research/spamassassin.md §1.1.
const FEATURES: &[&str] = &[
    "Conf::feature_bug6558_free",
    "Conf::feature_header_first_last",
    "Conf::feature_header_match_many",
    "Conf::feature_meta_rules_matching",
    "Conf::feature_welcomelist_blocklist",
    "Conf::feature_blocklist_welcomelist",
    "Conf::feature_yesno_takes_args",
    "Conf::feature_compile_regexp",
    "Conf::perl_min_version_5010000",
    "Plugin::BodyEval::has_check_body_length",
    "Plugin::MIMEHeader::has_all_header",
];

/// Decides the condition of an `if` line.
pub(super) fn holds(condition: &str) -> Result<bool, Malformed> {
    let answer = |name: &str, argument: Option<&str>, _| match (name, argument) {
        ("version", None) => Some(VERSION),
        ("perl_version", None) => Some(PERL_VERSION),
        ("local_tests_only", None) => Some(1.0),
        ("plugin", Some(name)) => Some(truth(has_plugin(name))),
        ("can" | "has", Some(name)) => Some(truth(has_feature(name))),
        _ => None,
    };
    let steps = expression::compile(condition, answer)?;
    Ok(expression::run(&steps, &mut Vec::new(), |value| value).is_some_and(|value| value != 0.0))
}

/// Whether `ifplugin NAME` holds.
pub(super) fn has_plugin(name: &str) -> bool {
    let short = name.trim().strip_prefix("Mail::SpamAssassin::Plugin::").unwrap_or(name.trim());
    PLUGINS.contains(&short)
}

fn has_feature(name: &str) -> bool {
    let short = name.trim().strip_prefix("Mail::SpamAssassin::").unwrap_or(name.trim());
    FEATURES.contains(&short)
}

fn truth(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}

/// The blocks around a line.
#[derive(Debug, Default)]
pub(super) struct Blocks<P> {
    open: Vec<Block<P>>,
}

#[derive(Debug)]
struct Block<P> {
    place: P,
    /// Whether lines in this branch count, the blocks around it included.
    active: bool,
    /// Whether lines around the block count.
    outer: bool,
    seen_else: bool,
}

impl<P: Clone> Blocks<P> {
    /// Whether lines count here.
    pub(super) fn active(&self) -> bool {
        self.open.last().is_none_or(|block| block.active)
    }

    /// How deep we are.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Opens a block.
    pub(super) fn open(&mut self, place: P, holds: bool) {
        let outer = self.active();
        self.open.push(Block { place, active: outer && holds, outer, seen_else: false });
    }

    /// Turns to the other branch; `false` where no `else` may stand.
    pub(super) fn turn(&mut self) -> bool {
        let Some(block) = self.open.last_mut().filter(|block| !block.seen_else) else { return false };
        block.seen_else = true;
        block.active = block.outer && !block.active;
        true
    }

    /// Closes a block; `false` when none is open.
    pub(super) fn close(&mut self) -> bool {
        self.open.pop().is_some()
    }

    /// Where the blocks begin that are still open; closes them.
    pub(super) fn unclosed(&mut self) -> Vec<P> {
        self.open.drain(..).map(|block| block.place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Blocks, holds};

    #[test]
    fn answers() {
        for (condition, wanted) in [
            ("(version >= 3.004000)", true),
            ("(version < 4.000000)", false),
            ("version == 4.000001", true),
            ("plugin(Mail::SpamAssassin::Plugin::MIMEHeader)", true),
            ("!plugin ( Mail::SpamAssassin::Plugin::DKIM )", true),
            ("can(Mail::SpamAssassin::Conf::feature_bug6558_free)", true),
            ("has(Mail::SpamAssassin::Conf::nothing) || perl_version >= 5.010000", true),
            ("local_tests_only && !0", true),
        ] {
            assert_eq!(holds(condition), Ok(wanted), "{condition}");
        }
        assert!(holds("banana").is_err());
        assert!(holds("").is_err());
    }

    #[test]
    fn blocks_nest() {
        let mut blocks = Blocks { open: Vec::new() };
        blocks.open(1, false);
        blocks.open(2, true);
        assert!(!blocks.active());
        assert!(blocks.turn() && !blocks.active(), "an else in a skipped block stays skipped");
        assert!(!blocks.turn(), "only one else");
        assert!(blocks.close() && blocks.turn() && blocks.active());
        assert_eq!(blocks.unclosed(), [1]);
        assert!(!blocks.close() && !blocks.turn());
    }
}
