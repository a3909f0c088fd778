//! The configuration: TOML files and the environment over built-in defaults, checked against one
//! table of keys.
//!
//! Everything that is wrong is told at once, with file, line and column. No other room names this
//! one: it fills the settings types that the rooms declare.

mod build;
mod document;
mod keys;
mod layers;
mod load;
mod project;
mod settings;
mod shipped;
mod show;
mod table;
mod units;
mod value;

pub use document::Place as ValuePlace;
pub use keys::{Key, Kind, find};
pub use layers::Merged;
pub use load::{DEFAULT_FILE, FILE_BYTES_MAX, FILES_MAX, Loaded, Place};
pub use project::{explain, manual, sample, schema};
pub use settings::{Config, FrontEnd, Learner, Listener, Model, Rules, Server};
pub use shipped::{SHIPPED_MODEL, SHIPPED_RULES};
pub use show::{Which, show};
pub use table::KEYS;
