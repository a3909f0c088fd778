//! What the server needs of whatever answers one connection.

use std::time::Instant;

use gatepost_engine::Completion;
use gatepost_milter::{MilterHandler, Response};

/// A handler whose answer to any stage may come later, with the report of another thread or when
/// the time for it is up.
pub trait Connection: MilterHandler + Send {
    /// Takes the report of another thread.
    fn on_completed(&mut self, completion: Completion) -> Delivery;

    /// When the handler answers on its own, whatever other threads do. Only while an answer is
    /// [`gatepost_milter::Reply::Pending`].
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// The answer that is due, if [`Self::deadline`] has passed and it is one that ends the wait.
    fn on_deadline(&mut self, now: Instant) -> Option<Response> {
        let _: Instant = now;
        None
    }

    /// Publishes what is over. Called after the answers are written: nothing that is published may
    /// hold up an answer.
    fn publish(&mut self) {}

    /// Whether a mail transaction has begun (MAIL was seen) and is not over: a drain waits for
    /// these.
    fn in_transaction(&self) -> bool;
}

/// What became of a report.
#[derive(Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It brought the answer that the MTA waits for.
    Respond(Response),
    /// It was used; nothing is to be answered now.
    Noted,
    /// Nothing waits for it any more (ABORT, hang-up, another message, a deadline).
    Late,
}

impl Delivery {
    /// The answer, if it brought one.
    pub fn response(self) -> Option<Response> {
        match self {
            Self::Respond(response) => Some(response),
            Self::Noted | Self::Late => None,
        }
    }
}
