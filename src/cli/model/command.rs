//! The subcommands of `gatepost model`.

use super::arguments::ModelCommand;
use super::{explain, info, measure, train};
use crate::cli::Exit;
use crate::cli::deprecated::renamed;
use crate::cli::failure::Failure;
use crate::cli::loading::load;
use crate::config::Paths;

/// Trains, measures or describes.
pub(in crate::cli) fn model(paths: &Paths, command: ModelCommand) -> Result<Exit, Failure> {
    match command {
        ModelCommand::Train(arguments) => train::train(&arguments),
        ModelCommand::Eval(arguments) => measure::eval(paths, &arguments),
        ModelCommand::Replay(arguments) => measure::replay(&arguments),
        ModelCommand::Robustness(arguments) => measure::robustness(paths, &arguments),
        ModelCommand::Attack(arguments) => {
            renamed("model attack", "model robustness");
            measure::robustness(paths, &arguments)
        }
        ModelCommand::Explain { path, words, state } => {
            explain::explain(&load(paths)?, &path, words, &state)
        }
        ModelCommand::Info { path, format } => info::info(paths, path.as_deref(), format),
    }
}
