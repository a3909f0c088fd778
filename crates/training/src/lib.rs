//! Trains the content model and measures it, in plain Rust, on corpora of labelled mail.
//!
//! The same seed, data, command and date give the same file, bit for bit, on the same machine type.
//! Mail is read as the daemon reads it, by the same features; what earlier filters and collectors
//! left in a corpus is taken out first.

mod attack;
mod besiege;
mod bootstrap;
mod corpus;
mod data;
mod error;
mod evaluate;
mod export;
mod fit;
mod form;
mod labelled;
mod local;
mod measure;
mod message_features;
mod near;
mod network;
mod plot;
mod random;
mod replay;
mod settings;
mod standard;
mod stream;
mod tar;
#[cfg(test)]
mod tests;
mod train;
mod weights;

pub use attack::Attack;
pub use besiege::{Siege, SiegeReport, besiege};
pub use bootstrap::{Interval, Intervals};
pub use corpus::{Corpus, Split};
pub use error::TrainError;
pub use evaluate::{evaluate, teach};
pub use labelled::{Form, Labelled};
pub use local::evaluate_local;
pub use measure::{Curves, Report};
pub use plot::Plot;
pub use replay::{ReplayReport, ReplaySettings, Step, replay};
pub use settings::{Progress, Rates, SHIPPED, TrainSettings};
pub use train::{TrainedModel, train};
