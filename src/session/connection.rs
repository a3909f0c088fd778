//! What the server needs of whatever sits behind one connection.

use gatepost_engine::Completion;
use gatepost_milter::{MilterHandler, Response};

/// A handler whose answer to the end of a message may come later, from the worker pool.
pub trait Connection: MilterHandler + Send {
    /// Takes the outcome of a job. `None` when nobody waits for it any more (ABORT, hang-up, a
    /// newer message).
    fn on_completed(&mut self, completion: Completion) -> Option<Response>;

    /// Whether a mail transaction has begun (MAIL was seen) and is not over: a drain waits for
    /// these.
    fn in_transaction(&self) -> bool;
}
