//! The configuration: TOML files and the environment over built-in defaults, checked against one
//! table of keys.
//!
//! Everything that is wrong is reported together, with file, line and column. No other room names this
//! one: it fills the settings types that the rooms declare.

mod build;
mod builtin;
mod changes;
mod document;
mod keys;
mod layers;
mod load;
mod lookup;
mod origin;
mod reference;
mod renamed;
mod sections;
mod settings;
mod show;
mod table;
mod units;
mod value;
mod view;

pub use builtin::{BUILTIN_MODEL, BUILTIN_RULES};
pub use changes::{Changes, in_force};
pub use keys::{Applies, Key, Kind};
pub use layers::Merged;
pub use load::{DEFAULT_FILE, FILE_BYTES_MAX, FILES_MAX, Loaded, Paths};
pub use lookup::find;
pub use origin::Origin;
pub use reference::{explain, manual, sample, schema};
pub use renamed::{RENAMED, Renamed};
pub use settings::{Config, Dns, FrontEnd, Learner, Listener, Model, Rules, Server};
pub use show::{Which, show};
pub use table::KEYS;
