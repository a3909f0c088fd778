//! When to look at the clocks of all connections again.
//!
//! Each connection knows its own deadlines (idle, PROGRESS). The earliest of them is kept here;
//! when it comes, all are looked at: 5,000 comparisons now and then are cheaper and plainer than a
//! wheel that every read must update.

use std::time::{Duration, Instant};

/// Never looks more often than this, however many deadlines there are.
const TICK_MAX: Duration = Duration::from_millis(250);

/// The earliest deadline.
#[derive(Debug)]
pub(super) struct Timers {
    due: Option<Instant>,
    last_sweep: Instant,
    tick: Duration,
}

impl Timers {
    /// Looks at most every quarter of the shortest interval, and of [`TICK_MAX`].
    pub(super) fn new(now: Instant, shortest: Duration) -> Self {
        Self {
            due: None,
            last_sweep: now,
            tick: (shortest / 4).min(TICK_MAX),
        }
    }

    /// Makes sure that a sweep comes by `deadline`.
    pub(super) fn expect(&mut self, deadline: Instant) {
        let deadline = deadline.max(self.last_sweep + self.tick);
        self.due = Some(self.due.map_or(deadline, |due| due.min(deadline)));
    }

    /// Whether the sweep is due; if so, every deadline must be entered again.
    pub(super) fn sweep(&mut self, now: Instant) -> bool {
        let due = self.due.is_some_and(|due| due <= now);
        if due {
            self.due = None;
            self.last_sweep = now;
        }
        due
    }

    /// How long the loop may sleep.
    pub(super) fn timeout(&self, now: Instant) -> Option<Duration> {
        self.due.map(|due| due.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::Timers;
    use gatepost_words::clock::Clock;
    use std::time::{Duration, SystemTime};

    #[test]
    fn the_earliest_deadline_wins_but_not_more_often_than_the_tick() {
        let second = Duration::from_secs(1);
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let start = clock.now();
        let mut timers = Timers::new(start, Duration::from_secs(10));
        assert_eq!(timers.timeout(start), None);
        timers.expect(start + 5 * second);
        timers.expect(start + 3 * second);
        timers.expect(start + 9 * second);
        assert_eq!(timers.timeout(start), Some(3 * second));
        assert!(!timers.sweep(start + Duration::from_millis(2_999)));
        assert!(timers.sweep(start + 3 * second));
        assert!(
            !timers.sweep(start + 9 * second),
            "reported once, and not again"
        );
        timers.expect(start);
        assert_eq!(
            timers.timeout(start + 3 * second),
            Some(Duration::from_millis(250))
        );
    }
}
