//! From text to a set of rules: lines, conditions, directives, definitions, scores and settings.

mod assemble;
mod conditions;
mod define;
mod directives;
mod flags;
pub(crate) mod include;
mod lines;
pub(crate) mod loader;
mod scores;
mod setting_names;
pub(crate) mod settings;
pub(crate) mod tables;
