//! `gatepost rules test --messages …`: whether the rules hit what is expected of whole messages.

use std::collections::BTreeMap;
use std::path::Path;

use super::arguments::TestArguments;
use super::expectations::{self, Expectation};
use super::hits::policy;
use super::judge::{Found, Judge, Set};
use super::messages_table;
use super::sources::{Mail, Messages};
use crate::cli::Exit;
use crate::cli::failure::Failure;
use crate::cli::pipeline::jobs;
use crate::cli::terminal::Output;
use crate::config::Loaded;
use gatepost_words::verdict::Score;

/// How one rule does.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// Messages that it is expected to hit.
    pub(super) expected: usize,
    /// Of these, messages that it does not hit.
    pub(super) missing: usize,
    /// Messages that it hits beyond.
    pub(super) extra: usize,
    /// Messages that it hits as expected, with other points.
    pub(super) score: usize,
    /// The place in the set of the first mail at which it differs.
    pub(super) first: Option<usize>,
}

/// How a set of messages does.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    /// Messages that were looked at.
    pub(super) compared: usize,
    /// Messages with the same rules and points as expected.
    pub(super) identical: usize,
    /// By the name of the rule.
    pub(super) rules: BTreeMap<String, Difference>,
}

/// Compares each message set, or writes down what hits now; a finding where something differs.
pub(super) fn messages(
    loaded: &Loaded,
    arguments: &TestArguments,
    set: Set,
) -> Result<Exit, Failure> {
    let sets = [set];
    let limits = loaded.config.limits;
    let judge = Judge {
        sets: &sets,
        policy: policy(loaded)?,
        limits,
        jobs: jobs(arguments.jobs),
        subrules: false,
    };
    let [set] = &sets;
    let mut out = Output::new();
    let mut exit = Exit::Done;
    for named in &arguments.messages {
        let (file, root) = expectations::places(named, arguments.root.as_deref());
        if arguments.write {
            let count = write(&judge, set, named, &file, &root)?;
            out.line(format_args!(
                "{}: {count} messages",
                crate::cli::terminal::escaped(&file.display().to_string())
            ))?;
            continue;
        }
        let expected = expectations::read(&file)?;
        let comparison = compare(&judge, set, &root, &expected)?;
        messages_table::print(
            &comparison,
            set,
            &expected,
            arguments.which.format,
            &mut out,
        )?;
        if comparison.identical < expected.len() {
            exit = Exit::Finding;
        }
    }
    out.finish()?;
    Ok(exit)
}

fn compare(
    judge: &Judge<'_>,
    set: &Set,
    root: &Path,
    expected: &[Expectation],
) -> Result<Comparison, Failure> {
    let names = expected
        .iter()
        .map(|expectation| expectation.path.clone())
        .collect();
    let messages = Messages::files(root, names, judge.limits.message);
    let (comparison, skipped) =
        judge.all(&messages, |comparison: &mut Comparison, mail, found| {
            if let (Some(expectation), [found]) = (expected.get(mail.number), found) {
                comparison.add(mail.number, &expectation.hits, &hits(set, found));
            }
        })?;
    skipped.tell();
    if comparison.compared == 0 {
        return Err(Failure::new(
            Exit::BadInput,
            "none of the messages could be looked at",
        ));
    }
    Ok(comparison)
}

/// The rules that score, with their points.
fn hits(set: &Set, found: &Found) -> BTreeMap<String, Score> {
    let rules = found
        .hits
        .iter()
        .filter_map(|number| set.rules().get(*number));
    rules
        .filter(|rule| !rule.flags().shadow)
        .map(|rule| (rule.name().to_string(), rule.score()))
        .collect()
}

impl Comparison {
    fn add(
        &mut self,
        number: usize,
        expected: &BTreeMap<String, Score>,
        found: &BTreeMap<String, Score>,
    ) {
        self.compared += 1;
        self.identical += usize::from(expected == found);
        for (rule, score) in expected {
            let entry = self.rules.entry(rule.clone()).or_default();
            entry.expected += 1;
            entry.missing += usize::from(!found.contains_key(rule));
            entry.score += usize::from(found.get(rule).is_some_and(|other| other != score));
            if found.get(rule) != Some(score) {
                entry.first = entry.first.or(Some(number));
            }
        }
        for rule in found.keys().filter(|rule| !expected.contains_key(*rule)) {
            let entry = self.rules.entry(rule.clone()).or_default();
            entry.extra += 1;
            entry.first = entry.first.or(Some(number));
        }
    }
}

/// Writes down what hits each mail now: of those in the file, or of all in the directory.
fn write(
    judge: &Judge<'_>,
    set: &Set,
    named: &Path,
    file: &Path,
    root: &Path,
) -> Result<usize, Failure> {
    let paths: Vec<String> = if named.is_dir() {
        expectations::messages_below(root, judge.limits.message)
    } else {
        expectations::read(file)?
            .into_iter()
            .map(|expectation| expectation.path)
            .collect()
    };
    let messages = Messages::files(root, paths, judge.limits.message);
    let note = |all: &mut Vec<Expectation>, mail: &Mail, found: &[Found]| {
        if let [found] = found {
            all.push(Expectation {
                path: mail.name.clone(),
                hits: hits(set, found),
            });
        }
    };
    let (all, skipped) = judge.all(&messages, note)?;
    skipped.tell();
    expectations::write(file, &all)?;
    Ok(all.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(hits: &[(&str, f64)]) -> BTreeMap<String, Score> {
        hits.iter()
            .map(|(rule, points)| ((*rule).to_owned(), Score::from_points(*points)))
            .collect()
    }

    #[test]
    fn what_is_missing_extra_or_scores_otherwise_is_counted() {
        let cases = [
            (of(&[("A", 1.0)]), of(&[("A", 1.0)])),
            (of(&[("A", 1.0), ("B", 2.0)]), of(&[("A", 1.5)])),
            (of(&[]), of(&[("B", 2.0)])),
            (of(&[]), of(&[])),
        ];
        let mut all = Comparison::default();
        for (number, (expected, found)) in cases.iter().enumerate() {
            all.add(number, expected, found);
        }
        assert_eq!((all.compared, all.identical), (4, 2));
        let difference = |expected, missing, extra, score, first| Difference {
            expected,
            missing,
            extra,
            score,
            first,
        };
        assert_eq!(all.rules["A"], difference(2, 0, 0, 1, Some(1)));
        assert_eq!(all.rules["B"], difference(1, 1, 1, 0, Some(1)));
    }
}
