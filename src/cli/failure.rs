//! Why a command ended without doing what was asked.

use std::io;
use std::path::Path;

use super::Exit;
use gatepost_words::diagnostic::Diagnostic;

/// What to say and how to exit.
#[derive(Debug)]
pub(super) enum Failure {
    /// One sentence.
    Message(Exit, String),
    /// Diagnostics of files that a person wrote.
    Diagnostics(Exit, Vec<Diagnostic>),
    /// No process reads the output any more: `gatepost … | head` is no error.
    BrokenPipe,
}

impl Failure {
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self::Message(exit, message.into())
    }

    /// A file that cannot be read as input.
    pub(super) fn input(path: &Path, error: &io::Error) -> Self {
        let exit = if error.kind() == io::ErrorKind::PermissionDenied {
            Exit::NotPermitted
        } else {
            Exit::BadInput
        };
        Self::Message(exit, format!("{}: {error}", path.display()))
    }
}

impl From<Vec<Diagnostic>> for Failure {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        Self::Diagnostics(Exit::BadConfig, diagnostics)
    }
}
