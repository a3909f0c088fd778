//! `gatepost learn spam|ham|phish|malware|bulk|unwanted|list|undo|rollback`: labels for the site's
//! own learner.

mod arguments;
mod command;
mod line;
mod run;
mod summary;

pub(super) use arguments::{LearnCommand, StateArguments};
pub(super) use command::{learn, settings};
