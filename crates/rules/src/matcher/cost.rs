//! What each rule costs: measured over messages, with a clock that the caller lends.

use super::tally::Tally;
use std::time::Duration;

use super::scanner::Scanner;
use crate::ruleset::kind::RuleKind;
use crate::ruleset::rule::Rule;
use crate::ruleset::ruleset::Ruleset;
use crate::ruleset::scan::Scan;
use gatepost_mail::Case;
use gatepost_words::verdict::RuleName;

/// What one rule costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Which rule.
    pub rule: RuleName,
    /// What it looks at.
    pub kind: RuleKind,
    /// Texts that it was tried on because no filter excluded it; for functions and metas,
    /// evaluations.
    pub tried: u64,
    /// Messages that it hit.
    pub hits: u64,
    /// Time over all messages, without what the filters cost.
    pub time: Duration,
    /// Steps of backtracking over all messages: the same on every machine.
    pub steps: u64,
}

/// Costs of the rules of a set over some messages.
#[derive(Debug)]
pub struct Costs {
    tallies: Vec<Tally>,
    messages: u64,
    total: Duration,
}

impl Costs {
    /// Nothing measured yet.
    pub fn new(ruleset: &Ruleset) -> Self {
        Self {
            tallies: vec![Tally::default(); ruleset.rules().len()],
            messages: 0,
            total: Duration::ZERO,
        }
    }

    /// Scans one message and adds what it cost. `clock` tells a time that only grows. Reading the
    /// clock costs too (some tens of nanoseconds a rule), so that totals are higher than those
    /// of a scan that is not measured.
    pub fn measure(
        &mut self,
        scanner: &mut Scanner,
        ruleset: &Ruleset,
        case: &Case<'_>,
        clock: &dyn Fn() -> Duration,
    ) -> Scan {
        let start = clock();
        let scan = scanner.scan_measured(ruleset, case, clock, &mut self.tallies);
        self.total += clock().saturating_sub(start);
        self.messages += 1;
        let values: Vec<usize> = scanner.values_by_number().collect();
        for number in values {
            if let Some(tally) = self.tallies.get_mut(number) {
                tally.hits += 1;
            }
        }
        scan
    }

    /// Messages measured.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// Time of all scans: the rules below, the views that they look at, and the filters before
    /// them.
    pub fn total(&self) -> Duration {
        self.total
    }

    /// The rules that were tried at all, the costliest first; of equals by name.
    pub fn worst_first(&self, ruleset: &Ruleset) -> Vec<Cost> {
        let cost = |(rule, tally): (&Rule, &Tally)| Cost {
            rule: rule.name.clone(),
            kind: rule.kind,
            tried: tally.tried,
            hits: tally.hits,
            time: tally.time,
            steps: tally.steps,
        };
        let tried = ruleset
            .rules()
            .iter()
            .zip(&self.tallies)
            .filter(|(_, tally)| tally.tried > 0);
        let mut costs: Vec<Cost> = tried.map(cost).collect();
        costs.sort_by(|one, other| {
            other
                .time
                .cmp(&one.time)
                .then_with(|| one.rule.cmp(&other.rule))
        });
        costs
    }
}
