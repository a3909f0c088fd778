//! How judging ends: with a verdict, or with a fault. A fault never rejects and never silently
//! accepts.

use gatepost_words::Fault;
use gatepost_words::verdict::Verdict;

/// What a worker reports: the ticket of the job, and how it ended.
#[derive(Debug)]
pub struct Completion {
    /// The number that the session gave the job; unique within its connection.
    pub ticket: u64,
    /// How it ended.
    pub outcome: Result<Verdict, Fault>,
}

/// Where a worker reports to. Called exactly once for each job that was accepted, from a worker
/// thread; must not block.
pub trait Notify: Send + Sync {
    /// Takes the report.
    fn completed(&self, completion: Completion);
}
