//! `gatepost rules …`: for those who write rules.
//!
//! What runs over many messages (`hits`, `diff`, `test --messages`) is made of three parts: `messages`
//! reads and labels, `judge` lets every thread scan with a scanner of its own, and the command's
//! own counting adds up. Counts of threads are added, lists are put in the order of the messages: the
//! result does not depend on the number of threads.

mod arguments;
mod bench;
mod check;
mod command;
mod diff;
mod diff_table;
mod expectations;
mod explain;
mod hits;
mod hits_table;
mod interval;
mod judge;
mod label;
mod list;
mod messages;
mod messages_table;
mod overlap;
mod sources;
mod tally;
mod test;

pub(super) use arguments::RulesCommand;
pub(super) use check::as_json as diagnostic_json;
pub(super) use command::rules;
pub(super) use explain::explain;
