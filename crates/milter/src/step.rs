//! What [`super::Protocol::poll`] returns.

use super::command::Command;
use super::{Event, Macros, Negotiated};

/// Whether a step wants an answer. Calling [`super::Protocol::respond`] after each step is always
/// right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Exactly one: [`super::Protocol::poll`] gives nothing more until it was given.
    Due,
    /// None goes out now (NR_HDR, NR_BODY, body data inside BODYEOB), but a reply other than
    /// `Continue` that is given to [`super::Protocol::respond`] is remembered: nothing more of
    /// this message is shown, and the next command of it that has an answer gets this one.
    Later,
    /// Never: `Abort` and `Close`.
    None,
}

/// One event for the handler.
#[derive(Debug)]
pub struct Step<'a> {
    /// Whether an answer is due.
    pub answer: Answer,
    /// What was negotiated, with the first event after it.
    pub negotiated: Option<&'a Negotiated>,
    pub(super) command: Command<'a>,
    pub(super) macros: &'a Macros,
}

impl Step<'_> {
    /// The event.
    pub fn event(&self) -> Event<'_> {
        self.command.event(self.macros)
    }
}
