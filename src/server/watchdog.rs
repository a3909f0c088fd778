//! Signs of life for the service manager (`WatchdogSec=`): where they stop, it restarts us.

use std::time::{Duration, Instant};

use super::systemd;

/// When the next sign is due.
#[derive(Debug)]
pub(super) struct Watchdog {
    every: Option<Duration>,
    due: Instant,
}

impl Watchdog {
    /// As the environment asks for: twice in the time that it allows.
    pub(super) fn of_process(now: Instant) -> Self {
        let process = systemd::number("WATCHDOG_PID");
        let is_ours = process.is_none_or(|process| process == u64::from(std::process::id()));
        Self::new(systemd::number("WATCHDOG_USEC").filter(|_| is_ours), now)
    }

    fn new(microseconds: Option<u64>, now: Instant) -> Self {
        let allowed = microseconds.filter(|microseconds| *microseconds > 1);
        Self {
            every: allowed.map(|microseconds| Duration::from_micros(microseconds / 2)),
            due: now,
        }
    }

    /// Sends the sign where it is due.
    pub(super) fn look(&mut self, now: Instant) {
        if self.is_due(now) {
            systemd::notify("WATCHDOG=1");
        }
    }

    fn is_due(&mut self, now: Instant) -> bool {
        match self.every {
            Some(every) if self.due <= now => {
                self.due = now + every;
                true
            }
            _ => false,
        }
    }

    /// How long the loop may sleep.
    pub(super) fn timeout(&self, now: Instant) -> Option<Duration> {
        let is_on = self.every.is_some();
        is_on.then(|| self.due.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::Watchdog;
    use gatepost_words::clock::Clock;
    use std::time::{Duration, SystemTime};

    #[test]
    fn two_signs_come_in_the_time_allowed() {
        let now = Clock::manual(SystemTime::UNIX_EPOCH).now();
        let second = Duration::from_secs(1);
        let mut watchdog = Watchdog::new(Some(30_000_000), now);
        assert!(watchdog.is_due(now));
        assert_eq!(watchdog.timeout(now), Some(15 * second));
        assert!(!watchdog.is_due(now + 14 * second));
        assert!(watchdog.is_due(now + 15 * second));
        for off in [None, Some(0)] {
            let mut watchdog = Watchdog::new(off, now);
            assert!(!watchdog.is_due(now));
            assert_eq!(watchdog.timeout(now), None);
        }
    }
}
