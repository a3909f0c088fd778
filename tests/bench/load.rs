//! Our own load client: milter sessions as Postfix leads them, many at a time, from one thread and
//! one event loop.
//!
//! A session is: OPTNEG, CONNECT, HELO, then for each mail MAIL, RCPT, DATA, header, EOH, body,
//! EOM, ABORT, each with its macros; every answer is awaited before the next command, except where
//! the daemon negotiated that there is none. An answer too many, a wrong verdict or a closed
//! connection is counted, never passed over. It shares no code with the daemon.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

pub use self::stream::Target;

use self::packets::{Mail, macros, packet};
pub use self::process::resident;
use self::process::{cpu_time, peak_resident};
use self::stream::{Stream, connect};

#[path = "packets.rs"]
mod packets;
#[path = "process.rs"]
mod process;
#[path = "stream.rs"]
mod stream;

/// `SMFIP_NR_HDR`, `SMFIP_NR_EOH`, `SMFIP_NR_BODY`: steps without an answer.
const NR_HEADER: u32 = 0x80;
const NR_EOH: u32 = 0x4_0000;
const NR_BODY: u32 = 0x8_0000;
/// What Postfix 3.7 offers: all actions, all protocol options but the size bits.
const ACTIONS: u32 = 0x1ff;
const OPTIONS: u32 = 0x1f_ffff;
/// A run in which nothing comes for so long has failed.
const SILENCE: Duration = Duration::from_mins(1);

/// What is sent.
#[derive(Clone, Debug)]
pub struct Load {
    /// Where to.
    pub target: Target,
    /// Connections at the same time.
    pub connections: usize,
    /// Messages altogether.
    pub total: usize,
    /// Messages on one connection before it is closed and opened again.
    pub per_connection: usize,
    /// The messages, sent in turn: header and body with CRLF or LF line ends.
    pub messages: Vec<Vec<u8>>,
    /// The daemon, to measure its CPU time and memory; 0 measures neither.
    pub pid: u32,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Messages with an answer to their end of message.
    pub answered: usize,
    /// Accepted, by `Continue` or `Accept`.
    pub accepted: usize,
    /// Refused with a 5xx code.
    pub rejected: usize,
    /// Deferred.
    pub deferred: usize,
    /// Put on hold and accepted.
    pub quarantined: usize,
    /// Answers that were not asked for, connections closed in the middle, unreadable packets.
    pub violations: usize,
    /// Wall time of the whole run.
    pub elapsed: Duration,
    /// From the last byte of the end of message to its answer, sorted.
    pub latencies: Vec<Duration>,
    /// CPU time that the daemon used.
    pub cpu: Duration,
    /// The daemon's peak of resident memory, in bytes.
    pub peak_resident: u64,
}

impl Report {
    /// The latency that this share (0 to 1) of the messages did not exceed.
    pub fn quantile(&self, share: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index"
        )]
        let index = (last as f64 * share).round() as usize;
        self.latencies.get(index).copied().unwrap_or_default()
    }

    /// Messages a second.
    pub fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let answered = self.answered as f64;
        answered / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// CPU time of the daemon for one mail.
    pub fn cpu_per_mail(&self) -> Duration {
        self.cpu / u32::try_from(self.answered.max(1)).unwrap_or(u32::MAX)
    }
}

/// Runs the load to its end.
pub fn run(load: &Load) -> io::Result<Report> {
    let scripts: Vec<Mail> = load
        .messages
        .iter()
        .map(|message| Mail::new(message))
        .collect();
    if scripts.is_empty() || load.connections == 0 {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "no messages or no connections",
        ));
    }
    let (cpu, begin) = (cpu_time(load.pid), Instant::now());
    let mut poll = Poll::new()?;
    let mut driver = Driver {
        load,
        scripts: &scripts,
        report: Report::default(),
        started: 0,
    };
    let mut sessions: Vec<Option<Session>> = (0..load.connections).map(|_| None).collect();
    let mut open = 0;
    for (number, slot) in sessions.iter_mut().enumerate() {
        *slot = driver.open(&poll, number)?;
        open += usize::from(slot.is_some());
    }
    let mut events = Events::with_capacity(1024);
    while open > 0 {
        poll.poll(&mut events, Some(SILENCE))?;
        if events.is_empty() {
            return Err(io::Error::new(
                ErrorKind::TimedOut,
                format!("nothing came for {SILENCE:?}, {open} sessions open"),
            ));
        }
        for event in &events {
            let number = event.token().0;
            let Some(slot) = sessions.get_mut(number) else {
                continue;
            };
            let Some(session) = slot.as_mut() else {
                continue;
            };
            if driver.advance(session) {
                continue;
            }
            // Over: a new connection takes the place while there are messages left.
            *slot = driver.open(&poll, number)?;
            open -= usize::from(slot.is_none());
        }
    }
    let mut report = driver.report;
    report.elapsed = begin.elapsed();
    report.cpu = cpu_time(load.pid).saturating_sub(cpu);
    report.peak_resident = peak_resident(load.pid);
    report.latencies.sort_unstable();
    Ok(report)
}

