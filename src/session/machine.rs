//! The state machine of one milter connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::answer;
use super::connection::Connection;
use super::incoming::{Incoming, Pending};
use gatepost_engine::{self, Completion, Engine, Generation, Job, Notify, Outcome, Permit};
use gatepost_mail::{Client, ClientAddress, Mailbox, ReversePath, Transaction};
use gatepost_milter::{Event, Macros, MilterHandler, Negotiated, Peer, Reply, Response};
use gatepost_words::Stage;
use gatepost_words::verdict::{Disposition, EnhancedStatusCode, ReplyCode, SmtpReply, Verdict};
use gatepost_words::{FailurePolicy, Fault};

/// One SMTP session as a milter sees it. Without I/O: answers that need the pool come back through
/// [`Connection::on_completed`].
pub struct Session {
    engine: Arc<Engine>,
    notify: Arc<dyn Notify>,
    listener: Arc<str>,
    leading_space: bool,
    body_may_be_skipped: bool,
    may_quarantine: bool,
    client: Client,
    helo: Option<String>,
    tls: Option<String>,
    incoming: Option<Incoming>,
    pending: Option<Pending>,
    tickets: u64,
}

impl Session {
    /// A new connection on `listener`; workers report to `notify`.
    pub fn new(engine: Arc<Engine>, listener: Arc<str>, notify: Arc<dyn Notify>) -> Self {
        Self {
            engine,
            notify,
            listener,
            leading_space: false,
            body_may_be_skipped: false,
            may_quarantine: true,
            client: Client::default(),
            helo: None,
            tls: None,
            incoming: None,
            pending: None,
            tickets: 0,
        }
    }

    fn connect(&mut self, host: &[u8], peer: Peer, macros: &Macros) -> Reply {
        self.forget_mail();
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
        let generation = self.engine.generation();
        let verdict = gatepost_engine::connect(&generation, &self.listener, &self.client);
        self.refuse_or_go_on(verdict, &generation)
    }

    fn greeted(&mut self, name: &[u8], macros: &Macros) -> Reply {
        // A second HELO (after STARTTLS) begins the session anew: RFC 3207 §4.2.
        self.forget_mail();
        let name = lossy(name);
        self.tls = macros.text("tls_version");
        let generation = self.engine.generation();
        let verdict = gatepost_engine::helo(&generation, &self.listener, &name);
        self.helo = Some(name);
        self.refuse_or_go_on(verdict, &generation)
    }

    fn mail_from(&mut self, path: &[u8], macros: &Macros) -> Reply {
        self.forget_mail();
        let authenticated = macros.text("auth_authen");
        let mut transaction = Transaction::new(self.listener.clone(), self.engine.clock().wall());
        transaction.client = self.client.clone();
        transaction.helo.clone_from(&self.helo);
        transaction.tls = macros.text("tls_version").or_else(|| self.tls.clone());
        transaction.envelope.reverse_path = ReversePath::parse(path);
        transaction.queue_id = macros.text("i");
        let is_stranger = authenticated.is_none();
        transaction.authenticated = authenticated;

        let generation = self.engine.generation();
        let permit = Permit::new(self.engine.budget());
        let began = self.engine.clock().now();
        let incoming = Incoming::new(generation.clone(), transaction, permit, began);
        // Refused before work is spent: strangers wait when the machine is short, users who logged
        // in do not.
        if is_stranger && self.engine.is_tight() {
            self.incoming = Some(incoming);
            return self.settle_fault(Fault::Overload, Stage::MailFrom).reply;
        }
        let verdict = gatepost_engine::mail_from(
            &generation,
            &self.listener,
            &incoming.transaction.envelope.reverse_path,
        );
        self.incoming = Some(incoming);
        let refused = verdict.is_some();
        let reply = self.refuse_or_go_on(verdict, &generation);
        if refused {
            self.incoming = None;
        }
        reply
    }

    fn rcpt_to(&mut self, path: &[u8], macros: &Macros) -> Reply {
        let mailbox = Mailbox::parse(path);
        let Some(incoming) = &mut self.incoming else {
            return Reply::Continue;
        };
        note_queue_id(&mut incoming.transaction, macros);
        let recipients_max = incoming.generation.limits().recipients;
        if incoming.transaction.envelope.forward_paths.len() >= recipients_max {
            // RFC 5321 §4.5.3.1.10: 452, and the client sends the rest in another transaction.
            let code = ReplyCode::new(452).unwrap_or(ReplyCode::TRY_AGAIN);
            let enhanced = EnhancedStatusCode {
                subject: 5,
                detail: 3,
            };
            return answer::reply(&SmtpReply::new(
                code,
                enhanced,
                "Too many recipients in one transaction",
            ));
        }
        let generation = incoming.generation.clone();
        let verdict = gatepost_engine::rcpt_to(&generation, &self.listener, &mailbox);
        if verdict.is_none() {
            incoming.transaction.envelope.forward_paths.push(mailbox);
        }
        self.refuse_or_go_on(verdict, &generation)
    }

