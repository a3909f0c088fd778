//! Packets: a length (32 bits, network order, command byte included), a command byte, a payload.

use super::ProtocolError;

/// The longest packet (command byte and payload) that is taken. Sendmail may be built with 1 MiB of
/// payload (`SMFIP_MDS_1M`); all else sends up to 64 KiB.
pub const PACKET_MAX: usize = (1 << 20) + 1;

/// Bytes of the length in front of each packet.
pub(super) const LENGTH_BYTES: usize = 4;

/// What an idle decoder keeps of its buffer, in bytes: thousands of idle connections must not pin
/// what their last message took. (Postfix sends ABORT after every message, and with that little packet
/// the buffer shrinks.)
const IDLE_CAPACITY: usize = 1 << 12;

/// One packet, borrowed from the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The command byte.
    pub command: u8,
    /// What follows it.
    pub payload: &'a [u8],
}

/// Cuts a byte stream into packets. Memory grows with the bytes that came, never with a declared
/// length.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// Index of the first byte not yet consumed.
    start: usize,
}

impl Decoder {
    /// Takes what came from the MTA, in any pieces.
    pub fn receive(&mut self, bytes: &[u8]) {
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
            self.buffer.shrink_to(IDLE_CAPACITY);
        } else if self.start > self.buffer.len() / 2 {
            // Moves at most as many bytes as were consumed since the last move.
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.make_room(bytes.len());
        self.buffer.extend_from_slice(bytes);
    }

    /// Doubles the buffer as `Vec` does, but only up to the longest packet: what is held is counted.
    fn make_room(&mut self, more: usize) {
        let needed = self.buffer.len() + more;
        if needed > self.buffer.capacity() {
            let doubled = (2 * self.buffer.capacity()).min(LENGTH_BYTES + PACKET_MAX);
            self.buffer
                .reserve_exact(doubled.max(needed) - self.buffer.len());
        }
    }

    /// The first packet not yet consumed; `None` until it is complete.
    pub fn peek(&self) -> Result<Option<Frame<'_>>, ProtocolError> {
        let Some((length, rest)) = self.unread().split_first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length);
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        if size > PACKET_MAX {
            return Err(ProtocolError::PacketTooLong { length });
        }
        if size == 0 {
            return Err(ProtocolError::EmptyPacket);
        }
        let packet = rest.get(..size).and_then(<[u8]>::split_first);
        Ok(packet.map(|(&command, payload)| Frame { command, payload }))
    }

    /// Drops the packet that [`Self::peek`] showed; does nothing where there is none.
    pub fn consume(&mut self) {
        if let Ok(Some(frame)) = self.peek() {
            self.start += LENGTH_BYTES + 1 + frame.payload.len();
        }
    }

    /// Drops the first packet and shows its payload, which is `length` bytes long as [`Self::peek`]
    /// showed.
    #[expect(
        clippy::indexing_slicing,
        reason = "`start` is at most the length of the buffer, see `unread`"
    )]
    pub(super) fn take(&mut self, length: usize) -> &[u8] {
        self.consume();
        let end = self.start;
        &self.buffer[end.saturating_sub(length)..end]
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "`start` is at most the length: `consume` moves it over a packet that `peek` found whole"
    )]
    fn unread(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Bytes received and not consumed.
    pub fn buffered(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Gives back what an empty buffer holds beyond what an idle connection may keep.
    pub fn shrink(&mut self) {
        if self.start == self.buffer.len() && self.buffer.capacity() > IDLE_CAPACITY {
            self.buffer.clear();
            self.start = 0;
            self.buffer.shrink_to(IDLE_CAPACITY);
        }
    }

    /// Bytes of memory held.
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Forgets everything and gives the memory back.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Appends one packet: `parts` one after the other are its payload.
pub fn write_packet(out: &mut Vec<u8>, command: u8, parts: &[&[u8]]) {
    let length = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    // Answers are cut far below this by `answer`; saturating keeps the function total.
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    out.push(command);
    for part in parts {
        out.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(length: usize) -> Vec<u8> {
        let mut bytes = u32::try_from(length).unwrap().to_be_bytes().to_vec();
        bytes.resize(LENGTH_BYTES + length, b'B');
        bytes
    }

    #[test]
    fn longest_packet() {
        let mut decoder = Decoder::default();
        decoder.receive(&packet(PACKET_MAX));
        assert_eq!(
            decoder.peek().unwrap().unwrap().payload.len(),
            PACKET_MAX - 1
        );
        decoder.consume();
        assert_eq!(decoder.peek(), Ok(None));

        let length = u32::try_from(PACKET_MAX + 1).unwrap();
        decoder.receive(&length.to_be_bytes());
        assert_eq!(decoder.peek(), Err(ProtocolError::PacketTooLong { length }));
        decoder.consume();
        assert_eq!(decoder.buffered(), LENGTH_BYTES);
    }

    #[test]
    fn nothing_is_allocated_by_a_declared_length() {
        let mut decoder = Decoder::default();
        decoder.receive(&u32::try_from(PACKET_MAX).unwrap().to_be_bytes());
        assert_eq!(decoder.peek(), Ok(None));
        assert!(decoder.capacity() < 64);
    }

    #[test]
    fn an_empty_buffer_shrinks_without_another_packet() {
        let mut decoder = Decoder::default();
        decoder.receive(&packet(PACKET_MAX));
        decoder.shrink();
        assert!(
            decoder.capacity() >= PACKET_MAX,
            "the packet is not consumed yet"
        );
        decoder.consume();
        decoder.shrink();
        assert!(decoder.capacity() <= IDLE_CAPACITY);
        decoder.receive(&packet(1));
        assert!(decoder.peek().unwrap().is_some());
    }

    #[test]
    fn a_long_packet_does_not_pin_its_memory() {
        let mut decoder = Decoder::default();
        decoder.receive(&packet(PACKET_MAX));
        decoder.consume();
        decoder.receive(&packet(1));
        assert!(decoder.capacity() <= IDLE_CAPACITY);
        assert_eq!(
            decoder.peek().unwrap(),
            Some(Frame {
                command: b'B',
                payload: b""
            })
        );
    }

    #[test]
    fn empty_packet() {
        let mut decoder = Decoder::default();
        decoder.receive(&[0, 0, 0]);
        assert_eq!(decoder.peek(), Ok(None));
        decoder.receive(&[0]);
        assert_eq!(decoder.peek(), Err(ProtocolError::EmptyPacket));
    }
}
