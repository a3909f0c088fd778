//! A fact that may be missing, with the reason why.

use std::fmt;

/// Why a fact is not known. Also a fact: rules and policy may look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Not asked: the feature is off or does not exist yet.
    NotAsked,
    /// The one who was asked did not answer within the deadline.
    Timeout,
    /// The one who was asked failed.
    Failed,
    /// Too many questions were waiting already: this one was not asked.
    Overloaded,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 4] = [
        Self::NotAsked,
        Self::Timeout,
        Self::Failed,
        Self::Overloaded,
    ];

    /// The name used in records, metrics and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAsked => "not_asked",
            Self::Timeout => "timeout",
            Self::Failed => "failed",
            Self::Overloaded => "overloaded",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAsked => "not asked",
            Self::Timeout => "timed out",
            Self::Failed => "failed",
            Self::Overloaded => "not asked: too many questions were waiting",
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
