//! The Sendmail mail-filter protocol ("milter"), versions 2 to 6, sans-I/O: bytes in, events out;
//! replies in, bytes out.
//!
//! * [`Decoder`] divides the byte stream into packets, in whatever pieces it comes.
//! * [`Protocol`] is the state machine of one connection. It sends the MTA **exactly one reply for
//!   each command that has one**: with one reply too many the MTA reads every later verdict one
//!   stage early (seen: a rejected message is accepted and the next one refused), with one too few
//!   it waits for its time-out.
//! * [`MilterHandler`] decides: a state machine that takes an [`Event`] and returns a [`Response`].
//! * [`sanitize`] keeps a handler's texts from injecting header fields or SMTP replies.
//!
//! The order of events that a handler sees is guaranteed, whatever the MTA sends: `Connect`,
//! `Helo`* (both may be missing), and for each message `MailFrom`, `RcptTo`*, `Data`?, `Header`*,
//! `EndOfHeaders`?, `Body`*, `EndOfMessage`. A message ends early with `Abort`, with `Close`, or
//! with a reply that decides it (anything but `Continue` and `Skip`; at `RcptTo` only
//! `Accept` does): then `MailFrom` follows next, or an `Abort` without further meaning. `Unknown`
//! may come anywhere. `Close` comes once at the end, and before each new `Connect` of a connection
//! that goes on (QUIT_NC).
//!
//! # Example
//!
//! A filter that refuses one recipient, and the bytes of an MTA that speaks to it:
//!
//! ```
//! use gatepost_milter::{Event, MilterHandler, Protocol, Reply, Response, write_packet};
//!
//! struct NoSuchUser;
//!
//! impl MilterHandler for NoSuchUser {
//!     fn on_event(&mut self, event: Event<'_>) -> Response {
//!         let reply = match event {
//!             Event::RcptTo { path: b"<unknown@example.com>", .. } => Reply::Code {
//!                 code: 550,
//!                 enhanced: "5.1.1".to_owned(),
//!                 lines: vec!["No such user".to_owned()],
//!             },
//!             _ => Reply::Continue,
//!         };
//!         reply.into()
//!     }
//! }
//!
//! // What a server reads from the socket: version 6 with all actions and options, MAIL, RCPT.
//! let mut received = Vec::new();
//! write_packet(&mut received, b'O', &[&[0, 0, 0, 6, 0, 0, 1, 0xff, 0, 0x1f, 0xff, 0xff]]);
//! write_packet(&mut received, b'M', &[b"<sender@example.org>\0"]);
//! write_packet(&mut received, b'R', &[b"<unknown@example.com>\0"]);
//!
//! let mut protocol = Protocol::new();
//! let mut out = Vec::new();
//! protocol.receive(&received);
//! protocol.serve(&mut NoSuchUser, &mut out)?;
//!
//! // What it writes back, in one piece: the negotiation, `c`ontinue for MAIL, a reply for RCPT.
//! assert_eq!(out[4], b'O');
//! assert!(out.ends_with(b"\0\0\0\x01c\0\0\0\x18y550 5.1.1 No such user\0"));
//! # Ok::<(), gatepost_milter::ProtocolError>(())
//! ```

mod answer;
mod command;
mod error;
mod event;
mod macros;
mod negotiate;
#[cfg(test)]
mod properties;
mod protocol;
mod reply;
pub mod sanitize;
mod stage_macros;
mod state;
mod step;
mod wire;

pub use error::ProtocolError;
pub use event::{Event, Peer};
pub use macros::Macros;
pub use negotiate::{Negotiated, SYMBOL_LISTS};
pub use protocol::Protocol;
pub use reply::{Action, MilterHandler, Reply, Response};
pub use step::{Answer, Step};
pub use wire::{Decoder, Frame, PACKET_MAX, write_packet};
