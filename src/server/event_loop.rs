//! The event loop: one thread for all listeners and all connections of the native front-end.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::UnixListener;
use mio::{Events, Poll, Token};

use super::acceptor::{Accepted, Acceptor};
use super::completion_queue::{CompletionQueue, Delivered};
use super::connection::{Connection, IoContext, Progress, READ_MAX};
use super::control::ControlServer;
use super::handler::Handler;
use super::libmilter_front_end::LibmilterFrontEnd;
use super::listener::SocketFile;
use super::loop_requests::LoopRequests;
use super::reload::Reloader;
use super::serve_error::ServeError;
use super::service::{Observation, Service};
use super::settings::Settings;
use super::shutdown::{Shutdown, Step};
use super::signals::Signals;
use super::slots::{Key, Slots};
use super::stream::Stream;
use super::systemd;
use super::throttle::Throttle;
use super::timers::Timers;
use super::watchdog::Watchdog;
use gatepost_engine::Permit;
use gatepost_words::clock::Clock;

/// The waker's token.
pub(super) const WAKE: Token = Token(0);
/// The signals' token.
pub(super) const SIGNALS: Token = Token(1);
/// The control socket's token.
pub(super) const CONTROL: Token = Token(2);
/// The first listener's token; connections come after the last.
pub(super) const FIRST_LISTENER: usize = 3;

/// Events taken from the system at once.
const EVENTS_MAX: usize = 1024;
/// Connections accepted, and reports delivered, before the others have their turn again.
const BATCH_MAX: usize = 256;
/// What the shared buffer of answers keeps between turns, in bytes.
const OUTPUT_KEPT: usize = 1 << 20;

/// All that the loop owns.
pub(super) struct EventLoop<S: Service> {
    pub(super) settings: Settings,
    pub(super) service: Arc<S>,
    pub(super) clock: Clock,
    pub(super) poll: Poll,
    pub(super) requests: Arc<LoopRequests>,
    pub(super) completions: CompletionQueue,
    pub(super) acceptor: Acceptor,
    pub(super) signals: Option<Signals>,
    pub(super) control: Option<(UnixListener, ControlServer, SocketFile)>,
    pub(super) reloader: Arc<Reloader>,
    /// The libmilter front-end.
    pub(super) libmilter: LibmilterFrontEnd,
    pub(super) shutdown: Shutdown,
    pub(super) watchdog: Watchdog,
    pub(super) timers: Timers,
    pub(super) connections: Slots<Connection<S::Connection>>,
    /// Connections that have something to do, each at most once.
    pub(super) ready: VecDeque<usize>,
    pub(super) input: Box<[u8]>,
    pub(super) output: Vec<u8>,
    pub(super) overload_log: Throttle,
    pub(super) protocol_error_log: Throttle,
    pub(super) memory_log: Throttle,
}

