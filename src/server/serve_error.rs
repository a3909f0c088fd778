//! Why the server does not run, or runs no longer.

use std::io;
use std::sync::Arc;

use thiserror::Error;

use super::listener::BindError;

/// Why the server does not run, or runs no longer.
#[derive(Debug, Error)]
pub enum ServeError {
    /// There is no listener.
    #[error("no listener is configured: add a [[listener]] section")]
    NoListener,
    /// A socket cannot be opened.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// This build has no libmilter.
    #[error(
        "listener `{0}` asks for libmilter, which this build does not have (cargo feature `libmilter`)"
    )]
    NoLibmilter(Arc<str>),
    /// libmilter serves one listener, once in a process.
    #[error("libmilter can serve one listener only, and only once in a process")]
    LibmilterTwice,
    /// libmilter did not start, or ended on its own.
    #[error("libmilter: {0}")]
    Libmilter(String),
    /// Something needed from the system was refused.
    #[error("cannot {0}: {1}")]
    System(&'static str, #[source] io::Error),
    /// The event loop cannot wait for events.
    #[error("cannot wait for events: {0}")]
    Poll(#[source] io::Error),
    /// A second SIGTERM ended the drain: messages in progress were dropped, their MTAs defer them.
    #[error("second SIGTERM: exited with messages in progress")]
    Forced,
}
