//! The case: all that a judging room may look at, and the stage of the SMTP session at which it is
//! asked.

use std::fmt;

use super::Fact;
use crate::mail::{Message, Transaction};

/// The stages of an SMTP session at which the engine is asked, in the order in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// A client connected.
    Connect,
    /// It greeted.
    Helo,
    /// MAIL FROM.
    MailFrom,
    /// One RCPT TO.
    RcptTo,
    /// The header is complete, the body is not there yet.
    EndOfHeaders,
    /// The whole message is there.
    EndOfMessage,
}

impl Stage {
    /// The name used in logs, headers, metrics and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Helo => "helo",
            Self::MailFrom => "mail",
            Self::RcptTo => "rcpt",
            Self::EndOfHeaders => "headers",
            Self::EndOfMessage => "message",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

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
