//! SpamAssassin's rule language: reading it, checking it, and running it over a case.
//!
//! A set is loaded from texts ([`Ruleset::load`]), with every problem reported with its position,
//! and is then immutable. A [`Scanner`] per worker runs it: per view of the message an Aho-Corasick
//! automaton finds the rules whose literals occur, and only these are confirmed, exactly, by their
//! own automaton over bytes, in time linear in the text. What a finite automaton cannot decide
//! (look-around, back-references) runs in a backtracking engine, with limits on its steps for each
//! text and each message: where one is reached the rule does not hit, and the scan reports it.
//!
//! The wings, lowest first. Each names only wings above it; `tests/architecture.rs` has the table.
//! A file imports from the file that defines a name, not through a `mod.rs`.
//!
//! | wing | contents |
//! |---|---|
//! | `limits` | what is bounded while a rule set is read and run |
//! | `received` | Received fields, as SpamAssassin parses them |
//! | `lists` | addresses, hosts, networks and tags that settings define |
//! | `views` | the texts of a message that rules are matched against |
//! | `evals` | the functions that `eval:` calls |
//! | `ruleset` | a rule, a set of rules, and what is computed once for a set |
//! | `matcher` | running a set over a case; costs; the oracle of the tests |
//! | `syntax` | from text to a set |
//! | `lint` | what loads but looks wrong, and the `test` lines |
//! | `report` | explanations, templates of reports, what is not supported |

mod evals;
pub mod limits;
mod lint;
mod lists;
mod matcher;
mod received;
mod report;
mod ruleset;
mod syntax;
mod views;

#[cfg(test)]
mod budget_tests;
#[cfg(test)]
mod language_tests;
#[cfg(test)]
mod limit_tests;
#[cfg(test)]
mod rule_tables;
#[cfg(test)]
mod tests;

pub use lint::check::check;
pub use lint::rule_lints::lint;
pub use lint::sample::sample_messages;
pub use lint::test_lines::{TestResult, run_tests};
pub use matcher::cost::{Cost, Costs};
#[doc(hidden)]
pub use matcher::oracle;
pub use matcher::scanner::Scanner;
pub use report::explain::explain;
pub use report::tags::ReportFacts;
pub use report::unsupported::{MissingFeature, Unsupported};
pub use ruleset::ignored_setting::IgnoredSetting;
pub use ruleset::kind::RuleKind;
pub use ruleset::report_templates::{ReportTemplates, Rewrite};
pub use ruleset::rule::{Rule, RuleFlags, TestLine};
pub use ruleset::ruleset::Ruleset;
pub use ruleset::scan::Scan;
pub use syntax::include::with_includes;
pub use views::mime_parts::PartRange;
