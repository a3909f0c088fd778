//! The first reading of the logs: which labels there are, and which of them are in force.

use std::collections::{HashMap, HashSet};
use std::io;

use super::LearningSettings;
use gatepost_store::{Digest, Entry, LogReport, Record, Snapshot, read_log};

/// One label in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its record's number.
    pub sequence: u64,
    /// When it was given, in seconds since 1970.
    pub time: u64,
    /// Of which mail.
    pub digest: Digest,
    /// Spam, or ham.
    pub spam: bool,
    /// By whom.
    pub source: String,
    /// Whether it is in force: not taken back.
    pub in_force: bool,
}

/// What is in the logs.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// The labels, from old to new.
    pub(super) labels: Vec<Listed>,
    /// Where the label in force of a mail stands in `labels`.
    index: HashMap<Digest, usize>,
    /// The records of labels that are not in force.
    pub(super) dead: HashSet<u64>,
    /// The last record; 0 where there is none.
    pub(super) sequence: u64,
    /// The last record that took something back; 0 where there is none.
    pub(super) taken_back: u64,
    /// The last record of the older log; 0 where there is none.
    pub(super) older: u64,
    /// Up to this record all is in the base, and can no longer be taken back.
    pub(super) base: u64,
    /// How the newer log was read.
    pub(super) report: LogReport,
    /// Bytes of both logs that were passed over.
    pub(super) damaged: u64,
}

/// Reads both logs, slots left aside.
pub(super) fn survey(settings: &LearningSettings) -> io::Result<Survey> {
    let base = Snapshot::peek(&settings.base(), settings.schema())?.unwrap_or(0);
    let mut survey = Survey {
        base,
        sequence: base,
        ..Survey::default()
    };
    let older = read_log(
        &settings.older_labels(),
        settings.schema(),
        None,
        &mut |record| survey.add(record),
    )?;
    survey.older = survey.sequence;
    let report = read_log(&settings.labels(), settings.schema(), None, &mut |record| {
        survey.add(record);
    })?;
    survey.damaged = older.damaged + older.torn + report.damaged;
    survey.report = report;
    Ok(survey)
}

impl Survey {
    /// Notes one record.
    pub(super) fn add(&mut self, record: Record) {
        let Record {
            sequence,
            time,
            entry,
        } = record;
        if sequence <= self.sequence {
            return;
        }
        self.sequence = sequence;
        match entry {
            Entry::Label(label) => {
                self.index.insert(label.digest, self.labels.len());
                let (digest, spam, source) = (label.digest, label.spam, label.source);
                self.labels.push(Listed {
                    sequence,
                    time,
                    digest,
                    spam,
                    source,
                    in_force: true,
                });
            }
            Entry::Retraction(digest) => self.take_back(sequence, |label| label.digest == digest),
            Entry::Rollback { since, source } => self.take_back(sequence, |label| {
                label.time >= since && source.as_ref().is_none_or(|source| *source == label.source)
            }),
        }
    }

    fn take_back(&mut self, sequence: u64, meant: impl Fn(&Listed) -> bool) {
        for label in self
            .labels
            .iter_mut()
            .filter(|label| label.in_force && meant(label))
        {
            label.in_force = false;
            self.dead.insert(label.sequence);
            self.index.remove(&label.digest);
            self.taken_back = sequence;
        }
    }

    /// The label in force of that mail.
    pub(super) fn label_of(&self, digest: &Digest) -> Option<&Listed> {
        self.index
            .get(digest)
            .and_then(|index| self.labels.get(*index))
    }

    /// Forgets the labels that are in the base now.
    pub(super) fn drop_until(&mut self, base: u64) {
        self.base = base;
        self.labels.retain(|label| label.sequence > base);
        self.dead.retain(|sequence| *sequence > base);
        let in_force = self
            .labels
            .iter()
            .enumerate()
            .filter(|(_, label)| label.in_force);
        self.index = in_force
            .map(|(index, label)| (label.digest, index))
            .collect();
    }
}
