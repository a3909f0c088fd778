//! The MTA side of a test: packets, and a connection that sends them and reads the answers.

use std::io::{Read, Write};

/// The MTA side of one connection.
pub(in crate::server) struct Mta<T> {
    pub(in crate::server) stream: T,
}

/// One packet.
pub(in crate::server) fn packet(command: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(payload.len() + 1)
        .unwrap()
        .to_be_bytes()
        .to_vec();
    bytes.push(command);
    bytes.extend_from_slice(payload);
    bytes
}

/// OPTNEG of an MTA that offers everything, as Postfix does.
pub(in crate::server) fn optneg() -> Vec<u8> {
    packet(b'O', &[0, 0, 0, 6, 0, 0, 1, 0xff, 0, 0x1f, 0xff, 0xff])
}

/// From CONNECT to HELO: two answers.
pub(in crate::server) fn greeting() -> Vec<u8> {
    [
        packet(b'C', b"mail.example.com\x004\x00\x19192.0.2.9\0"),
        packet(b'H', b"mail.example.com\0"),
    ]
    .concat()
}

/// From MAIL to the last body chunk: MAIL, RCPT, DATA and end of headers are answered.
pub(in crate::server) fn message() -> Vec<u8> {
    [
        packet(b'D', b"Mi\x004XyZ\0"),
        packet(b'M', b"<a@example.com>\0SIZE=100\0"),
        packet(b'R', b"<b@example.net>\0"),
        packet(b'T', b""),
        packet(b'L', b"Subject\0 test\0"),
        packet(b'L', b"From\0 a@example.com\0"),
        packet(b'N', b""),
        packet(b'B', b"Hello\r\n"),
    ]
    .concat()
}

/// Answers that [`message`] gets.
pub(in crate::server) const MESSAGE_ANSWERS: usize = 4;

impl<T: Read + Write> Mta<T> {
    /// Sends bytes as they are.
    pub(in crate::server) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The next packet; `None` at the end of the connection.
    pub(in crate::server) fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut length = [0; 4];
        match self.stream.read_exact(&mut length) {
            Ok(()) => {}
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) =>
            {
                panic!("no answer")
            }
            Err(_) => return None,
        }
        let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
        self.stream.read_exact(&mut bytes).unwrap();
        let payload = bytes.split_off(1);
        Some((bytes[0], payload))
    }

    /// The commands of the next `count` packets.
    pub(in crate::server) fn answers(&mut self, count: usize) -> String {
        (0..count)
            .map(|_| char::from(self.next().expect("an answer").0))
            .collect()
    }

    /// Negotiates and greets.
    pub(in crate::server) fn greet(&mut self) {
        self.send(&optneg());
        assert_eq!(self.answers(1), "O");
        self.send(&greeting());
        assert_eq!(self.answers(2), "cc");
    }

    /// Sends a message up to its end, which is not yet answered.
    pub(in crate::server) fn submit(&mut self) {
        self.send(&message());
        assert_eq!(self.answers(MESSAGE_ANSWERS), "cccc");
        self.send(&packet(b'E', b""));
    }

    /// A whole message that is answered at once, and the ABORT that Postfix sends after it.
    pub(in crate::server) fn mail(&mut self) {
        self.submit();
        assert_eq!(self.answers(2), "hc");
        self.send(&packet(b'A', b""));
    }

    /// Waits for the end of the connection; nothing more may come.
    pub(in crate::server) fn expect_end(&mut self) {
        assert_eq!(self.next(), None);
    }
}
