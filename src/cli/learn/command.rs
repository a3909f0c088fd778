//! The subcommands of `gatepost learn`, but for reading messages.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::arguments::{LearnCommand, StateArguments};
use super::line::{entry_line, rollback_line};
use super::run::learn_messages;
use crate::cli::Exit;
use crate::cli::deprecated::renamed;
use crate::cli::failure::Failure;
use crate::cli::terminal::{Output, eprint_line, escaped};
use crate::config::{self, Loaded};
use crate::daemon::learning_in;
use gatepost_learn::learning::{LabelStore, LearningSettings, Undone, entries};
use gatepost_words::Class;
use gatepost_words::civil_time::unix_seconds;
use gatepost_words::clock::Clock;

/// How long to wait for another command that writes.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// Learns, lists what was learned, or retracts it.
pub(in crate::cli) fn learn(loaded: &Loaded, command: &LearnCommand) -> Result<Exit, Failure> {
    match command {
        LearnCommand::Spam(arguments) => learn_messages(loaded, arguments, Class::Spam),
        LearnCommand::Ham(arguments) => learn_messages(loaded, arguments, Class::Ham),
        LearnCommand::Phish(arguments) => learn_messages(loaded, arguments, Class::Phish),
        LearnCommand::Malware(arguments) => learn_messages(loaded, arguments, Class::Malware),
        LearnCommand::Bulk(arguments) => learn_messages(loaded, arguments, Class::Bulk),
        LearnCommand::Unwanted(arguments) => learn_messages(loaded, arguments, Class::Unwanted),
        LearnCommand::List { state } => list(loaded, state),
        LearnCommand::Log { state } => {
            renamed("learn log", "learn list");
            list(loaded, state)
        }
        LearnCommand::Undo { digests, state } => undo(loaded, digests, state),
        LearnCommand::Rollback {
            date,
            source,
            state,
        } => rollback(loaded, *date, source.as_deref(), state),
    }
}

/// Where labels are stored, by the configuration or the command line.
pub(in crate::cli) fn settings(
    learner: &config::Learner,
    state: &StateArguments,
) -> Result<LearningSettings, Failure> {
    let Some(directory) = state.state.as_ref().or(learner.path.as_ref()) else {
        let message = "nothing can be learned: `learner.path` is empty; set it, or name a directory with --state";
        return Err(Failure::new(Exit::BadConfig, message));
    };
    Ok(learning_in(directory, learner))
}

/// Opens the label store.
pub(super) fn open(settings: LearningSettings) -> Result<LabelStore, Failure> {
    let directory = settings.directory.clone();
    LabelStore::open(settings, LOCK_TIMEOUT).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => {
            let message = format!(
                "{}: another command is learning; try again (what was reported as learned is kept)",
                directory.display()
            );
            Failure::new(Exit::TryLater, message)
        }
        _ => failed(&directory, &error),
    })
}

/// Opens the label store for a command, and reports once what is damaged.
pub(super) fn open_first(settings: LearningSettings) -> Result<LabelStore, Failure> {
    let store = open(settings)?;
    report_damage(store.damaged());
    Ok(store)
}

/// The failure for an error of the directory.
pub(super) fn failed(directory: &Path, error: &io::Error) -> Failure {
    let exit = Exit::of_io(error);
    let help = if exit == Exit::NotPermitted {
        "; labels are written by the user to whom the directory belongs"
    } else {
        ""
    };
    Failure::new(exit, format!("{}: {error}{help}", directory.display()))
}

/// Makes certain what was learned. If tidying up after it fails, that is reported, and not a
/// failure.
pub(super) fn commit(store: &mut LabelStore, directory: &Path) -> Result<(), Failure> {
    let untidy = store.commit().map_err(|error| failed(directory, &error))?;
    if let Some(error) = untidy {
        let directory = directory.display();
        eprint_line(format_args!(
            "gatepost: warning: {directory}: the labels are kept, but no snapshot of them can be written: {error}; the \
             next command tries again"
        ));
    }
    Ok(())
}

fn report_damage(bytes: u64) {
    if bytes > 0 {
        eprint_line(format_args!(
            "gatepost: warning: {bytes} bytes of the label log are damaged; the labels in them are lost"
        ));
    }
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    unix_seconds(Clock::system().wall())
}

fn list(loaded: &Loaded, state: &StateArguments) -> Result<Exit, Failure> {
    let settings = settings(&loaded.config.learner, state)?;
    let (labels, damaged) =
        entries(&settings).map_err(|error| failed(&settings.directory, &error))?;
    report_damage(damaged);
    let mut out = Output::new();
    for entry in &labels {
        out.line(entry_line(entry, state.format))?;
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn undo(loaded: &Loaded, digests: &[String], state: &StateArguments) -> Result<Exit, Failure> {
    let settings = settings(&loaded.config.learner, state)?;
    let directory = settings.directory.clone();
    let mut store = open_first(settings)?;
    let mut results = Vec::new();
    for prefix in digests {
        let undone = store.undo(prefix, now());
        results.push((prefix, undone.map_err(|error| failed(&directory, &error))?));
    }
    commit(&mut store, &directory)?;
    let mut out = Output::new();
    let mut exit = Exit::Done;
    for (prefix, undone) in results {
        let why = match undone {
            Undone::Label(entry) => {
                out.line(entry_line(&entry, state.format))?;
                continue;
            }
            Undone::None => {
                "no active label of such a message; `gatepost learn list` shows those that can be retracted".to_owned()
            }
            Undone::Ambiguous(count) => format!("ambiguous digest: matches {count} messages"),
        };
        eprint_line(format_args!("gatepost: {}: {why}", escaped(prefix)));
        exit = Exit::Unavailable;
    }
    out.finish()?;
    Ok(exit)
}

fn rollback(
    loaded: &Loaded,
    since: u64,
    source: Option<&str>,
    state: &StateArguments,
) -> Result<Exit, Failure> {
    let settings = settings(&loaded.config.learner, state)?;
    let directory = settings.directory.clone();
    let mut store = open_first(settings)?;
    let count = store
        .rollback(since, source, now())
        .map_err(|error| failed(&directory, &error))?;
    commit(&mut store, &directory)?;
    let mut out = Output::new();
    out.line(rollback_line(count, state.format))?;
    out.finish()?;
    Ok(Exit::Done)
}
