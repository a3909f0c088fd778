//! `gatepost reload`, `gatepost metrics`, `gatepost config show --running`: querying the running
//! daemon.

use std::io;

use super::Exit;
use super::failure::Failure;
use super::terminal::Output;
use crate::config::Loaded;
use crate::server::{self, Request};

/// Lets the daemon reload; prints the new generation and what changed. Where the new one does not
/// load the old one stays, and the reason is printed.
pub(super) fn reload(loaded: &Loaded) -> Result<Exit, Failure> {
    query(loaded, "reload", &Request::Reload)
}

/// Prints the daemon's metrics.
pub(super) fn metrics(loaded: &Loaded) -> Result<Exit, Failure> {
    query(loaded, "metrics", &Request::Metrics)
}

/// Prints the configuration in force in the daemon.
pub(super) fn running(loaded: &Loaded, changed: bool, key: Option<&str>) -> Result<Exit, Failure> {
    let request = Request::Config {
        changed,
        key: key.map(str::to_owned),
    };
    query(loaded, "config", &request)
}

fn query(loaded: &Loaded, command: &str, request: &Request) -> Result<Exit, Failure> {
    let Some(path) = &loaded.config.server.control else {
        return Err(Failure::new(
            Exit::Unavailable,
            "there is no control socket: `server.control` is empty",
        ));
    };
    match server::control(path, request) {
        Ok(answer) if answer.ok => {
            let mut out = Output::new();
            out.line(answer.text.trim_end())?;
            out.finish()?;
            Ok(Exit::Done)
        }
        // What the daemon says of a generation that does not load, or of a key that is none.
        Ok(answer) => {
            let message = format!("{command}: {}", answer.text);
            Err(Failure::new(Exit::BadConfig, message))
        }
        Err(error) => Err(match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                let path = path.display();
                let message = format!("cannot connect to the daemon at {path}: {error}");
                Failure::new(Exit::Unavailable, message)
            }
            _ => Failure::new(Exit::of_io(&error), format!("{}: {error}", path.display())),
        }),
    }
}
