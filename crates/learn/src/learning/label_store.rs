//! The label store: labels are written into it, and retracted.

use std::io;
use std::time::Duration;

use gatepost_store::{
    Appender, Entry, Lock, LogReport, PackedSlots, Position, Record, Snapshot, StoredLabel,
};
use gatepost_words::fs::create_directory;
use gatepost_words::{Class, Label, LabelKind, MessageDigest};

use super::label_index::{LabelEntry, LabelIndex, is_rolled_back, read_index};
use super::replay::{replay, snapshot};
use super::settings::LearningSettings;
use super::training_example::TrainingExample;

/// After so many labels a new snapshot is made, so that a start has little to learn again: each
/// costs it a tenth of a millisecond of its 50.
const SNAPSHOT_EVERY: u64 = 256;

/// The outcome of one label. Nothing is refused in silence: each has its own word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was learned.
    Learned,
    /// It had been learned before, with the same class: nothing to do.
    Already,
    /// It had been learned as this other class; that label is retracted.
    Relearned(Class),
    /// Its label was retracted.
    Unlearned,
    /// It was to be unlearned, but no label of it is known.
    Unknown,
    /// It was to be unlearned, but its label is of this other class and stays.
    OtherLabel(Class),
}

impl Outcome {
    /// The word in output and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Learned => "learned",
            Self::Already => "already",
            Self::Relearned(_) => "relearned",
            Self::Unlearned => "unlearned",
            Self::Unknown => "unknown",
            Self::OtherLabel(_) => "other_label",
        }
    }
}

/// The outcome of retracting the label of a message that was named by the first digits of its
/// digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undone {
    /// This label.
    Label(LabelEntry),
    /// No label is active.
    None,
    /// So many messages are meant.
    Ambiguous(usize),
}

/// Who gives a label, when, and on what occasion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelSource<'a> {
    /// Who; longer than [`Label::SOURCE_MAX`] it is truncated.
    pub name: &'a str,
    /// On what occasion.
    pub kind: LabelKind,
    /// When, in seconds since 1970.
    pub time: u64,
}

/// The open label store. No other process writes while it is open; nothing is certain before
/// [`LabelStore::commit`].
#[derive(Debug)]
pub struct LabelStore {
    settings: LearningSettings,
    index: LabelIndex,
    log: Appender,
    /// The last record that the newest snapshot holds.
    kept: u64,
    /// Where tidying up has failed, it is not tried again before this record.
    rest_until: u64,
    _lock: Lock,
}

impl LabelStore {
    /// Opens the store, and creates it where there is none. Waits for at most `timeout` for another
    /// writer.
    pub fn open(settings: LearningSettings, timeout: Duration) -> io::Result<Self> {
        // What was learned says something about people's mail: it is private.
        create_directory(&settings.directory, 0o750)?;
        let lock = Lock::take(&settings.lock(), timeout)?;
        let index = read_index(&settings)?;
        let log = Appender::open(&settings.labels(), settings.schema(), &index.report)?;
        let mut kept = Snapshot::peek(&settings.weights(), settings.schema())?.unwrap_or(0);
        // A snapshot of labels that this log never held: the log was moved away and the snapshot
        // stayed. It would be taken for ours as soon as there are as many labels again.
        if kept > index.sequence {
            std::fs::remove_file(settings.weights())?;
            kept = 0;
        }
        Ok(Self {
            settings,
            index,
            log,
            kept,
            rest_until: 0,
            _lock: lock,
        })
    }

    /// Gives a message a class.
    pub fn learn(
        &mut self,
        example: &TrainingExample,
        class: Class,
        source: &LabelSource<'_>,
    ) -> io::Result<Outcome> {
        let earlier = self.index.label_of(&example.digest);
        let earlier = earlier.map(|entry| (entry.sequence, entry.label.class));
        if let Some((_, known)) = earlier
            && known == class
        {
            return Ok(Outcome::Already);
        }
        let label = Label {
            message: example.digest,
            class,
            source: Label::truncated_source(source.name).to_owned(),
            kind: source.kind,
            trust: Label::FULL_TRUST,
            time: source.time,
            supersedes: earlier.map(|(sequence, _)| sequence),
        };
        let stored = StoredLabel {
            label,
            content: example.content,
            slots: PackedSlots::of(example.slots.numbers()),
        };
        self.append(source.time, Entry::Label(stored))?;
        Ok(match earlier {
            Some((_, other)) => Outcome::Relearned(other),
            None => Outcome::Learned,
        })
    }

