//! From evidence to a verdict's score and disposition: thresholds, the cap on the classifier, and
//! the admin's own refuse lists.
//!
//! Pure: what policy knows of the world it was told in its settings or stands in the case.

mod decide;
mod refuse;
mod settings;

pub use decide::{Decision, Policy};
pub use settings::{Refuse, SettingError, Settings};
