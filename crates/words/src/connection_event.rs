//! What happens to milter connections.

use std::fmt;

/// An event in the life of a milter connection that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectionEvent {
    /// A connection was opened.
    Opened,
    /// A connection is gone, for whatever reason.
    Closed,
    /// A connection over the limit was answered with a deferral, or closed immediately.
    Refused,
    /// A connection was closed because nothing moved on it.
    IdleTimeout,
    /// An MTA (or a port scanner) broke the protocol.
    ProtocolError,
    /// A handler panicked; its connection was closed.
    HandlerPanic,
    /// A connection was closed because the budget of memory did not allow what its unfinished
    /// packets took.
    OverMemory,
    /// A connection could not be accepted: no descriptors, no memory.
    AcceptError,
    /// A completion came for a connection or a message that is gone.
    LateCompletion,
}

impl ConnectionEvent {
    /// Every event.
    pub const ALL: [Self; 9] = [
        Self::Opened,
        Self::Closed,
        Self::Refused,
        Self::IdleTimeout,
        Self::ProtocolError,
        Self::HandlerPanic,
        Self::OverMemory,
        Self::AcceptError,
        Self::LateCompletion,
    ];

    /// The name used in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Closed => "closed",
            Self::Refused => "refused",
            Self::IdleTimeout => "idle_timeout",
            Self::ProtocolError => "protocol_error",
            Self::HandlerPanic => "handler_panic",
            Self::OverMemory => "over_memory",
            Self::AcceptError => "accept_error",
            Self::LateCompletion => "late_completion",
        }
    }
}

impl fmt::Display for ConnectionEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
