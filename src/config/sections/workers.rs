//! `[workers]`: threads, queue, memory.

use crate::config::keys::{Applies, Key, Kind};
use crate::config::view::View;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The keys.
pub(in crate::config) const KEYS: &[Key] = &[
    Key {
        path: "workers.threads",
        kind: Kind::Integer(0, 1_024),
        default: Some("0"),
        since: "0.1.0",
        applies: Applies::Restart,
        doc: "Threads that judge mail. 0 means one for each core; more does not help, since judging waits for nothing.",
        example: "4",
    },
    Key {
        path: "workers.queue",
        kind: Kind::Integer(1, 1_000_000),
        default: Some("5000"),
        since: "0.1.0",
        applies: Applies::Restart,
        doc: "Messages that may wait for a worker. When the queue is full new mail is deferred before work is spent on it.",
        example: "1000",
    },
    Key {
        path: "workers.bytes_in_flight",
        kind: Kind::Size(MIB, 1_024 * GIB),
        default: Some("\"1GiB\""),
        since: "0.1.0",
        applies: Applies::Restart,
        doc: "Bytes of all messages that are held in memory at the same time. New mail is deferred while the budget is \
              used up, so this bounds the memory of the daemon.",
        example: "\"512MiB\"",
    },
];

pub(in crate::config) fn engine_settings(view: View<'_>) -> gatepost_engine::Settings {
    gatepost_engine::Settings {
        workers: view.count("workers.threads"),
        queue: view.count("workers.queue"),
        deadline: view.duration("limits.deadline"),
        bytes_in_flight: view.size("workers.bytes_in_flight"),
    }
}
