//! The stages of an SMTP session.

use std::fmt;

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
    /// Every stage, in order.
    pub const ALL: [Self; 6] = [
        Self::Connect,
        Self::Helo,
        Self::MailFrom,
        Self::RcptTo,
        Self::EndOfHeaders,
        Self::EndOfMessage,
    ];

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
