//! Says the same thing at most once a minute, with the number of times it would have been said.

use std::time::{Duration, Instant};

/// How long a repeated report is held back.
const INTERVAL: Duration = Duration::from_mins(1);

/// One report.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    last: Option<Instant>,
    held_back: u64,
}

impl Throttle {
    /// `Some(n)` when it is time to speak, `n` the number of times since the last, this one
    /// included.
    pub(super) fn admit(&mut self, now: Instant) -> Option<u64> {
        self.held_back += 1;
        if self
            .last
            .is_some_and(|last| now.saturating_duration_since(last) < INTERVAL)
        {
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::Throttle;
    use gatepost_words::clock::Clock;
    use std::time::{Duration, SystemTime};

    #[test]
    fn a_minute_passes_between_two_lines() {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let mut throttle = Throttle::default();
        assert_eq!(throttle.admit(clock.now()), Some(1));
        assert_eq!(throttle.admit(clock.now()), None);
        clock.advance(Duration::from_millis(59_999));
        assert_eq!(throttle.admit(clock.now()), None);
        clock.advance(Duration::from_millis(1));
        assert_eq!(throttle.admit(clock.now()), Some(3));
    }
}
