//! Many mails through one or two rule sets, on several threads.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crossbeam::channel::{Receiver, bounded};

use super::mails::{Mail, Mails, Skipped};
use crate::cli::Exit;
use crate::cli::bar::Bar;
use crate::cli::failure::Failure;
use gatepost_mail::{Case, Limits, Specimen};
use gatepost_policy::Policy;
use gatepost_rules::{Rule, Ruleset, Scanner};
use gatepost_words::verdict::{Disposition, Evidence, Hit, RuleName, Score};

/// Mails read ahead for each thread.
const AHEAD: usize = 16;

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

/// What becomes of a mail by the points of rules alone.
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
    /// Whether sub-rules are told too.
    pub(super) subrules: bool,
}

/// What one thread has gathered.
struct Gathered<T> {
    notes: T,
    /// Number and name of mails that a panic ended.
    failed: Vec<(usize, String)>,
}

impl Judge<'_> {
    /// Lets `note` write down, for each mail, what each set says of it. There is one `T` for each
    /// thread: put them together so that their order does not matter.
    pub(super) fn all<T: Default + Send>(
        &self,
        mails: &Mails,
        note: impl Fn(&mut T, &Mail, &[Found]) + Sync,
    ) -> Result<(Vec<T>, Skipped), Failure> {
        let bar = Bar::new();
        let (tasks, work) = bounded::<Mail>(self.jobs * AHEAD);
        let (read, threads) = std::thread::scope(|scope| {
            let note = &note;
            let threads: Vec<_> = (0..self.jobs)
                .map(|_| {
                    let work = work.clone();
                    scope.spawn(move || self.work(&work, note))
                })
                .collect();
            drop(work);
            let read = mails.read(&bar, &mut |mail| tasks.send(mail).is_ok());
            drop(tasks);
            (
                read,
                threads
                    .into_iter()
                    .map(std::thread::ScopedJoinHandle::join)
                    .collect::<Vec<_>>(),
            )
        });
        bar.finish();
        let mut skipped = read?;
        let (mut notes, mut failed) = (Vec::new(), Vec::new());
        for thread in threads {
            let gathered = thread.map_err(|_| Failure::new(Exit::Bug, "a judging thread died"))?;
            notes.push(gathered.notes);
            failed.extend(gathered.failed);
        }
        failed.sort();
        for (_, name) in failed {
            skipped.add(
                &name,
                "not judged: a bug of Gatepost; please report it with this mail",
            );
        }
        Ok((notes, skipped))
    }

    fn work<T: Default>(
        &self,
        work: &Receiver<Mail>,
        note: &impl Fn(&mut T, &Mail, &[Found]),
    ) -> Gathered<T> {
        let scanners = || {
            self.sets
                .iter()
                .map(|set| Scanner::new(&set.ruleset))
                .collect::<Vec<_>>()
        };
        let mut own = scanners();
        let mut gathered = Gathered {
            notes: T::default(),
            failed: Vec::new(),
        };
        for mail in work {
            if let Ok(found) = catch_unwind(AssertUnwindSafe(|| self.judge(&mail.raw, &mut own))) {
                note(&mut gathered.notes, &mail, &found);
            } else {
                own = scanners();
                gathered.failed.push((mail.number, mail.name));
            }
        }
        gathered
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

/// Threads when nobody said: one for each core.
pub(super) fn jobs(wanted: Option<u16>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    wanted.map_or_else(cores, usize::from)
}
