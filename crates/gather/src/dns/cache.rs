//! Answers kept for as long as they last, bounded by number and bytes.
//!
//! Two halves: what is new or used comes into the young one; when that is full the old one is
//! forgotten and the young one becomes the old one. So what is used stays, at constant cost.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::{Lookup, Outcome};

/// A positive answer is kept no longer, whatever it says.
const POSITIVE_MAX: Duration = Duration::from_hours(24);
/// A negative one no longer (RFC 2308 §5 proposes one to three hours).
const NEGATIVE_MAX: Duration = Duration::from_hours(1);
/// That it could not be found out is kept for so long (RFC 2308 §7: at most five minutes).
const FAILURE: Duration = Duration::from_secs(5);
/// What an entry takes beyond its names and records: two hash tables at half load.
const OVERHEAD: usize = 192;

/// How much a cache may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// Look-ups.
    pub entries: usize,
    /// Bytes, estimated.
    pub bytes: usize,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self {
            entries: 50_000,
            bytes: 16 << 20,
        }
    }
}

#[derive(Debug)]
struct Entry {
    outcome: Outcome,
    expires: Instant,
}

#[derive(Debug, Default)]
struct Half {
    entries: HashMap<Lookup, Entry>,
    bytes: usize,
}

/// The cache of one resolver.
#[derive(Debug)]
pub struct Cache {
    limits: CacheLimits,
    young: Half,
    old: Half,
}

impl Cache {
    /// An empty cache.
    pub fn new(limits: CacheLimits) -> Self {
        Self {
            limits,
            young: Half::default(),
            old: Half::default(),
        }
    }

    /// What is known about `lookup`, if it has not expired.
    pub fn get(&mut self, lookup: &Lookup, now: Instant) -> Option<Outcome> {
        if let Some(entry) = self.young.entries.get(lookup) {
            return (entry.expires > now).then(|| entry.outcome.clone());
        }
        let (lookup, entry) = self.old.entries.remove_entry(lookup)?;
        self.old.bytes -= size(&lookup, &entry.outcome);
        if entry.expires <= now {
            return None;
        }
        let outcome = entry.outcome.clone();
        self.keep(lookup, entry);
        Some(outcome)
    }

    /// Keeps `outcome` for `seconds`, within bounds.
    pub fn put(&mut self, lookup: Lookup, outcome: Outcome, seconds: u32, now: Instant) {
        let lasts = Duration::from_secs(u64::from(seconds));
        let lasts = match outcome {
            Outcome::Found(_) => lasts.min(POSITIVE_MAX),
            Outcome::NoData | Outcome::NoName => lasts.min(NEGATIVE_MAX),
            Outcome::Unknown(_) => lasts.min(FAILURE),
        };
        if let Some(known) = self.old.entries.remove(&lookup) {
            self.old.bytes -= size(&lookup, &known.outcome);
        }
        if let Some(known) = self.young.entries.remove(&lookup) {
            self.young.bytes -= size(&lookup, &known.outcome);
        }
        if !lasts.is_zero() {
            let expires = now + lasts;
            self.keep(lookup, Entry { outcome, expires });
        }
    }

    fn keep(&mut self, lookup: Lookup, entry: Entry) {
        let size = size(&lookup, &entry.outcome);
        let is_full = self.young.entries.len() >= self.limits.entries / 2
            || self.young.bytes + size > self.limits.bytes / 2;
        if is_full {
            self.old = std::mem::take(&mut self.young);
        }
        if size <= self.limits.bytes / 2 {
            self.young.bytes += size;
            self.young.entries.insert(lookup, entry);
        }
    }

    /// How many look-ups are kept.
    pub fn len(&self) -> usize {
        self.young.entries.len() + self.old.entries.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that it keeps, estimated.
    pub fn bytes(&self) -> usize {
        self.young.bytes + self.old.bytes
    }
}

fn size(lookup: &Lookup, outcome: &Outcome) -> usize {
    OVERHEAD + lookup.name.bytes() + outcome.bytes()
}

#[cfg(test)]
mod tests {
    use gatepost_words::clock::Clock;
    use gatepost_words::fact::Cause;

    use super::super::{Name, RecordData, RecordType};
    use super::*;

    fn lookup(name: &str) -> Lookup {
        let name = Name::parse(name).unwrap();
        let kind = RecordType::A;
        Lookup { name, kind }
    }

    fn found() -> Outcome {
        Outcome::Found(vec![RecordData::A([192, 0, 2, 1].into())])
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn each_kind_of_answer_lasts_its_time() {
        let now = Clock::system().now();
        let unknown = || Outcome::Unknown(Cause::Timeout);
        for (outcome, ttl, lasts) in [
            (found(), 60, seconds(60)),
            (found(), u32::MAX, POSITIVE_MAX),
            (Outcome::NoName, 60, seconds(60)),
            (Outcome::NoName, 90_000, NEGATIVE_MAX),
            (Outcome::NoData, 90_000, NEGATIVE_MAX),
            (unknown(), 90_000, FAILURE),
        ] {
            let mut cache = Cache::new(CacheLimits::default());
            cache.put(lookup("a.example"), outcome.clone(), ttl, now);
            let just = now + lasts.mul_f32(0.99);
            assert_eq!(cache.get(&lookup("A.example"), just), Some(outcome));
            assert_eq!(cache.get(&lookup("a.example"), now + lasts), None);
        }
        let mut cache = Cache::new(CacheLimits::default());
        cache.put(lookup("a.example"), found(), 0, now);
        assert!(cache.is_empty());
    }

    #[test]
    fn it_never_keeps_more_than_it_may_and_forgets_what_is_not_used() {
        let now = Clock::system().now();
        let limits = CacheLimits {
            entries: 100,
            bytes: 10_000,
        };
        let mut cache = Cache::new(limits);
        for number in 0..1_000 {
            cache.put(lookup(&format!("n{number}.example")), found(), 60, now);
            assert!(cache.get(&lookup("n0.example"), now).is_some(), "{number}");
            assert!(cache.len() <= limits.entries, "{}", cache.len());
            assert!(cache.bytes() <= limits.bytes, "{}", cache.bytes());
        }
        assert!(cache.get(&lookup("n1.example"), now).is_none());
        assert!(cache.get(&lookup("n999.example"), now).is_some());
    }

    #[test]
    fn bytes_are_counted_exactly_once() {
        let now = Clock::system().now();
        let mut cache = Cache::new(CacheLimits::default());
        for _ in 0..3 {
            cache.put(lookup("a.example"), found(), 60, now);
        }
        assert_eq!(cache.bytes(), size(&lookup("a.example"), &found()));
        cache.put(lookup("a.example"), found(), 0, now);
        assert_eq!((cache.bytes(), cache.len()), (0, 0));
    }

    #[test]
    fn an_answer_larger_than_the_cache_is_not_kept() {
        let now = Clock::system().now();
        let limits = CacheLimits {
            entries: 10,
            bytes: 100,
        };
        let mut cache = Cache::new(limits);
        cache.put(lookup("a.example"), found(), 60, now);
        assert!(cache.is_empty());
    }
}
