//! Many messages through one or two rule sets, on several threads.

use std::collections::HashMap;

use super::sources::{Mail, Messages, Skipped};
use crate::cli::failure::Failure;
use crate::cli::pipeline::{self, Panicked};
use crate::cli::progress::Progress;
use gatepost_mail::{Case, Limits, Specimen};
use gatepost_policy::Policy;
use gatepost_rules::{Rule, Ruleset, Scanner};
use gatepost_words::verdict::{Disposition, Evidence, Hit, RuleName, Score};

/// A rule set whose rules have numbers.
pub(super) struct Set {
    ruleset: Ruleset,
    numbers: HashMap<RuleName, usize>,
}

impl Set {
    pub(super) fn new(ruleset: Ruleset) -> Self {
        let names = ruleset
            .rules()
            .iter()
            .map(|rule| RuleName::clone(rule.name()));
        let numbers = names.zip(0..).collect();
        Self { ruleset, numbers }
    }

    /// The rules; their places are their numbers.
    pub(super) fn rules(&self) -> &[Rule] {
        self.ruleset.rules()
    }

    /// The rule of that name.
    pub(super) fn get(&self, name: &str) -> Option<&Rule> {
        self.ruleset.get(name)
    }
}

/// Outcome of a message by the points of rules alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Below `policy.required`.
    Accepted,
    /// Accepted, but marked as spam.
    Marked,
    /// Deferred by policy.
    Deferred,
    /// Held.
    Held,
    /// Refused.
    Refused,
}

impl Standing {
    /// The word that people see.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accept",
            Self::Marked => "mark",
            Self::Deferred => "defer",
            Self::Held => "quarantine",
            Self::Refused => "reject",
        }
    }

    fn of(policy: &Policy, hits: Vec<Hit>) -> (Score, Self) {
        let evidence: Vec<Evidence> = hits.into_iter().map(Evidence::Rule).collect();
        let decision = policy.decide(&evidence);
        let standing = match decision.disposition {
            Disposition::Reject => Self::Refused,
            Disposition::Defer => Self::Deferred,
            Disposition::Quarantine => Self::Held,
            Disposition::Accept if decision.score >= policy.required() => Self::Marked,
            Disposition::Accept => Self::Accepted,
        };
        (decision.score, standing)
    }
}

/// What one set says of one mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The numbers of the rules that hit, shadow rules included, in ascending order.
    pub(super) hits: Vec<usize>,
    /// The points of those that score.
    pub(super) score: Score,
    /// What they come to.
    pub(super) standing: Standing,
}

/// What all threads share.
pub(super) struct Judge<'a> {
    /// The sets; every mail goes through each.
    pub(super) sets: &'a [Set],
    /// Where the thresholds are.
    pub(super) policy: Policy,
    /// The limits of reading.
    pub(super) limits: Limits,
    /// Threads.
    pub(super) jobs: usize,
    /// Whether sub-rules are reported too.
    pub(super) subrules: bool,
}

impl Judge<'_> {
    /// Lets `note` record, for each message in input order, what each set finds in it.
    pub(super) fn all<T: Default>(
        &self,
        messages: &Messages,
        mut note: impl FnMut(&mut T, &Mail, &[Found]),
    ) -> Result<(T, Skipped), Failure> {
        let bar = Progress::new();
        let mut notes = T::default();
        let mut failed = Vec::new();
        let read = pipeline::in_order(
            self.jobs,
            |take| messages.read(&bar, take),
            || self.scanners(),
            |scanners, mail: &mut Mail| self.judge(&mail.raw, scanners),
            |done| {
                match done.result {
                    Ok(found) => note(&mut notes, &done.item, &found),
                    Err(Panicked) => failed.push(done.item.name),
                }
                Ok(())
            },
        );
        bar.finish();
        let mut skipped = read??;
        for name in failed {
            skipped.add(
                &name,
                "not judged: a bug of Gatepost; please report it with this message",
            );
        }
        Ok((notes, skipped))
    }

    fn scanners(&self) -> Vec<Scanner> {
        let sets = self.sets.iter();
        sets.map(|set| Scanner::new(&set.ruleset)).collect()
    }

    fn judge(&self, raw: &[u8], scanners: &mut [Scanner]) -> Vec<Found> {
        let specimen = Specimen::stored(raw);
        let message = specimen.message(&self.limits);
        let case = specimen.case(&message);
        let pairs = self.sets.iter().zip(scanners);
        pairs
            .map(|(set, scanner)| self.found(set, scanner, &case))
            .collect()
    }

    fn found(&self, set: &Set, scanner: &mut Scanner, case: &Case<'_>) -> Found {
        let scan = scanner.scan(&set.ruleset, case, &|| false);
        let number = |name: &RuleName| set.numbers.get(name).copied();
        let mut hits: Vec<usize> = scan
            .hits
            .iter()
            .chain(&scan.shadow)
            .filter_map(|hit| number(&hit.rule))
            .collect();
        if self.subrules {
            let values = scanner
                .values(&set.ruleset)
                .filter(|(rule, _)| rule.is_subrule());
            hits.extend(values.filter_map(|(rule, _)| number(rule.name())));
        }
        hits.sort_unstable();
        hits.dedup();
        let (score, standing) = Standing::of(&self.policy, scan.hits);
        Found {
            hits,
            score,
            standing,
        }
    }
}
