//! The state machine of one milter connection.

use std::mem;
use std::sync::Arc;
use std::time::Instant;

use super::answer;
use super::connection::{Connection, Delivery};
use super::message_in_progress::MessageInProgress;
use super::settle::{HeldAnswer, Measured};
use gatepost_engine::{
    Begun, Completion, Ended, Engine, Notify, Outcome, Permit, Pipeline, Point, Progress,
    ReceivedMail, Work,
};
use gatepost_mail::{Client, ClientAddress, Mailbox, ReversePath, Transaction};
use gatepost_milter::{Event, Macros, MilterHandler, Negotiated, Peer, Reply, Response};
use gatepost_words::verdict::{Disposition, EnhancedStatusCode, ReplyCode, SmtpReply, Verdict};
use gatepost_words::{Fault, Stage};

/// One SMTP session as a milter sees it. Without I/O: at each stage the pipeline answers
/// immediately, or later through [`Connection::on_completed`] and [`Connection::on_deadline`].
pub struct Session {
    pub(super) engine: Arc<Engine>,
    pub(super) pipeline: Pipeline,
    pub(super) listener: Arc<str>,
    leading_space: bool,
    body_may_be_skipped: bool,
    pub(super) may_quarantine: bool,
    client: Client,
    helo: Option<String>,
    tls: Option<String>,
    pub(super) message: Option<MessageInProgress>,
    /// What is over and answered, to be published once the answers are written.
    pub(super) outcomes: Vec<Arc<Outcome>>,
    /// The answer that waits until its outcome is durable.
    pub(super) held: Option<HeldAnswer>,
}

impl Session {
    /// A new connection on `listener`; other threads report to `notify`.
    pub fn new(engine: Arc<Engine>, listener: Arc<str>, notify: Arc<dyn Notify>) -> Self {
        let pipeline = Pipeline::new(Arc::clone(&engine), notify);
        Self {
            engine,
            pipeline,
            listener,
            leading_space: false,
            body_may_be_skipped: false,
            may_quarantine: true,
            client: Client::default(),
            helo: None,
            tls: None,
            message: None,
            outcomes: Vec::new(),
            held: None,
        }
    }

    fn connect(&mut self, host: &[u8], peer: Peer, macros: &Macros) -> Response {
        self.reset_transaction();
        self.pipeline.forget_client();
        let (address, port) = match peer {
            Peer::Ip(address, port) => (
                ClientAddress::Ip(address),
                Some(port).filter(|port| *port != 0),
            ),
            Peer::Local => (ClientAddress::Local, None),
            Peer::Unknown => (client_address(macros), None),
        };
        self.client = Client {
            host: lossy(host),
            address,
            port,
        };
        let transaction = Arc::new(self.early_transaction());
        self.begin(Work {
            point: Point::Connect,
            generation: self.engine.generation(),
            transaction,
        })
    }

    fn helo(&mut self, name: &[u8], macros: &Macros) -> Response {
        // A second HELO (after STARTTLS) begins the session again: RFC 3207 §4.2.
        self.reset_transaction();
        self.tls = macros.text("tls_version");
        self.helo = Some(lossy(name));
        let transaction = Arc::new(self.early_transaction());
        self.begin(Work {
            point: Point::Helo,
            generation: self.engine.generation(),
            transaction,
        })
    }

    fn mail_from(&mut self, path: &[u8], macros: &Macros) -> Response {
        self.reset_transaction();
        let authenticated = macros.text("auth_authen");
        let mut transaction = self.early_transaction();
        transaction.tls = macros.text("tls_version").or_else(|| self.tls.clone());
        transaction.envelope.reverse_path = ReversePath::parse(path);
        transaction.queue_id = macros.text("i");
        let is_stranger = authenticated.is_none();
        transaction.authenticated = authenticated;

        let generation = self.engine.generation();
        let transaction = Arc::new(transaction);
        let permit = Permit::new(self.engine.budget());
        let began = self.engine.clock().now();
        self.message = Some(MessageInProgress::new(
            Arc::clone(&generation),
            Arc::clone(&transaction),
            permit,
            began,
        ));
        // Refused before work is spent: strangers wait when the machine is short, users who logged
        // in do not.
        if is_stranger && self.engine.is_tight() {
            return self.settle_fault(Fault::Overload, Stage::MailFrom, Measured::default());
        }
        self.begin(Work {
            point: Point::MailFrom,
            generation,
            transaction,
        })
    }

