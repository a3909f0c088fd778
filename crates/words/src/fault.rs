//! Why a message could not be judged, and what happens to it then. A fault never rejects and never
//! silently accepts.

use std::fmt;

use crate::verdict::Disposition;

/// Why a message could not be judged. The failure policy decides its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The deadline passed before a worker was done.
    Deadline,
    /// Our own code panicked on this message.
    Panic,
    /// The queue of the pool, or the budget of bytes in flight, is full.
    Overload,
    /// The message, its header or its list of recipients is larger than the limit.
    TooLarge,
    /// The MTA aborted the transaction; it does not wait for an answer.
    Cancelled,
    /// The daemon is shutting down.
    ShuttingDown,
    /// What had to be durable before the answer could not be written, or not in time.
    Commit,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 7] = [
        Self::Deadline,
        Self::Panic,
        Self::Overload,
        Self::TooLarge,
        Self::Cancelled,
        Self::ShuttingDown,
        Self::Commit,
    ];

    /// The name used in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::Panic => "panic",
            Self::Overload => "overload",
            Self::TooLarge => "too_large",
            Self::Cancelled => "cancelled",
            Self::ShuttingDown => "shutting_down",
            Self::Commit => "commit",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The outcome of a message that could not be judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailurePolicy {
    /// Defer it: the client tries again.
    #[default]
    Tempfail,
    /// Let it pass, marked as not judged.
    Accept,
    /// Put it on hold, marked as not judged.
    Quarantine,
}

impl FailurePolicy {
    /// What is done to the message.
    pub fn action(self) -> Disposition {
        match self {
            Self::Tempfail => Disposition::Defer,
            Self::Accept => Disposition::Accept,
            Self::Quarantine => Disposition::Quarantine,
        }
    }

    /// The name used in the configuration, logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tempfail => "tempfail",
            Self::Accept => "accept",
            Self::Quarantine => "quarantine",
        }
    }
}
