//! A fact that may be missing, with the reason why.

use std::fmt;

/// Why a fact is not known. Also a fact: rules and policy may look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Nobody was asked: the feature is off or not there yet.
    NotAsked,
    /// The one who was asked did not answer within the deadline.
    Timeout,
    /// The one who was asked failed.
    Failed,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAsked => "not asked",
            Self::Timeout => "timed out",
            Self::Failed => "failed",
        })
    }
}

/// A fact about a mail that needed the world to find out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact<T> {
    /// It is known.
    Known(T),
    /// It is not, and why.
    Unknown(Cause),
}

impl<T> Default for Fact<T> {
    fn default() -> Self {
        Self::Unknown(Cause::NotAsked)
    }
}

impl<T> Fact<T> {
    /// The value, if known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }
}
