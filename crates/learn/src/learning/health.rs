//! How the learner's files are found on disk, for a check before serving.

use std::io;
use std::sync::Arc;

use gatepost_store::{Condition, Snapshot};

use super::label_index::read_index;
use super::replay::replay;
use super::settings::LearningSettings;
use crate::classifier::FrozenSite;

/// How the learner's files are found.
#[derive(Clone, Debug)]
pub struct Health {
    /// What was learned; `None` where nothing was.
    pub site: Option<Arc<FrozenSite>>,
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
    // A directory that does not exist holds nothing; one that cannot be read could hold anything.
    if settings.directory.try_exists()? {
        std::fs::read_dir(&settings.directory)?;
    }
    let index = read_index(settings)?;
    let site = match index.sequence {
        0 => None,
        last => Some(Arc::new(replay(settings, &index, None)?.freeze(last))),
    };
    Ok(Health {
        site,
        damaged: index.damaged,
        weights: Snapshot::condition(&settings.weights(), settings.schema())?,
        base: Snapshot::condition(&settings.base(), settings.schema())?,
    })
}