impl<S: Service> EventLoop<S> {
    /// Runs until a drain is over.
    pub(super) fn run(&mut self) -> Result<(), ServeError> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        loop {
            let timeout = self.timeout(self.clock.now());
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result.map_err(ServeError::Poll)?,
            }
            let now = self.clock.now();
            self.watchdog.look(now);
            for event in &events {
                self.dispatch(event);
            }
            if self.handle_requests(now) == Step::Force {
                return Err(ServeError::Forced);
            }
            if let Some(why) = self.requests.take_failure() {
                return Err(ServeError::Libmilter(why));
            }
            self.accept(now);
            self.deliver(now);
            self.run_ready(now);
            self.sweep(now);
            if self.shutdown.is_draining() && self.is_over(now) {
                return Ok(());
            }
        }
    }

    /// How long nothing will be to do.
    fn timeout(&self, now: Instant) -> Option<Duration> {
        if !self.ready.is_empty() || !self.completions.is_empty() {
            return Some(Duration::ZERO);
        }
        [
            self.acceptor.timeout(now),
            self.timers.timeout(now),
            self.shutdown.timeout(now),
            self.watchdog.timeout(now),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn dispatch(&mut self, event: &Event) {
        let connections = FIRST_LISTENER + self.settings.listeners.len();
        match event.token() {
            WAKE | SIGNALS => {}
            CONTROL => self.accept_control(),
            Token(token) if token < connections => self.acceptor.ready(token - FIRST_LISTENER),
            Token(token) => {
                let slot = token - connections;
                if let Some(connection) = self.connections.entry(slot) {
                    connection.ready(
                        event.is_readable(),
                        event.is_read_closed() || event.is_error(),
                    );
                    self.enqueue(slot);
                }
            }
        }
    }

    fn enqueue(&mut self, slot: usize) {
        if let Some(connection) = self.connections.entry(slot)
            && !std::mem::replace(&mut connection.queued, true)
        {
            self.ready.push_back(slot);
        }
    }

    /// Does what signals and other threads asked for.
    fn handle_requests(&mut self, now: Instant) -> Step {
        let signals = self.signals.as_mut().map(Signals::take).unwrap_or_default();
        let requests = self.requests.take();
        if signals.reload || requests.reload {
            self.reloader.request();
        }
        let step = self
            .shutdown
            .asked(signals.terminations + requests.terminations, now);
        match step {
            Step::None => {}
            Step::Drain => self.begin_drain(),
            Step::Force => log::warn!(
                "second SIGTERM: exiting with {} connections open",
                self.connections.len()
            ),
        }
        step
    }

    fn begin_drain(&mut self) {
        log::info!("draining: {} connections are open", self.connections.len());
        systemd::notify("STOPPING=1");
        self.acceptor.close();
        self.control = None;
        self.libmilter.drain();
        self.service.shutting_down();
        // Each has one more turn, for what it sent before it could know; the idle ones are closed
        // after it.
        for slot in self.connections.taken() {
            if let Some(connection) = self.connections.entry(slot) {
                connection.ready(true, false);
            }
            self.enqueue(slot);
        }
    }

    /// Whether the drain is over; when its time is, what is left is cut.
    fn is_over(&mut self, now: Instant) -> bool {
        let finished = self.connections.len() == 0 && !self.libmilter.is_busy();
        if !finished && !self.shutdown.is_late(now) {
            return false;
        }
        if !finished {
            log::warn!(
                "the drain took too long: {} connections are cut",
                self.connections.len()
            );
        }
        for slot in self.connections.taken() {
            self.close(slot, now);
        }
        true
    }

    fn accept_control(&mut self) {
        while let Some((listener, desk, _)) = &self.control {
            match listener.accept() {
                Ok((stream, _)) => {
                    desk.receive(std::os::unix::net::UnixStream::from(OwnedFd::from(stream)));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    if error.kind() != io::ErrorKind::WouldBlock {
                        log::warn!("cannot accept a control connection: {error}");
                    }
                    return;
                }
            }
        }
    }

    fn accept(&mut self, now: Instant) {
        for _ in 0..BATCH_MAX {
            match self.acceptor.accept_one(now) {
                Accepted::Connection(listener, stream) => self.enter(listener, stream, now),
                Accepted::Failed => self.service.observe(Observation::AcceptError),
                Accepted::None => return,
            }
        }
    }

    /// Lets a connection in, within the limit; a few more are let in to be asked to come back.
    fn enter(&mut self, listener: usize, stream: Stream, now: Instant) {
        let full = self.connections.len() >= self.settings.connections_max;
        if full {
            self.service.observe(Observation::Refused(listener));
            if let Some(times) = self.overload_log.admit(now) {
                let limit = self.settings.connections_max;
                log::warn!(
                    "{times} connections over the limit of {limit} were deferred (limits.connections)"
                );
            }
            if self.connections.len()
                >= self
                    .settings
                    .connections_max
                    .saturating_add(Settings::REFUSED_MAX)
            {
                return;
            }
        }
        let first = FIRST_LISTENER + self.settings.listeners.len();
        let (service, completions, registry) =
            (&self.service, &self.completions, self.poll.registry());
        let entered = self.connections.insert(|key| {
            let open = || service.open(listener, completions.sender(key));
            let handler = if full {
                Handler::Refusing
            } else {
                Handler::Served(
                    catch_unwind(AssertUnwindSafe(open))
                        .map_err(|_| "its handler panicked".to_owned())?,
                )
            };
            let permit = Permit::for_packets(service.budget());
            let token = Token(first + key.slot);
            let mut connection = Connection::new(stream, token, handler, listener, permit, now);
            connection
                .watch(registry)
                .map_err(|error| error.to_string())?;
            Ok::<_, String>(connection)
        });
        match entered {
            Ok(Key { slot, .. }) => {
                self.service.observe(Observation::Opened(listener));
                self.enqueue(slot);
            }
            Err(error) => log::error!("a new connection was dropped: {error}"),
        }
    }

    /// Hands the reports of workers to their connections.
    fn deliver(&mut self, now: Instant) {
        self.completions.rearm();
        for _ in 0..BATCH_MAX {
            let Some(Delivered { key, completion }) = self.completions.next() else {
                return;
            };
            let delivered = self.connections.find(key).is_some()
                && match self.guarded(key.slot, now, |connection, context| {
                    connection.completed(completion, context)
                }) {
                    Some(Some(progress)) => {
                        self.follow_up(key.slot, progress, now);
                        true
                    }
                    _ => false,
                };
            if !delivered {
                self.service.observe(Observation::LateCompletion);
            }
        }
    }

    /// Gives each connection that has something to do one turn.
    fn run_ready(&mut self, now: Instant) {
        for _ in 0..self.ready.len() {
            let Some(slot) = self.ready.pop_front() else {
                return;
            };
            if let Some(connection) = self.connections.entry(slot) {
                connection.queued = false;
                if let Some(progress) = self.guarded(slot, now, Connection::run) {
                    self.follow_up(slot, progress, now);
                }
            }
        }
    }

    /// Looks at all deadlines, when the earliest has come.
    fn sweep(&mut self, now: Instant) {
        if !self.timers.sweep(now) {
            return;
        }
        let idle_timeout = self.settings.idle_timeout;
        let mut due = Vec::new();
        let mut over = Vec::new();
        for (slot, connection) in self.connections.entries() {
            if self.shutdown.is_draining() && connection.is_idle() {
                let deadline = connection.deadline(self.settings.drain_quiet());
                if deadline <= now {
                    over.push(slot);
                } else {
                    self.timers.expect(deadline);
                }
                continue;
            }
            let deadline = connection.deadline(idle_timeout);
            if deadline <= now {
                due.push(slot);
            } else {
                self.timers.expect(deadline);
            }
        }
        for slot in over {
            self.close(slot, now);
        }
        for slot in due {
            match self.guarded(slot, now, |connection, context| {
                connection.expire(idle_timeout, context)
            }) {
                Some(Some(progress)) => self.follow_up(slot, progress, now),
                Some(None) => {
                    self.service.observe(Observation::IdleTimeout);
                    self.close(slot, now);
                }
                None => {}
            }
        }
    }

    /// Lets one connection act. A panic of its handler ends that connection (its MTA defers the
    /// mail), not the daemon.
    fn guarded<T>(
        &mut self,
        slot: usize,
        now: Instant,
        act: impl FnOnce(&mut Connection<S::Connection>, &mut IoContext<'_>) -> T,
    ) -> Option<T> {
        let connection = self.connections.entry(slot)?;
        let mut context = IoContext {
            input: &mut self.input,
            output: &mut self.output,
            registry: self.poll.registry(),
            now,
            progress_interval: self.settings.progress_interval,
        };
        let result = catch_unwind(AssertUnwindSafe(|| act(connection, &mut context)));
        self.output.clear();
        self.output.shrink_to(OUTPUT_KEPT);
        if result.is_err() {
            log::error!("a handler panicked; its connection is closed");
            self.service.observe(Observation::HandlerPanic);
            self.remove(slot);
        }
        result.ok()
    }

    /// Draws the consequences of a turn.
    fn follow_up(&mut self, slot: usize, progress: Progress, now: Instant) {
        match progress {
            Progress::Again => self.enqueue(slot),
            Progress::Wait => {
                let Some(connection) = self.connections.entry(slot) else {
                    return;
                };
                let is_leaving = self.shutdown.is_draining() && connection.is_idle();
                let quiet = if is_leaving {
                    self.settings.drain_quiet()
                } else {
                    self.settings.idle_timeout
                };
                if is_leaving && quiet.is_zero() {
                    self.close(slot, now);
                } else {
                    self.timers.expect(connection.deadline(quiet));
                }
            }
            Progress::Over => self.remove(slot),
            Progress::Broken(error) => {
                if let Some(times) = self.protocol_error_log.admit(now) {
                    log::warn!(
                        "{times} connections were closed for breaking the milter protocol, the last: {error}"
                    );
                }
                self.service.observe(Observation::ProtocolError);
                self.remove(slot);
            }
            Progress::OverMemory => self.make_room(slot, now),
        }
    }

    /// Closes the connection whose unfinished packets take the most memory, so that `slot` can go
    /// on: a few that hoard must not keep out the many that do not.
    fn make_room(&mut self, slot: usize, now: Instant) {
        if let Some(times) = self.memory_log.admit(now) {
            log::warn!(
                "{times} connections closed in the last minute: no memory left for their \
                 unfinished packets (workers.bytes_in_flight)"
            );
        }
        let held = self.connections.entries();
        let largest = held.max_by_key(|(_, connection)| connection.held());
        let largest = largest.map_or(slot, |(largest, _)| largest);
        self.service.observe(Observation::OverMemory);
        self.close(largest, now);
        if largest != slot {
            self.enqueue(slot);
        }
    }

    /// Ends a connection from our side.
    fn close(&mut self, slot: usize, now: Instant) {
        self.guarded(slot, now, Connection::hang_up);
        self.remove(slot);
    }

    /// Forgets a connection: its place is free, its descriptor closed.
    fn remove(&mut self, slot: usize) {
        let Some(connection) = self.connections.remove(slot) else {
            return;
        };
        self.service
            .observe(Observation::Closed(connection.listener));
        if catch_unwind(AssertUnwindSafe(|| drop(connection))).is_err() {
            log::error!("a handler panicked while it was dropped");
        }
    }
}

/// The shared buffer that all connections read into.
pub(super) fn input_buffer() -> Box<[u8]> {
    vec![0; READ_MAX].into_boxed_slice()
}
