//! The states that [`super::Protocol`] goes through, and what it decides about one command.

use super::command::Kind;
use super::{Answer, Reply};

/// How far the SMTP session has come. The order is that of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Nothing negotiated.
    Start,
    /// No client yet.
    Open,
    /// A client, no message.
    Connected,
    /// The message was decided before its end; the MTA should be silent until ABORT or the next
    /// MAIL.
    Over {
        accepted: bool,
    },
    Mail,
    Rcpt,
    Data,
    Header,
    EndOfHeaders,
    Body,
}

/// How the connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It has not.
    No,
    /// The MTA hung up: what came before is shown, then `Close`.
    HungUp,
    /// The protocol was broken: `Close` is shown next.
    Failed,
    /// `Close` was shown.
    Closed,
}

/// What is known of the message in progress.
#[derive(Debug, Default)]
pub(super) struct Current {
    /// A reply that the handler returned where none could be sent.
    pub(super) settled: Option<Reply>,
    /// The handler wants no more of the body.
    pub(super) skipping: bool,
    /// The data inside BODYEOB was shown, the end of the message was not.
    pub(super) tail_shown: bool,
}

/// An answer that the MTA waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct PendingReply {
    pub(super) kind: Kind,
    /// The handler returned [`Reply::Pending`].
    pub(super) pending: bool,
}

/// What to show next: a command whose payload of so many bytes is on top of the decoder, or an
/// event that no command stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next {
    Command {
        kind: Kind,
        length: usize,
        answer: Answer,
    },
    /// Body data inside BODYEOB, which stays where it is.
    Tail,
    Abort,
    /// `Close` of this SMTP session; another one follows.
    Restart,
    /// `Close` for good.
    Close,
}

/// The decision about one command.
pub(super) enum Admission {
    Show,
    /// The message in progress is given up first.
    AbortFirst,
    /// The session in progress is given up first.
    CloseFirst,
    /// It is not for the handler; this is the answer where one is due.
    Keep(Reply),
    /// The handler has decided the message already; this is its answer where one is due.
    Settle(Reply),
}
