//! The state machine of one connection: which command may come, whether an answer is due, what the
//! handler is shown.

use super::answer;
use super::command::{Command, Kind};
use super::stage_macros::StageMacros;
use super::state::{Admission, Current, End, Next, PendingReply, Stage};
use super::wire::{Decoder, LENGTH_BYTES, PACKET_MAX, write_packet};
use super::{Answer, Macros, MilterHandler, Negotiated, ProtocolError, Reply, Response, Step};

/// Bytes that may wait while an answer is [`Reply::Pending`]: one packet of the longest.
const BUFFERED_MAX: usize = PACKET_MAX + LENGTH_BYTES;

/// One connection's state machine, without I/O.
///
/// The loop of a server: [`Self::receive`] what was read (or [`Self::hang_up`]), [`Self::serve`]
/// the handler, write `out` in one piece, drop the connection when [`Self::is_closed`] or on an
/// error. An answer that came [`Reply::Pending`] is given later with [`Self::respond`], and `serve`
/// is called again after it.
///
/// Commands out of order: MAIL, HELO and CONNECT in the middle of a message give it up (the handler
/// sees `Abort`, for CONNECT `Close`) and are then served, as libmilter does. Others never reach
/// the handler; where an answer is due they get a tempfail (libmilter leaves the MTA waiting), or
/// after an early accept that of the message. OPTNEG within an SMTP session and unknown command
/// bytes are errors.
///
/// ABORT or QUIT while an answer is [`Reply::Pending`] withdraw the question: the handler sees
/// `Abort` or `Close`, the answer is forgotten and a late [`Self::respond`] writes nothing. Any
/// other command waits, as it would in libmilter, until the answer is given; more than
/// [`PACKET_MAX`] bytes of such are an error. A hang-up forgets the answer too.
#[derive(Debug)]
pub struct Protocol {
    decoder: Decoder,
    negotiated: Option<Negotiated>,
    /// The handler knows what was negotiated.
    announced: bool,
    stage_macros: StageMacros,
    /// Macros of the event that is shown.
    macros: Macros,
    stage: Stage,
    current: Current,
    pending_reply: Option<PendingReply>,
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
    /// A connection on which nothing was received yet.
    pub fn new() -> Self {
        Self {
            decoder: Decoder::default(),
            negotiated: None,
            announced: false,
            stage_macros: StageMacros::default(),
            macros: Macros::default(),
            stage: Stage::Start,
            current: Current::default(),
            pending_reply: None,
            notable: None,
            end: End::No,
        }
    }

    /// Takes bytes from the MTA, in any pieces. Bytes after the end are dropped.
    pub fn receive(&mut self, bytes: &[u8]) {
        if self.end == End::No {
            self.decoder.receive(bytes);
        }
    }

    /// The MTA closed the connection, or it broke. What came before is still shown (but an owed
    /// answer is forgotten at once), then [`super::Event::Close`], once.
    pub fn hang_up(&mut self) {
        if self.end == End::No {
            self.end = End::HungUp;
        }
    }

    /// The next event for the handler; `None` where more bytes, or an answer, must come first. The
    /// answer to OPTNEG (and to what the handler need not see) is appended to `out`. After an
    /// error the next call gives [`super::Event::Close`], unless it was given, and the
    /// connection must be dropped.
    pub fn poll(&mut self, out: &mut Vec<u8>) -> Result<Option<Step<'_>>, ProtocolError> {
        self.notable = None;
        match self.advance(out) {
            Ok(next) => Ok(next.map(|next| self.step(next))),
            Err(error) => {
                self.end = End::Failed;
                self.pending_reply = None;
                Err(error)
            }
        }
    }

    /// Shows everything that is ready to a handler and writes its answers. After an error the
    /// handler has seen [`super::Event::Close`].
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

    /// Gives the answer to the last step, all actions and the verdict in one piece; with
    /// [`Reply::Pending`] only notes that it comes later. Where no answer is owed nothing is
    /// written: a second answer is ignored.
    pub fn respond(&mut self, response: &Response, out: &mut Vec<u8>) {
        if let Some(kind) = self.notable.take() {
            self.note(kind, &response.reply);
        } else if let Some(pending_reply) = &mut self.pending_reply {
            if response.reply == Reply::Pending {
                pending_reply.pending = true;
                return;
            }
            let kind = pending_reply.kind;
            self.pending_reply = None;
            self.answer(kind, response, out);
        }
    }

    /// Asks the MTA to keep waiting; writes nothing unless the answer to an end of message is owed.
    pub fn progress(&self, out: &mut Vec<u8>) {
        if self
            .pending_reply
            .is_some_and(|pending_reply| pending_reply.kind == Kind::EndOfMessage)
        {
            write_packet(out, b'p', &[]);
        }
    }

    /// Whether the MTA waits for an answer.
    pub fn owes_answer(&self) -> bool {
        self.pending_reply.is_some()
    }

    /// Bytes that this connection holds: packets that are not complete or not yet shown, and macros.
    /// A server that bounds its memory adds this up over all connections.
    pub fn memory(&self) -> usize {
        self.decoder.capacity() + self.stage_macros.bytes() + self.macros.bytes()
    }

    /// Gives back the buffer of packets that were all shown; call it when the connection waits.
    pub fn shrink(&mut self) {
        self.decoder.shrink();
    }

    /// What was agreed on; `None` before OPTNEG.
    pub fn negotiated(&self) -> Option<&Negotiated> {
        self.negotiated.as_ref()
    }

    /// Whether [`super::Event::Close`] was given for good: write what is in `out` and drop the
    /// connection. (After QUIT_NC the event is given, but the connection goes on.)
    pub fn is_closed(&self) -> bool {
        self.end == End::Closed
    }

    /// Whether no message is in progress: a drain may close the connection here.
    pub fn is_idle(&self) -> bool {
        self.stage < Stage::Mail && self.pending_reply.is_none()
    }
}

