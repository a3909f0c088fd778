//! A breaker: a server that failed three times in a row is left alone for a while, then tried with one
//! probe.

use std::time::{Duration, Instant};

/// Failures in a row that open it.
const FAILURES_MAX: u8 = 3;
/// It stays open for so long, and waits so long for a probe.
const OPEN_FOR: Duration = Duration::from_secs(2);

/// Guards one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Breaker {
    failures: u8,
    /// Set while it is open: from then on the next request is a probe.
    probe_at: Option<Instant>,
}

impl Breaker {
    pub(crate) const CLOSED: Self = Self {
        failures: 0,
        probe_at: None,
    };

    /// Whether a request may be sent now. While it is open only one may at a time, each
    /// [`OPEN_FOR`]: the probe, which the caller must send if this is true.
    pub(crate) fn admit(&mut self, now: Instant) -> bool {
        match self.probe_at {
            None => true,
            Some(probe_at) if probe_at <= now => {
                self.probe_at = Some(now + OPEN_FOR);
                true
            }
            Some(_) => false,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.probe_at.is_some()
    }

    /// The server answered.
    pub(crate) fn succeed(&mut self) {
        *self = Self::CLOSED;
    }

    /// The server did not answer.
    pub(crate) fn fail(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES_MAX {
            self.probe_at = Some(now + OPEN_FOR);
        }
    }
}

#[cfg(test)]
mod tests {
    use gatepost_words::clock::Clock;

    use super::*;

    #[test]
    fn three_failures_in_a_row_open_it_and_one_probe_closes_it() {
        let now = Clock::system().now();
        let mut breaker = Breaker::CLOSED;
        breaker.fail(now);
        breaker.fail(now);
        breaker.succeed();
        breaker.fail(now);
        breaker.fail(now);
        assert!(breaker.admit(now) && !breaker.is_open());
        breaker.fail(now);
        assert!(!breaker.admit(now) && breaker.is_open());
        let later = now + OPEN_FOR;
        assert!(!breaker.admit(now + OPEN_FOR.mul_f32(0.99)));
        assert!(breaker.admit(later), "the probe");
        assert!(!breaker.admit(later), "only one");
        breaker.succeed();
        assert!(breaker.admit(later));
    }

    #[test]
    fn a_probe_that_fails_keeps_it_open_and_one_that_is_lost_does_not_for_ever() {
        let now = Clock::system().now();
        let mut breaker = Breaker::CLOSED;
        for _ in 0..FAILURES_MAX {
            breaker.fail(now);
        }
        let second = now + OPEN_FOR;
        assert!(breaker.admit(second));
        breaker.fail(second);
        assert!(!breaker.admit(second));
        let third = second + OPEN_FOR;
        assert!(breaker.admit(third));
        assert!(breaker.admit(third + OPEN_FOR), "the probe was lost");
    }
}
