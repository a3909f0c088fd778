//! What the server serves, and what it tells about its own doings.

use std::sync::Arc;

use super::control_protocol::{Reloaded, Request};
use crate::session;
use gatepost_engine::{Budget, Notify};
use gatepost_words::ConnectionEvent;

/// What is behind the sockets. Called from the event loop, so everything but [`Service::reload`]
/// returns soon.
pub trait Service: Send + Sync + 'static {
    /// What answers one MTA connection.
    type Connection: session::Connection + 'static;

    /// Opens the handler of one new connection on listener `index` (its place in
    /// [`super::Settings::listeners`]). Workers report to `notify`; a report for a connection
    /// that is gone is dropped.
    fn open(&self, index: usize, notify: Arc<dyn Notify>) -> Self::Connection;

    /// The budget of memory that the buffers of connections draw on.
    fn budget(&self) -> &Arc<Budget>;

    /// Rebuilds the generation. `Ok` says what changed, `Err` why the old one stays. Runs on its
    /// own thread, never two at the same time.
    fn reload(&self) -> Result<Reloaded, String>;

    /// Answers [`Request::Metrics`] and [`Request::Config`]. Runs on a thread of the control
    /// socket.
    fn query(&self, request: &Request) -> Result<String, String>;

    /// The drain begins. Messages that have begun are still to be judged.
    fn shutting_down(&self);

    /// Something happened that a counter may want to know.
    fn observe(&self, observation: Observation) {
        let _: Observation = observation;
    }
}

/// What the server counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation {
    /// A connection was opened on the listener of this index.
    Opened(usize),
    /// One of them is gone, for whatever reason.
    Closed(usize),
    /// A connection over the limit was answered with a deferral, or closed at once.
    Refused(usize),
    /// A connection was closed because nothing moved on it.
    IdleTimeout,
    /// An MTA (or a port scanner) broke the protocol.
    ProtocolError,
    /// A handler panicked; its connection was closed.
    HandlerPanic,
    /// A connection was closed because the budget of memory did not allow what its unfinished
    /// packets took.
    OverMemory,
    /// A connection could not be accepted: no descriptors, no memory.
    AcceptError,
    /// A worker's report came for a connection or a message that is gone.
    LateCompletion,
}

impl Observation {
    /// The event that is counted.
    pub fn event(self) -> ConnectionEvent {
        match self {
            Self::Opened(_) => ConnectionEvent::Opened,
            Self::Closed(_) => ConnectionEvent::Closed,
            Self::Refused(_) => ConnectionEvent::Refused,
            Self::IdleTimeout => ConnectionEvent::IdleTimeout,
            Self::ProtocolError => ConnectionEvent::ProtocolError,
            Self::HandlerPanic => ConnectionEvent::HandlerPanic,
            Self::OverMemory => ConnectionEvent::OverMemory,
            Self::AcceptError => ConnectionEvent::AcceptError,
            Self::LateCompletion => ConnectionEvent::LateCompletion,
        }
    }
}
