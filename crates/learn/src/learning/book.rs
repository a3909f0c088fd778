//! The book: labels are written into it, and taken back.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::time::Duration;

use super::fold::{fold, snapshot};
use super::survey::{Survey, survey};
use super::{LearningSettings, Lesson, Listed};
use gatepost_store::{
    Appender, Digest, Entry, Label, Lock, LogReport, PackedSlots, Position, Record, Snapshot,
};

/// After so many labels a new snapshot is made, so that a start has little to learn again: each
/// costs it a tenth of a millisecond of its 50.
const SNAPSHOT_EVERY: u64 = 256;

/// What became of one label. Nothing is refused in silence: each has its own word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was learned.
    Learned,
    /// It had been learned before, with the same label: nothing to do.
    Already,
    /// It had been learned with the other label, which is taken back.
    Relearned,
    /// Its label was taken back.
    Unlearned,
    /// It was to be unlearned, but no label of it is known.
    Unknown,
    /// It was to be unlearned, but its label is the other one, which stays.
    OtherLabel,
}

impl Outcome {
    /// The word in output and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Learned => "learned",
            Self::Already => "already",
            Self::Relearned => "relearned",
            Self::Unlearned => "unlearned",
            Self::Unknown => "unknown",
            Self::OtherLabel => "other_label",
        }
    }
}

/// What became of taking back the label of a mail that was named by the first digits of its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undone {
    /// This label.
    Label(Listed),
    /// There is none in force.
    None,
    /// So many mails are meant.
    Ambiguous(usize),
}

/// The open book. Nobody else writes while it is open; nothing is certain before [`Book::commit`].
#[derive(Debug)]
pub struct Book {
    settings: LearningSettings,
    survey: Survey,
    log: Appender,
    /// The last record that the newest snapshot holds.
    kept: u64,
    /// Where tidying up has failed, it is not tried again before this record.
    rest_until: u64,
    _lock: Lock,
}

impl Book {
    /// Opens the book, and begins it where there is none. Waits for at most `patience` for another
    /// writer.
    pub fn open(settings: LearningSettings, patience: Duration) -> io::Result<Self> {
        // What was learned tells of people's mail: nobody else's business.
        DirBuilder::new()
            .recursive(true)
            .mode(0o750)
            .create(&settings.directory)?;
        let lock = Lock::take(&settings.lock(), patience)?;
        let survey = survey(&settings)?;
        let log = Appender::open(&settings.labels(), settings.schema(), &survey.report)?;
        let kept = Snapshot::peek(&settings.weights(), settings.schema())?.unwrap_or(0);
        // A snapshot of labels that this log never held: somebody moved the log away and left it
        // behind. It would be taken for ours as soon as there are as many labels again.
        let kept = if kept > survey.sequence {
            forget(&settings.weights())?
        } else {
            kept
        };
        Ok(Self {
            settings,
            survey,
            log,
            kept,
            rest_until: 0,
            _lock: lock,
        })
    }

    /// Gives a mail a label. A source longer than [`Label::SOURCE_MAX`] is cut.
    pub fn learn(
        &mut self,
        lesson: &Lesson,
        spam: bool,
        source: &str,
        time: u64,
    ) -> io::Result<Outcome> {
        let before = self.survey.label_of(&lesson.digest).map(|label| label.spam);
        if before == Some(spam) {
            return Ok(Outcome::Already);
        }
        if before.is_some() {
            self.append(time, Entry::Retraction(lesson.digest))?;
        }
        let source = source
            .get(..source.floor_char_boundary(Label::SOURCE_MAX))
            .unwrap_or_default()
            .to_owned();
        let slots = PackedSlots::of(lesson.slots.numbers());
        let label = Label {
            digest: lesson.digest,
            spam,
            source,
            content: lesson.content,
            slots,
        };
        self.append(time, Entry::Label(label))?;
        Ok(if before.is_some() {
            Outcome::Relearned
        } else {
            Outcome::Learned
        })
    }