// The steps.
impl Protocol {
    /// Finds what to show next; serves on the way what the handler need not see.
    fn advance(&mut self, out: &mut Vec<u8>) -> Result<Option<Next>, ProtocolError> {
        loop {
            match self.end {
                End::Closed => return Ok(None),
                End::Failed => return Ok(Some(Next::Close)),
                End::HungUp if self.pending_reply.is_some() => return Ok(Some(Next::Close)),
                End::HungUp | End::No => {}
            }
            let Some(frame) = self.decoder.peek()? else {
                return Ok((self.end == End::HungUp).then_some(Next::Close));
            };
            let length = frame.payload.len();
            let kind =
                Kind::of(frame.command).ok_or(ProtocolError::UnknownCommand(frame.command))?;
            if self.stage == Stage::Start && kind.needs_negotiation() {
                return Err(ProtocolError::BeforeNegotiation(frame.command));
            }
            if let Some(pending_reply) = self.pending_reply {
                if !pending_reply.pending {
                    return Ok(None);
                }
                if !matches!(kind, Kind::Abort | Kind::Quit | Kind::QuitNewConnection) {
                    let buffered = self.decoder.buffered();
                    return if buffered > BUFFERED_MAX {
                        Err(ProtocolError::BufferExceeded { buffered })
                    } else {
                        Ok(None)
                    };
                }
                self.pending_reply = None;
            }
            if let Some(next) = self.serve_one(kind, length, out)? {
                return Ok(Some(next));
            }
        }
    }

    /// Takes one complete command: something to show, or `None` where it was served here.
    fn serve_one(
        &mut self,
        kind: Kind,
        length: usize,
        out: &mut Vec<u8>,
    ) -> Result<Option<Next>, ProtocolError> {
        match kind {
            Kind::Negotiate => {
                if self.stage > Stage::Open {
                    return Err(ProtocolError::SecondNegotiation);
                }
                let negotiated = Negotiated::read(self.decoder.take(length))?;
                negotiated.write(out);
                self.negotiated = Some(negotiated);
                self.announced = false;
                self.stage = Stage::Open;
                return Ok(None);
            }
            Kind::Macros => {
                self.stage_macros.read(self.decoder.take(length));
                return Ok(None);
            }
            Kind::Abort => {
                self.decoder.consume();
                return Ok(Some(Next::Abort));
            }
            Kind::QuitNewConnection => {
                self.decoder.consume();
                return Ok(Some(Next::Restart));
            }
            Kind::Quit => return Ok(Some(Next::Close)),
            _ => {}
        }
        let answer = self.answer_of(kind);
        Ok(match self.admit(kind) {
            Admission::Show if kind == Kind::EndOfMessage && length > 0 && self.wants_tail() => {
                Some(Next::Tail)
            }
            Admission::Show => Some(Next::Command {
                kind,
                length,
                answer,
            }),
            Admission::AbortFirst => Some(Next::Abort),
            Admission::CloseFirst => Some(Next::Restart),
            Admission::Keep(reply) => {
                self.drop_command(kind);
                if answer == Answer::Due {
                    answer::write_reply(&reply, false, out);
                } else if reply == Reply::Tempfail && self.stage >= Stage::Mail {
                    // A part of the message that the handler did not see: it must not be accepted.
                    self.current.settled.get_or_insert(reply);
                }
                None
            }
            Admission::Settle(reply) => {
                self.drop_command(kind);
                if answer == Answer::Due {
                    self.answer(kind, &reply.into(), out);
                }
                None
            }
        })
    }

    /// Whether a command may be shown at this stage.
    fn admit(&self, kind: Kind) -> Admission {
        let stage = self.stage;
        let fits = match kind {
            Kind::Connect if stage > Stage::Open => return Admission::CloseFirst,
            Kind::Helo | Kind::Mail if stage >= Stage::Mail => return Admission::AbortFirst,
            Kind::Rcpt | Kind::Data => (Stage::Mail..=Stage::Rcpt).contains(&stage),
            Kind::Header | Kind::EndOfHeaders => (Stage::Mail..=Stage::Header).contains(&stage),
            Kind::Body | Kind::EndOfMessage => stage >= Stage::Mail,
            _ => return Admission::Show,
        };
        match &self.current.settled {
            _ if !fits && stage == (Stage::Over { accepted: true }) => {
                Admission::Keep(Reply::Continue)
            }
            _ if !fits => Admission::Keep(Reply::Tempfail),
            Some(reply) => Admission::Settle(reply.clone()),
            None if kind == Kind::Body && self.current.skipping => Admission::Keep(Reply::Continue),
            None => Admission::Show,
        }
    }

