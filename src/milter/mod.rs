//! The Sendmail mail-filter protocol ("milter"), versions 2 to 6, as sans-I/O: bytes in, events out; replies in, bytes out.
//!
//! * [`Decoder`] cuts the byte stream into packets, whatever the pieces in which it comes.
//! * [`Protocol`] is the state machine of one connection. It owes the MTA **exactly one answer for each command that has
//!   one**: an answer too many makes the MTA read every later verdict one stage early (seen: a rejected mail is accepted and
//!   the next one is refused), an answer too few makes it wait for its time-out.
//! * [`MilterHandler`] is what sits behind it: a pure state machine that takes an [`Event`] and returns a [`Response`].
//!
//! The order of events that a handler sees is guaranteed, whatever a stranger sends: `Connect`, `Helo`*, and for each
//! message `MailFrom`, `RcptTo`*, `Data`?, `Header`*, `EndOfHeaders`?, `Body`*, `EndOfMessage`. `Abort` and `Unknown` may
//! come between any two of them; `Close` comes once at the end (and before a new `Connect` after QUIT_NC).

mod answer;
mod command;
mod event;
mod macros;
mod negotiate;
mod reply;
mod session;
mod wire;

pub use event::{Event, Peer};
pub use macros::Macros;
pub use negotiate::Negotiated;
pub use reply::{Action, MilterHandler, Reply, Response};
pub use session::{Answer, Protocol, ProtocolError, Step};
pub use wire::{Decoder, Frame, PACKET_MAX, write_packet};
