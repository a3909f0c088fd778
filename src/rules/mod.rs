//! The rule language of SpamAssassin: reading it, complaining about it, and running it over a case.
//!
//! A set is loaded from texts ([`Ruleset::load`]), with every problem told at once and at its place, and is then immutable.
//! A [`Scanner`] per worker runs it: per view of the message an Aho-Corasick automaton finds the rules whose literals occur,
//! and only these are confirmed, exactly, by their own automaton over bytes. Time is linear in the texts for every pattern;
//! what a finite automaton cannot decide is refused by name until an engine with a step limit is there.
//!
//! The language, its traps and the numbers behind the design: `research/spamassassin.md`.

mod check;
mod conditions;
mod define;
mod evals;
mod explain;
mod expression;
mod header_request;
mod header_text;
mod html_scan;
pub mod limits;
mod lines;
mod lists;
mod loader;
mod metas;
mod prefilter;
mod received;
mod regex;
mod relays;
mod rule;
mod ruleset;
mod scanner;
mod settings;
mod views;

#[cfg(test)]
mod tests;

pub use check::{TestResult, check, lint, run_tests};
pub use explain::explain;
pub use rule::{Rule, RuleFlags, RuleKind, TestLine};
pub use ruleset::Ruleset;
pub use scanner::{Scan, Scanner};
