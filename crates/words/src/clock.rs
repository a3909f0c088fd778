//! The only source of time, and of identifiers that depend on it.
//!
//! Judging never reads it (same input, same verdict); gathering, settling and
//! the edges do, so that a test can set the time itself.
#![expect(
    clippy::disallowed_methods,
    reason = "this module is the one place that may read the real clock"
)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

/// A clock: the real one, or one that a test turns by hand. Cheap to clone; clones of a manual
/// clock show the same time.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    manual: Option<Arc<Mutex<Hands>>>,
}

#[derive(Debug)]
struct Hands {
    monotonic: Instant,
    wall: SystemTime,
}

impl Clock {
    /// The real clock.
    pub fn system() -> Self {
        Self { manual: None }
    }

    /// A clock that stays at `wall` until [`Clock::advance`] is called.
    pub fn manual(wall: SystemTime) -> Self {
        Self {
            manual: Some(Arc::new(Mutex::new(Hands {
                monotonic: Instant::now(),
                wall,
            }))),
        }
    }

    /// Monotonic time: for deadlines and durations.
    pub fn now(&self) -> Instant {
        self.read(|hands| hands.monotonic)
            .unwrap_or_else(Instant::now)
    }

    /// Wall-clock time: for logs, records and message ids; never for deadlines.
    pub fn wall(&self) -> SystemTime {
        self.read(|hands| hands.wall)
            .unwrap_or_else(SystemTime::now)
    }

    /// Turns a manual clock forward; does nothing to the real one.
    pub fn advance(&self, by: Duration) {
        if let Some(hands) = &self.manual {
            let mut hands = hands
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            hands.monotonic += by;
            hands.wall += by;
        }
    }

    fn read<T>(&self, take: impl FnOnce(&Hands) -> T) -> Option<T> {
        let hands = self
            .manual
            .as_ref()?
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        Some(take(&hands))
    }
}
