//! One connection of libmilter, translated: its callbacks become events, our responses its calls.
//! Safe code.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::milter::{Actions, ContextApi, ProtocolOpts, Status};
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::answer;
use crate::server::Observation;
use crate::server::handler::refusal;
use crate::server::loop_requests::LoopRequests;
use crate::session::{Connection, Delivery};
use gatepost_engine::{Completion, Notify};
use gatepost_milter::{Event, Negotiated, Reply, Response};
use gatepost_words::clock::Clock;

/// Reports of one connection that wait. It has one job at a time; more are leftovers of messages
/// that were given up.
const REPORTS_MAX: usize = 16;
/// The longest wait for a worker, whatever it promised. Its own deadline is far below; Postfix
/// waits 300 s.
const WAIT_MAX: Duration = Duration::from_mins(5);

/// Opens a handler.
pub(super) type Open = Box<dyn Fn(Arc<dyn Notify>) -> Box<dyn Connection> + Send + Sync>;

/// Takes what is to be counted.
pub(super) type Observe = Box<dyn Fn(Observation) + Send + Sync>;

/// What all connections share. The C library knows no closure, so there is one for the process, as
/// the library itself.
pub(super) struct Host {
    pub(super) open: Open,
    pub(super) observe: Observe,
    /// Place of the listener among all.
    pub(super) index: usize,
    pub(super) requests: Arc<LoopRequests>,
    pub(super) progress_interval: Duration,
    pub(super) clock: Clock,
    pub(super) connections_max: usize,
    /// Connections that are open.
    pub(super) connections: AtomicUsize,
    /// Messages that have begun and are not over.
    pub(super) in_hand: AtomicUsize,
    /// The limit of connections was reached, and said to be.
    pub(super) is_full: AtomicBool,
    /// No new mail is taken.
    pub(super) draining: AtomicBool,
}

/// Set before libmilter starts.
pub(super) static HOST: OnceLock<Host> = OnceLock::new();

/// The changes that we ask to be allowed; equal to the native front-end's.
pub(super) fn actions_wanted() -> Actions {
    Actions::ADD_HEADER
        | Actions::REPLACE_HEADER
        | Actions::ADD_RECIPIENT
        | Actions::ADD_RECIPIENT_EXT
        | Actions::REMOVE_RECIPIENT
        | Actions::REPLACE_SENDER
        | Actions::QUARANTINE
        | Actions::REQUEST_MACROS
}

/// The options that we ask for: the native front-end's but for NR_BODY.
pub(super) fn options_wanted() -> ProtocolOpts {
    ProtocolOpts::NOREPLY_HEADER
        | ProtocolOpts::NO_UNKNOWN
        | ProtocolOpts::SKIP
        | ProtocolOpts::HEADER_LEADING_SPACE
}

struct CompletionSender(Sender<Completion>);

impl Notify for CompletionSender {
    fn completed(&self, completion: Completion) {
        // Full or closed: no client waits for it.
        if self.0.try_send(completion).is_err() {
            log::debug!("a report came for a connection that is gone");
        }
    }
}

/// One connection. Its callbacks come one after the other, but on changing threads (hence `Send`,
/// checked below).
pub(super) struct Session {
    host: &'static Host,
    /// None over the connection limit, and after a panic.
    connection: Option<Box<dyn Connection>>,
    reports: Receiver<Completion>,
    negotiated: Negotiated,
    announced: bool,
    panicked: bool,
    /// A reply to a header field, which is not answered itself: the next command that is gets this
    /// one.
    settled: Option<Reply>,
    /// Counted in [`Host::in_hand`].
    in_hand: bool,
}

const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<Session>();
};

impl Session {
    /// Opens one, with what was negotiated. `None` when libmilter runs without us, or the handler
    /// panics.
    pub(super) fn open(actions: Actions, options: ProtocolOpts) -> Option<Self> {
        let host = HOST.get()?;
        let (sender, reports) = bounded(REPORTS_MAX);
        let full = host.connections.fetch_add(1, Ordering::AcqRel) >= host.connections_max;
        let opened = catch_unwind(AssertUnwindSafe(|| {
            (!full).then(|| (host.open)(Arc::new(CompletionSender(sender))))
        }));
        let was_full = host.is_full.swap(full, Ordering::AcqRel);
        if full {
            (host.observe)(Observation::Refused(host.index));
            if !was_full {
                log::warn!(
                    "connections over the limit of {} are deferred (limits.connections)",
                    host.connections_max
                );
            }
        }
        let Ok(connection) = opened else {
            (host.observe)(Observation::HandlerPanic);
            host.connections.fetch_sub(1, Ordering::AcqRel);
            return None;
        };
        (host.observe)(Observation::Opened(host.index));
        let has = |option| options.contains(option);
        let negotiated = Negotiated {
            // libmilter does not tell; it speaks 6 and translates for older MTAs.
            version: 6,
            actions: u32::try_from(actions.bits()).unwrap_or_default(),
            protocol: u32::try_from(options.bits()).unwrap_or_default(),
            leading_space: has(ProtocolOpts::HEADER_LEADING_SPACE),
            skip: has(ProtocolOpts::SKIP),
            nr_header: has(ProtocolOpts::NOREPLY_HEADER),
            nr_body: false,
        };
        let (announced, panicked, settled, in_hand) = (false, false, None, false);
        Some(Self {
            host,
            connection,
            reports,
            negotiated,
            announced,
            panicked,
            settled,
            in_hand,
        })
    }

