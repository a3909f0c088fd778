//! From a [`crate::features::FeatureVector`] and a [`crate::features::SiteView`] to the
//! probability that a message is spam: a content model in ONNX that `tract` runs in this process, a
//! learner that knows this site, and a stacker over both.
//!
//! A model file is outside data: [`Model::load`] refuses what is damaged, of another schema, of
//! other shapes or what does not give the stored answer to the stored example, with the
//! reason. Nothing is logged and nothing is read here; `tract` itself logs at debug level under the log
//! target `tract_*`.

mod attribution;
mod contribution;
mod error;
mod false_positive_bound;
mod graph;
mod manifest;
mod model;
mod probability;
mod rows;
mod site;
mod site_learner;
mod site_settings;
mod slots;
mod stacker;
mod table_logits;

pub use attribution::{Attribution, Parts};
pub use contribution::Contribution;
pub use error::ModelError;
pub use false_positive_bound::{FalsePositiveBound, ham_needed, threshold};
pub use graph::{BAG_SIZE, HIDDEN_SIZE, Names, WHOLE_BAGS, WINDOW_SIZE, seal};
pub use manifest::{Example, Manifest, Precision};
pub use model::Model;
pub use probability::{Calibration, Probability};
pub use site::{FrozenSite, Site};
pub use site_learner::{Checkpoint, SiteLearner};
pub use site_settings::SiteSettings;
pub use slots::Slots;
pub use stacker::{PrequentialSample, Stacker};