    fn rcpt_to(&mut self, path: &[u8], macros: &Macros) -> Response {
        let Some(message) = &mut self.message else {
            return Reply::Continue.into();
        };
        message.note_queue_id(macros);
        let recipients_max = message.generation.limits().recipients;
        if message.transaction.envelope.forward_paths.len() >= recipients_max {
            return too_many_recipients();
        }
        let work = Work {
            point: Point::RcptTo(Mailbox::parse(path)),
            generation: Arc::clone(&message.generation),
            transaction: Arc::clone(&message.transaction),
        };
        self.begin(work)
    }

    fn header(&mut self, name: &[u8], value: &[u8]) -> Response {
        if let Some(message) = &mut self.message {
            message.add_field(name, value, self.leading_space);
        }
        Reply::Continue.into()
    }

    fn end_of_headers(&mut self, macros: &Macros) -> Response {
        let Some(message) = &mut self.message else {
            return Reply::Continue.into();
        };
        message.note_queue_id(macros);
        message.end_header();
        if message.fault.is_some() || !message.generation.headers_may_decide() {
            return Reply::Continue.into();
        }
        let header = ReceivedMail {
            transaction: Arc::clone(&message.transaction),
            raw: message.raw.clone(),
            permit: None,
        };
        let work = Work {
            point: Point::EndOfHeaders(Arc::new(header)),
            generation: Arc::clone(&message.generation),
            transaction: Arc::clone(&message.transaction),
        };
        self.begin(work)
    }

    fn body(&mut self, chunk: &[u8]) -> Response {
        let Some(message) = &mut self.message else {
            return Reply::Continue.into();
        };
        message.add_body(chunk);
        if message.fault.is_some() && self.body_may_be_skipped {
            Reply::Skip.into()
        } else {
            Reply::Continue.into()
        }
    }

    fn end_of_message(&mut self, macros: &Macros) -> Response {
        let budget = self.engine.budget();
        let Some(message) = &mut self.message else {
            // An end without a beginning: there is nothing that was looked at, so there is nothing
            // to let pass.
            return answer::deferral(Fault::Cancelled, &self.engine.next_id()).into();
        };
        message.note_queue_id(macros);
        // The time in the log is our own: from here to the answer, not how long the client took to
        // send.
        message.began = self.engine.clock().now();
        message.end_header();
        if let Some(fault) = message.fault {
            return self.settle_fault(fault, Stage::EndOfMessage, Measured::default());
        }
        let permit = mem::replace(&mut message.permit, Permit::new(budget));
        let mail = ReceivedMail {
            transaction: Arc::clone(&message.transaction),
            raw: mem::take(&mut message.raw),
            permit: Some(permit),
        };
        let work = Work {
            point: Point::EndOfMessage(Arc::new(mail)),
            generation: Arc::clone(&message.generation),
            transaction: Arc::clone(&message.transaction),
        };
        self.begin(work)
    }

    fn begin(&mut self, work: Work) -> Response {
        match self.pipeline.begin(work) {
            Begun::Now(ended) => self.conclude(*ended),
            Begun::Later => Reply::Pending.into(),
        }
    }

    /// What a report, or the time, means for the MTA.
    fn delivery(&mut self, progress: Progress) -> Delivery {
        match progress {
            Progress::Over(ended) => match self.conclude(*ended) {
                // Its outcome must be durable first.
                Response {
                    reply: Reply::Pending,
                    ..
                } => Delivery::Noted,
                response => Delivery::Respond(response),
            },
            Progress::Committed(result) => match self.committed(result) {
                Some(response) => Delivery::Respond(response),
                None => Delivery::Late,
            },
            Progress::Noted => Delivery::Noted,
            Progress::Late => Delivery::Late,
        }
    }

    /// Answers a stage that is over.
    fn conclude(&mut self, ended: Ended) -> Response {
        let measured = Measured {
            facts: ended.facts,
            summary: ended.summary,
            gathering: ended.gathering,
            judging: ended.judging,
        };
        let Work {
            point, transaction, ..
        } = ended.work;
        match (point, ended.result) {
            (Point::EndOfMessage(_), Ok(Some(verdict))) => {
                let response = self.settle_verdict(verdict, transaction, measured);
                self.message = None;
                response
            }
            (Point::EndOfMessage(_), Ok(None)) => {
                self.settle_fault(Fault::Cancelled, Stage::EndOfMessage, measured)
            }
            (Point::EndOfMessage(_), Err(fault)) => {
                self.settle_fault(fault, Stage::EndOfMessage, measured)
            }
            (point, Ok(Some(verdict))) => {
                self.reject_or_continue(&point, verdict, transaction, measured)
            }
            (Point::RcptTo(mailbox), _) => {
                // The transaction is not shared any more, so the recipient is added in place.
                drop(transaction);
                if let Some(message) = &mut self.message {
                    message.add_recipient(mailbox);
                }
                Reply::Continue.into()
            }
            // A header that could not be judged is judged with the whole message, which settles
            // the fault if it is still there.
            (_, Ok(None) | Err(_)) => Reply::Continue.into(),
        }
    }

