//! The Sendmail mail-filter protocol ("milter"), versions 2 to 6, as sans-I/O: bytes in, events
//! out; replies in, bytes out.
//!
//! * [`Decoder`] cuts the byte stream into packets, whatever the pieces in which it comes.
//! * [`Protocol`] is the state machine of one connection. It owes the MTA **exactly one answer for
//!   each command that has one**: an answer too many makes the MTA read every later verdict one
//!   stage early (seen: a rejected mail is accepted and the next one is refused), an answer too few
//!   makes it wait for its time-out.
//! * [`MilterHandler`] is what sits behind it: a pure state machine that takes an [`Event`] and
//!   returns a [`Response`].
//!
//! The order of events that a handler sees is guaranteed, whatever a stranger sends: `Connect`,
//! `Helo`* (both may be missing), and for each message `MailFrom`, `RcptTo`*, `Data`?, `Header`*,
//! `EndOfHeaders`?, `Body`*, `EndOfMessage`. A message ends early with `Abort`, with `Close`, or
//! with an answer that decides it (anything but `Continue` and `Skip`; at `RcptTo` only
//! `Accept` does): then `MailFrom` follows next, or an `Abort` that says nothing new. `Unknown` may
//! come anywhere. `Close` comes once at the end, and before each new `Connect` of a connection that
//! goes on (QUIT_NC).

mod answer;
pub mod clean;
mod command;
mod error;
mod event;
mod macros;
mod negotiate;
#[cfg(test)]
mod properties;
mod reply;
mod session;
mod step;
mod wire;

pub use error::ProtocolError;
pub use event::{Event, Peer};
pub use macros::Macros;
pub use negotiate::{Negotiated, SYMBOL_LISTS};
pub use reply::{Action, MilterHandler, Reply, Response};
pub use session::Protocol;
pub use step::{Answer, Step};
pub use wire::{Decoder, Frame, PACKET_MAX, write_packet};
