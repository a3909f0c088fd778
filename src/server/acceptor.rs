//! Accepting: fair between listeners, and never ending because the system is out of descriptors or
//! memory.
#![expect(
    clippy::disallowed_methods,
    reason = "keeps a descriptor of /dev/null in reserve; an edge room may open files"
)]

use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::listener::Bound;
use super::stream::Stream;
use super::throttle::Throttle;

/// The first pause after a failure; doubled up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(10);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_millis(100);

/// What an attempt to accept gave.
#[derive(Debug)]
pub(super) enum Accepted {
    /// A connection on the listener of this index.
    Connection(usize, Stream),
    /// The system could not; there is a pause now.
    Failed,
    /// No connection waits, or a pause is on.
    None,
}

#[derive(Debug)]
struct BoundListener {
    index: usize,
    bound: Bound,
    /// A connection may wait there.
    ready: bool,
}

/// All listeners of the native front-end.
#[derive(Debug)]
pub(super) struct Acceptor {
    listeners: Vec<BoundListener>,
    /// Whose turn is next.
    next: usize,
    /// Given up for a moment when descriptors run out, so that one waiting connection can be
    /// accepted and closed: its MTA then knows at once, instead of waiting for its time-out.
    reserve: Option<File>,
    pause: Duration,
    paused_until: Option<Instant>,
    failure_log: Throttle,
}

impl Acceptor {
    /// No listener yet.
    pub(super) fn new() -> Self {
        Self {
            listeners: Vec::new(),
            next: 0,
            reserve: File::open("/dev/null").ok(),
            pause: PAUSE_MIN,
            paused_until: None,
            failure_log: Throttle::default(),
        }
    }

    /// Adds the listener of this index.
    pub(super) fn add(&mut self, index: usize, bound: Bound) {
        self.listeners.push(BoundListener {
            index,
            bound,
            ready: true,
        });
    }

    /// How many listeners there are: the number of the next one.
    pub(super) fn len(&self) -> usize {
        self.listeners.len()
    }

    /// Closes all listeners; their socket files are removed.
    pub(super) fn close(&mut self) {
        self.listeners.clear();
    }

    /// The poll reported a connection that waits at the `number`th listener.
    pub(super) fn ready(&mut self, number: usize) {
        if let Some(listener) = self.listeners.get_mut(number) {
            listener.ready = true;
        }
    }

    /// Accepts one connection, from the listeners in turn.
    pub(super) fn accept_one(&mut self, now: Instant) -> Accepted {
        if self.paused_until.is_some_and(|until| now < until) {
            return Accepted::None;
        }
        self.paused_until = None;
        for _ in 0..self.listeners.len() {
            self.next = (self.next + 1) % self.listeners.len();
            let Some(listener) = self
                .listeners
                .get_mut(self.next)
                .filter(|listener| listener.ready)
            else {
                continue;
            };
            match listener.bound.accept() {
                Ok(stream) => {
                    self.pause = PAUSE_MIN;
                    return Accepted::Connection(listener.index, stream);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => listener.ready = false,
                // That one connection is gone already (accept(2)); the next call tries again.
                Err(error) if is_gone(&error) => {}
                Err(error) => {
                    self.fail(&error, now);
                    return Accepted::Failed;
                }
            }
        }
        Accepted::None
    }

    /// How long the loop may sleep: not at all while a client may wait, else to the end of the
    /// pause.
    pub(super) fn timeout(&self, now: Instant) -> Option<Duration> {
        if !self.listeners.iter().any(|listener| listener.ready) {
            return None;
        }
        Some(
            self.paused_until
                .map_or(Duration::ZERO, |until| until.saturating_duration_since(now)),
        )
    }

    fn fail(&mut self, error: &io::Error, now: Instant) {
        if let Some(times) = self.failure_log.admit(now) {
            log::error!("accept failed {times} times in the last minute: {error}; retrying");
        }
        let code = error.raw_os_error();
        if code == Some(Errno::MFILE.raw_os_error()) || code == Some(Errno::NFILE.raw_os_error()) {
            self.reserve = None;
            if let Some(listener) = self.listeners.get(self.next) {
                drop(listener.bound.accept());
            }
            self.reserve = File::open("/dev/null").ok();
        }
        self.paused_until = Some(now + self.pause);
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }
}

fn is_gone(error: &io::Error) -> bool {
    let codes = [
        Errno::CONNABORTED,
        Errno::INTR,
        Errno::PROTO,
        Errno::NETDOWN,
        Errno::HOSTUNREACH,
        Errno::NETUNREACH,
    ];
    codes
        .iter()
        .any(|code| error.raw_os_error() == Some(code.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::{Accepted, Acceptor, PAUSE_MAX, PAUSE_MIN, is_gone};
    use crate::server::Address;
    use crate::server::listener::Bound;
    use gatepost_words::clock::Clock;
    use std::io;
    use std::time::SystemTime;

    #[test]
    fn out_of_descriptors_is_a_pause_not_an_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let poll = mio::Poll::new().unwrap();
        let address = Address::Unix {
            path: path.clone(),
            mode: 0o600,
            group: None,
        };
        let mut acceptor = Acceptor::new();
        let passed = crate::server::PassedSockets::default();
        let bound = Bound::open(&address, &passed, poll.registry(), mio::Token(0));
        acceptor.add(7, bound.unwrap());
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let error = io::Error::from_raw_os_error(rustix::io::Errno::MFILE.raw_os_error());
        let mut shed = std::os::unix::net::UnixStream::connect(&path).unwrap();
        let _waiting = std::os::unix::net::UnixStream::connect(&path).unwrap();

        for pause in [
            PAUSE_MIN,
            PAUSE_MIN * 2,
            PAUSE_MIN * 4,
            PAUSE_MIN * 8,
            PAUSE_MAX,
            PAUSE_MAX,
        ] {
            // The first failure sheds the first connection; only the second is left for later.
            let was_open = acceptor.paused_until.is_none();
            if was_open {
                acceptor.fail(&error, clock.now());
                assert_eq!(
                    io::Read::read(&mut shed, &mut [0]).unwrap(),
                    0,
                    "closed at once"
                );
            } else {
                acceptor.fail(
                    &io::Error::from_raw_os_error(rustix::io::Errno::NOBUFS.raw_os_error()),
                    clock.now(),
                );
            }
            assert_eq!(acceptor.timeout(clock.now()), Some(pause));
            assert!(matches!(acceptor.accept_one(clock.now()), Accepted::None));
        }
        clock.advance(PAUSE_MAX);
        assert!(matches!(
            acceptor.accept_one(clock.now()),
            Accepted::Connection(7, _)
        ));
        assert!(matches!(acceptor.accept_one(clock.now()), Accepted::None));
        assert_eq!(acceptor.timeout(clock.now()), None);
    }

    #[test]
    fn only_errors_of_one_connection_are_passed_over() {
        for (code, gone) in [
            (rustix::io::Errno::CONNABORTED, true),
            (rustix::io::Errno::MFILE, false),
            (rustix::io::Errno::NOBUFS, false),
            (rustix::io::Errno::NOMEM, false),
        ] {
            assert_eq!(
                is_gone(&io::Error::from_raw_os_error(code.raw_os_error())),
                gone
            );
        }
    }
}
