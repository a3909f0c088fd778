//! The budget of bytes in flight: what all connections together may hold in memory.
//!
//! Two kinds of permit draw on it. Messages (and what judging derives from them) may take all of it.
//! Unfinished packets may take [`PACKET_SHARE`] more, so that a daemon that is full of messages can
//! still read the rest of a packet and answer it with a tempfail.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One part in so many that packets may take in addition to the budget.
const PACKET_SHARE: usize = 8;

/// Bytes that may be in flight, and how many are. Shared by all connections; lock-free.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            used: AtomicUsize::new(0),
        })
    }

    /// Bytes in flight now.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether more than four fifths are in use: the time to refuse new work.
    pub fn is_tight(&self) -> bool {
        self.used() > self.limit / 5 * 4
    }
}

/// A share of the budget; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    budget: Arc<Budget>,
    limit: usize,
    bytes: usize,
}

impl Permit {
    /// A share of nothing, to grow with a message.
    pub fn new(budget: &Arc<Budget>) -> Self {
        Self {
            budget: Arc::clone(budget),
            limit: budget.limit,
            bytes: 0,
        }
    }

    /// A share of nothing, to follow the buffers of a connection.
    pub fn for_packets(budget: &Arc<Budget>) -> Self {
        Self {
            budget: Arc::clone(budget),
            limit: budget.limit.saturating_add(budget.limit / PACKET_SHARE),
            bytes: 0,
        }
    }

    /// Bytes that this permit holds.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes `more` bytes; false, and nothing taken, where the budget does not allow it.
    pub fn grow(&mut self, more: usize) -> bool {
        let limit = self.limit;
        let add = |used: usize| used.checked_add(more).filter(|sum| *sum <= limit);
        let taken = self
            .budget
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add)
            .is_ok();
        if taken {
            self.bytes += more;
        }
        taken
    }

    /// Holds `bytes` from now on, more or fewer than before; false, and nothing changed, where the
    /// budget does not allow it.
    pub fn resize(&mut self, bytes: usize) -> bool {
        if let Some(more) = bytes.checked_sub(self.bytes) {
            return more == 0 || self.grow(more);
        }
        self.give_back(self.bytes - bytes);
        true
    }

    /// Gives everything back.
    pub fn release(&mut self) {
        self.give_back(self.bytes);
    }

    fn give_back(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.budget.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, Permit};

    #[test]
    fn a_permit_takes_up_to_the_limit_and_gives_back() {
        let budget = Budget::new(10);
        let mut permit = Permit::new(&budget);
        assert!(permit.grow(10));
        assert!(!permit.grow(1));
        assert!(!permit.grow(usize::MAX));
        assert!(budget.is_tight());
        drop(permit);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn packets_have_an_eighth_more_than_messages() {
        let budget = Budget::new(80);
        let mut message = Permit::new(&budget);
        let mut packet = Permit::for_packets(&budget);
        assert!(message.grow(80));
        assert!(packet.resize(10));
        assert!(!packet.resize(11), "one byte over the share");
        assert_eq!((packet.bytes(), budget.used()), (10, 90));
        assert!(packet.resize(3));
        assert_eq!(budget.used(), 83);
        drop((message, packet));
        assert_eq!(budget.used(), 0);
    }
}
