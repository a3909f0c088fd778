//! What a verdict asks for.

use std::fmt;

/// What a verdict asks for. The order is the order of severity in which evidence is folded:
/// whatever asks for more wins.
///
/// `Defer` is less than `Quarantine` on purpose: deferring asks the client to come again, and what
/// is known to be bad enough to be held must not get a second try instead. Deferring by policy
/// (greylisting, rates, the admin's lists) is a verdict; a *fault* defers in its own way and never
/// becomes a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disposition {
    /// Deliver, with headers that carry the score.
    Accept,
    /// Refuse with a temporary reply: the client tries again.
    Defer,
    /// Keep in the MTA's hold queue for a person to look at.
    Quarantine,
    /// Refuse with a permanent reply; the sender's own MTA informs its user.
    Reject,
}

impl Disposition {
    /// Every disposition, in order.
    pub const ALL: [Self; 4] = [Self::Accept, Self::Defer, Self::Quarantine, Self::Reject];

    /// The name used in logs, headers, metrics and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Defer => "defer",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    /// The disposition of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

impl fmt::Display for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Disposition;

    #[test]
    fn the_more_severe_disposition_wins_a_fold() {
        assert!(Disposition::ALL.is_sorted());
        let folded = Disposition::ALL.into_iter().rev().max();
        assert_eq!(folded, Some(Disposition::Reject));
        assert_eq!(
            Disposition::Defer.max(Disposition::Quarantine),
            Disposition::Quarantine
        );
    }
}
