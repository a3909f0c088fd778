//! From the command line to an exit status.

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use super::arguments::{Arguments, Command, ConfigCommand};
use super::failure::Failure;
use super::terminal::{complain, safe, say};
use super::{Exit, check, config_show, control, explain, generate, learn, model, rules, run, scan};
use crate::config::{Config, Loaded, Place};

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error).into(),
    };
    match dispatch(arguments) {
        Ok(exit) => exit.into(),
        Err(Failure::BrokenPipe) => Exit::Done.into(),
        Err(Failure::Message(exit, message)) => {
            say(format_args!("gatepost: {}", safe(&message)));
            exit.into()
        }
        Err(Failure::Diagnostics(exit, diagnostics)) => {
            complain(&diagnostics);
            exit.into()
        }
    }
}

fn dispatch(arguments: Arguments) -> Result<Exit, Failure> {
    let place = Place::of_process(arguments.config);
    match arguments.command {
        Command::Run => run::run(&place),
        Command::Scan(scan) => scan::scan(&load(&place)?, &scan),
        Command::Explain { what } => explain::explain(&place, &what),
        Command::Check { format } => check::check(&place, format),
        Command::Rules(command) => rules::rules(&load(&place)?, command),
        Command::Learn(command) => learn::learn(&load(&place)?, &command),
        Command::Model(command) => model::model(&place, command),
        Command::Config(ConfigCommand::Show {
            changed,
            defaults,
            key,
        }) => config_show::show(&place, changed, defaults, key.as_deref()),
        Command::Reload => control::reload(&load(&place)?),
        Command::Stats => control::stats(&load(&place)?),
        Command::Generate(command) => generate::generate(command),
    }
}

/// Loads the configuration; warnings are told and do not stop anything.
pub(super) fn load(place: &Place) -> Result<Loaded, Failure> {
    let loaded = Config::load(place)?;
    complain(&loaded.warnings);
    Ok(loaded)
}

/// What clap says: help and version on standard output with success, mistakes on standard error.
fn usage(error: &clap::Error) -> Exit {
    // A closed pipe is no error here either, and for anything else nobody is left to tell.
    error.print().unwrap_or_default();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
        _ => Exit::Usage,
    }
}
