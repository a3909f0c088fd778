//! The words that every crate of Gatepost speaks, and the small tools that they share. No I/O but
//! the clock, and the opening and replacing of a file, no dependency on another crate of ours.
//!
//! A name that two rooms share is defined here once: as a closed enum where it has few values, so
//! that the compiler points at every place that counts or prints it when a new one comes.

pub mod bytes;
pub mod canonical;
pub mod civil_time;
mod class;
pub mod clock;
mod connection_event;
pub mod diagnostic;
mod direction;
pub mod escape;
pub mod fact;
mod fault;
pub mod fs;
pub mod glob;
pub mod hex;
mod label;
mod message_digest;
pub mod percent;
mod regular_file;
mod socket_address;
mod stage;
pub mod verdict;

pub use civil_time::CivilTime;
pub use class::Class;
pub use connection_event::ConnectionEvent;
pub use direction::Direction;
pub use fault::{FailurePolicy, Fault};
pub use label::{Label, LabelKind};
pub use message_digest::MessageDigest;
pub use regular_file::open_regular;
pub use socket_address::{InvalidSocketAddress, SocketAddress};
pub use stage::Stage;
