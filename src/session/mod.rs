//! The SMTP session, built up step by step from the events of the MTA; goes through the engine's
//! pipeline at every stage that can already decide.
//!
//! Nothing of one message leaks into the next on the same connection, and a refused recipient does
//! not refuse the others.

mod answer;
mod connection;
mod forged_marks;
mod machine;
mod message_in_progress;
mod settle;
#[cfg(test)]
mod tests;

pub use connection::{Connection, Delivery};
pub use machine::Session;
