//! The follower: how the daemon hears of new labels.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use super::LearningSettings;
use super::fold::{fold, latest, learn_label};
use super::survey::survey;
use crate::classifier::{Site, SiteOpinion};
use gatepost_store::{Entry, Position, Record, read_log};

/// What was learned so far, and where in the log that ends: place, and number of the record.
type Heard = (Site, Position, u64);

/// Reads what commands write, and never writes itself.
#[derive(Debug)]
pub struct Follower {
    settings: LearningSettings,
    heard: Option<Heard>,
    /// Inode and length of the log when it was looked at last.
    seen: Option<(u64, u64)>,
}

impl Follower {
    /// Follows the log of that directory, which need not exist yet.
    pub fn new(settings: LearningSettings) -> Self {
        Self {
            settings,
            heard: None,
            seen: None,
        }
    }

    /// Looks whether there is anything new, and learns it. `None`: nothing new, or nothing at all.
    /// After an error what was heard before still holds; the next look tries again.
    pub fn poll(&mut self) -> io::Result<Option<Arc<SiteOpinion>>> {
        let Some(state) = self.look()? else {
            return Ok(None);
        };
        if self.seen == Some(state) {
            return Ok(None);
        }
        let is_shorter = self
            .seen
            .is_some_and(|(inode, length)| inode == state.0 && length > state.1);
        let heard = self.heard.take().filter(|_| !is_shorter);
        let (site, position, sequence) =
            match heard.map(|heard| self.go_on(heard)).transpose()?.flatten() {
                Some(heard) => heard,
                None => self.begin()?,
            };
        let opinion = (sequence > 0).then(|| Arc::new(site.opinion(sequence)));
        self.heard = Some((site, position, sequence));
        self.seen = Some(state);
        Ok(opinion)
    }

    /// Inode and length of the log; `None` where nothing was ever taught here.
    fn look(&self) -> io::Result<Option<(u64, u64)>> {
        match std::fs::metadata(self.settings.labels()) {
            Ok(metadata) => Ok(Some((metadata.ino(), metadata.len()))),
            // The machine stopped between the renaming of a full log and the beginning of the next
            // one.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(self.settings.older_labels().try_exists()?.then_some((0, 0)))
            }
            Err(error) => Err(error),
        }
    }

    /// Learns what was appended; `None` where something was taken back or a record is missing, so
    /// that all has to be learned anew.
    fn go_on(&self, heard: Heard) -> io::Result<Option<Heard>> {
        let (mut site, position, mut sequence) = heard;
        let mut is_broken = false;
        let mut learn = |record: Record| {
            // What a snapshot knows already.
            if record.sequence <= sequence {
                return;
            }
            is_broken |= record.sequence != sequence + 1;
            sequence = record.sequence;
            match record.entry {
                Entry::Label(label) => learn_label(&mut site, &label),
                Entry::Retraction(_) | Entry::Rollback { .. } => is_broken = true,
            }
        };
        let (older, labels) = (self.settings.older_labels(), self.settings.labels());
        let schema = self.settings.schema();
        let mut damaged = 0;
        let from = if position.is_in(&labels) {
            Some(position)
        } else {
            // The log was changed for a new one, and the old one is the older log now; or it is not
            // ours at all.
            if !position.is_in(&older) {
                return Ok(None);
            }
            let report = read_log(&older, schema, Some(position), &mut learn)?;
            damaged += report.damaged + report.torn;
            None
        };
        let report = read_log(&labels, schema, from, &mut learn)?;
        let is_whole = !is_broken && damaged + report.damaged == 0;
        Ok(is_whole.then_some((site, report.position, sequence)))
    }

    /// From the newest snapshot and the few labels behind it, or else from all that is in the logs.
    fn begin(&self) -> io::Result<Heard> {
        if let Some(heard) = latest(&self.settings)?
            .map(|latest| self.go_on(latest))
            .transpose()?
            .flatten()
        {
            return Ok(heard);
        }
        let survey = survey(&self.settings)?;
        let site = fold(&self.settings, &survey, None)?;
        Ok((site, survey.report.position, survey.sequence))
    }
}
