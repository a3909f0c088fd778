//! What is to become of a mail.

use std::fmt;

/// The three things that a verdict can ask for. There is no fourth: deferring is what a *fault*
/// does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disposition {
    /// Deliver, with headers that tell the score.
    Accept,
    /// Keep in the MTA's hold queue for a person to look at.
    Quarantine,
    /// Refuse with a permanent reply; the sender's own MTA tells its user.
    Reject,
}

impl Disposition {
    /// The name used in logs, headers, metrics and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }
}

impl fmt::Display for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
