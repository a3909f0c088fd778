//! What reading one message may make of it: decoded texts, rendered HTML, URLs, what rules look at.
//!
//! Limits on single things do not bound their product: ten thousand short links joined with a base
//! of 4 KiB are 40 MB out of 130 kB. So everything derived draws on one budget that follows the size
//! of the message.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Derived bytes for each byte of a message. Ordinary messages stay below 4.
const FACTOR: usize = 8;
/// Derived bytes that even a small message may have.
const FLOOR: usize = 1 << 20;

/// The derived bytes of one message, counted by all that read it.
#[derive(Clone, Debug)]
pub struct DerivedBytes {
    limit: usize,
    used: Arc<AtomicUsize>,
}

impl DerivedBytes {
    /// Nothing derived yet of a message of `length` bytes.
    pub fn of_message(length: usize) -> Self {
        Self::with_limit(length.saturating_mul(FACTOR).saturating_add(FLOOR))
    }

    fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            used: Arc::default(),
        }
    }

    /// Counts `bytes`, to be asked before they are made. False from the first byte over the limit
    /// on: they are not to be made, and the message is marked.
    pub fn take(&self, bytes: usize) -> bool {
        let before = self.used.fetch_add(bytes, Ordering::Relaxed);
        before.saturating_add(bytes) <= self.limit
    }

    /// Bytes derived so far, refused ones included.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether something was not made because of the limit.
    pub fn is_exceeded(&self) -> bool {
        self.used() > self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_follows_the_message_and_holds_at_the_byte() {
        let limit = 10 * FACTOR + FLOOR;
        for (bytes, fits) in [(limit, true), (limit + 1, false)] {
            let derived = DerivedBytes::of_message(10);
            assert_eq!(derived.take(bytes), fits);
            assert_eq!(derived.is_exceeded(), !fits);
            assert!(!derived.take(1), "what is used up stays used up");
        }
    }
}
