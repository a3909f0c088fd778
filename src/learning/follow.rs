//! The follower: how the daemon hears of new labels.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use super::LearningSettings;
use super::fold::fold;
use super::survey::survey;
use crate::classifier::{Site, SiteOpinion, Slots};
use crate::state::{Entry, Position, Record, read_log};

/// Reads what commands write, and never writes itself.
#[derive(Debug)]
pub struct Follower {
    settings: LearningSettings,
    /// What was learned so far, and where in the log that ends.
    heard: Option<(Site, Position, u64)>,
    /// Inode and length of the log when it was looked at last.
    seen: Option<(u64, u64)>,
}

impl Follower {
    /// Follows the log of that directory, which need not exist yet.
    pub fn new(settings: LearningSettings) -> Self {
        Self { settings, heard: None, seen: None }
    }

    /// Looks whether there is anything new, and learns it. `None`: nothing new, or nothing at all. After an error what was
    /// heard before still holds; the next look tries again.
    pub fn poll(&mut self) -> io::Result<Option<Arc<SiteOpinion>>> {
        let state = match std::fs::metadata(self.settings.labels()) {
            Ok(metadata) => (metadata.ino(), metadata.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if self.seen == Some(state) {
            return Ok(None);
        }
        let is_longer = self.seen.is_some_and(|(inode, length)| inode == state.0 && length <= state.1);
        let heard = self.heard.take().filter(|_| is_longer);
        let (site, position, sequence) = match heard.map(|heard| self.go_on(heard)).transpose()?.flatten() {
            Some(heard) => heard,
            None => self.begin()?,
        };
        let opinion = (sequence > 0).then(|| Arc::new(site.opinion(sequence)));
        self.heard = Some((site, position, sequence));
        self.seen = Some(state);
        Ok(opinion)
    }

    /// Learns what was appended; `None` where something was taken back or a record is missing, so that all has to be learned
    /// anew.
    fn go_on(&self, heard: (Site, Position, u64)) -> io::Result<Option<(Site, Position, u64)>> {
        let (mut site, position, mut sequence) = heard;
        let mut is_broken = false;
        let mut learn = |record: Record| {
            is_broken |= record.sequence != sequence + 1;
            sequence = record.sequence;
            match record.entry {
                Entry::Label(label) => {
                    site.learn(&Slots::from_numbers(label.slots), label.spam, label.content);
                }
                Entry::Retraction(_) | Entry::Rollback { .. } => is_broken = true,
            }
        };
        let report = read_log(&self.settings.labels(), self.settings.schema(), Some(position), &mut learn)?;
        Ok((!is_broken).then_some((site, report.position, sequence)))
    }

    fn begin(&self) -> io::Result<(Site, Position, u64)> {
        let survey = survey(&self.settings)?;
        let site = fold(&self.settings, &survey, None)?;
        Ok((site, survey.report.position, survey.sequence))
    }
}