    /// Retracts the label of a message, if it is of that class.
    pub fn unlearn(
        &mut self,
        message: &MessageDigest,
        class: Class,
        time: u64,
    ) -> io::Result<Outcome> {
        let known = self.index.label_of(message).map(|entry| entry.label.class);
        match known {
            None => Ok(Outcome::Unknown),
            Some(other) if other != class => Ok(Outcome::OtherLabel(other)),
            Some(_) => {
                self.append(time, Entry::Retraction(*message))?;
                Ok(Outcome::Unlearned)
            }
        }
    }

    /// Retracts the label of the message whose digest begins so.
    pub fn undo(&mut self, prefix: &str, time: u64) -> io::Result<Undone> {
        let is_meant =
            |entry: &&LabelEntry| entry.active && entry.label.message.starts_with(prefix);
        let meant: Vec<&LabelEntry> = self.index.labels.iter().filter(is_meant).collect();
        match meant.as_slice() {
            [] => Ok(Undone::None),
            [entry] => {
                let entry = LabelEntry {
                    active: false,
                    ..(*entry).clone()
                };
                self.append(time, Entry::Retraction(entry.label.message))?;
                Ok(Undone::Label(entry))
            }
            several => Ok(Undone::Ambiguous(several.len())),
        }
    }

    /// Retracts all labels given at `since` or later, of all sources or of one; returns how many.
    pub fn rollback(&mut self, since: u64, source: Option<&str>, time: u64) -> io::Result<usize> {
        let before = self.index.retracted.len();
        let is_meant =
            |entry: &LabelEntry| entry.active && is_rolled_back(&entry.label, since, source);
        if self.index.labels.iter().any(is_meant) {
            let source = source.map(str::to_owned);
            self.append(time, Entry::Rollback { since, source })?;
        }
        Ok(self.index.retracted.len() - before)
    }

    /// The labels that can still be retracted, and those that were, from old to new.
    pub fn labels(&self) -> &[LabelEntry] {
        &self.index.labels
    }

    /// Bytes of the logs that could not be read: damage of the disk.
    pub fn damaged(&self) -> u64 {
        self.index.damaged
    }

    /// Syncs everything; from here on it is certain. Then makes a snapshot where one is due, and
    /// starts a new log where this one is full. Where that cannot be done, `Ok` holds the reason:
    /// the labels are safe all the same.
    pub fn commit(&mut self) -> io::Result<Option<io::Error>> {
        self.log.sync()?;
        if self.index.sequence < self.rest_until {
            return Ok(None);
        }
        let failed = self.tidy().err();
        if failed.is_some() {
            self.rest_until = self.index.sequence + SNAPSHOT_EVERY;
        }
        Ok(failed)
    }

    fn tidy(&mut self) -> io::Result<()> {
        let is_stale = self.index.last_retraction > self.kept;
        let is_old = self.index.sequence - self.kept >= SNAPSHOT_EVERY;
        if is_stale || is_old {
            let site = replay(&self.settings, &self.index, None)?;
            let end = self.log.position()?;
            let snapshot = snapshot(&self.settings, &site, self.index.sequence, end);
            snapshot.write(&self.settings.weights())?;
            self.kept = self.index.sequence;
        }
        if self.log.len() > self.settings.log_size / 2 {
            self.start_new_log()?;
        }
        Ok(())
    }

    /// What is in the older log goes into the base, the newer log becomes the older one. A machine
    /// may stop between any two steps: records that are in the base already are passed over,
    /// and a missing log is an empty one.
    fn start_new_log(&mut self) -> io::Result<()> {
        let older = self.index.older;
        if older > self.index.base {
            let site = replay(&self.settings, &self.index, Some(older))?;
            let base = snapshot(&self.settings, &site, older, Position::default());
            base.write(&self.settings.base())?;
            self.index.drop_until(older);
        }
        std::fs::rename(self.settings.labels(), self.settings.older_labels())?;
        self.index.older = self.index.sequence;
        self.log = Appender::open(
            &self.settings.labels(),
            self.settings.schema(),
            &LogReport::default(),
        )?;
        self.log.sync()
    }

    /// Appends one record, or nothing.
    fn append(&mut self, time: u64, entry: Entry) -> io::Result<()> {
        let record = Record {
            sequence: self.index.sequence + 1,
            time,
            entry,
        };
        self.log.append(&record)?;
        self.index.add(record);
        Ok(())
    }
}
