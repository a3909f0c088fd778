//! Learning from labels: the book that a command writes labels into, and the follower by which the
//! running daemon hears of them. It puts together what `state` keeps and what `classifier` can
//! learn.
//!
//! What a site has taught is a fold over the labels in force, in the order in which they were
//! given: no more and no less. So a label that is taken back leaves no trace, a restart changes
//! nothing, and with the number of a record every verdict can be had again. While labels only come
//! in, the fold goes on from where it was; where one is taken back it is made anew from the oldest
//! snapshot: a second or two for a full log.
//!
//! Writers are commands; one at a time, by a lock. The daemon only reads: once a second it looks
//! whether the log has grown.

mod book;
mod files;
mod fold;
mod follow;
mod health;
mod lesson;
mod survey;
#[cfg(test)]
mod tests;

pub use book::{Book, Outcome, Undone};
pub use files::{LearningSettings, info, listed};
pub use follow::Follower;
pub use health::{Health, examine};
pub use lesson::Lesson;
pub use survey::Listed;
