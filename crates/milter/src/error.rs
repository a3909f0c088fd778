//! Violations of the protocol after which the connection cannot go on.

use super::PACKET_MAX;

/// What the MTA (or a port scanner) did after which only closing the connection is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A packet declares more than [`PACKET_MAX`] bytes.
    #[error("packet of {length} bytes announced, the limit is {PACKET_MAX}: is the client an MTA?")]
    PacketTooLong {
        /// What it declares.
        length: u32,
    },
    /// A packet without a command byte.
    #[error("a packet without a command")]
    EmptyPacket,
    /// A command byte that the protocol does not have: whether it wants an answer is unknown.
    #[error("unknown command 0x{0:02x}")]
    UnknownCommand(u8),
    /// OPTNEG shorter than 12 bytes.
    #[error("option negotiation of {length} bytes, at least 12 are needed")]
    ShortNegotiation {
        /// Bytes of its payload.
        length: usize,
    },
    /// The MTA speaks version 0 or 1.
    #[error("milter protocol version {version} is too old, at least 2 is needed")]
    OldVersion {
        /// Its version.
        version: u32,
    },
    /// A command before OPTNEG.
    #[error("command 0x{0:02x} before option negotiation")]
    BeforeNegotiation(u8),
    /// OPTNEG in the middle of an SMTP session.
    #[error("option negotiation in the middle of a session")]
    SecondNegotiation,
    /// More than a packet of commands while a reply is still pending.
    #[error("{buffered} bytes of commands received while a reply is pending")]
    BufferExceeded {
        /// Bytes not consumed.
        buffered: usize,
    },
}
