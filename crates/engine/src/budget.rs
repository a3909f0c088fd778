//! The budget of message bytes in flight: what all connections together may hold in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
    bytes: usize,
}

impl Permit {
    /// A share of nothing, to grow.
    pub fn new(budget: &Arc<Budget>) -> Self {
        Self {
            budget: budget.clone(),
            bytes: 0,
        }
    }

    /// Takes `more` bytes; false, and nothing taken, where the budget does not allow it.
    pub fn grow(&mut self, more: usize) -> bool {
        let limit = self.budget.limit;
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
}

impl Permit {
    /// Gives everything back.
    pub fn release(&mut self) {
        self.budget
            .used
            .fetch_sub(std::mem::take(&mut self.bytes), Ordering::Relaxed);
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
}
