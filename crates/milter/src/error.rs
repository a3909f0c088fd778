//! Where the protocol was broken so that nothing sane is left.

use super::PACKET_MAX;

/// What the MTA (or a port scanner) did that leaves nothing sane but to close the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A packet declares more than [`PACKET_MAX`] bytes.
    #[error(
        "a packet of {length} bytes was announced, at most {PACKET_MAX} are taken; is the other side an MTA?"
    )]
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
    /// More than a packet of commands while an answer is still owed.
    #[error("{buffered} bytes of commands came while an answer is owed")]
    Impatient {
        /// Bytes not consumed.
        buffered: usize,
    },
}
