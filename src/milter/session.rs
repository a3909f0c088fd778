//! The state of one connection: which command may come, whether an answer is due, what of it goes to the handler.

use super::answer;
use super::command::{Command, Kind, Waiting};
use super::wire::{Decoder, PACKET_MAX, write_packet};
use super::{Event, Macros, MilterHandler, Negotiated, Reply, Response};

/// What the MTA (or a port scanner) did that leaves nothing sane but to close the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A packet declares more than [`PACKET_MAX`] bytes.
    #[error("a packet of {length} bytes was announced, at most {PACKET_MAX} are taken; is the other side an MTA?")]
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

/// Whether a step wants an answer. Calling [`Protocol::respond`] after each step is always right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Exactly one: [`Protocol::poll`] gives nothing more until it was given.
    Due,
    /// None goes out now (NR_HDR, NR_BODY, body data inside BODYEOB), but a reply other than `Continue` that is given to
    /// [`Protocol::respond`] is remembered: nothing more of this message is shown, and the next command of it that has an
    /// answer gets this one.
    Later,
    /// Never: `Abort` and `Close`.
    None,
}

/// One event for the handler.
#[derive(Debug)]
pub struct Step<'a> {
    /// Whether an answer is due.
    pub answer: Answer,
    /// What was negotiated, with the first event after it.
    pub negotiated: Option<&'a Negotiated>,
    command: Command<'a>,
    macros: &'a Macros,
}

impl Step<'_> {
    /// The event.
    pub fn event(&self) -> Event<'_> {
        self.command.event(self.macros)
    }
}

/// Where the connection stands. The order is that of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Nothing negotiated.
    Start,
    /// No client yet.
    Open,
    /// A client, no message.
    Connected,
    /// The message was decided before its end; the MTA should be silent until ABORT or the next MAIL.
    Over { accepted: bool },
    Mail,
    Rcpt,
    Data,
    Header,
    EndOfHeaders,
    Body,
}

/// How the connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It has not.
    No,
    /// The MTA hung up: what came before is shown, then `Close`.
    HungUp,
    /// The protocol was broken: `Close` is shown next.
    Failed,
    /// `Close` was shown.
    Closed,
}

/// What is known of the message in hand.
#[derive(Debug, Default)]
struct Current {
    /// A reply that the handler gave where none could be sent.
    settled: Option<Reply>,
    /// The handler wants no more of the body.
    skipping: bool,
    /// The data inside BODYEOB was shown, the end of the message was not.
    tail_shown: bool,
}

/// An answer that the MTA waits for.
#[derive(Clone, Copy, Debug)]
struct Owed {
    kind: Kind,
    /// The handler said [`Reply::Pending`].
    pending: bool,
}

/// What to show next: a command whose payload of so many bytes is on top of the decoder, or an event of our own making.
#[derive(Clone, Copy, Debug)]
enum Next {
    Command { kind: Kind, length: usize, answer: Answer },
    /// Body data inside BODYEOB, which stays where it is.
    Tail { length: usize },
    Abort,
    Close,
}

/// What becomes of a command.
enum Admission {
    Show,
    /// The message in hand is given up first.
    AbortFirst,
    /// The session in hand is given up first.
    CloseFirst,
    /// It is not for the handler. `None` is the safe answer where one is due: not our verdict, try again later.
    Keep(Option<Reply>),
}

/// One connection's state machine, without I/O.
///
/// The loop of a server: [`Self::receive`] what was read (or [`Self::hang_up`]), [`Self::serve`] the handler, write `out` in
/// one piece, drop the connection when [`Self::is_closed`] or on an error. An answer that came [`Reply::Pending`] is given
/// later with [`Self::respond`], and `serve` is called again after it.
///
/// Commands out of order: MAIL, HELO and CONNECT in the middle of a message give it up (the handler sees `Abort`, for
/// CONNECT `Close`) and are then served, as libmilter does. Others never reach the handler; where an answer is due they get
/// a tempfail (libmilter leaves the MTA waiting), or after an early accept that of the message. OPTNEG within an SMTP session
/// and unknown command bytes are errors.
///
/// ABORT or QUIT while an answer is [`Reply::Pending`] take the question back: the handler sees `Abort` or `Close`, the answer
/// is forgotten and a late [`Self::respond`] writes nothing. Any other command waits, as it would in libmilter, until the
/// answer is given; more than [`PACKET_MAX`] bytes of such are an error. A hang-up forgets the answer too.
#[derive(Debug)]
pub struct Protocol {
    decoder: Decoder,
    negotiated: Option<Negotiated>,
    /// The handler knows what was negotiated.
    announced: bool,
    waiting: Waiting,
    /// Macros of the event that is shown.
    macros: Macros,
    stage: Stage,
    current: Current,
    owed: Option<Owed>,
    /// The kind of the last step where it was [`Answer::Later`].
    notable: Option<Kind>,
    end: End,
}

