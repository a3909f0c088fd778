//! The MTA's side of the milter protocol: a small, blocking client over anything that can be read
//! and written. It shares no code with the daemon, so that the two check each other.
//!
//! It waits for an answer exactly where the protocol has one, and keeps count of what comes without
//! being asked for ([`MtaConnection::unsolicited`]). Packets that have no answer are held back and
//! go out with the next one that has, as Postfix's buffered stream does.

#![expect(
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::io::{self, Read, Write};

/// Longest answer that is read: Sendmail's limit is 64 KiB.
const ANSWER_MAX: usize = 1 << 20;
/// What Postfix puts into one body packet.
const CHUNK: usize = 65_535;
/// Held-back bytes are written when there are more of them: Postfix's buffer has 4 KiB, a socket
/// pair takes far more.
const HELD_MAX: usize = 1 << 16;

use wire::{broken, code, strings, text, word};

pub(crate) use types::{ActionSeen, Answer, Granted, Message, Options, ReplySeen};

#[cfg(test)]
#[path = "mta_tests.rs"]
mod tests;
#[path = "mta_timed.rs"]
mod timed;
#[path = "mta_types.rs"]
mod types;
#[path = "mta_wire.rs"]
mod wire;

/// One connection to a milter.
pub(crate) struct MtaConnection<S: Read + Write> {
    stream: S,
    options: Options,
    granted: Granted,
    held: Vec<u8>,
    /// Macros to send in front of the next command.
    macros: Vec<(String, String)>,
    skipping: bool,
    unsolicited: usize,
}

impl<S: Read + Write> MtaConnection<S> {
    /// Takes a stream; nothing is sent yet.
    pub(crate) fn new(stream: S, options: Options) -> Self {
        Self {
            stream,
            options,
            granted: Granted::default(),
            held: Vec::new(),
            macros: Vec::new(),
            skipping: false,
            unsolicited: 0,
        }
    }

    /// Offers the options and reads what the milter takes of them; more than was offered is an
    /// error.
    pub(crate) fn negotiate(&mut self) -> io::Result<&Granted> {
        let Options {
            version,
            actions,
            protocol,
            ..
        } = self.options;
        let offer: Vec<u8> = [version, actions, protocol]
            .iter()
            .flat_map(|word| word.to_be_bytes())
            .collect();
        self.put(b'O', &offer)?;
        self.flush()?;
        let (command, payload) = self.packet()?;
        let [version, actions, protocol] =
            [0, 4, 8].map(|at| word(&payload, at).unwrap_or(u32::MAX));
        if command != b'O' || payload.len() < 12 {
            return Err(broken("no answer to option negotiation"));
        }
        if version > self.options.version
            || actions & !self.options.actions != 0
            || protocol & !self.options.protocol != 0
        {
            return Err(broken("more was asked for than offered"));
        }
        let mut symbols = Vec::new();
        let mut rest = &payload[12..];
        while !rest.is_empty() {
            let stage = word(rest, 0).ok_or_else(|| broken("a list of macros is cut"))?;
            let end = rest[4..]
                .iter()
                .position(|byte| *byte == 0)
                .ok_or_else(|| broken("a list of macros has no end"))?;
            symbols.push((stage, text(&rest[4..4 + end])));
            rest = &rest[4 + end + 1..];
        }
        if !symbols.is_empty() && actions & 0x100 == 0 {
            return Err(broken("lists of macros without SETSYMLIST"));
        }
        self.granted = Granted {
            version,
            actions,
            protocol,
            symbols,
        };
        Ok(&self.granted)
    }

    /// Sets macros for the next command.
    pub(crate) fn macros(&mut self, pairs: &[(&str, &str)]) -> &mut Self {
        self.macros = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        self
    }

    /// CONNECT. The family follows from the address; an invalid one is sent as unknown.
    pub(crate) fn connect(&mut self, host: &str, address: &str, port: u16) -> io::Result<Answer> {
        let mut payload = [host.as_bytes(), b"\0"].concat();
        let prefix = if self.options.ipv6_prefix {
            "IPv6:"
        } else {
            ""
        };
        match address.parse() {
            Ok(std::net::IpAddr::V4(_)) => {
                payload.extend_from_slice(
                    &[b"4", &port.to_be_bytes()[..], address.as_bytes(), b"\0"].concat(),
                );
            }
            Ok(std::net::IpAddr::V6(_)) => payload.extend_from_slice(
                &[
                    b"6",
                    &port.to_be_bytes()[..],
                    prefix.as_bytes(),
                    address.as_bytes(),
                    b"\0",
                ]
                .concat(),
            ),
            Err(_) => payload.push(b'U'),
        }
        self.ask(b'C', &payload)
    }

    /// HELO.
    pub(crate) fn helo(&mut self, name: &str) -> io::Result<Answer> {
        self.ask(b'H', &strings(&[name]))
    }

    /// MAIL, with its path and parameters.
    pub(crate) fn mail(&mut self, words: &[&str]) -> io::Result<Answer> {
        self.skipping = false;
        self.ask(b'M', &strings(words))
    }

