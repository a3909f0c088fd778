//! A small DNS server on loopback, for tests: zones from files, and every bad habit of a resolver.

mod server;
mod zone;

pub use server::{Reply, TestServer};
pub use zone::Zone;
