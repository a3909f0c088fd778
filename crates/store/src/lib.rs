//! What outlives a process: the log of labels, the snapshots made from it, and the lock that keeps
//! writers apart.
//!
//! # Why the weights are not a memory-mapped table
//!
//! The log is the truth; weights are derived from it and can be had again. A table that a command
//! changes under the daemon's eyes (a shared map) would let a message be judged by half a label, could
//! not be replayed, would tear where a machine stops in the middle of a page, and needs `unsafe`.
//! So every label is one checksummed record, appended with one write and synced before it is
//! reported as learned; a snapshot replaces its predecessor by renaming; and the
//! daemon judges by an immutable copy in memory, 3 MiB, swapped whole (2026-11-23).
//!
//! # Files in the directory of the learner
//!
//! | file | what |
//! |---|---|
//! | `labels` | the newest records; appended to |
//! | `labels.1` | the records before them |
//! | `base` | snapshot of all that was learned from records that are dropped already; missing while none are |
//! | `weights` | snapshot of a later moment, so that a start need not learn everything again; may be missing |
//! | `lock` | held by the process that writes |
//!
//! Every file names its kind and version in its first bytes. Whatever the machine leaves of them when it stops
//! is read without error: what was not whole is passed over and counted.

mod appender;
mod checksum;
mod codec;
mod entry;
mod frame;
mod label_log;
mod lock;
mod slots;
mod snapshot;

pub use appender::Appender;
pub use entry::{Entry, Record, StoredLabel};
pub use label_log::{LogReport, Position, bytes_around, bytes_of, read_bytes, read_log};
pub use lock::Lock;
pub use slots::PackedSlots;
pub use snapshot::{Condition, Snapshot, SnapshotSample};
