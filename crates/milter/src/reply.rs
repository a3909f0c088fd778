//! What is answered: a reply to each event, and the actions that may precede it at the end of a
//! message.

/// One change of the message or its envelope; only at the end of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Adds a header field at the end of the header.
    AddHeader {
        /// Field name.
        name: String,
        /// Field body without leading space; folded with LF and white space where it has several
        /// lines.
        value: String,
    },
    /// Inserts a header field at `index`, counted over the message as delivered; 0 is before
    /// everything.
    InsertHeader {
        /// Position.
        index: u32,
        /// Field name.
        name: String,
        /// Field body without leading space.
        value: String,
    },
    /// Changes the `index`th (from 1) field of that name, as received; an empty value deletes it.
    ChangeHeader {
        /// Which occurrence, from 1.
        index: u32,
        /// Field name.
        name: String,
        /// New field body; empty deletes the field.
        value: String,
    },
    /// Changes the envelope sender.
    ChangeFrom {
        /// `<address>`.
        path: String,
        /// ESMTP parameters, joined by blanks; may be empty.
        parameters: String,
    },
    /// Adds an envelope recipient.
    AddRecipient {
        /// `<address>`.
        path: String,
        /// ESMTP parameters, joined by blanks; may be empty.
        parameters: String,
    },
    /// Removes an envelope recipient, named as the MTA named it.
    DeleteRecipient {
        /// `<address>`.
        path: String,
    },
    /// Puts the message on hold.
    Quarantine {
        /// Why, for the MTA's log.
        reason: String,
    },
}

/// The reply proper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Go on. At the end of a message: accept it, with the actions.
    Continue,
    /// Accept: the rest of the message (or, at CONNECT and HELO, of the session) is not shown any
    /// more.
    Accept,
    /// Refuse for good, with the MTA's own text.
    Reject,
    /// Defer, with the MTA's own text.
    Tempfail,
    /// Refuse or defer with our own code and text.
    Code {
        /// `400..=599`.
        code: u16,
        /// Such as `5.7.1`; its class equals that of the code.
        enhanced: String,
        /// At least one line, printable ASCII.
        lines: Vec<String>,
    },
    /// In a body: the rest of it is not needed. Sent as `Continue` where the MTA did not offer it.
    Skip,
    /// The answer comes later, through [`super::Protocol::respond`]; only at the end of a message.
    Pending,
}

/// What a handler returns for one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Changes to the message. Ignored unless the event was the end of a message and the reply
    /// accepts it; those that the MTA did not offer to make are left out.
    pub actions: Vec<Action>,
    /// The reply.
    pub reply: Reply,
}

impl From<Reply> for Response {
    fn from(reply: Reply) -> Self {
        Self {
            actions: Vec::new(),
            reply,
        }
    }
}

/// What decides: a state machine for one connection, without I/O. Everything below it
/// is tested through it.
pub trait MilterHandler {
    /// Receives what was negotiated, once, before the first event of a connection.
    fn on_negotiated(&mut self, _negotiated: &super::Negotiated) {}

    /// Takes one event and returns the answer. For events that are never answered the response is
    /// ignored.
    fn on_event(&mut self, event: super::Event<'_>) -> Response;
}
