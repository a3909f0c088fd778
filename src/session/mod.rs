//! The SMTP session, built up step by step as the MTA tells it; asks the engine at every stage that
//! can already decide.
//!
//! Nothing of one message leaks into the next on the same connection, and a refused recipient does
//! not refuse the others.

mod answer;
mod connection;
mod incoming;
mod machine;
#[cfg(test)]
mod tests;

pub use connection::Connection;
pub use machine::Session;
