//! The case: all that a judging room may look at.

use gatepost_words::Stage;
use gatepost_words::fact::Fact;

use crate::{Message, Transaction};

/// What gathering found out. Grows with every world room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// How many messages of this client address were judged spam within the last hour (from `state`,
    /// when there is one).
    pub recent_spam: Fact<u32>,
    /// The names of the client in the DNS (from `gather`, when it is configured).
    pub client_names: Fact<ClientNames>,
}

/// The names of a client address in the reverse DNS, and which of them the forward DNS confirms
/// (RFC 8601 §2.7.3, `iprev`). No name at all is an answer as well: `names` is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientNames {
    /// The names of the address, in lower case, without the final dot, sorted; at most
    /// [`ClientNames::NAMES_MAX`].
    pub names: Vec<String>,
    /// Whether the address has more names than were looked at.
    pub has_more: bool,
    /// The first of `names` that has the address, or `None` if none of them has it.
    pub confirmed: Fact<Option<String>>,
}

impl ClientNames {
    /// So many names of an address are looked at.
    pub const NAMES_MAX: usize = 10;
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
    /// What was found outside of the message.
    pub facts: &'a Facts,
}
