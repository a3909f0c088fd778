//! `gatepost run`: the daemon.

use super::Exit;
use super::failure::Failure;
use super::loading::load;
use super::terminal::print_diagnostics;
use crate::config::Paths;
use crate::daemon::{self, StartError};
use crate::server::ServeError;

/// Serves until SIGTERM.
pub(super) fn run(paths: &Paths) -> Result<Exit, Failure> {
    let loaded = load(paths)?;
    match daemon::run(paths, &loaded, print_diagnostics) {
        Ok(Ok(())) => Ok(Exit::Done),
        // It was logged.
        Ok(Err(error)) => Ok(exit_of(&error)),
        Err(StartError::Generation(diagnostics)) => Err(diagnostics.into()),
        Err(StartError::Needs(diagnostics)) => {
            Err(Failure::Diagnostics(Exit::Unavailable, diagnostics))
        }
        Err(StartError::Threads(what, error)) => {
            let message = format!("cannot start {what}: {error}");
            Err(Failure::new(Exit::of_io(&error), message))
        }
    }
}

fn exit_of(error: &ServeError) -> Exit {
    match error {
        ServeError::NoListener | ServeError::NoLibmilter(_) | ServeError::LibmilterTwice => {
            Exit::BadConfig
        }
        ServeError::Forced => Exit::TryLater,
        ServeError::System(_, error) | ServeError::Poll(error) => Exit::of_io(error),
        ServeError::Bind(_) | ServeError::Libmilter(_) => Exit::Unavailable,
    }
}
