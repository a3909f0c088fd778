//! Trains the content model and measures it, in plain Rust, on corpora of labelled mail.
//!
//! The same seed, data, command and date give the same file, bit for bit, on the same machine type.
//! Mail is read as the daemon reads it, by the same features; what earlier filters and collectors
//! left in a corpus is taken out first.

mod attack;
mod bootstrap;
mod cold_start;
mod corpus;
mod data;
mod error;
mod evaluate;
mod export;
mod fit;
mod labelled;
mod measure;
mod message_features;
#[cfg(test)]
mod model_tests;
mod near_duplicates;
mod network;
mod plot;
mod random;
mod reformat;
mod replay;
mod robustness;
mod scored;
mod settings;
mod standardize;
mod stored;
mod stream;
mod tar;
#[cfg(test)]
mod tests;
mod train;
mod weights;

pub use attack::Attack;
pub use bootstrap::{Interval, Intervals};
pub use cold_start::evaluate_cold_start;
pub use corpus::{Corpus, Split};
pub use error::TrainError;
pub use evaluate::{evaluate, teach};
pub use labelled::{Form, Labelled};
pub use measure::{Curves, Report};
pub use plot::Plot;
pub use replay::{ReplayReport, ReplaySettings, Step, replay};
pub use robustness::{AttackReport, AttackResult, evaluate_attacks};
pub use settings::{Progress, Rates, SHIPPED, TrainSettings};
pub use train::{TrainedModel, train};