/// One thing to send, and whether an answer is awaited behind it.
struct Step {
    bytes: Vec<u8>,
    answer: Awaited,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Nothing,
    Negotiation,
    Continue,
    Verdict,
}

/// A milter connection at work.
struct Session {
    stream: Stream,
    steps: VecDeque<Step>,
    /// Bytes that the socket did not take yet.
    unsent: Vec<u8>,
    received: Vec<u8>,
    awaited: Awaited,
    /// When the end of message was sent.
    asked: Instant,
    held: bool,
    options: u32,
    messages_left: usize,
}

struct Driver<'l> {
    load: &'l Load,
    scripts: &'l [Mail],
    report: Report,
    started: usize,
}

impl Driver<'_> {
    /// Opens a connection when there are messages left to send.
    fn open(&mut self, poll: &Poll, number: usize) -> io::Result<Option<Session>> {
        let left = self.load.total.saturating_sub(self.started);
        if left == 0 {
            return Ok(None);
        }
        let messages_left = left.min(self.load.per_connection.max(1));
        let mut stream = connect(&self.load.target, SILENCE)?;
        let (token, interest) = (Token(number), Interest::READABLE | Interest::WRITABLE);
        match &mut stream {
            Stream::Unix(stream) => poll.registry().register(stream, token, interest)?,
            Stream::Tcp(stream) => poll.registry().register(stream, token, interest)?,
        }
        let mut session = Session {
            stream,
            steps: VecDeque::new(),
            unsent: Vec::new(),
            received: Vec::new(),
            awaited: Awaited::Nothing,
            asked: Instant::now(),
            held: false,
            options: 0,
            messages_left,
        };
        let words = [6_u32, ACTIONS, OPTIONS].map(u32::to_be_bytes).concat();
        session.push(packet(b'O', &[&words]), Awaited::Negotiation);
        let host = b"client.example.net\0";
        let client = [
            ("j", "mx.example.com"),
            ("{client_addr}", "192.0.2.10"),
            ("_", "client.example.net [192.0.2.10]"),
        ];
        let port = 4711_u16.to_be_bytes();
        session.push(
            [
                macros(b'C', &client),
                packet(b'C', &[host, b"4", &port, b"192.0.2.10\0"]),
            ]
            .concat(),
            Awaited::Continue,
        );
        session.push(
            [macros(b'H', &[]), packet(b'H', &[host])].concat(),
            Awaited::Continue,
        );
        Ok(Some(session))
    }

    /// Queues the next mail of a session.
    fn next_mail(&mut self, session: &mut Session) -> bool {
        let Some(mail) = self.scripts.get(self.started % self.scripts.len()) else {
            return false;
        };
        if session.messages_left == 0 || self.started >= self.load.total {
            return false;
        }
        session.messages_left -= 1;
        self.started += 1;
        session.held = false;
        let id = format!("4load{:08}", self.started);
        let id = [("i", id.as_str())];
        session.push(
            [macros(b'M', &[]), packet(b'M', &[b"<anna@example.net>\0"])].concat(),
            Awaited::Continue,
        );
        session.push(
            [macros(b'R', &[]), packet(b'R', &[b"<ben@example.com>\0"])].concat(),
            Awaited::Continue,
        );
        session.push(
            [macros(b'T', &id), packet(b'T', &[])].concat(),
            Awaited::Continue,
        );
        let unless = |bit: u32| {
            if session.options & bit == 0 {
                Awaited::Continue
            } else {
                Awaited::Nothing
            }
        };
        let (header, eoh, body) = (unless(NR_HEADER), unless(NR_EOH), unless(NR_BODY));
        for field in &mail.fields {
            session.push(field.clone(), header);
        }
        session.push([macros(b'N', &id), packet(b'N', &[])].concat(), eoh);
        for chunk in &mail.chunks {
            session.push(chunk.clone(), body);
        }
        session.push(
            [macros(b'E', &id), packet(b'E', &[])].concat(),
            Awaited::Verdict,
        );
        true
    }

    /// Sends and receives what can be; false when the session is over.
    fn advance(&mut self, session: &mut Session) -> bool {
        loop {
            if session.flush().is_err() {
                self.report.violations += 1;
                return false;
            }
            match session.read() {
                Ok(true) => {}
                Ok(false) => return true,
                Err(_) => {
                    self.report.violations += 1;
                    return false;
                }
            }
            while let Some((command, payload)) = session.next_packet() {
                if !self.answer(session, command, &payload) {
                    return false;
                }
            }
        }
    }

    /// Takes one packet from the daemon; false when the session is over.
    fn answer(&mut self, session: &mut Session, command: u8, payload: &[u8]) -> bool {
        match (session.awaited, command) {
            // Progress, and the actions at the end of a message.
            (Awaited::Verdict, b'p' | b'h' | b'i' | b'm' | b'+' | b'-' | b'e' | b'2') => {
                return true;
            }
            (Awaited::Verdict, b'q') => {
                session.held = true;
                return true;
            }
            (Awaited::Negotiation, b'O') => {
                let word = payload.get(8..12).and_then(|word| word.try_into().ok());
                session.options = word.map_or(0, u32::from_be_bytes);
            }
            (Awaited::Continue, b'c' | b's') => {}
            (Awaited::Verdict, b'c' | b'a') => self.verdict(session, |report, held| {
                report.accepted += 1;
                report.quarantined += usize::from(held);
            }),
            // A verdict before the end of the message ends it too.
            (Awaited::Continue | Awaited::Verdict, b'y' | b'r' | b't' | b'a' | b'd') => {
                let transient =
                    command == b't' || (command == b'y' && payload.first() == Some(&b'4'));
                session.steps.clear();
                self.verdict(session, |report, _| {
                    if command == b'a' {
                        report.accepted += 1;
                    } else if transient {
                        report.deferred += 1;
                    } else {
                        report.rejected += 1;
                    }
                });
            }
            _ => {
                self.report.violations += 1;
                return false;
            }
        }
        session.awaited = Awaited::Nothing;
        // Nothing is owed now: whatever is there already was not asked for, and would be read one
        // stage early.
        self.report.violations += usize::from(!session.received.is_empty());
        if session.steps.is_empty() && !self.next_mail(session) {
            session.unsent.extend_from_slice(&packet(b'Q', &[]));
            self.report.violations += usize::from(session.flush().is_err());
            return false;
        }
        session.fill();
        if session.flush().is_err() {
            self.report.violations += 1;
            return false;
        }
        true
    }

    fn verdict(&mut self, session: &mut Session, count: impl FnOnce(&mut Report, bool)) {
        self.report.answered += 1;
        self.report.latencies.push(session.asked.elapsed());
        count(&mut self.report, session.held);
        // Postfix sends ABORT after every transaction; it has no answer.
        session.push(packet(b'A', &[]), Awaited::Nothing);
        if !self.next_mail(session) {
            session.unsent.extend_from_slice(&packet(b'A', &[]));
            session.steps.clear();
        }
    }
}

impl Session {
    fn push(&mut self, bytes: Vec<u8>, answer: Awaited) {
        self.steps.push_back(Step { bytes, answer });
    }

    /// Moves steps into the send buffer until one wants an answer.
    fn fill(&mut self) {
        while self.awaited == Awaited::Nothing {
            let Some(step) = self.steps.pop_front() else {
                return;
            };
            self.unsent.extend_from_slice(&step.bytes);
            self.awaited = step.answer;
            self.asked = Instant::now();
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.fill();
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(sent) => drop(self.unsent.drain(..sent)),
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::WouldBlock | ErrorKind::NotConnected
                    ) =>
                {
                    break;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads once; false when there is nothing now.
    fn read(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 16 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.received
                    .extend_from_slice(buffer.get(..count).unwrap_or_default());
                Ok(true)
            }
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::NotConnected
                ) =>
            {
                Ok(false)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn next_packet(&mut self) -> Option<(u8, Vec<u8>)> {
        let (length, rest) = self.received.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let (command, payload) = rest.get(..length)?.split_first()?;
        let packet = (*command, payload.to_vec());
        self.received.drain(..4 + length);
        Some(packet)
    }
}
