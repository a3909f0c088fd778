//! How many messages are done; on a terminal only.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};

use super::terminal::escaped;

/// A count of messages, with its end where that is known.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Shows nothing where standard error is no terminal.
    pub(super) fn new() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::hidden();
        }
        let style = ProgressStyle::with_template("{spinner} {msg} {pos} messages, {per_sec}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        Self(ProgressBar::no_length().with_style(style))
    }

    /// Never shows anything.
    pub(super) fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// Shows what is being done, or read.
    pub(super) fn doing(&self, what: &str) {
        self.0.set_message(escaped(what));
    }

    /// So many messages are known to come.
    pub(super) fn more(&self, messages: usize) {
        let template = "{msg} {wide_bar} {pos}/{len}, {per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.0.set_style(style);
        }
        self.0.set_length(self.0.position() + messages as u64);
    }

    /// So many of a known number are done.
    pub(super) fn at(&self, what: &str, done: usize, total: usize) {
        let template = "{msg} {wide_bar} {pos}/{len}";
        if self.0.length() != Some(total as u64)
            && let Ok(style) = ProgressStyle::with_template(template)
        {
            self.0.set_style(style);
            self.0.set_length(total as u64);
        }
        self.doing(what);
        self.0.set_position(done as u64);
    }

    /// Prints a line above the bar.
    pub(super) fn note(&self, text: &str) {
        self.0.println(escaped(text));
    }

    /// One message more.
    pub(super) fn one(&self) {
        self.0.inc(1);
    }

    /// Takes it off the screen.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
