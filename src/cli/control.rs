//! `gatepost reload` and `gatepost stats`: asking the running daemon.

use std::io;

use super::Exit;
use super::failure::Failure;
use super::terminal::Output;
use crate::config::Loaded;
use crate::server;

/// Lets the daemon reload; prints the new generation. Where the new one does not load the old one
/// stays, and that is told.
pub(super) fn reload(loaded: &Loaded) -> Result<Exit, Failure> {
    ask(loaded, "reload")
}

/// Prints the daemon's figures.
pub(super) fn stats(loaded: &Loaded) -> Result<Exit, Failure> {
    ask(loaded, "stats")
}

fn ask(loaded: &Loaded, command: &str) -> Result<Exit, Failure> {
    let Some(path) = &loaded.config.server.control else {
        return Err(Failure::new(
            Exit::Unavailable,
            "there is no control socket: `server.control` is empty",
        ));
    };
    match server::control(path, command) {
        Ok(answer) => {
            let mut out = Output::new();
            out.line(answer.trim_end())?;
            out.finish()?;
            Ok(Exit::Done)
        }
        Err(error) => Err(match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                let message = format!("no daemon answers at {}: {error}", path.display());
                Failure::new(Exit::Unavailable, message)
            }
            // The daemon's own words: a generation that does not load.
            io::ErrorKind::Other => Failure::new(Exit::BadConfig, format!("{command}: {error}")),
            _ => Failure::new(Exit::of_io(&error), format!("{}: {error}", path.display())),
        }),
    }
}
