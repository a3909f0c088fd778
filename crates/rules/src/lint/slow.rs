//! Which rules are slow: decided by counting steps, never by a clock, so that every machine says the
//! same.

use std::collections::BTreeMap;
use std::time::Duration;

use super::sample::sample_messages;
use crate::matcher::scanner::Scanner;
use crate::matcher::tally::Tally;
use crate::ruleset::ruleset::Ruleset;
use gatepost_mail::{Limits, Specimen};

/// Steps of backtracking for one message, above which a rule is slow: about half a millisecond, and
/// half of what a search in one short text may take before it is given up.
const SLOW_STEPS: u64 = 100_000;

/// The rules that take more than [`SLOW_STEPS`] for a message of the sample: by number, with the most
/// steps that one message took. What a finite automaton decides takes none. All rules draw on the
/// budget of the message: where many are slow, the last of them may show only when the first are
/// fixed.
pub(crate) fn slow_rules(ruleset: &Ruleset) -> BTreeMap<usize, u64> {
    slower_than(SLOW_STEPS, ruleset)
}

fn slower_than(limit: u64, ruleset: &Ruleset) -> BTreeMap<usize, u64> {
    let mut scanner = Scanner::new(ruleset);
    let mut most: BTreeMap<usize, u64> = BTreeMap::new();
    for raw in sample_messages() {
        for (number, tally) in tallies(ruleset, &mut scanner, &raw).iter().enumerate() {
            if tally.steps > limit {
                let steps = most.entry(number).or_default();
                *steps = tally.steps.max(*steps);
            }
        }
    }
    most
}

/// What each rule does on one message, by number.
fn tallies(ruleset: &Ruleset, scanner: &mut Scanner, raw: &[u8]) -> Vec<Tally> {
    let specimen = Specimen::stored(raw);
    let message = specimen.message(&Limits::default());
    let case = specimen.case(&message);
    let mut tallies = vec![Tally::default(); ruleset.rules().len()];
    scanner.scan_measured(ruleset, &case, &|| Duration::ZERO, &mut tallies);
    tallies
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use gatepost_words::diagnostic::Source;

    /// Every place of a long text is tried, and each try goes on to the limit of steps.
    #[test]
    fn a_slow_rule_is_reported() {
        let rules = "body QUICK /meeting/\nbody SLOW /(?:\\w+[ .,]*)+(?!x)(\\w)\\1{6}/\n";
        let ruleset = Ruleset::load(&[Arc::new(Source::new(
            "test.cf".to_owned(),
            rules.to_owned(),
        ))])
        .0
        .unwrap();
        let slow = slow_rules(&ruleset);
        let names = slow.keys().map(|number| &**ruleset.rules()[*number].name());
        assert_eq!(names.collect::<Vec<_>>(), ["SLOW"]);
        assert_eq!(slow, slow_rules(&ruleset), "a count is the same each time");
        let most = *slow.values().next().unwrap();
        assert!(slower_than(most, &ruleset).is_empty());
        assert_eq!(slower_than(most - 1, &ruleset), slow);
    }
}