    /// RCPT, with its path and parameters.
    pub(crate) fn rcpt(&mut self, words: &[&str]) -> io::Result<Answer> {
        self.ask(b'R', &strings(words))
    }

    /// DATA; not sent to a milter older than version 4.
    pub(crate) fn data(&mut self) -> io::Result<Answer> {
        if self.granted.version < 4 {
            return Ok(Answer::none());
        }
        self.ask(b'T', &[])
    }

    /// One header field; `value` is what follows the colon.
    pub(crate) fn header(&mut self, name: &str, value: &[u8]) -> io::Result<Answer> {
        // Without HDR_LEADSPC one blank is eaten.
        let leading_space = self.granted.protocol & 0x10_0000 != 0;
        let value = if leading_space {
            value
        } else {
            value.strip_prefix(b" ").unwrap_or(value)
        };
        self.ask(b'L', &[name.as_bytes(), b"\0", value, b"\0"].concat())
    }

    /// The end of the header.
    pub(crate) fn end_of_headers(&mut self) -> io::Result<Answer> {
        self.ask(b'N', &[])
    }

    /// A body, in chunks as Postfix cuts it; stops where the milter decides or skips.
    pub(crate) fn body(&mut self, body: &[u8]) -> io::Result<Answer> {
        let mut answer = Answer::none();
        for chunk in body.chunks(CHUNK) {
            if self.skipping || !answer.reply.goes_on() {
                break;
            }
            answer = self.ask(b'B', chunk)?;
            self.skipping |= answer.reply == ReplySeen::Skip;
        }
        Ok(answer)
    }

    /// The end of the message; `tail` is body data inside the command (legal, rare).
    pub(crate) fn end_of_message(&mut self, tail: &[u8]) -> io::Result<Answer> {
        self.send_end_of_message(tail)?;
        self.answer(b'E')
    }

    /// The end of the message, without waiting for its answer: for time-outs and hang-ups.
    pub(crate) fn send_end_of_message(&mut self, tail: &[u8]) -> io::Result<()> {
        self.put_with_macros(b'E', tail)?;
        self.flush()
    }

    /// ABORT; has no answer.
    pub(crate) fn abort(&mut self) -> io::Result<()> {
        self.macros.clear();
        self.put(b'A', &[])?;
        self.flush()
    }

    /// QUIT; has no answer. The milter should hang up then.
    pub(crate) fn quit(&mut self) -> io::Result<()> {
        self.put(b'Q', &[])?;
        self.flush()
    }

    /// QUIT_NC; has no answer, a new session follows.
    pub(crate) fn quit_new_connection(&mut self) -> io::Result<()> {
        self.put(b'K', &[])?;
        self.flush()
    }

    /// A whole message with the macros that Postfix sends. Returns the answer that decided it: of
    /// the first command that was not continued, else that to the end of the message. Refused
    /// recipients are left out; without any other left the message is broken off and the last
    /// refusal returned.
    pub(crate) fn message(&mut self, message: &Message<'_>) -> io::Result<Answer> {
        let (answer, decided) = self.transaction(message)?;
        if self.options.abort_after_message || !decided {
            self.abort()?;
        }
        Ok(answer)
    }

    /// The answer, and whether it decided the message.
    fn transaction(&mut self, message: &Message<'_>) -> io::Result<(Answer, bool)> {
        let id = [("i", message.queue_id)];
        let address = |path: &str| path.trim_matches(['<', '>']).to_owned();
        let mut answer = self
            .macros(&[
                ("{mail_addr}", &address(message.sender)),
                ("{mail_mailer}", "smtp"),
            ])
            .mail(&[message.sender])?;
        if !answer.reply.goes_on() {
            return Ok((answer, true));
        }
        let mut taken = 0;
        for path in message.recipients {
            answer = self
                .macros(&[("{rcpt_addr}", &address(path)), ("{rcpt_mailer}", "smtp")])
                .rcpt(&[path])?;
            if answer.reply == ReplySeen::Accept {
                return Ok((answer, true));
            }
            taken += usize::from(answer.reply.goes_on());
        }
        if taken == 0 {
            return Ok((answer, false));
        }
        answer = self.macros(&id).data()?;
        for (name, value) in message.header {
            if answer.reply.goes_on() {
                answer = self.header(name, value.as_bytes())?;
            }
        }
        if answer.reply.goes_on() {
            answer = self.macros(&id).end_of_headers()?;
        }
        if answer.reply.goes_on() {
            answer = self.body(message.body)?;
        }
        if answer.reply.goes_on() {
            answer = self.macros(&id).end_of_message(&[])?;
        }
        Ok((answer, true))
    }

    /// Answers that came without being asked for, so far. Answers that are waiting in the stream at
    /// this moment are counted by [`MtaConnection::drain`].
    pub(crate) fn unsolicited(&self) -> usize {
        self.unsolicited
    }

    /// What was negotiated.
    pub(crate) fn granted(&self) -> &Granted {
        &self.granted
    }

