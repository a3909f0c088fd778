//! Which way a message goes, seen from the site.

use std::fmt;

/// The direction of a message. A fact of the transaction, not the name of a listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From outside to a recipient of the site.
    #[default]
    Inbound,
    /// From an own user, authenticated (RFC 4954) or in an own network, to anybody.
    Submission,
    /// From the site's own machines: loopback, or the local `sendmail` command.
    Internal,
}

impl Direction {
    /// Every direction.
    pub const ALL: [Self; 3] = [Self::Inbound, Self::Submission, Self::Internal];

    /// The name used in logs, records and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Submission => "submission",
            Self::Internal => "internal",
        }
    }

    /// The direction of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