    /// Gives one event to the handler and its answer to libmilter. Never unwinds.
    pub(super) fn step(&mut self, api: &ContextApi, event: &Event<'_>) -> Status {
        let result = catch_unwind(AssertUnwindSafe(|| {
            let status = self.try_step(api, event);
            // A bounded queue takes it: nothing waits here.
            if let Some(connection) = &mut self.connection {
                connection.publish();
            }
            status
        }));
        let status = result.unwrap_or_else(|_| {
            log::error!("a handler panicked; its connection is deferred");
            (self.host.observe)(Observation::HandlerPanic);
            self.panicked = true;
            if catch_unwind(AssertUnwindSafe(|| self.connection = None)).is_err() {
                log::error!("a handler panicked while it was dropped");
            }
            Status::Tempfail
        });
        self.count();
        // Where no answer may be sent, none is, whatever happened.
        if matches!(event, Event::Header { .. }) && self.negotiated.nr_header {
            Status::Noreply
        } else {
            status
        }
    }

    fn try_step(&mut self, api: &ContextApi, event: &Event<'_>) -> Status {
        let Some(connection) = &mut self.connection else {
            return if self.panicked {
                Status::Tempfail
            } else {
                answer::reply(api, &refusal().reply, false)
            };
        };
        let begins = matches!(event, Event::Connect { .. } | Event::MailFrom { .. });
        if begins && self.host.draining.load(Ordering::Acquire) {
            return Status::Tempfail;
        }
        if !std::mem::replace(&mut self.announced, true) {
            connection.on_negotiated(&self.negotiated);
        }
        let inside = matches!(
            event,
            Event::Header { .. }
                | Event::EndOfHeaders { .. }
                | Event::Body { .. }
                | Event::EndOfMessage { .. }
        );
        if !inside {
            self.settled = None;
        } else if let Some(settled) = &self.settled {
            return answer::reply(api, settled, false);
        }
        // What was reported between two events is known before the next.
        for completion in self.reports.try_iter() {
            if connection.on_completed(completion) == Delivery::Late {
                (self.host.observe)(Observation::LateCompletion);
            }
        }
        let mut response = connection.on_event(*event);
        let at_end = matches!(event, Event::EndOfMessage { .. });
        if response.reply == Reply::Pending {
            response = self.wait(api, at_end);
        }
        if at_end {
            if matches!(response.reply, Reply::Continue | Reply::Accept) {
                answer::actions(api, &response.actions, &self.negotiated);
            }
        } else if matches!(event, Event::Header { .. }) && self.negotiated.nr_header {
            self.settled = Some(response.reply.clone()).filter(|reply| *reply != Reply::Continue);
        }
        let may_skip = self.negotiated.skip && matches!(event, Event::Body { .. });
        answer::reply(api, &response.reply, may_skip)
    }

    /// Waits for other threads, at most until the handler's deadline; at the end of a message (the
    /// only stage where that is allowed) asking the MTA for patience from time to time.
    fn wait(&mut self, api: &ContextApi, at_end: bool) -> Response {
        let Some(connection) = &mut self.connection else {
            return Reply::Tempfail.into();
        };
        let host = self.host;
        let mut now = host.clock.now();
        let give_up = now + WAIT_MAX;
        let mut progress_due = now + host.progress_interval;
        while now < give_up {
            let deadline = connection.deadline();
            if deadline.is_some_and(|due| due <= now)
                && let Some(response) = connection.on_deadline(now)
            {
                return response;
            }
            if progress_due <= now {
                if at_end && api.signal_progress().is_err() {
                    // The MTA is gone.
                    break;
                }
                progress_due = now + host.progress_interval;
            }
            let next = connection
                .deadline()
                .map_or(progress_due, |due| due.min(progress_due));
            match self
                .reports
                .recv_timeout(next.saturating_duration_since(now))
            {
                Ok(completion) => match connection.on_completed(completion) {
                    Delivery::Respond(response) => return response,
                    Delivery::Noted => {}
                    Delivery::Late => (host.observe)(Observation::LateCompletion),
                },
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            now = host.clock.now();
        }
        connection.on_event(Event::Abort);
        Reply::Tempfail.into()
    }

    /// Keeps count of the messages in progress; a drain waits for them.
    fn count(&mut self) {
        let in_hand = self
            .connection
            .as_ref()
            .is_some_and(|connection| connection.in_transaction());
        if in_hand && !self.in_hand {
            self.host.in_hand.fetch_add(1, Ordering::AcqRel);
        } else if !in_hand && self.in_hand {
            self.host.in_hand.fetch_sub(1, Ordering::AcqRel);
            if self.host.draining.load(Ordering::Acquire) {
                self.host.requests.wake();
            }
        }
        self.in_hand = in_hand;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.host.connections.fetch_sub(1, Ordering::AcqRel);
        (self.host.observe)(Observation::Closed(self.host.index));
        if self.in_hand {
            self.host.in_hand.fetch_sub(1, Ordering::AcqRel);
            self.host.requests.wake();
        }
    }
}

/// Drops the session of a closed connection. Never unwinds.
pub(super) fn discard(session: Option<Session>) {
    if catch_unwind(AssertUnwindSafe(|| drop(session))).is_err() {
        log::error!("a handler panicked while it was dropped");
    }
}
