//! What is kept of each message: one owned, versioned record. It is built once when a message (or
//! an early stage of one) is over, and read by the log line, the metrics, `gatepost explain` and
//! `gatepost records`.
//!
//! Invariants: a record of the version before this one can be read; every text and every list of a
//! stranger is bounded, and a record states what was truncated; a line of the log has no control
//! character and no character that changes how the text next to it is shown.

mod draft;
mod evidence;
mod facts;
mod index;
mod json;
mod mail_record;
mod message_summary;
mod named;
mod reader;
mod record_log;
mod shared_log;
#[cfg(test)]
mod tests;
mod timestamp;
mod version_1;

pub use draft::{Draft, Result as DraftResult};
pub use evidence::{EvidenceRecord, HitRecord};
pub use facts::FactRecord;
pub use json::UnreadableRecord;
pub use mail_record::{
    ClientRecord, Judgement, LIST_MAX, MailRecord, MessageRecord, Outcome, RecipientRecord,
    TEXT_MAX, Timings,
};
pub use message_summary::MessageSummary;
pub use reader::{RecordReader, find};
pub use record_log::{RecordLog, RecordSettings};
pub use shared_log::{DurableWriter, SharedLog};
pub use timestamp::Timestamp;
