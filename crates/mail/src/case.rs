//! The case: all that a judging room may look at.

use gatepost_words::Stage;
use gatepost_words::fact::Fact;

use crate::{Message, Transaction};

/// What gathering found out. Grows with every world room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// How many mails of this client address were judged spam within the last hour (from `state`,
    /// when there is one).
    pub recent_spam: Fact<u32>,
}

/// Everything that judging may look at: the one argument of `rules` and `features`.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// At [`Stage::EndOfHeaders`] the message has a header and an empty body.
    pub stage: Stage,
    /// The SMTP side.
    pub transaction: &'a Transaction,
    /// The message side.
    pub message: &'a Message<'a>,
    /// What the world said.
    pub facts: &'a Facts,
}
