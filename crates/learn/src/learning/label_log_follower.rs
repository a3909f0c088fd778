//! The follower: how the daemon receives new labels.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use gatepost_store::{Entry, Record, read_log};

use super::label_index::read_index;
use super::replay::{Replayed, latest, learn_label, replay};
use super::settings::LearningSettings;
use crate::classifier::FrozenSite;

/// What the site has learned up to now; `None` where it has learned nothing. Reads only.
pub fn info(settings: &LearningSettings) -> io::Result<Option<Arc<FrozenSite>>> {
    LabelLogFollower::new(settings.clone()).poll()
}

/// How a log was found when it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LogState {
    inode: u64,
    length: u64,
}

/// Reads what commands write, and never writes itself.
#[derive(Debug)]
pub struct LabelLogFollower {
    settings: LearningSettings,
    replayed: Option<Replayed>,
    seen: Option<LogState>,
}

impl LabelLogFollower {
    /// Follows the log of that directory, which need not exist yet.
    pub fn new(settings: LearningSettings) -> Self {
        Self {
            settings,
            replayed: None,
            seen: None,
        }
    }

    /// Looks whether there is anything new, and learns it. `None`: nothing new, or nothing at all.
    /// After an error what was read before still holds; the next call tries again.
    pub fn poll(&mut self) -> io::Result<Option<Arc<FrozenSite>>> {
        let Some(state) = self.look()? else {
            return Ok(None);
        };
        if self.seen == Some(state) {
            return Ok(None);
        }
        let is_shorter = self
            .seen
            .is_some_and(|seen| seen.inode == state.inode && seen.length > state.length);
        let mut replayed = None;
        if let Some(known) = self.replayed.take()
            && !is_shorter
        {
            replayed = self.go_on(known)?;
        }
        let replayed = match replayed {
            Some(replayed) => replayed,
            None => self.start()?,
        };
        let sequence = replayed.sequence;
        let site = (sequence > 0).then(|| Arc::new(replayed.site.freeze(sequence)));
        self.replayed = Some(replayed);
        self.seen = Some(state);
        Ok(site)
    }

    /// The state of the log; `None` where no label was ever given here.
    fn look(&self) -> io::Result<Option<LogState>> {
        match std::fs::metadata(self.settings.labels()) {
            Ok(metadata) => Ok(Some(LogState {
                inode: metadata.ino(),
                length: metadata.len(),
            })),
            // The machine stopped between the renaming of a full log and the start of the next one.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let gone = LogState {
                    inode: 0,
                    length: 0,
                };
                let has_older = self.settings.older_labels().try_exists()?;
                Ok(has_older.then_some(gone))
            }
            Err(error) => Err(error),
        }
    }

    /// Learns what was appended; `None` where a label was retracted or a record is missing, so that
    /// all has to be learned again.
    fn go_on(&self, known: Replayed) -> io::Result<Option<Replayed>> {
        let Replayed {
            mut site,
            position,
            mut sequence,
        } = known;
        let mut is_broken = false;
        let mut learn = |record: Record| {
            // What a snapshot knows already.
            if record.sequence <= sequence {
                return;
            }
            is_broken |= record.sequence != sequence + 1;
            sequence = record.sequence;
            match record.entry {
                Entry::Label(stored) => {
                    is_broken |= stored.label.supersedes.is_some();
                    learn_label(&mut site, &stored);
                }
                Entry::Retraction(_) | Entry::Rollback { .. } => is_broken = true,
            }
        };
        let older = self.settings.older_labels();
        let labels = self.settings.labels();
        let schema = self.settings.schema();
        let mut damaged = 0;
        let mut from = Some(position);
        if !position.is_in(&labels) {
            // The log was replaced by a new one, and the old one is the older log now; or it is not
            // ours at all.
            if !position.is_in(&older) {
                return Ok(None);
            }
            let report = read_log(&older, schema, Some(position), &mut learn)?;
            damaged += report.damaged + report.torn;
            from = None;
        }
        let report = read_log(&labels, schema, from, &mut learn)?;
        damaged += report.damaged;
        let is_whole = !is_broken && damaged == 0;
        Ok(is_whole.then_some(Replayed {
            site,
            position: report.position,
            sequence,
        }))
    }

    /// From the newest snapshot and the few labels after it, or else from all that is in the logs.
    fn start(&self) -> io::Result<Replayed> {
        if let Some(latest) = latest(&self.settings)?
            && let Some(replayed) = self.go_on(latest)?
        {
            return Ok(replayed);
        }
        let index = read_index(&self.settings)?;
        let site = replay(&self.settings, &index, None)?;
        Ok(Replayed {
            site,
            position: index.report.position,
            sequence: index.sequence,
        })
    }
}
