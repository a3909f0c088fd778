//! The tree of a pattern.

use super::byteset::ByteSet;

/// What a repetition prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Greed {
    /// As many as possible.
    Greedy,
    /// As few as possible.
    Lazy,
    /// As many as possible, and never gives one back.
    Possessive,
}

/// A test of the place between two bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assertion {
    /// `^` without /m, `\A`.
    Start,
    /// `^` with /m: at the start, or after a line feed that is not the last byte.
    LineStart,
    /// `$` without /m, `\Z`: at the end, or before a line feed that is the last byte.
    End,
    /// `$` with /m: at the end, or before a line feed.
    LineEnd,
    /// `\z`.
    VeryEnd,
    /// `\b`, ASCII.
    WordBoundary,
    /// `\B`, ASCII.
    NoWordBoundary,
}

/// A pattern. Modes (case, dot, lines, free spacing) are settled: a letter under /i is a set of two
/// bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// The empty text.
    Empty,
    /// One byte out of a set.
    Set(ByteSet),
    /// A place.
    Assert(Assertion),
    /// One after the other.
    Concat(Vec<Node>),
    /// The first that leads to a match.
    Alternate(Vec<Node>),
    /// Counted repetition.
    Repeat {
        /// What is repeated.
        node: Box<Node>,
        /// At least.
        min: u32,
        /// At most; `None` without end.
        max: Option<u32>,
        /// Which count is tried first.
        greed: Greed,
    },
    /// A capture, numbered from 1.
    Capture(u32, Box<Node>),
    /// Look-ahead or look-behind.
    Look {
        /// Ahead or behind.
        ahead: bool,
        /// `(?!` and `(?<!`.
        negative: bool,
        /// What is looked for.
        node: Box<Node>,
    },
    /// What a capture matched, again; under /i in any case.
    BackReference {
        /// Which.
        capture: u32,
        /// Whether case is ignored.
        fold: bool,
    },
    /// `(?>…)`.
    Atomic(Box<Node>),
}

impl Node {
    /// The least number of bytes that a match has.
    pub(super) fn least(&self) -> usize {
        match self {
            Self::Empty | Self::Assert(_) | Self::Look { .. } | Self::BackReference { .. } => 0,
            Self::Set(_) => 1,
            Self::Concat(nodes) => nodes.iter().map(Self::least).fold(0, usize::saturating_add),
            Self::Alternate(nodes) => nodes.iter().map(Self::least).min().unwrap_or(0),
            Self::Repeat { node, min, .. } => node.least().saturating_mul(*min as usize),
            Self::Capture(_, node) | Self::Atomic(node) => node.least(),
        }
    }

    /// Whether it matches the empty text wherever it is tried: nothing in it can fail.
    pub(super) fn always_matches(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Set(_) | Self::Assert(_) | Self::Look { .. } | Self::BackReference { .. } => {
                false
            }
            Self::Concat(nodes) => nodes.iter().all(Self::always_matches),
            Self::Alternate(nodes) => nodes.iter().any(Self::always_matches),
            Self::Repeat { node, min, .. } => *min == 0 || node.always_matches(),
            Self::Capture(_, node) | Self::Atomic(node) => node.always_matches(),
        }
    }
}
