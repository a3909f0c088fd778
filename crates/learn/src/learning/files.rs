//! Where everything lies, and what must agree for it to be of use.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::survey::survey;
use super::{Follower, Listed};
use crate::classifier::{SiteOpinion, SiteSettings};
use crate::features::MilterView;

/// What learning is told.
#[derive(Clone, Debug, PartialEq)]
pub struct LearningSettings {
    /// The directory.
    pub directory: PathBuf,
    /// Bytes of both logs together: so many labels, about 3 KB each, can be taken back.
    pub log_size: u64,
    /// The learner.
    pub learner: SiteSettings,
}

impl LearningSettings {
    /// Those of the defaults, in that directory.
    pub fn in_directory(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            log_size: 64 << 20,
            learner: SiteSettings::default(),
        }
    }

    /// What slots mean: the view that they are taken from, and the size of the table.
    pub(super) fn schema(&self) -> u32 {
        MilterView::VERSION << 8 | self.learner.bits
    }

    pub(super) fn labels(&self) -> PathBuf {
        self.directory.join("labels")
    }

    pub(super) fn older_labels(&self) -> PathBuf {
        self.directory.join("labels.1")
    }

    pub(super) fn base(&self) -> PathBuf {
        self.directory.join("base")
    }

    pub(super) fn weights(&self) -> PathBuf {
        self.directory.join("weights")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.directory.join("lock")
    }
}

/// The labels that can still be taken back, and those that were, from old to new; and how many
/// bytes of the logs are damaged. Reads only.
pub fn listed(settings: &LearningSettings) -> io::Result<(Vec<Listed>, u64)> {
    survey(settings).map(|survey| (survey.labels, survey.damaged))
}

/// What the site has taught up to now; `None` where it has taught nothing. Reads only.
pub fn info(settings: &LearningSettings) -> io::Result<Option<Arc<SiteOpinion>>> {
    Follower::new(settings.clone()).poll()
}
