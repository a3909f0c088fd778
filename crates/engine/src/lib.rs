//! Plan, gather, judge, commit, reply, publish: [`Pipeline`] takes one SMTP session through its six
//! stages (read `pipeline.rs` first), with one straight-line function for each, a lock-free pool of
//! workers for the stages that look at a message, and generations of all that judging reads, which
//! are swapped whole.
//!
//! Invariants: judging does no I/O; one message is judged by one generation from MAIL to its end; no
//! queue is unbounded; a fault never rejects and never silently accepts.

mod budget;
mod commit;
mod connect;
mod core;
mod crew;
mod envelope;
mod gathering;
mod generation;
mod header_edits;
mod headers;
mod judge;
mod message;
mod outcome;
mod pipeline;
mod pool;
mod received;
mod scratch;
mod settle;
mod slow;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use self::core::{Engine, Services, Settings};
pub use budget::{Budget, Permit};
pub use commit::{Commit, CommitSettings, Durable};
pub use connect::connect;
pub use envelope::{helo, mail_from, rcpt_to};
pub use generation::{GatherSettings, Generation, Profile};
pub use headers::end_of_headers;
pub use judge::{judge, judge_within};
use message::held_for_judging_time;
pub use message::{TimeLeft, end_of_message};
pub use outcome::{Completion, Judged, Notify, Report, Ticket};
pub use pipeline::{Begun, Ended, Pipeline, Point, Progress, Work};
pub use pool::Job;
pub use received::ReceivedMail;
pub use scratch::Scratch;
pub use settle::{Outcome, Timings, Unjudged};
