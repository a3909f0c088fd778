//! What a record of the label log says.

use gatepost_words::{Label, MessageDigest};

use super::slots::PackedSlots;

/// A label as it is stored: with what the learner derived from the message, as a site may not keep
/// the message itself.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredLabel {
    /// The label.
    pub label: Label,
    /// The log-odds of the content model for the message, where it was asked.
    pub content: Option<f32>,
    /// The slots of the message: ascending, each once.
    pub slots: PackedSlots,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A label was given. The one that it supersedes is retracted.
    Label(StoredLabel),
    /// The label of this message was retracted: as if it had never been given.
    Retraction(MessageDigest),
    /// All labels given at or after a time were retracted, of all sources or of one.
    Rollback {
        /// Seconds since 1970.
        since: u64,
        /// Of this source only.
        source: Option<String>,
    },
}

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its number: one more than that of the record before it; the first is 1.
    pub sequence: u64,
    /// When it was written, in seconds since 1970.
    pub time: u64,
    /// What.
    pub entry: Entry,
}
