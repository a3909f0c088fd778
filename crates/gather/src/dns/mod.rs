//! DNS toward the site's resolver: messages (RFC 1035, EDNS(0) of RFC 6891), a stub resolver as a
//! state machine without I/O, and a cache (RFC 2308).

mod cache;
mod exchange;
mod message;
mod name;
mod outcome;
mod reader;
mod stub;

pub use cache::{Cache, CacheLimits};
pub use exchange::{ExchangeId, Transport};
pub use message::{Lookup, Malformed, Message, Record, RecordData, RecordType, ResponseCode};
pub use name::{InvalidName, Name};
pub use outcome::Outcome;
pub use stub::{Action, Stub, StubSettings};
