//! Messages that took the deadline alone, remembered by digest.
//!
//! A fault defers, so such a message comes back, and takes a worker and its whole deadline at every
//! try. At the second try it is not judged again but held, for a person to look at.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

/// Digests that are remembered; the one that was used longest ago goes first.
const REMEMBERED_MAX: usize = 1_024;

/// Fields that differ between two tries of one message: relays on the way write them.
const TRACE_FIELDS: [&str; 9] = [
    "Received",
    "X-Received",
    "Return-Path",
    "Delivered-To",
    "Authentication-Results",
    "Received-SPF",
    "ARC-Seal",
    "ARC-Message-Signature",
    "ARC-Authentication-Results",
];

type Digest = [u8; 32];

/// The messages that are known to be slow. Lives in memory: a restart gives each another try.
#[derive(Debug, Default)]
pub(super) struct SlowMessages {
    digests: Mutex<VecDeque<Digest>>,
    /// How many there are, to know without a lock and a digest that there are none.
    count: AtomicUsize,
}

impl SlowMessages {
    /// Remembers a message.
    pub(super) fn remember(&self, raw: &[u8]) {
        let digest = digest(raw);
        let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        digests.retain(|known| *known != digest);
        if digests.len() >= REMEMBERED_MAX {
            digests.pop_front();
        }
        digests.push_back(digest);
        self.count.store(digests.len(), Ordering::Release);
    }

    /// Whether a message is remembered.
    pub(super) fn contains(&self, raw: &[u8]) -> bool {
        if self.count.load(Ordering::Acquire) == 0 {
            return false;
        }
        let digest = digest(raw);
        let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = digests.iter().position(|known| *known == digest) else {
            return false;
        };
        digests.remove(at);
        digests.push_back(digest);
        true
    }
}

/// SHA-256 of a message without its trace fields.
fn digest(raw: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    let mut is_header = true;
    let mut is_trace = false;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if is_header {
            is_header = !line.trim_ascii().is_empty();
            let is_continuation = line.starts_with(b" ") || line.starts_with(b"\t");
            if !is_continuation {
                is_trace = is_header && is_trace_field(line);
            }
        }
        if !is_trace {
            hash.update(line);
        }
    }
    hash.finalize().into()
}

fn is_trace_field(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    let name = name.trim_ascii();
    let mut known = TRACE_FIELDS.iter();
    known.any(|field| name.eq_ignore_ascii_case(field.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_try_is_known_by_all_but_its_trace_fields() {
        let slow = SlowMessages::default();
        let first = b"Received: from a\r\n\tby b; Mon\r\nSubject: x\r\n\r\nReceived: body\r\n";
        let again = b"received: from c\r\n\tby d; Tue\r\nReturn-Path: <x>\r\nSubject: x\r\n\r\nReceived: body\r\n";
        let other = b"Subject: x\r\n\r\nReceived: text\r\n";
        assert!(!slow.contains(first));
        slow.remember(first);
        assert!(slow.contains(first) && slow.contains(again));
        assert!(
            !slow.contains(other),
            "what looks like a field in the body counts"
        );
    }

    #[test]
    fn the_one_used_longest_ago_is_forgotten_at_the_limit() {
        let slow = SlowMessages::default();
        let message = |number: usize| format!("Subject: {number}\r\n\r\n").into_bytes();
        (0..REMEMBERED_MAX).for_each(|number| slow.remember(&message(number)));
        assert!(slow.contains(&message(0)), "n are remembered");
        slow.remember(&message(REMEMBERED_MAX));
        assert!(
            !slow.contains(&message(1)),
            "and of n + 1 the oldest is not"
        );
        assert!(slow.contains(&message(0)) && slow.contains(&message(REMEMBERED_MAX)));
    }
}
