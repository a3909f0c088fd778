//! How what the site taught is found on disk, for whoever asks before serving.

use std::io;
use std::sync::Arc;

use super::LearningSettings;
use super::fold::fold;
use super::survey::survey;
use crate::classifier::SiteOpinion;
use gatepost_store::{Condition, Snapshot};

/// How what the site taught is found.
#[derive(Clone, Debug)]
pub struct Health {
    /// What was taught; `None` where nothing was.
    pub opinion: Option<Arc<SiteOpinion>>,
    /// Bytes of the logs that could not be read.
    pub damaged: u64,
    /// The snapshot of a later moment. Without it a start takes longer, and that is all.
    pub weights: Condition,
    /// The snapshot of what is in no log any more. Without it that is lost.
    pub base: Condition,
}

/// Reads everything, also what a start would not look at. An error is one of the file system, or
/// the log is another file.
pub fn examine(settings: &LearningSettings) -> io::Result<Health> {
    // A directory that does not exist holds nothing; one that may not be looked into could hold
    // anything.
    if settings.directory.try_exists()? {
        std::fs::read_dir(&settings.directory)?;
    }
    let survey = survey(settings)?;
    let opinion = match survey.sequence {
        0 => None,
        last => Some(Arc::new(fold(settings, &survey, None)?.opinion(last))),
    };
    Ok(Health {
        opinion,
        damaged: survey.damaged,
        weights: Snapshot::condition(&settings.weights(), settings.schema())?,
        base: Snapshot::condition(&settings.base(), settings.schema())?,
    })
}
