//! From the command line to an exit status.

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use super::arguments::{Arguments, Command, ConfigCommand};
use super::failure::Failure;
use super::loading::load;
use super::terminal::{eprint_line, escaped, print_diagnostics};
use super::{
    Exit, check, config_show, control, explain, generate, learn, model, records, rules, run, scan,
};
use crate::config::Paths;

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
            eprint_line(format_args!("gatepost: {}", escaped(&message)));
            exit.into()
        }
        Err(Failure::Diagnostics(exit, diagnostics)) => {
            print_diagnostics(&diagnostics);
            exit.into()
        }
    }
}

fn dispatch(arguments: Arguments) -> Result<Exit, Failure> {
    let paths = Paths::of_process(arguments.config);
    match arguments.command {
        Command::Run => run::run(&paths),
        Command::Scan(scan) => scan::scan(&load(&paths)?, &scan),
        Command::Explain { what } => explain::explain(&paths, &what),
        Command::Check { format, user } => check::check(&paths, format, user.as_deref()),
        Command::Rules(command) => rules::rules(&load(&paths)?, command),
        Command::Learn(command) => learn::learn(&load(&paths)?, &command),
        Command::Model(command) => model::model(&paths, command),
        Command::Records(command) => records::records(&load(&paths)?, &command),
        Command::Config(ConfigCommand::Show {
            changed,
            running: true,
            key,
            ..
        }) => control::running(&load(&paths)?, changed, key.as_deref()),
        Command::Config(ConfigCommand::Show {
            changed,
            defaults,
            key,
            ..
        }) => config_show::show(&paths, changed, defaults, key.as_deref()),
        Command::Reload => control::reload(&load(&paths)?),
        Command::Metrics => control::metrics(&load(&paths)?),
        Command::Stats => {
            eprint_line("gatepost: warning: `stats` is now called `metrics`");
            control::metrics(&load(&paths)?)
        }
        Command::Generate(command) => generate::generate(command),
    }
}

/// What clap says: help and version on standard output with success, mistakes on standard error.
fn usage(error: &clap::Error) -> Exit {
    // A closed pipe is no error here either, and for anything else there is no reader left.
    error.print().unwrap_or_default();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
        _ => Exit::Usage,
    }
}
