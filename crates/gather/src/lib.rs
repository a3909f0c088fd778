//! Gather: facts that need the world, each with its deadline, cache and breaker.
//!
//! [`plan`] is pure: stage, transaction and what is wanted to questions. A [`Gather`] answers them,
//! in a thread of its own, within the deadline that comes with the request. A missing answer is
//! `Unknown(cause)`, also a fact. Nothing is asked that the configuration did not switch on.
//!
//! # Where to add a question
//!
//! A variant of [`Question`] and one of [`Answer`]; a field of `gatepost_mail::Facts` in which
//! [`Answer::enter`] puts it; the condition in [`plan`] under which it is asked; and a task, the
//! state machine that says which look-ups it needs (`client_names.rs` is the first).
//!
//! # How a question is answered
//!
//! ```text
//! ask() ─▶ bounded queue ─▶ worker.rs   the thread: requests, deadlines, who waits for which look-up
//!                             ├ task.rs       question ⇄ look-ups                  pure
//!                             ├ dns/cache.rs  look-ups answered not long ago       pure
//!                             ├ dns/stub.rs   look-ups ⇄ messages, servers, time   pure, with breaker.rs
//!                             └ sockets.rs    messages ⇄ UDP and TCP
//! ```

mod breaker;
mod client_names;
pub mod dns;
mod pending;
mod plan;
mod question;
mod random;
mod resolv_conf;
mod resolver;
mod sockets;
mod task;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod worker;

pub use plan::{Wanted, plan};
pub use question::{Answer, Done, Gather, Question};
pub use resolv_conf::system_servers;
pub use resolver::{Counters, Resolver, Settings};
