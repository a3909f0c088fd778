//! What answers a connection: the service's handler, or, over the connection limit, one that defers
//! everything.

use std::time::Instant;

use crate::session::{Connection, Delivery};
use gatepost_engine::Completion;
use gatepost_milter::{Event, MilterHandler, Negotiated, Reply, Response};

/// A handler of either kind.
#[derive(Debug)]
pub(super) enum Handler<C> {
    /// The service's.
    Served(C),
    /// Defers, so that the client tries again; spends nothing on it.
    Refusing,
}

impl<C: Connection> Handler<C> {
    /// Passes on the report of another thread.
    pub(super) fn completed(&mut self, completion: Completion) -> Delivery {
        match self {
            Self::Served(connection) => connection.on_completed(completion),
            Self::Refusing => Delivery::Late,
        }
    }

    /// When it answers on its own.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Served(connection) => connection.deadline(),
            Self::Refusing => None,
        }
    }

    /// The answer that is due, if there is one.
    pub(super) fn on_deadline(&mut self, now: Instant) -> Option<Response> {
        match self {
            Self::Served(connection) => connection.on_deadline(now),
            Self::Refusing => None,
        }
    }

    /// Publishes what is over, once its answer is written.
    pub(super) fn publish(&mut self) {
        if let Self::Served(connection) = self {
            connection.publish();
        }
    }
}

impl<C: Connection> MilterHandler for Handler<C> {
    fn on_negotiated(&mut self, negotiated: &Negotiated) {
        if let Self::Served(connection) = self {
            connection.on_negotiated(negotiated);
        }
    }

    fn on_event(&mut self, event: Event<'_>) -> Response {
        match self {
            Self::Served(connection) => connection.on_event(event),
            Self::Refusing => refusal(),
        }
    }
}

/// What every command gets over the limit.
pub(super) fn refusal() -> Response {
    Response::from(Reply::Code {
        code: 451,
        enhanced: "4.3.2".to_owned(),
        lines: vec!["Too many connections to the mail filter; please try again later".to_owned()],
    })
}
