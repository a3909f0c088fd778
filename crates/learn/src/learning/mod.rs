//! Learning from labels: the label store that a command writes into, and the follower by which the
//! running daemon receives new labels. It puts together what `gatepost_store` keeps and what
//! `classifier` can learn.
//!
//! What a site's labels add up to is a replay of the active labels, in the order in which they were
//! given: no more and no less. So a label that is retracted leaves no trace, a restart changes
//! nothing, and with the number of a record every verdict can be reproduced. While labels only come
//! in, the replay goes on from where it was; where one is retracted it starts again from the oldest
//! snapshot: a second or two for a full log.
//!
//! Writers are commands; one at a time, by a lock. The daemon only reads: once a second it looks
//! whether the log has grown.

mod health;
mod label_index;
mod label_log_follower;
mod label_store;
mod replay;
mod settings;
#[cfg(test)]
mod tests;
mod training_example;

pub use health::{Health, examine};
pub use label_index::{LabelEntry, entries};
pub use label_log_follower::{LabelLogFollower, info};
pub use label_store::{LabelSource, LabelStore, Outcome, Undone};
pub use settings::LearningSettings;
pub use training_example::TrainingExample;