    fn header(&mut self, name: &[u8], value: &[u8]) -> Reply {
        if let Some(incoming) = &mut self.incoming {
            incoming.add_field(name, value, self.leading_space);
        }
        Reply::Continue
    }

    fn end_of_headers(&mut self, macros: &Macros) -> Reply {
        let Some(incoming) = &mut self.incoming else {
            return Reply::Continue;
        };
        note_queue_id(&mut incoming.transaction, macros);
        incoming.end_header();
        if incoming.fault.is_some() || !incoming.generation.headers_may_decide() {
            return Reply::Continue;
        }
        // A full queue is no reason to defer yet: the end of the message asks again.
        let (generation, transaction) = (incoming.generation.clone(), incoming.transaction.clone());
        let raw = incoming.raw.clone();
        match self.submit(Stage::EndOfHeaders, generation, transaction, raw, None) {
            Ok(()) => Reply::Pending,
            Err(_) => Reply::Continue,
        }
    }

    fn body(&mut self, chunk: &[u8]) -> Reply {
        let Some(incoming) = &mut self.incoming else {
            return Reply::Continue;
        };
        incoming.add_body(chunk);
        if incoming.fault.is_some() && self.body_may_be_skipped {
            Reply::Skip
        } else {
            Reply::Continue
        }
    }

    fn end_of_message(&mut self, macros: &Macros) -> Response {
        let budget = self.engine.budget().clone();
        let Some(incoming) = &mut self.incoming else {
            // An end without a beginning: there is nothing that was looked at, so there is nothing
            // to let pass.
            return answer::deferral(Fault::Cancelled, &self.engine.next_id()).into();
        };
        note_queue_id(&mut incoming.transaction, macros);
        // What is told as elapsed is our own time: from here to the answer, not how long the client
        // took to send.
        incoming.began = self.engine.clock().now();
        incoming.end_header();
        if let Some(fault) = incoming.fault {
            return self.settle_fault(fault, Stage::EndOfMessage);
        }
        let (generation, transaction) = (incoming.generation.clone(), incoming.transaction.clone());
        let raw = std::mem::take(&mut incoming.raw);
        let permit = std::mem::replace(&mut incoming.permit, Permit::new(&budget));
        match self.submit(
            Stage::EndOfMessage,
            generation,
            transaction,
            raw,
            Some(permit),
        ) {
            Ok(()) => Reply::Pending.into(),
            Err(fault) => self.settle_fault(fault, Stage::EndOfMessage),
        }
    }

    fn submit(
        &mut self,
        stage: Stage,
        generation: Arc<Generation>,
        transaction: Transaction,
        raw: Vec<u8>,
        permit: Option<Permit>,
    ) -> Result<(), Fault> {
        self.tickets += 1;
        let cancelled = Arc::new(AtomicBool::new(false));
        let job = Job {
            ticket: self.tickets,
            stage,
            generation,
            transaction,
            raw,
            deadline: self.engine.clock().now() + self.engine.deadline(),
            cancelled: cancelled.clone(),
            notify: self.notify.clone(),
            permit,
        };
        self.engine.submit(job)?;
        let at_end_of_headers = stage == Stage::EndOfHeaders;
        self.pending = Some(Pending {
            ticket: self.tickets,
            cancelled,
            at_end_of_headers,
        });
        Ok(())
    }

    /// Answers a verdict of one of the early stages.
    fn refuse_or_go_on(&mut self, verdict: Option<Verdict>, generation: &Generation) -> Reply {
        let Some(verdict) = verdict.filter(|verdict| verdict.disposition == Disposition::Reject)
        else {
            return Reply::Continue;
        };
        debug_assert_eq!(&verdict.generation, generation.id());
        self.settle_verdict(&verdict).reply
    }