impl Default for Protocol {
    fn default() -> Self {
        Self::new()
    }
}

impl Protocol {
    /// A connection on which nothing has come yet.
    pub fn new() -> Self {
        Self {
            decoder: Decoder::default(),
            negotiated: None,
            announced: false,
            waiting: Waiting::default(),
            macros: Macros::default(),
            stage: Stage::Start,
            current: Current::default(),
            owed: None,
            notable: None,
            end: End::No,
        }
    }

    /// Takes bytes from the MTA, cut anywhere. Bytes after the end are dropped.
    pub fn receive(&mut self, bytes: &[u8]) {
        if self.end == End::No {
            self.decoder.receive(bytes);
        }
    }

    /// The MTA closed the connection, or it broke. What came before is still shown (but an owed answer is forgotten at
    /// once), then [`Event::Close`], once.
    pub fn hang_up(&mut self) {
        if self.end == End::No {
            self.end = End::HungUp;
        }
    }

    /// The next event for the handler; `None` where more bytes, or an answer, must come first. The answer to OPTNEG (and to
    /// what the handler need not see) is appended to `out`. After an error the next call gives [`Event::Close`], unless it was
    /// given, and the connection must be dropped.
    pub fn poll(&mut self, out: &mut Vec<u8>) -> Result<Option<Step<'_>>, ProtocolError> {
        self.notable = None;
        match self.advance(out) {
            Ok(next) => Ok(next.map(|next| self.step(next))),
            Err(error) => {
                self.end = End::Failed;
                self.owed = None;
                Err(error)
            }
        }
    }

    /// Shows everything that is ready to a handler and writes its answers. After an error the handler has seen
    /// [`Event::Close`].
    pub fn serve<H>(&mut self, handler: &mut H, out: &mut Vec<u8>) -> Result<(), ProtocolError>
    where
        H: MilterHandler + ?Sized,
    {
        let mut failed = None;
        loop {
            let response = match self.poll(out) {
                Ok(Some(step)) => {
                    if let Some(negotiated) = step.negotiated {
                        handler.on_negotiated(negotiated);
                    }
                    handler.on_event(step.event())
                }
                Ok(None) => return failed.map_or(Ok(()), Err),
                Err(error) => {
                    failed = Some(error);
                    continue;
                }
            };
            self.respond(&response, out);
        }
    }

    /// Gives the answer to the last step, all actions and the verdict in one piece; with [`Reply::Pending`] only notes that it
    /// comes later. Where no answer is owed nothing is written: a second answer is ignored.
    pub fn respond(&mut self, response: &Response, out: &mut Vec<u8>) {
        if let Some(kind) = self.notable.take() {
            self.note(kind, &response.reply);
        } else if let Some(owed) = &mut self.owed {
            if response.reply == Reply::Pending {
                owed.pending = true;
                return;
            }
            let kind = owed.kind;
            self.owed = None;
            self.answer(kind, response, out);
        }
    }

    /// Asks the MTA for patience; writes nothing unless the answer to an end of message is owed.
    pub fn progress(&self, out: &mut Vec<u8>) {
        if self.owed.is_some_and(|owed| owed.kind == Kind::EndOfMessage) {
            write_packet(out, b'p', &[]);
        }
    }

    /// Whether the MTA waits for an answer.
    pub fn owes_answer(&self) -> bool {
        self.owed.is_some()
    }

    /// What was agreed on; `None` before OPTNEG.
    pub fn negotiated(&self) -> Option<&Negotiated> {
        self.negotiated.as_ref()
    }

    /// Whether [`Event::Close`] was given for good: write what is in `out` and drop the connection. (After QUIT_NC the event
    /// is given, but the connection goes on.)
    pub fn is_closed(&self) -> bool {
        self.end == End::Closed
    }

    /// Whether no message is in hand: a drain may close the connection here.
    pub fn is_idle(&self) -> bool {
        self.stage < Stage::Mail && self.owed.is_none()
    }
}
