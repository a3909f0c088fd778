//! One MTA connection: reads, lets the protocol serve the handler, writes.

use gatepost_words::bytes;
use std::io;
use std::time::{Duration, Instant};

use mio::{Registry, Token};

use super::handler::Handler;
use super::stream::Stream;
use crate::session::{self, Delivery};
use gatepost_engine::{Completion, Permit};
use gatepost_milter::{Protocol, ProtocolError, Response};

/// Bytes read at one turn; then the others have theirs. The buffer is shared: an idle connection
/// holds none.
pub(super) const READ_MAX: usize = 64 * 1024;

/// What a connection has to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing to do until the next event.
    Wait,
    /// There is more to read.
    Again,
    /// It is over: the handler has seen `Close`, nothing more will be written.
    Over,
    /// It is over because the MTA broke the protocol.
    Broken(ProtocolError),
    /// It is over because the budget of memory does not allow what it makes us hold.
    OverMemory,
}

/// What all turns share: the loop's buffers and what it knows.
#[derive(Debug)]
pub(super) struct IoContext<'a> {
    /// What is read into.
    pub(super) input: &'a mut [u8],
    /// What answers are collected in; empty between turns.
    pub(super) output: &'a mut Vec<u8>,
    /// Where readiness is registered.
    pub(super) registry: &'a Registry,
    /// The time of this iteration.
    pub(super) now: Instant,
    /// How often to ask for patience.
    pub(super) progress_interval: Duration,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection<C> {
    stream: Stream,
    token: Token,
    protocol: Protocol,
    handler: Handler<C>,
    /// Which listener it came in by.
    pub(super) listener: usize,
    /// What its buffers take of the budget of memory.
    permit: Permit,
    /// Output that the socket did not take. While there is any, nothing is read: a peer that does
    /// not read cannot make us keep more than the answers of one turn.
    backlog: Vec<u8>,
    /// There may be something to read.
    readable: bool,
    /// The peer closed its side: read on until the end, whatever the sizes.
    closing: bool,
    /// It is in the queue of those that have something to do.
    pub(super) queued: bool,
    /// When bytes last came, or left after having been stuck.
    moved: Instant,
    /// When to ask for patience next.
    progress_due: Option<Instant>,
}

impl<C: session::Connection> Connection<C> {
    /// A connection that was just accepted.
    pub(super) fn new(
        stream: Stream,
        token: Token,
        handler: Handler<C>,
        listener: usize,
        permit: Permit,
        now: Instant,
    ) -> Self {
        Self {
            stream,
            token,
            protocol: Protocol::new(),
            handler,
            listener,
            permit,
            backlog: Vec::new(),
            readable: true,
            closing: false,
            queued: false,
            moved: now,
            progress_due: None,
        }
    }

    /// Starts watching the socket.
    pub(super) fn watch(&mut self, registry: &Registry) -> io::Result<()> {
        self.stream.watch(registry, self.token)
    }

    /// Takes note of what the poll said.
    pub(super) fn ready(&mut self, readable: bool, closing: bool) {
        self.readable |= readable || closing;
        self.closing |= closing;
    }

    /// Whether the drain may close it: no message in hand, nothing waiting to be written.
    pub(super) fn is_idle(&self) -> bool {
        self.protocol.is_idle() && self.backlog.is_empty()
    }

    /// One turn: what waits is written, up to [`READ_MAX`] bytes are read, served and answered.
    pub(super) fn run(&mut self, context: &mut IoContext<'_>) -> Progress {
        if !self.backlog.is_empty() && !self.flush_backlog(context) {
            return self.after(context, false);
        }
        let more = self.readable && self.read(context);
        self.serve_and_write(context, more)
    }

    /// Another thread reported; `None` when nothing waits for it any more.
    pub(super) fn completed(
        &mut self,
        completion: Completion,
        context: &mut IoContext<'_>,
    ) -> Option<Progress> {
        match self.handler.completed(completion) {
            Delivery::Respond(response) => Some(self.respond(&response, context)),
            Delivery::Noted => Some(self.after(context, self.readable)),
            Delivery::Late => None,
        }
    }

    /// Gives an answer that came later, and goes on with what has arrived in the meantime.
    fn respond(&mut self, response: &Response, context: &mut IoContext<'_>) -> Progress {
        self.protocol.respond(response, context.output);
        let more = self.readable;
        self.serve_and_write(context, more)
    }

    /// Bytes that its buffers take of the budget.
    pub(super) fn held(&self) -> usize {
        self.permit.bytes()
    }

    /// Ends it from our side: the handler sees `Close`.
    pub(super) fn hang_up(&mut self, context: &mut IoContext<'_>) {
        self.protocol.hang_up();
        if let Err(error) = self.protocol.serve(&mut self.handler, context.output) {
            log::debug!("while closing: {error}");
        }
        context.output.clear();
    }

