//! When to stop: the first request begins a drain, the second ends it at once, and so does its
//! time-out.

use std::time::{Duration, Instant};

/// What a request, or the clock, asks the loop to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Go on as before.
    None,
    /// Stop accepting, close what is idle, finish what has begun.
    Drain,
    /// Drop everything now.
    Force,
}

/// How far the shutdown is.
#[derive(Debug)]
pub(super) struct Shutdown {
    timeout: Duration,
    deadline: Option<Instant>,
}

impl Shutdown {
    /// Nothing is asked yet; a drain will take at most `timeout`.
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            deadline: None,
        }
    }

    /// SIGTERM or SIGINT came so many times since the last call.
    pub(super) fn asked(&mut self, times: usize, now: Instant) -> Step {
        match (times, self.deadline) {
            (0, _) => Step::None,
            (1, None) => {
                self.deadline = Some(now + self.timeout);
                Step::Drain
            }
            _ => Step::Force,
        }
    }

    /// Whether a drain is under way.
    pub(super) fn is_draining(&self) -> bool {
        self.deadline.is_some()
    }

    /// Whether its time is over.
    pub(super) fn is_late(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }

    /// How long the loop may sleep.
    pub(super) fn timeout(&self, now: Instant) -> Option<Duration> {
        self.deadline
            .map(|deadline| deadline.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::{Shutdown, Step};
    use gatepost_words::clock::Clock;
    use std::time::{Duration, SystemTime};

    #[test]
    fn the_second_request_ends_at_once() {
        let now = Clock::system().now();
        for (requests, steps) in [
            (&[1, 1][..], &[Step::Drain, Step::Force][..]),
            (
                &[0, 1, 0, 1],
                &[Step::None, Step::Drain, Step::None, Step::Force],
            ),
            (&[2], &[Step::Force]),
        ] {
            let mut shutdown = Shutdown::new(Duration::from_secs(25));
            let found: Vec<Step> = requests
                .iter()
                .map(|times| shutdown.asked(*times, now))
                .collect();
            assert_eq!(found, steps);
        }
    }

    #[test]
    fn a_drain_has_its_time() {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let mut shutdown = Shutdown::new(Duration::from_secs(25));
        assert_eq!(shutdown.timeout(clock.now()), None);
        shutdown.asked(1, clock.now());
        clock.advance(Duration::from_secs(25) - Duration::from_nanos(1));
        assert!(shutdown.is_draining() && !shutdown.is_late(clock.now()));
        clock.advance(Duration::from_nanos(1));
        assert!(shutdown.is_late(clock.now()));
    }
}
