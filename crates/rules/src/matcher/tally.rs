//! What one rule did during the scans that are measured.

use std::time::Duration;

/// What one rule did, and how long it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Texts that it was tried on, after the filters; evaluations of a function or meta.
    pub(crate) tried: u64,
    /// Messages that it hit.
    pub(crate) hits: u64,
    pub(crate) time: Duration,
    /// Steps of backtracking.
    pub(crate) steps: u64,
}