    /// The next time at which [`Self::expire`] has something to do.
    pub(super) fn deadline(&self, idle_timeout: Duration) -> Instant {
        let idle = self.moved + idle_timeout;
        let due = [self.progress_due, self.handler.deadline()];
        due.into_iter().flatten().fold(idle, Instant::min)
    }

    /// Looks at the clock: `None` when it was idle for too long. Else answers where the time for an
    /// answer is up, and asks for patience where that is due.
    pub(super) fn expire(
        &mut self,
        idle_timeout: Duration,
        context: &mut IoContext<'_>,
    ) -> Option<Progress> {
        if context.now.saturating_duration_since(self.moved) >= idle_timeout {
            return None;
        }
        let answers = self
            .handler
            .deadline()
            .is_some_and(|due| due <= context.now);
        if answers && let Some(response) = self.handler.on_deadline(context.now) {
            return Some(self.respond(&response, context));
        }
        if self.progress_due.is_some_and(|due| due <= context.now) {
            self.progress_due = None;
            // A peer that does not take our bytes is not sent word that more will come.
            if self.backlog.is_empty() {
                self.protocol.progress(context.output);
                self.write(context);
            }
        }
        Some(self.after(context, self.readable))
    }

    /// Reads once. True when there may be more.
    fn read(&mut self, context: &mut IoContext<'_>) -> bool {
        match self.stream.read(context.input) {
            Ok(0) => {
                self.readable = false;
                self.protocol.hang_up();
            }
            Ok(length) => {
                self.moved = context.now;
                // A short read means that the socket is empty (epoll(7)), and what comes later is a
                // new event. Not so when the peer has closed: then its end waits
                // behind the data, and no event will tell (908 leaks, seen).
                self.readable = length == context.input.len() || self.closing;
                self.protocol.receive(bytes::head(context.input, length));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.readable = false,
            Err(error) => {
                log::debug!("a connection broke while reading: {error}");
                self.readable = false;
                self.protocol.hang_up();
            }
        }
        self.readable
    }

    fn serve_and_write(&mut self, context: &mut IoContext<'_>, more: bool) -> Progress {
        let served = self.protocol.serve(&mut self.handler, context.output);
        self.write(context);
        self.handler.publish();
        match served {
            Err(error) => Progress::Broken(error),
            Ok(()) => self.after(context, more),
        }
    }

    fn after(&mut self, context: &mut IoContext<'_>, more: bool) -> Progress {
        if self.protocol.is_closed() {
            return Progress::Over;
        }
        if self.protocol.owes_answer() {
            self.progress_due = self
                .progress_due
                .or(Some(context.now + context.progress_interval));
        } else {
            self.progress_due = None;
        }
        if !more {
            self.protocol.shrink();
        }
        if !self
            .permit
            .resize(self.protocol.memory() + self.backlog.capacity())
        {
            return Progress::OverMemory;
        }
        if more && self.backlog.is_empty() {
            Progress::Again
        } else {
            Progress::Wait
        }
    }

    /// Writes what was collected, in one piece; keeps what the socket does not take.
    fn write(&mut self, context: &mut IoContext<'_>) {
        if context.output.is_empty() {
            return;
        }
        if self.backlog.is_empty() {
            let (sent, alive) = send(&mut self.stream, context.output);
            if alive && sent < context.output.len() {
                self.backlog
                    .extend_from_slice(bytes::skip(context.output, sent));
                self.watch_room(context.registry, true);
            }
            self.note_end(alive, context);
        } else {
            self.backlog.append(context.output);
        }
        context.output.clear();
    }

    /// Writes what was kept. True when all is written, or the peer is gone.
    fn flush_backlog(&mut self, context: &mut IoContext<'_>) -> bool {
        let (sent, alive) = send(&mut self.stream, &self.backlog);
        if sent > 0 {
            self.moved = context.now;
        }
        if alive && sent < self.backlog.len() {
            self.backlog.drain(..sent);
            return false;
        }
        self.backlog = Vec::new();
        self.watch_room(context.registry, false);
        self.note_end(alive, context);
        true
    }

    /// A peer that takes no answers any more has hung up: the workers on its message may stop.
    fn note_end(&mut self, alive: bool, context: &mut IoContext<'_>) {
        if !alive {
            self.readable = false;
            self.hang_up(context);
        }
    }

    fn watch_room(&mut self, registry: &Registry, room: bool) {
        if let Err(error) = self.stream.watch_room(registry, self.token, room) {
            log::warn!("cannot watch a connection: {error}");
            self.protocol.hang_up();
        }
    }
}

/// Writes until all is sent or the socket takes no more. Returns how much was sent, and whether the
/// connection lives.
fn send(stream: &mut Stream, bytes: &[u8]) -> (usize, bool) {
    let mut sent = 0;
    while let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
        match stream.write(rest) {
            Ok(0) => return (sent, false),
            Ok(length) => sent += length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return (sent, true),
            Err(error) => {
                log::debug!("a connection broke while writing: {error}");
                return (sent, false);
            }
        }
    }
    (sent, true)
}