    fn settle_verdict(&mut self, verdict: &Verdict) -> Response {
        let id = self.engine.next_id();
        let now = self.engine.clock().now();
        let deletions = self
            .incoming
            .as_ref()
            .map(Incoming::deletions)
            .unwrap_or_default();
        let response = if verdict.disposition == Disposition::Quarantine && !self.may_quarantine {
            // The MTA did not offer to hold mail: to deliver it all the same would let pass what
            // was to be looked at first.
            answer::deferral(Fault::Cancelled, &id).into()
        } else {
            answer::to_verdict(verdict, &id, deletions)
        };
        let early = self.early_transaction();
        let transaction = self
            .incoming
            .as_ref()
            .map_or(&early, |incoming| &incoming.transaction);
        self.engine.settle(&Outcome {
            id: &id,
            transaction,
            stage: verdict.stage,
            result: Ok(verdict),
            size: self.incoming.as_ref().map_or(0, |incoming| incoming.size),
            elapsed: self
                .incoming
                .as_ref()
                .map(|incoming| now.saturating_duration_since(incoming.began)),
        });
        response
    }

    fn settle_fault(&mut self, fault: Fault, stage: Stage) -> Response {
        let id = self.engine.next_id();
        let now = self.engine.clock().now();
        let incoming = self.incoming.take();
        let generation = incoming
            .as_ref()
            .map_or_else(|| self.engine.generation(), |mail| mail.generation.clone());
        // Before the message is there nothing can be held or let pass: only deferring is left.
        let at_end = stage == Stage::EndOfMessage;
        let policy = if at_end {
            generation.profile(&self.listener).on_fault
        } else {
            FailurePolicy::Tempfail
        };
        let deletions = incoming
            .as_ref()
            .map(Incoming::deletions)
            .unwrap_or_default();
        let response = answer::to_fault(fault, policy, &id, deletions);
        let early = self.early_transaction();
        self.engine.settle(&Outcome {
            id: &id,
            transaction: incoming
                .as_ref()
                .map_or(&early, |incoming| &incoming.transaction),
            stage,
            result: Err((fault, policy, generation.id())),
            size: incoming.as_ref().map_or(0, |incoming| incoming.size),
            elapsed: incoming
                .as_ref()
                .map(|incoming| now.saturating_duration_since(incoming.began)),
        });
        response
    }

    /// What is known before MAIL.
    fn early_transaction(&self) -> Transaction {
        let mut transaction = Transaction::new(self.listener.clone(), self.engine.clock().wall());
        transaction.client = self.client.clone();
        transaction.helo.clone_from(&self.helo);
        transaction
    }

    /// Forgets the mail, and tells its worker that nobody waits.
    fn forget_mail(&mut self) {
        if let Some(pending) = self.pending.take() {
            pending.cancelled.store(true, Ordering::Relaxed);
        }
        self.incoming = None;
    }
}

impl MilterHandler for Session {
    fn on_negotiated(&mut self, negotiated: &Negotiated) {
        self.leading_space = negotiated.leading_space;
        self.body_may_be_skipped = negotiated.skip;
        self.may_quarantine = negotiated.may_quarantine();
    }

    fn on_event(&mut self, event: Event<'_>) -> Response {
        let reply = match event {
            Event::Connect { host, peer, macros } => self.connect(host, peer, macros),
            Event::Helo { name, macros } => self.greeted(name, macros),
            Event::MailFrom { path, macros, .. } => self.mail_from(path, macros),
            Event::RcptTo { path, macros, .. } => self.rcpt_to(path, macros),
            Event::Header { name, value } => self.header(name, value),
            Event::EndOfHeaders { macros } => self.end_of_headers(macros),
            Event::Body { chunk } => self.body(chunk),
            Event::EndOfMessage { macros } => return self.end_of_message(macros),
            Event::Data { macros } => {
                if let Some(incoming) = &mut self.incoming {
                    note_queue_id(&mut incoming.transaction, macros);
                }
                Reply::Continue
            }
            Event::Abort | Event::Close => {
                self.forget_mail();
                Reply::Continue
            }
            Event::Unknown { .. } => Reply::Continue,
        };
        reply.into()
    }
}

impl Connection for Session {
    fn on_completed(&mut self, completion: Completion) -> Option<Response> {
        let pending = self
            .pending
            .take_if(|pending| pending.ticket == completion.ticket)?;
        let response = match completion.outcome {
            Ok(verdict)
                if pending.at_end_of_headers && verdict.disposition != Disposition::Reject =>
            {
                return Some(Reply::Continue.into());
            }
            Ok(verdict) => self.settle_verdict(&verdict),
            // The end of the message asks again, and settles the fault if it is still there.
            Err(_) if pending.at_end_of_headers => return Some(Reply::Continue.into()),
            Err(fault) => self.settle_fault(fault, Stage::EndOfMessage),
        };
        self.incoming = None;
        Some(response)
    }

    fn in_transaction(&self) -> bool {
        self.incoming.is_some() || self.pending.is_some()
    }
}

fn note_queue_id(transaction: &mut Transaction, macros: &Macros) {
    if let Some(queue_id) = macros.text("i") {
        transaction.queue_id = Some(queue_id);
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