    /// Answers a verdict that comes before the end of the message.
    fn reject_or_continue(
        &mut self,
        point: &Point,
        verdict: Verdict,
        transaction: Arc<Transaction>,
        measured: Measured,
    ) -> Response {
        let ends = match verdict.disposition {
            Disposition::Reject => true,
            // Lists defer a command; a header alone does not.
            Disposition::Defer => !matches!(point, Point::EndOfHeaders(_)),
            Disposition::Accept | Disposition::Quarantine => false,
        };
        if !ends {
            return Reply::Continue.into();
        }
        let response = self.settle_verdict(verdict, transaction, measured);
        if matches!(point, Point::MailFrom | Point::EndOfHeaders(_)) {
            self.message = None;
        }
        response
    }

    /// What is known before MAIL.
    pub(super) fn early_transaction(&self) -> Transaction {
        let mut transaction = Transaction::new(self.listener.clone(), self.engine.clock().wall());
        transaction.client = self.client.clone();
        transaction.helo.clone_from(&self.helo);
        transaction
    }

    /// Drops the message, and lets its worker know that the MTA does not wait.
    fn reset_transaction(&mut self) {
        self.pipeline.cancel();
        self.message = None;
        // Decided, but the MTA took its question back: it is still to be known.
        let held = self.held.take();
        self.outcomes.extend(held.map(|held| held.outcome));
    }
}

impl MilterHandler for Session {
    fn on_negotiated(&mut self, negotiated: &Negotiated) {
        self.leading_space = negotiated.leading_space;
        self.body_may_be_skipped = negotiated.skip;
        self.may_quarantine = negotiated.may_quarantine();
    }

    fn on_event(&mut self, event: Event<'_>) -> Response {
        match event {
            Event::Connect { host, peer, macros } => self.connect(host, peer, macros),
            Event::Helo { name, macros } => self.helo(name, macros),
            Event::MailFrom { path, macros, .. } => self.mail_from(path, macros),
            Event::RcptTo { path, macros, .. } => self.rcpt_to(path, macros),
            Event::Header { name, value } => self.header(name, value),
            Event::EndOfHeaders { macros } => self.end_of_headers(macros),
            Event::Body { chunk } => self.body(chunk),
            Event::EndOfMessage { macros } => self.end_of_message(macros),
            Event::Data { macros } => {
                if let Some(message) = &mut self.message {
                    message.note_queue_id(macros);
                }
                Reply::Continue.into()
            }
            Event::Abort | Event::Close => {
                self.reset_transaction();
                Reply::Continue.into()
            }
            Event::Unknown { .. } => Reply::Continue.into(),
        }
    }
}

impl Connection for Session {
    fn on_completed(&mut self, completion: Completion) -> Delivery {
        let progress = self.pipeline.completed(completion);
        self.delivery(progress)
    }

    fn deadline(&self) -> Option<Instant> {
        self.pipeline.deadline()
    }

    fn on_deadline(&mut self, now: Instant) -> Option<Response> {
        let progress = self.pipeline.expired(now);
        self.delivery(progress).response()
    }

    fn publish(&mut self) {
        for outcome in self.outcomes.drain(..) {
            self.engine.publish(&outcome);
        }
    }

    fn in_transaction(&self) -> bool {
        self.message.is_some() || self.held.is_some()
    }
}

/// `{client_addr}`, for an MTA that names an address family we do not know.
fn client_address(macros: &Macros) -> ClientAddress {
    let address = macros
        .text("client_addr")
        .and_then(|text| text.parse().ok());
    address.map_or(ClientAddress::Unknown, ClientAddress::Ip)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// RFC 5321 §4.5.3.1.10: 452, and the client sends the rest in another transaction.
fn too_many_recipients() -> Response {
    let code = ReplyCode::new(452).unwrap_or(ReplyCode::TRY_AGAIN);
    let enhanced = EnhancedStatusCode {
        subject: 5,
        detail: 3,
    };
    let text = "Too many recipients in one transaction";
    answer::reply(&SmtpReply::new(code, enhanced, text)).into()
}
