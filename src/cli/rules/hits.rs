//! `gatepost rules hits CORPUS…`: how often each rule hits spam and ham.

use super::arguments::{HitsArguments, HitsOrder};
use super::hits_table::{self, Table};
use super::judge::{Judge, Set};
use super::label::Label;
use super::overlap::overlap;
use super::sources::Messages;
use super::tally::Tally;
use crate::cli::Exit;
use crate::cli::failure::Failure;
use crate::cli::pipeline::jobs;
use crate::cli::terminal::Output;
use crate::config::Loaded;
use gatepost_policy::Policy;
use gatepost_rules::Rule;

/// Runs the rules over the messages and prints the table.
pub(super) fn hits(loaded: &Loaded, arguments: &HitsArguments, set: Set) -> Result<Exit, Failure> {
    let limits = loaded.config.limits;
    let messages = Messages::named(&arguments.messages, limits.message)?;
    let sets = [set];
    let judge = Judge {
        sets: &sets,
        policy: policy(loaded)?,
        limits,
        jobs: jobs(arguments.messages.jobs),
        subrules: arguments.subrules,
    };
    let keep = arguments.overlap.is_some();
    let (tally, skipped) = judge.all(&messages, |tally: &mut Tally, mail, found| {
        for found in found {
            tally.add(mail.label, found, keep);
        }
    })?;
    skipped.tell();
    let exit = skipped.exit();
    if tally.total() == 0 {
        return Err(Failure::new(
            Exit::BadInput,
            "none of the messages could be looked at",
        ));
    }
    let [set] = &sets;
    let pairs = arguments.overlap.map(|most| overlap(&tally.lists, most));
    let table = Table {
        rows: rows(set, &tally, arguments),
        never: never(set, &tally, arguments.subrules),
        tally: &tally,
        skipped: skipped.count,
        pairs,
        rules: set.rules(),
    };
    let mut out = Output::new();
    hits_table::print(&table, arguments.format, &mut out)?;
    out.finish()?;
    Ok(exit)
}

/// The thresholds of the default profile.
pub(super) fn policy(loaded: &Loaded) -> Result<Policy, Failure> {
    let reported = |errors: Vec<_>| {
        let texts: Vec<String> = errors
            .iter()
            .map(|error: &gatepost_policy::SettingError| error.to_string())
            .collect();
        Failure::new(Exit::BadConfig, texts.join("; "))
    };
    Policy::new(&loaded.config.policy).map_err(reported)
}

/// Whether a rule has a row: those that are off never hit, and would look like bad rules.
fn counts(rule: &Rule, subrules: bool) -> bool {
    rule.disabled().is_none() && (subrules || !rule.is_subrule())
}

fn never(set: &Set, tally: &Tally, subrules: bool) -> usize {
    let rules = set
        .rules()
        .iter()
        .zip(0..)
        .filter(|(rule, _)| counts(rule, subrules));
    rules
        .filter(|(_, number)| tally.hits(*number).iter().sum::<usize>() == 0)
        .count()
}

/// The rules of the table in the order that is wanted; by name where that is equal.
fn rows<'s>(set: &'s Set, tally: &Tally, arguments: &HitsArguments) -> Vec<hits_table::Row<'s>> {
    let rules = set
        .rules()
        .iter()
        .zip(0..)
        .filter(|(rule, _)| counts(rule, arguments.subrules));
    let rows =
        rules.map(|(rule, number)| hits_table::Row::new(rule, tally.hits(number), tally.messages));
    let mut rows: Vec<_> = rows
        .filter(|row| arguments.all || row.total() > 0)
        .collect();
    rows.sort_by(|a, b| {
        let by = match arguments.sort {
            HitsOrder::Hits => b.total().cmp(&a.total()),
            HitsOrder::Spam => b.of(Label::Spam).cmp(&a.of(Label::Spam)),
            HitsOrder::Ham => b.of(Label::Ham).cmp(&a.of(Label::Ham)),
            // Without hits there is none: at the end.
            HitsOrder::So => b.so().unwrap_or(-1.0).total_cmp(&a.so().unwrap_or(-1.0)),
            HitsOrder::Score => b.rule.score().cmp(&a.rule.score()),
            HitsOrder::Name => std::cmp::Ordering::Equal,
        };
        by.then_with(|| a.rule.name().cmp(b.rule.name()))
    });
    rows
}
