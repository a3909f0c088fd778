//! Where everything is stored, and what must agree for it to be of use.

use std::path::{Path, PathBuf};

use crate::classifier::SiteSettings;
use crate::features::SiteView;

/// The settings of learning.
#[derive(Clone, Debug, PartialEq)]
pub struct LearningSettings {
    /// The directory.
    pub directory: PathBuf,
    /// Bytes of both logs together: so many labels, about 3 KB each, can be retracted.
    pub log_size: u64,
    /// The learner.
    pub learner: SiteSettings,
}

impl LearningSettings {
    /// The defaults, in that directory.
    pub fn in_directory(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            log_size: 64 << 20,
            learner: SiteSettings::default(),
        }
    }

    /// What slots mean: the view that they are taken from, and the size of the table.
    pub(super) fn schema(&self) -> u32 {
        SiteView::VERSION << 8 | self.learner.bits
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

    /// The files that the daemon reads, whether they are there or not.
    pub fn files(&self) -> [PathBuf; 4] {
        [
            self.labels(),
            self.older_labels(),
            self.base(),
            self.weights(),
        ]
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.directory.join("lock")
    }
}