    /// Takes the label of a mail back, if it is that one.
    pub fn unlearn(&mut self, digest: &Digest, spam: bool, time: u64) -> io::Result<Outcome> {
        match self.survey.label_of(digest).map(|label| label.spam) {
            None => Ok(Outcome::Unknown),
            Some(before) if before != spam => Ok(Outcome::OtherLabel),
            Some(_) => {
                self.append(time, Entry::Retraction(*digest))?;
                Ok(Outcome::Unlearned)
            }
        }
    }

    /// Takes back the label of the mail whose digest begins so.
    pub fn undo(&mut self, prefix: &str, time: u64) -> io::Result<Undone> {
        let labels = self.survey.labels.iter();
        let meant: Vec<&Listed> = labels
            .filter(|label| label.in_force && label.digest.starts_with(prefix))
            .collect();
        match meant.as_slice() {
            [] => Ok(Undone::None),
            [label] => {
                let label = Listed {
                    in_force: false,
                    ..(*label).clone()
                };
                self.append(time, Entry::Retraction(label.digest))?;
                Ok(Undone::Label(label))
            }
            several => Ok(Undone::Ambiguous(several.len())),
        }
    }

    /// Takes back all labels given at `since` or later, of all sources or of one; returns how many.
    pub fn rollback(&mut self, since: u64, source: Option<&str>, time: u64) -> io::Result<usize> {
        let before = self.survey.dead.len();
        let is_meant = |label: &&Listed| {
            label.in_force
                && label.time >= since
                && source.is_none_or(|source| source == label.source)
        };
        if self.survey.labels.iter().any(|label| is_meant(&label)) {
            self.append(
                time,
                Entry::Rollback {
                    since,
                    source: source.map(str::to_owned),
                },
            )?;
        }
        Ok(self.survey.dead.len() - before)
    }

    /// The labels that can still be taken back, and those that were, from old to new.
    pub fn labels(&self) -> &[Listed] {
        &self.survey.labels
    }

    /// Bytes of the logs that could not be read: damage of the disk.
    pub fn damaged(&self) -> u64 {
        self.survey.damaged
    }

    /// Brings everything to the disk; from here on it is certain. Then makes a snapshot where one
    /// is due, and begins a new log where this one is full. Where that cannot be done, `Ok`
    /// tells why: the labels are safe all the same.
    pub fn commit(&mut self) -> io::Result<Option<io::Error>> {
        self.log.sync()?;
        if self.survey.sequence < self.rest_until {
            return Ok(None);
        }
        let failed = self.tidy().err();
        if failed.is_some() {
            self.rest_until = self.survey.sequence + SNAPSHOT_EVERY;
        }
        Ok(failed)
    }

    fn tidy(&mut self) -> io::Result<()> {
        let is_stale = self.survey.taken_back > self.kept;
        if is_stale || self.survey.sequence - self.kept >= SNAPSHOT_EVERY {
            let site = fold(&self.settings, &self.survey, None)?;
            let snapshot = snapshot(
                &self.settings,
                &site,
                self.survey.sequence,
                self.log.position()?,
            );
            snapshot.write(&self.settings.weights())?;
            self.kept = self.survey.sequence;
        }
        if self.log.len() > self.settings.log_size / 2 {
            self.begin_new_log()?;
        }
        Ok(())
    }

    /// What is in the older log goes into the base, the newer log becomes the older one. A machine
    /// may stop between any two steps: records that are in the base already are passed over,
    /// and a missing log is an empty one.
    fn begin_new_log(&mut self) -> io::Result<()> {
        if self.survey.older > self.survey.base {
            let site = fold(&self.settings, &self.survey, Some(self.survey.older))?;
            let base = snapshot(
                &self.settings,
                &site,
                self.survey.older,
                Position::default(),
            );
            base.write(&self.settings.base())?;
            self.survey.drop_until(self.survey.older);
        }
        std::fs::rename(self.settings.labels(), self.settings.older_labels())?;
        self.survey.older = self.survey.sequence;
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
            sequence: self.survey.sequence + 1,
            time,
            entry,
        };
        self.log.append(&record)?;
        self.survey.add(record);
        Ok(())
    }
}

fn forget(snapshot: &Path) -> io::Result<u64> {
    std::fs::remove_file(snapshot)?;
    Ok(0)
}
