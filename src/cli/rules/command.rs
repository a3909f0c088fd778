//! Which of the commands, and with which rules.

use std::path::PathBuf;
use std::sync::Arc;

use super::arguments::{RulesArguments, RulesCommand};
use super::judge::Set;
use super::{bench, check, diff, hits, list, messages, test};
use crate::cli::Exit;
use crate::cli::failure::Failure;
use crate::cli::terminal::print_diagnostics_briefly;
use crate::config::Loaded;
use crate::daemon::{chosen_rules, compile};
use gatepost_words::diagnostic::Source;

/// Lists, checks, tests, measures or compares rules.
pub(in crate::cli) fn rules(loaded: &Loaded, command: RulesCommand) -> Result<Exit, Failure> {
    match command {
        RulesCommand::List(arguments) => {
            let (ruleset, _) = compile(&sources(loaded, &arguments.which)?)?;
            if arguments.unsupported {
                list::unsupported(&ruleset, arguments.which.format)
            } else {
                list::list(&ruleset, arguments.which.format)
            }
        }
        RulesCommand::Check(arguments) => {
            check::check(&sources(loaded, &arguments)?, arguments.format)
        }
        RulesCommand::Test(arguments) if arguments.messages.is_empty() => test::test(
            &compile(&sources(loaded, &arguments.which)?)?.0,
            arguments.which.format,
        ),
        RulesCommand::Test(arguments) => messages::messages(
            loaded,
            &arguments,
            set(&sources(loaded, &arguments.which)?)?,
        ),
        RulesCommand::Hits(arguments) => {
            let set = set(&chosen_rules(&loaded.config.rules, &arguments.rules)?)?;
            hits::hits(loaded, &arguments, set)
        }
        RulesCommand::Bench(arguments) => bench::bench(
            loaded,
            &arguments,
            &chosen_rules(&loaded.config.rules, &arguments.rules)?,
        ),
        RulesCommand::Diff(arguments) => {
            let read = |own: &PathBuf| {
                let mut paths = arguments.rules.clone();
                paths.push(own.clone());
                set(&chosen_rules(&loaded.config.rules, &paths)?)
            };
            let sets = [read(&arguments.old)?, read(&arguments.new)?];
            diff::diff(loaded, &arguments, &sets)
        }
    }
}

fn sources(loaded: &Loaded, arguments: &RulesArguments) -> Result<Vec<Arc<Source>>, Failure> {
    let paths: Vec<PathBuf> = arguments
        .rules
        .iter()
        .chain(&arguments.paths)
        .cloned()
        .collect();
    Ok(chosen_rules(&loaded.config.rules, &paths)?)
}

/// A set to run over messages.
fn set(sources: &[Arc<Source>]) -> Result<Set, Failure> {
    let (ruleset, reported) = compile(sources)?;
    print_diagnostics_briefly(&reported);
    Ok(Set::new(ruleset))
}
