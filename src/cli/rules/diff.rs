//! `gatepost rules diff OLD NEW CORPUS…`: what a change of the rules would change for these messages.

use std::collections::{BTreeMap, BTreeSet};

use super::arguments::DiffArguments;
use super::diff_table;
use super::hits::policy;
use super::judge::{Found, Judge, Set, Standing};
use super::label::Label;
use super::sources::{Mail, Messages};
use super::tally::ByLabel;
use crate::cli::Exit;
use crate::cli::failure::Failure;
use crate::cli::pipeline::jobs;
use crate::cli::terminal::Output;
use crate::config::Loaded;
use gatepost_rules::Rule;
use gatepost_words::verdict::{RuleName, Score};

/// A mail that stands for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Example {
    pub(super) name: String,
    pub(super) label: Label,
    /// Its points before and after.
    pub(super) scores: [Score; 2],
}

/// What changed for one rule.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Messages that only the new set hits.
    pub(super) gained: ByLabel,
    /// Messages that only the old set hit.
    pub(super) lost: ByLabel,
    /// Messages that both hit.
    pub(super) kept: ByLabel,
    pub(super) examples: Vec<Example>,
}

/// Messages whose verdict changed from one thing to another.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) messages: ByLabel,
    pub(super) examples: Vec<Example>,
}

/// All that changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) messages: ByLabel,
    /// Messages that other rules hit now, or that have other points.
    pub(super) differ: ByLabel,
    /// By the name of the rule.
    pub(super) rules: BTreeMap<RuleName, Change>,
    pub(super) moves: BTreeMap<[Standing; 2], Move>,
}

/// Compares two sets on the messages and prints what differs; a finding where something does, as
/// diff(1) has it.
pub(super) fn diff(
    loaded: &Loaded,
    arguments: &DiffArguments,
    sets: &[Set; 2],
) -> Result<Exit, Failure> {
    let limits = loaded.config.limits;
    let messages = Messages::named(&arguments.messages, limits.message)?;
    let jobs = jobs(arguments.messages.jobs);
    let judge = Judge {
        sets,
        policy: policy(loaded)?,
        limits,
        jobs,
        subrules: arguments.subrules,
    };
    let most = arguments.examples;
    let (changes, skipped) = judge.all(&messages, |changes: &mut Changes, mail, found| {
        if let [old, new] = found {
            changes.add(
                mail,
                &[names(&sets[0], old), names(&sets[1], new)],
                [old, new],
                most,
            );
        }
    })?;
    skipped.tell();
    if changes.messages.iter().sum::<usize>() == 0 {
        return Err(Failure::new(
            Exit::BadInput,
            "none of the messages could be looked at",
        ));
    }
    let mut out = Output::new();
    diff_table::print(&changes, sets, skipped.count, arguments.format, &mut out)?;
    out.finish()?;
    let found = if changes.differ.iter().any(|count| *count > 0) {
        Exit::Finding
    } else {
        Exit::Done
    };
    Ok(found.max(skipped.exit()))
}

fn names<'s>(set: &'s Set, found: &Found) -> BTreeSet<&'s RuleName> {
    found
        .hits
        .iter()
        .filter_map(|number| set.rules().get(*number))
        .map(Rule::name)
        .collect()
}

fn count(counts: &mut ByLabel, label: Label) {
    if let Some(count) = counts.get_mut(label as usize) {
        *count += 1;
    }
}

fn keep(examples: &mut Vec<Example>, example: &Example, most: usize) {
    // Messages come in input order: the first ones stay.
    if examples.len() < most {
        examples.push(example.clone());
    }
}

impl Changes {
    /// Notes one mail: the rules that hit before and now, and what they came to.
    fn add(
        &mut self,
        mail: &Mail,
        hits: &[BTreeSet<&RuleName>; 2],
        found: [&Found; 2],
        most: usize,
    ) {
        let label = mail.label;
        let [before, now] = found;
        let example = || Example {
            name: mail.name.clone(),
            label,
            scores: [before.score, now.score],
        };
        count(&mut self.messages, label);
        let [old, new] = hits;
        if old != new || before.score != now.score {
            count(&mut self.differ, label);
        }
        for name in old.union(new) {
            let change = self.rules.entry(RuleName::clone(name)).or_default();
            match (old.contains(name), new.contains(name)) {
                (true, true) => count(&mut change.kept, label),
                (true, false) => count(&mut change.lost, label),
                _ => count(&mut change.gained, label),
            }
            if old.contains(name) != new.contains(name) {
                keep(&mut change.examples, &example(), most);
            }
        }
        if before.standing != now.standing {
            let entry = self
                .moves
                .entry([before.standing, now.standing])
                .or_default();
            count(&mut entry.messages, label);
            keep(&mut entry.examples, &example(), most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(changes: &mut Changes, number: usize, hits: [&[&str]; 2], points: [f64; 2]) {
        let names = hits.map(|names| {
            names
                .iter()
                .map(|name| RuleName::from(*name))
                .collect::<Vec<_>>()
        });
        let found = points.map(|points| Found {
            hits: Vec::new(),
            score: Score::from_points(points),
            standing: if points >= 5.0 {
                Standing::Marked
            } else {
                Standing::Accepted
            },
        });
        let label = if number.is_multiple_of(2) {
            Label::Ham
        } else {
            Label::Spam
        };
        let mail = Mail {
            number,
            label,
            name: format!("m{number}"),
            raw: Vec::new(),
        };
        let [old, new] = &names;
        changes.add(
            &mail,
            &[old.iter().collect(), new.iter().collect()],
            [&found[0], &found[1]],
            2,
        );
    }

    #[test]
    fn hits_and_verdicts_that_change_are_counted() {
        let mut found = Changes::default();
        noted(&mut found, 0, [&["A"], &["A"]], [1.0, 1.0]);
        noted(&mut found, 1, [&["A"], &["A", "B"]], [1.0, 6.0]);
        noted(&mut found, 2, [&["A"], &["B"]], [1.0, 5.0]);
        noted(&mut found, 3, [&["A"], &["A"]], [1.0, 2.0]);
        noted(&mut found, 4, [&[], &["B"]], [0.0, 5.0]);
        assert_eq!((found.messages, found.differ), ([2, 3, 0], [2, 2, 0]));
        let (a, b) = (&found.rules["A"], &found.rules["B"]);
        assert_eq!(
            (a.gained, a.lost, a.kept),
            ([0, 0, 0], [0, 1, 0], [2, 1, 0])
        );
        assert_eq!(
            (b.gained, b.lost, b.kept),
            ([1, 2, 0], [0, 0, 0], [0, 0, 0])
        );
        let moved = &found.moves[&[Standing::Accepted, Standing::Marked]];
        assert_eq!(moved.messages, [1, 2, 0]);
        let shown: Vec<&str> = moved
            .examples
            .iter()
            .map(|example| example.name.as_str())
            .collect();
        assert_eq!(shown, ["m1", "m2"], "the first ones, no more than two");
    }
}
