//! The rule language of SpamAssassin: reading it, complaining about it, and running it over a case.
//!
//! A set is loaded from texts ([`Ruleset::load`]), with every problem told at once and at its
//! place, and is then immutable. A [`Scanner`] per worker runs it: per view of the message an
//! Aho-Corasick automaton finds the rules whose literals occur, and only these are confirmed,
//! exactly, by their own automaton over bytes, in time linear in the text. What a finite
//! automaton cannot decide (look-around, back-references) runs in an engine that tries one way
//! after the other, with limits on its steps for each text and each mail: where one is reached the
//! rule does not hit, and the scan says so.
//!
//! The language, its traps and the numbers behind the design: `research/spamassassin.md`.

mod check;
mod conditions;
mod cost;
mod define;
mod directives;
mod evals;
mod explain;
mod expression;
mod extras;
mod flags;
mod header_request;
mod header_text;
mod html_scan;
mod include;
mod interval;
pub mod limits;
mod lines;
mod lint;
mod lists;
mod loader;
mod metas;
mod mime_parts;
#[doc(hidden)]
pub mod oracle;
mod prefilter;
mod received;
mod relays;
mod report;
mod report_tags;
mod rule;
mod ruleset;
mod sample;
mod scanner;
mod scores;
mod setting_names;
mod settings;
mod shortcircuit;
mod slow;
mod small_mail;
mod tables;
mod template;
mod unsupported;
mod uri_detail;
mod views;

#[cfg(test)]
mod budget_tests;
#[cfg(test)]
mod language_tests;
#[cfg(test)]
mod tests;

pub use check::{TestResult, check, run_tests};
pub use cost::{Cost, Costs};
pub use explain::explain;
pub use include::with_includes;
pub use lint::lint;
pub use mime_parts::PartRange;
pub use report::{ReportTemplates, Rewrite};
pub use report_tags::ReportFacts;
pub use rule::{Rule, RuleFlags, RuleKind, TestLine};
pub use ruleset::Ruleset;
pub use sample::sample_mails;
pub use scanner::{Scan, Scanner};
pub use unsupported::{IgnoredSetting, Lack, Unsupported};
