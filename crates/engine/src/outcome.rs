//! What threads report to a session: facts that were gathered, a message that was judged.
//!
//! Judging ends with a verdict or with a fault. A fault never rejects and never silently accepts.

use std::sync::Arc;
use std::time::Duration;

use super::ReceivedMail;
use gatepost_gather::{Answer, Question};
use gatepost_mail::Facts;
use gatepost_records::MessageSummary;
use gatepost_words::Fault;
use gatepost_words::verdict::Verdict;

/// The number under which a session waits for a report; unique within its connection.
pub type Ticket = u64;

/// A report to one session.
#[derive(Debug)]
pub struct Completion {
    /// Which question or job it answers.
    pub ticket: Ticket,
    /// What it says.
    pub report: Report,
}

/// What was done for a session on another thread.
#[derive(Debug)]
pub enum Report {
    /// Questions were answered, each with a fact or with the cause why there is none.
    Gathered(Vec<(Question, Answer)>),
    /// A header or a message was judged.
    Judged(Box<Judged>),
    /// An outcome is durable, or could not be made so.
    Committed(Result<(), Fault>),
}

/// A message that comes back from judging, with all that judging saw.
#[derive(Debug)]
pub struct Judged {
    /// The message itself. Its share of the memory budget is given back when the last owner
    /// drops it.
    pub mail: Arc<ReceivedMail>,
    /// The facts that it was judged with.
    pub facts: Facts,
    /// Its digest and the fields that are recorded; only of a whole message that was judged.
    pub summary: Option<MessageSummary>,
    /// How judging ended.
    pub result: Result<Verdict, Fault>,
    /// How long judging took, without the wait for a worker.
    pub elapsed: Duration,
}

/// Where other threads report to. Called exactly once for each job that was accepted; must not
/// block.
pub trait Notify: Send + Sync {
    /// Takes the report.
    fn completed(&self, completion: Completion);
}