    /// Makes the step and moves the state on.
    fn step(&mut self, next: Next) -> Step<'_> {
        let (answer, command) = match next {
            Next::Command {
                kind,
                length,
                answer,
            } => {
                self.enter(kind);
                match answer {
                    Answer::Due => {
                        self.pending_reply = Some(PendingReply {
                            kind,
                            pending: false,
                        });
                    }
                    Answer::Later => self.notable = Some(kind),
                    Answer::None => {}
                }
                (answer, Command::read(kind, self.decoder.take(length)))
            }
            Next::Tail => {
                self.enter(Kind::Body);
                self.current.tail_shown = true;
                self.notable = Some(Kind::Body);
                let frame = self.decoder.peek().ok().flatten();
                (
                    Answer::Later,
                    Command::Body {
                        chunk: frame.map_or(&[], |frame| frame.payload),
                    },
                )
            }
            Next::Abort => {
                self.leave_message();
                (Answer::None, Command::Abort)
            }
            Next::Restart => {
                self.leave_message();
                self.stage_macros.forget_session();
                self.stage = self.stage.min(Stage::Open);
                // Where nothing was negotiated nothing is announced either.
                self.announced = false;
                return Step {
                    answer: Answer::None,
                    negotiated: None,
                    command: Command::Close,
                    macros: &self.macros,
                };
            }
            Next::Close => {
                self.end = End::Closed;
                self.pending_reply = None;
                self.decoder.clear();
                (Answer::None, Command::Close)
            }
        };
        let announce = !std::mem::replace(&mut self.announced, self.negotiated.is_some());
        let negotiated = self.negotiated.as_ref().filter(|_| announce);
        Step {
            answer,
            negotiated,
            command,
            macros: &self.macros,
        }
    }

    /// A command is shown: its macros, its stage.
    fn enter(&mut self, kind: Kind) {
        self.macros = self.stage_macros.take(kind);
        self.stage = match kind {
            Kind::Connect | Kind::Helo => Stage::Connected,
            Kind::Mail => {
                self.current = Current::default();
                Stage::Mail
            }
            Kind::Rcpt => Stage::Rcpt,
            Kind::Data => Stage::Data,
            Kind::Header => Stage::Header,
            Kind::EndOfHeaders => Stage::EndOfHeaders,
            Kind::Body => Stage::Body,
            _ => self.stage,
        };
    }

    /// Writes an answer and moves the state on.
    fn answer(&mut self, kind: Kind, response: &Response, out: &mut Vec<u8>) {
        let Some(negotiated) = &self.negotiated else {
            return;
        };
        let reply = &response.reply;
        let accepts = matches!(reply, Reply::Continue | Reply::Accept | Reply::Skip);
        if kind == Kind::EndOfMessage && accepts {
            answer::write_actions(&response.actions, negotiated, out);
        }
        answer::write_reply(reply, kind == Kind::Body && negotiated.skip, out);
        match kind {
            Kind::EndOfMessage => self.leave_message(),
            Kind::Connect | Kind::Helo | Kind::Unknown => {}
            // A refused recipient does not end the message.
            Kind::Rcpt if !accepts => {}
            Kind::Body if *reply == Reply::Skip => self.current.skipping = true,
            _ if matches!(reply, Reply::Continue | Reply::Skip) => {}
            _ => {
                self.leave_message();
                self.stage = Stage::Over { accepted: accepts };
            }
        }
    }

    /// Remembers what a handler returned where no answer goes out.
    fn note(&mut self, kind: Kind, reply: &Reply) {
        match reply {
            Reply::Continue | Reply::Pending => {}
            Reply::Skip => self.current.skipping |= kind == Kind::Body,
            Reply::Accept | Reply::Reject | Reply::Tempfail | Reply::Code { .. } => {
                self.current.settled = Some(reply.clone());
            }
        }
    }

    /// The message in hand is over.
    fn leave_message(&mut self) {
        self.stage = self.stage.min(Stage::Connected);
        self.current = Current::default();
        self.stage_macros.forget_message();
    }

    /// Drops a command that is not shown, and its macros.
    fn drop_command(&mut self, kind: Kind) {
        self.decoder.consume();
        drop(self.stage_macros.take(kind));
    }

    fn wants_tail(&self) -> bool {
        !self.current.tail_shown && !self.current.skipping
    }

    fn answer_of(&self, kind: Kind) -> Answer {
        match (kind, &self.negotiated) {
            (Kind::Header, Some(negotiated)) if negotiated.nr_header => Answer::Later,
            (Kind::Body, Some(negotiated)) if negotiated.nr_body => Answer::Later,
            (
                Kind::Abort | Kind::Quit | Kind::QuitNewConnection | Kind::Negotiate | Kind::Macros,
                _,
            ) => Answer::None,
            _ => Answer::Due,
        }
    }
}
