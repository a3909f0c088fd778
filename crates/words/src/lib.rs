//! The words that every crate of Gatepost speaks. No I/O but the clock, no dependency on another
//! crate of ours.
//!
//! A name that two rooms share is defined here once: as a closed enum where it has few values, so
//! that whoever counts or prints it is told by the compiler when a new one comes.

mod class;
pub mod clock;
mod connection_event;
pub mod diagnostic;
mod direction;
pub mod escape;
pub mod fact;
mod fault;
mod stage;
pub mod verdict;

pub use class::Class;
pub use connection_event::ConnectionEvent;
pub use direction::Direction;
pub use fault::{FailurePolicy, Fault};
pub use stage::Stage;
