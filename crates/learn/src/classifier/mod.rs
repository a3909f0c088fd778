//! From a [`crate::features::FeatureVector`] and a [`crate::features::MilterView`] to the
//! probability that the mail is spam: a content model in ONNX that `tract` runs in this process, a
//! learner that knows this site, and a stacker over both.
//!
//! A model file is outside data: [`Model::load`] refuses what is damaged, of another schema, of
//! other shapes or what does not give the stored answer to the stored example, and it says why.
//! Nothing is logged and nothing is read here; `tract` itself speaks at debug level under the log
//! target `tract_*`.

mod claim;
mod contribution;
mod error;
mod graph;
mod ledger;
mod manifest;
mod model;
mod online;
mod probability;
mod rows;
mod site;
mod slots;
mod stacker;

pub use claim::{ham_needed, threshold};
pub use contribution::Contribution;
pub use error::ModelError;
pub use graph::{BAG_SIZE, HIDDEN_SIZE, Names, WHOLE_BAGS, WINDOW_SIZE, seal};
pub use ledger::{Ledger, Parts};
pub use manifest::{Example, Manifest, Precision};
pub use model::Model;
pub use online::{Knowledge, SiteLearner, SiteSettings};
pub use probability::{Calibration, Probability};
pub use site::{Claim, Site, SiteOpinion};
pub use slots::Slots;
pub use stacker::{Stacker, Trial};
