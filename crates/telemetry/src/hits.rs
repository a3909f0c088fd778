//! Hits for each rule: a bounded set of counters.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use gatepost_words::verdict::RuleName;

/// Rules that have a counter of their own: a site's Prometheus has to hold each as a series.
pub const SERIES_MAX: usize = 2_000;

/// The counters. Counting a rule that has hit before takes a read lock and no allocation.
#[derive(Debug, Default)]
pub(super) struct Hits {
    counters: RwLock<BTreeMap<RuleName, AtomicU64>>,
    other: AtomicU64,
}

impl Hits {
    /// Counts one hit.
    pub(super) fn count(&self, rule: &str) {
        {
            let counters = self.counters.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(counter) = counters.get(rule) {
                counter.fetch_add(1, Ordering::Relaxed);
                return;
            }
            if counters.len() >= SERIES_MAX {
                self.other.fetch_add(1, Ordering::Relaxed);
                return;
            }
        }
        let mut counters = self
            .counters
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        // Another thread may have been here between the two locks.
        if counters.len() < SERIES_MAX || counters.contains_key(rule) {
            counters
                .entry(rule.into())
                .or_default()
                .fetch_add(1, Ordering::Relaxed);
        } else {
            self.other.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All counters, by name, and the hits of rules that have none.
    pub(super) fn read(&self) -> (Vec<(RuleName, u64)>, u64) {
        let counters = self.counters.read().unwrap_or_else(PoisonError::into_inner);
        let all = counters
            .iter()
            .map(|(rule, count)| (rule.clone(), count.load(Ordering::Relaxed)))
            .collect();
        (all, self.other.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_bounded_at_n_and_n_plus_one() {
        let hits = Hits::default();
        for number in 0..SERIES_MAX {
            hits.count(&format!("R{number}"));
        }
        assert_eq!((hits.read().0.len(), hits.read().1), (SERIES_MAX, 0));
        hits.count("ONE_MORE");
        hits.count("R7");
        let (all, other) = hits.read();
        assert_eq!((all.len(), other), (SERIES_MAX, 1));
        assert_eq!(all.iter().find(|(rule, _)| &**rule == "R7").unwrap().1, 2);
    }
}
