//! Gather, judge, settle: one straight-line function for each SMTP stage, a lock-free pool of
//! workers for the stages that look at a message, and generations of rules, model and policy that
//! are swapped whole.
//!
//! Invariants: judging does no I/O; one mail is judged by one generation from MAIL to its end; no
//! queue is unbounded; a fault never rejects and never silently accepts.

mod budget;
mod connect;
mod core;
mod envelope;
mod generation;
mod headers;
mod judge;
mod marks;
mod message;
mod outcome;
mod pool;
mod scratch;
mod settle;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use self::core::{Engine, Settings};
pub use budget::{Budget, Permit};
pub use connect::connect;
pub use envelope::{helo, mail_from, rcpt_to};
pub use generation::{Generation, Profile};
pub use headers::end_of_headers;
pub use judge::{judge, judge_within};
pub use message::{TimeLeft, end_of_message};
pub use outcome::{Completion, Notify};
pub use pool::Job;
pub use scratch::Scratch;
pub use settle::Outcome;
