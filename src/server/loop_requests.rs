//! What is asked of the event loop from other threads.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use mio::Waker;

use super::signals::Asked;

/// A tray that other threads put requests into; the loop empties it when it is woken.
#[derive(Debug)]
pub(super) struct LoopRequests {
    waker: Waker,
    terminations: AtomicUsize,
    reload: AtomicBool,
    failure: Mutex<Option<String>>,
}

impl LoopRequests {
    /// A tray next to that waker.
    pub(super) fn new(waker: Waker) -> Self {
        Self {
            waker,
            terminations: AtomicUsize::new(0),
            reload: AtomicBool::new(false),
            failure: Mutex::new(None),
        }
    }

    /// Wakes the loop.
    pub(super) fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            log::error!("cannot wake the event loop: {error}");
        }
    }

    /// Asks for an end, as SIGTERM does.
    #[cfg(test)]
    pub(super) fn terminate(&self) {
        self.terminations.fetch_add(1, Ordering::AcqRel);
        self.wake();
    }

    /// Asks for a reload, as SIGHUP does.
    #[cfg(test)]
    pub(super) fn reload(&self) {
        self.reload.store(true, Ordering::Release);
        self.wake();
    }

    /// Tells that the other front-end ended by itself.
    #[cfg_attr(
        not(feature = "libmilter"),
        expect(dead_code, reason = "only the libmilter front-end can fail by itself")
    )]
    pub(super) fn fail(&self, why: String) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        self.wake();
    }

    /// Takes what is in the tray.
    pub(super) fn take(&self) -> Asked {
        Asked {
            terminations: self.terminations.swap(0, Ordering::AcqRel),
            reload: self.reload.swap(false, Ordering::AcqRel),
        }
    }

    /// Takes the failure, if there was one.
    pub(super) fn take_failure(&self) -> Option<String> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}
