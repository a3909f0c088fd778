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
pub(super) enum Knock {
    /// A connection on the listener of this index.
    Enter(usize, Stream),
    /// The system could not; there is a pause now.
    Failed,
    /// Nobody waits, or a pause is on.
    Nobody,
}

#[derive(Debug)]
struct Entrance {
    index: usize,
    bound: Bound,
    /// Somebody may wait there.
    ready: bool,
}

/// All listeners of the native front-end.
#[derive(Debug)]
pub(super) struct Door {
    entrances: Vec<Entrance>,
    /// Whose turn is next.
    next: usize,
    /// Given up for a moment when descriptors run out, so that one waiting connection can be
    /// accepted and closed: its MTA then knows at once, instead of waiting for its time-out.
    reserve: Option<File>,
    pause: Duration,
    paused_until: Option<Instant>,
    complaint: Throttle,
}

impl Door {
    /// No entrance yet.
    pub(super) fn new() -> Self {
        Self {
            entrances: Vec::new(),
            next: 0,
            reserve: File::open("/dev/null").ok(),
            pause: PAUSE_MIN,
            paused_until: None,
            complaint: Throttle::default(),
        }
    }

    /// Adds the listener of this index.
    pub(super) fn add(&mut self, index: usize, bound: Bound) {
        self.entrances.push(Entrance {
            index,
            bound,
            ready: true,
        });
    }

    /// How many entrances there are: the number of the next one.
    pub(super) fn len(&self) -> usize {
        self.entrances.len()
    }

    /// Closes all entrances; their socket files are removed.
    pub(super) fn close(&mut self) {
        self.entrances.clear();
    }

    /// The poll said that somebody waits at the `number`th entrance.
    pub(super) fn ready(&mut self, number: usize) {
        if let Some(entrance) = self.entrances.get_mut(number) {
            entrance.ready = true;
        }
    }

    /// Accepts one connection, from the entrances in turn.
    pub(super) fn knock(&mut self, now: Instant) -> Knock {
        if self.paused_until.is_some_and(|until| now < until) {
            return Knock::Nobody;
        }
        self.paused_until = None;
        for _ in 0..self.entrances.len() {
            self.next = (self.next + 1) % self.entrances.len();
            let Some(entrance) = self
                .entrances
                .get_mut(self.next)
                .filter(|entrance| entrance.ready)
            else {
                continue;
            };
            match entrance.bound.accept() {
                Ok(stream) => {
                    self.pause = PAUSE_MIN;
                    return Knock::Enter(entrance.index, stream);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => entrance.ready = false,
                // That one connection is gone already (accept(2)); the next knock tries again.
                Err(error) if is_gone(&error) => {}
                Err(error) => {
                    self.fail(&error, now);
                    return Knock::Failed;
                }
            }
        }
        Knock::Nobody
    }

    /// How long the loop may sleep: not at all while somebody may wait, else to the end of the
    /// pause.
    pub(super) fn patience(&self, now: Instant) -> Option<Duration> {
        if !self.entrances.iter().any(|entrance| entrance.ready) {
            return None;
        }
        Some(
            self.paused_until
                .map_or(Duration::ZERO, |until| until.saturating_duration_since(now)),
        )
    }

    fn fail(&mut self, error: &io::Error, now: Instant) {
        if let Some(times) = self.complaint.admit(now) {
            log::error!(
                "cannot accept connections ({times} times in the last minute): {error}; trying on"
            );
        }
        let code = error.raw_os_error();
        if code == Some(Errno::MFILE.raw_os_error()) || code == Some(Errno::NFILE.raw_os_error()) {
            self.reserve = None;
            if let Some(entrance) = self.entrances.get(self.next) {
                drop(entrance.bound.accept());
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
    use super::{Door, Knock, PAUSE_MAX, PAUSE_MIN, is_gone};
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
        let mut door = Door::new();
        door.add(
            7,
            Bound::open(&address, poll.registry(), mio::Token(0)).unwrap(),
        );
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
            let door_was_open = door.paused_until.is_none();
            if door_was_open {
                door.fail(&error, clock.now());
                assert_eq!(
                    io::Read::read(&mut shed, &mut [0]).unwrap(),
                    0,
                    "closed at once"
                );
            } else {
                door.fail(
                    &io::Error::from_raw_os_error(rustix::io::Errno::NOBUFS.raw_os_error()),
                    clock.now(),
                );
            }
            assert_eq!(door.patience(clock.now()), Some(pause));
            assert!(matches!(door.knock(clock.now()), Knock::Nobody));
        }
        clock.advance(PAUSE_MAX);
        assert!(matches!(door.knock(clock.now()), Knock::Enter(7, _)));
        assert!(matches!(door.knock(clock.now()), Knock::Nobody));
        assert_eq!(door.patience(clock.now()), None);
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
