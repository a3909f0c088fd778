//! From evidence to a verdict's score and disposition: thresholds, the cap on the classifier, and
//! the admin's own lists of what is refused or deferred.
//!
//! Pure: what policy knows of the world is in its settings or in the case.

mod decide;
mod lists;
mod settings;

pub use decide::{Decision, Policy};
pub use settings::{AdminLists, SettingError, Settings};