    /// The stream, for reading and writing raw bytes.
    pub(crate) fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Sends raw bytes, at once.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.flush()?;
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Waits until the milter hangs up; answers that come before are counted as unsolicited and
    /// their number returned.
    pub(crate) fn closed(&mut self) -> io::Result<usize> {
        self.flush()?;
        let mut count = 0;
        loop {
            match self.packet() {
                Ok(_) => count += 1,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break,
                Err(error) => return Err(error),
            }
        }
        self.unsolicited += count;
        Ok(count)
    }

    fn ask(&mut self, command: u8, payload: &[u8]) -> io::Result<Answer> {
        self.put_with_macros(command, payload)?;
        let nr = match command {
            b'L' => 0x80,
            b'U' => 0x2_0000,
            b'B' => 0x8_0000,
            b'C' => 0x1000,
            b'H' => 0x2000,
            b'M' => 0x4000,
            b'R' => 0x8000,
            b'T' => 0x1_0000,
            b'N' => 0x4_0000,
            _ => 0,
        };
        if self.granted.protocol & nr != 0 {
            if !self.options.coalesce || self.held.len() > HELD_MAX {
                self.flush()?;
            }
            return Ok(Answer::none());
        }
        self.flush()?;
        self.answer(command)
    }

    fn answer(&mut self, command: u8) -> io::Result<Answer> {
        let mut answer = Answer::none();
        loop {
            let (reply, payload) = self.packet()?;
            answer.reply = match reply {
                b'c' => ReplySeen::Continue,
                b'a' => ReplySeen::Accept,
                b'r' => ReplySeen::Reject,
                b't' => ReplySeen::Tempfail,
                b's' if command == b'B' && self.granted.protocol & 0x400 != 0 => ReplySeen::Skip,
                b'y' => ReplySeen::Code(code(&payload)?),
                b'p' if command == b'E' => {
                    answer.progress += 1;
                    continue;
                }
                _ if command == b'E' => {
                    answer.actions.push(self.action(reply, &payload)?);
                    continue;
                }
                other => {
                    return Err(broken(&format!(
                        "0x{other:02x} is no answer to 0x{command:02x}"
                    )));
                }
            };
            if !matches!(reply, b'y') && !payload.is_empty() {
                return Err(broken("a reply with a payload"));
            }
            if !answer.actions.is_empty() && !matches!(reply, b'c' | b'a') {
                return Err(broken("changes in front of a refusal"));
            }
            return Ok(answer);
        }
    }

    fn action(&self, command: u8, payload: &[u8]) -> io::Result<ActionSeen> {
        let needed = match command {
            b'h' | b'i' => 0x01,
            b'm' => 0x10,
            b'e' => 0x40,
            b'+' => 0x04,
            b'2' => 0x80,
            b'-' => 0x08,
            b'q' => 0x20,
            other => return Err(broken(&format!("unknown answer 0x{other:02x}"))),
        };
        if self.granted.actions & needed == 0 {
            return Err(broken("a change that was not agreed on"));
        }
        let indexed = matches!(command, b'i' | b'm');
        let index = if indexed {
            word(payload, 0).ok_or_else(|| broken("a change without its index"))?
        } else {
            0
        };
        let rest = if indexed { &payload[4..] } else { payload };
        let rest = rest
            .strip_suffix(b"\0")
            .ok_or_else(|| broken("a change without its NUL"))?;
        let mut words: Vec<String> = rest.split(|byte| *byte == 0).map(text).collect();
        let first = words.remove(0);
        let second = words.pop();
        if !words.is_empty() || (matches!(command, b'h' | b'i' | b'm') && second.is_none()) {
            return Err(broken("a change with too many or too few strings"));
        }
        let second = second.unwrap_or_default();
        Ok(match command {
            b'h' => ActionSeen::AddHeader(first, second),
            b'i' => ActionSeen::InsertHeader(index, first, second),
            b'm' => ActionSeen::ChangeHeader(index, first, second),
            b'e' => ActionSeen::ChangeFrom(first, second),
            b'-' => ActionSeen::DeleteRecipient(first),
            b'q' => ActionSeen::Quarantine(first),
            _ => ActionSeen::AddRecipient(first, second),
        })
    }

    fn put_with_macros(&mut self, command: u8, payload: &[u8]) -> io::Result<()> {
        let pairs = std::mem::take(&mut self.macros);
        if !pairs.is_empty() || self.options.macros_everywhere {
            let mut macros = vec![command];
            for (name, value) in &pairs {
                macros.extend(strings(&[name, value]));
            }
            self.put(b'D', &macros)?;
        }
        self.put(command, payload)
    }

    fn put(&mut self, command: u8, payload: &[u8]) -> io::Result<()> {
        let length =
            u32::try_from(payload.len() + 1).map_err(|_| broken("a packet is too long"))?;
        self.held.extend_from_slice(&length.to_be_bytes());
        self.held.push(command);
        self.held.extend_from_slice(payload);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.held)?;
        self.held.clear();
        self.stream.flush()
    }

    fn packet(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        if !(1..=ANSWER_MAX).contains(&length) {
            return Err(broken("a packet of an impossible length"));
        }
        let mut packet = vec![0; length];
        self.stream.read_exact(&mut packet)?;
        let command = packet.remove(0);
        Ok((command, packet))
    }
}
