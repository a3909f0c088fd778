//! What goes to standard output and standard error, and whether it may be coloured.

use std::fmt;
use std::io::{self, IsTerminal, Write};

use super::failure::Failure;
use gatepost_words::diagnostic::{Diagnostic, render};
use gatepost_words::escape::ForTerminal;

/// Warnings that are shown where they are not what was asked for.
const SHOWN: usize = 10;

/// Standard output, buffered. A closed pipe ends the command with success.
pub(super) struct Output {
    out: io::BufWriter<io::StdoutLock<'static>>,
}

impl Output {
    pub(super) fn new() -> Self {
        Self {
            out: io::BufWriter::new(io::stdout().lock()),
        }
    }

    /// Writes one line.
    pub(super) fn line(&mut self, line: impl fmt::Display) -> Result<(), Failure> {
        writeln!(self.out, "{line}").map_err(|error| broken(&error))
    }

    /// Writes text as it is.
    pub(super) fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.bytes(text.as_bytes())
    }

    /// Writes bytes as they are.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(|error| broken(&error))
    }

    /// Writes out what is buffered, for a person who waits.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|error| broken(&error))
    }

    /// Writes out what is buffered; to be called at the end of every command, for its error counts.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|error| broken(&error))
    }
}

fn broken(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        Failure::BrokenPipe
    } else {
        Failure::new(
            super::Exit::Unavailable,
            format!("cannot write the output: {error}"),
        )
    }
}

/// One line on standard error. Where that fails there is no place left to report it.
pub(super) fn eprint_line(text: impl fmt::Display) {
    writeln!(io::stderr().lock(), "{text}").unwrap_or_default();
}

/// Diagnostics on standard error.
pub(super) fn print_diagnostics(diagnostics: &[Diagnostic]) {
    if !diagnostics.is_empty() {
        let color = io::stderr().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        io::stderr()
            .lock()
            .write_all(render(diagnostics, color).as_bytes())
            .unwrap_or_default();
    }
}

/// Warnings on rules that were named on the command line: a few are shown, of many only the
/// number. A set of SpamAssassin's size may give thousands.
pub(super) fn print_diagnostics_briefly(warnings: &[Diagnostic]) {
    if warnings.len() <= SHOWN {
        print_diagnostics(warnings);
    } else {
        eprint_line(format_args!(
            "gatepost: the rules give {} warnings; `gatepost rules check` shows them",
            warnings.len()
        ));
    }
}

/// An error text that may quote a file name of a stranger.
pub(super) fn escaped(text: &str) -> String {
    ForTerminal(text).to_string()
}
