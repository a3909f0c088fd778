//! Gather: facts that need the world, each with its deadline, cache and breaker.
//!
//! [`plan`] is pure: stage, transaction and what is wanted to questions. A [`Gather`] answers them,
//! in a thread of its own, within the deadline that comes with the request. A missing answer is
//! `Unknown(cause)`, also a fact. Nothing is asked that the configuration did not switch on.
//!
//! # Where to add a question
//!
//! A variant of [`Question`] and one of [`Answer`]; a field of `gatepost_mail::Facts` in which
//! [`Answer::enter`] puts it; the condition in [`plan`] under which it is asked.

mod plan;
mod question;

pub use plan::{Wanted, plan};
pub use question::{Answer, Done, Gather, Question};
