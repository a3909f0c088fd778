//! The first reading of the logs: which labels there are, and which of them are active.

use std::collections::{HashMap, HashSet};
use std::io;

use gatepost_store::{Entry, LogReport, Record, Snapshot, read_log};
use gatepost_words::{Label, MessageDigest};

use super::settings::LearningSettings;

/// One label in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelEntry {
    /// Its record's number.
    pub sequence: u64,
    /// The label.
    pub label: Label,
    /// Whether it is active: not retracted.
    pub active: bool,
}

/// The labels that can still be retracted, and those that were, from old to new; and how many bytes
/// of the logs are damaged. Reads only.
pub fn entries(settings: &LearningSettings) -> io::Result<(Vec<LabelEntry>, u64)> {
    read_index(settings).map(|index| (index.labels, index.damaged))
}

/// What is in the logs.
#[derive(Debug, Default)]
pub(super) struct LabelIndex {
    /// The labels, from old to new.
    pub(super) labels: Vec<LabelEntry>,
    /// Where the active label of a message is in `labels`.
    active: HashMap<MessageDigest, usize>,
    /// The records of labels that are not active.
    pub(super) retracted: HashSet<u64>,
    /// The last record; 0 where there is none.
    pub(super) sequence: u64,
    /// The last record that retracted a label; 0 where there is none.
    pub(super) last_retraction: u64,
    /// The last record of the older log; 0 where there is none.
    pub(super) older: u64,
    /// Up to this record all is in the base, and can no longer be retracted.
    pub(super) base: u64,
    /// How the newer log was read.
    pub(super) report: LogReport,
    /// Bytes of both logs that were passed over.
    pub(super) damaged: u64,
}

/// Reads both logs, without their slots.
pub(super) fn read_index(settings: &LearningSettings) -> io::Result<LabelIndex> {
    let base = Snapshot::peek(&settings.base(), settings.schema())?.unwrap_or(0);
    let mut index = LabelIndex {
        base,
        sequence: base,
        ..LabelIndex::default()
    };
    let schema = settings.schema();
    let older = read_log(&settings.older_labels(), schema, None, &mut |record| {
        index.add(record);
    })?;
    index.older = index.sequence;
    let report = read_log(&settings.labels(), schema, None, &mut |record| {
        index.add(record);
    })?;
    index.damaged = older.damaged + older.torn + report.damaged;
    index.report = report;
    Ok(index)
}

impl LabelIndex {
    /// Adds one record.
    pub(super) fn add(&mut self, record: Record) {
        let sequence = record.sequence;
        if sequence <= self.sequence {
            return;
        }
        self.sequence = sequence;
        match record.entry {
            Entry::Label(stored) => self.add_label(sequence, stored.label),
            Entry::Retraction(message) => {
                self.retract(sequence, |entry| entry.label.message == message);
            }
            Entry::Rollback { since, source } => {
                self.retract(sequence, |entry| {
                    is_rolled_back(&entry.label, since, source.as_deref())
                });
            }
        }
    }

    fn add_label(&mut self, sequence: u64, label: Label) {
        if let Some(superseded) = label.supersedes {
            self.retract(sequence, |entry| entry.sequence == superseded);
        }
        self.active.insert(label.message, self.labels.len());
        self.labels.push(LabelEntry {
            sequence,
            label,
            active: true,
        });
    }

    fn retract(&mut self, sequence: u64, is_meant: impl Fn(&LabelEntry) -> bool) {
        for entry in &mut self.labels {
            if !entry.active || !is_meant(entry) {
                continue;
            }
            entry.active = false;
            self.retracted.insert(entry.sequence);
            self.active.remove(&entry.label.message);
            self.last_retraction = sequence;
        }
    }

    /// The active label of that message.
    pub(super) fn label_of(&self, message: &MessageDigest) -> Option<&LabelEntry> {
        let at = self.active.get(message)?;
        self.labels.get(*at)
    }

    /// Drops the labels that are in the base now.
    pub(super) fn drop_until(&mut self, base: u64) {
        self.base = base;
        self.labels.retain(|entry| entry.sequence > base);
        self.retracted.retain(|sequence| *sequence > base);
        self.active.clear();
        for (at, entry) in self.labels.iter().enumerate() {
            if entry.active {
                self.active.insert(entry.label.message, at);
            }
        }
    }
}

/// Whether a rollback retracts that label.
pub(super) fn is_rolled_back(label: &Label, since: u64, source: Option<&str>) -> bool {
    label.time >= since && source.is_none_or(|source| source == label.source)
}
