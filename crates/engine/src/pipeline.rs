//! The pipeline of one SMTP session: at each of the six stages plan, gather, judge.
//!
//! This is the page to read first. What happens at a stage is one story, the same for CONNECT, HELO,
//! MAIL, RCPT, the end of the headers and the end of the message:
//!
//! 1. **plan** — [`gatepost_gather::plan`], pure: which questions does this stage raise? Each is
//!    raised at the earliest stage that knows all of it.
//! 2. **gather** — the questions are started, with a deadline; nothing waits yet. The first stage
//!    that judges with facts awaits what is still open ([`Generation::awaits_facts`]). So the names
//!    of a client, asked for at CONNECT, come in while it greets and names sender and recipients,
//!    and most messages never wait for them.
//! 3. **judge** — the early stages look something up and answer inline, without another thread; a
//!    header or a message goes to the pool ([`super::pool`]).
//! 4. **commit** — what must be durable before the answer is written by threads of its own
//!    ([`Pipeline::commit`], [`super::commit`]).
//! 5. **reply**, **publish** — the session turns the decision into what this MTA can do, and hands
//!    the [`Outcome`] to the publisher once the answer is written.
//!
//! [`Pipeline::begin`] gives the outcome of a stage [`Begun::Now`], or [`Begun::Later`]; then the
//! outcome comes from [`Pipeline::completed`], with a report of another thread, or from
//! [`Pipeline::expired`], when the time is up. A session waits for one stage at a time, since an
//! MTA does. The one who promises a time owns the timer: [`Pipeline::deadline`] holds whether the other
//! thread ever reports or not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::gathering::Gathering;
use super::outcome::{Completion, Judged, Notify, Report, Ticket};
use super::pool::Job;
use super::{Engine, Generation, Outcome, ReceivedMail, connect, helo, mail_from, rcpt_to};
use gatepost_mail::{Facts, Mailbox, Transaction};
use gatepost_records::MessageSummary;
use gatepost_words::verdict::Verdict;
use gatepost_words::{Fault, Stage};

/// A point in the session at which the engine is asked, with what is new there.
#[derive(Clone, Debug)]
pub enum Point {
    /// A client connected.
    Connect,
    /// It greeted.
    Helo,
    /// It named a sender.
    MailFrom,
    /// It named this recipient, which is not part of the transaction yet.
    RcptTo(Mailbox),
    /// The header is complete.
    EndOfHeaders(Arc<ReceivedMail>),
    /// The message is complete.
    EndOfMessage(Arc<ReceivedMail>),
}

impl Point {
    /// The stage that it belongs to.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Connect => Stage::Connect,
            Self::Helo => Stage::Helo,
            Self::MailFrom => Stage::MailFrom,
            Self::RcptTo(_) => Stage::RcptTo,
            Self::EndOfHeaders(_) => Stage::EndOfHeaders,
            Self::EndOfMessage(_) => Stage::EndOfMessage,
        }
    }
}

/// One stage to go through.
#[derive(Clone, Debug)]
pub struct Work {
    /// Where the session is.
    pub point: Point,
    /// Under which rules, model, policy and limits.
    pub generation: Arc<Generation>,
    /// The SMTP side, as far as it is known.
    pub transaction: Arc<Transaction>,
}

/// A stage that was judged, or could not be.
#[derive(Debug)]
pub struct Ended {
    /// What was to be done.
    pub work: Work,
    /// The verdict; `None` where nothing speaks against going on.
    pub result: Result<Option<Verdict>, Fault>,
    /// The facts that it was judged with.
    pub facts: Facts,
    /// Its digest and the fields that are recorded; only of a whole message that was judged.
    pub summary: Option<MessageSummary>,
    /// How long facts were waited for.
    pub gathering: Duration,
    /// How long a worker judged.
    pub judging: Duration,
}

/// How a stage begins.
#[derive(Debug)]
pub enum Begun {
    /// It is over already.
    Now(Box<Ended>),
    /// Its outcome comes later; until then the MTA waits.
    Later,
}

/// What a report, or the time, brought.
#[derive(Debug)]
pub enum Progress {
    /// The stage that the session waited for is over.
    Over(Box<Ended>),
    /// The outcome that the session committed is durable, or could not be made so.
    Committed(Result<(), Fault>),
    /// Something was learned; nothing is to be answered now.
    Noted,
    /// Nothing waits for that report any more.
    Late,
}

/// The pipeline of one connection.
pub struct Pipeline {
    engine: Arc<Engine>,
    notify: Arc<dyn Notify>,
    gathering: Gathering,
    waiting: Option<Waiting>,
    /// The outcome that is being made durable, and when its answer is due.
    committing: Option<(Ticket, Instant)>,
    last_ticket: Ticket,
}

/// The stage that the MTA waits for.
struct Waiting {
    work: Work,
    began: Instant,
    /// When the stage ends in a fault.
    deadline: Instant,
    act: Act,
}

/// What it waits for.
enum Act {
    /// Facts; after `until` it goes on without them.
    Gather { until: Instant },
    /// A worker.
    Judge {
        ticket: Ticket,
        cancelled: Arc<AtomicBool>,
        gathering: Duration,
    },
}

impl Pipeline {
    /// For one connection; other threads report to `notify`.
    pub fn new(engine: Arc<Engine>, notify: Arc<dyn Notify>) -> Self {
        Self {
            engine,
            notify,
            gathering: Gathering::default(),
            waiting: None,
            committing: None,
            last_ticket: 0,
        }
    }

    /// Whether the MTA waits for a stage.
    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some() || self.committing.is_some()
    }

    /// What is known of the client.
    pub fn facts(&self) -> &Facts {
        self.gathering.facts()
    }

    /// Another client: nothing is known of it.
    pub fn forget_client(&mut self) {
        self.cancel();
        self.gathering = Gathering::default();
    }

    /// The MTA does not wait any more: a worker may stop. Facts stay, and so do open questions.
    pub fn cancel(&mut self) {
        self.committing = None;
        let waiting = self.waiting.take();
        if let Some(Act::Judge { cancelled, .. }) = waiting.map(|waiting| waiting.act) {
            cancelled.store(true, Ordering::Relaxed);
        }
    }

    /// Goes through one stage.
    pub fn begin(&mut self, work: Work) -> Begun {
        let began = self.engine.clock().now();
        self.gather(&work, began);
        let stage = work.point.stage();
        let deadline = began + self.engine.deadline();
        if self.gathering.is_open() && work.generation.awaits_facts(stage) {
            // Facts may take half of the time at most: judging without them is better than no
            // verdict.
            let until = began + self.engine.deadline() / 2;
            let act = Act::Gather { until };
            self.waiting = Some(Waiting {
                work,
                began,
                deadline,
                act,
            });
            return Begun::Later;
        }
        self.judge(work, began, deadline)
    }

    /// Makes an outcome durable before its answer: [`Progress::Committed`] comes later.
    ///
    /// # Errors
    ///
    /// Where the queue is full.
    pub fn commit(&mut self, outcome: &Arc<Outcome>) -> Result<(), Fault> {
        self.last_ticket += 1;
        let ticket = self.last_ticket;
        let due = self.engine.commit(ticket, outcome, &self.notify)?;
        self.committing = Some((ticket, due));
        Ok(())
    }

    /// Takes the report of another thread.
    pub fn completed(&mut self, completion: Completion) -> Progress {
        let Completion { ticket, report } = completion;
        match report {
            Report::Gathered(answers) => {
                if !self.gathering.enter(ticket, answers) {
                    return Progress::Late;
                }
                self.resume()
            }
            Report::Judged(judged) => self.judged(ticket, *judged),
            Report::Committed(result) => {
                let commits = |(awaited, _): &mut (Ticket, Instant)| *awaited == ticket;
                match self.committing.take_if(commits) {
                    Some(_) => Progress::Committed(result),
                    None => Progress::Late,
                }
            }
        }
    }

    /// When [`Self::expired`] has something to do, whatever other threads do.
    pub fn deadline(&self) -> Option<Instant> {
        if let Some((_, due)) = self.committing {
            return Some(due);
        }
        let waiting = self.waiting.as_ref()?;
        let due = match waiting.act {
            Act::Gather { until } => self.gathering.due().map_or(until, |due| due.min(until)),
            Act::Judge { .. } => waiting.deadline,
        };
        Some(due.min(waiting.deadline))
    }

    /// Looks at the time: what was not answered by now is not waited for.
    pub fn expired(&mut self, now: Instant) -> Progress {
        if self.committing.take_if(|(_, due)| *due <= now).is_some() {
            return Progress::Committed(Err(Fault::Commit));
        }
        let Some(waiting) = &self.waiting else {
            return Progress::Noted;
        };
        match &waiting.act {
            Act::Gather { until } if *until <= now => self.gathering.give_up(),
            Act::Gather { .. } => self.gathering.expire(now),
            Act::Judge { .. } if waiting.deadline <= now => return self.out_of_time(),
            Act::Judge { .. } => return Progress::Noted,
        }
        self.resume()
    }

    /// Plans, and starts to ask.
    fn gather(&mut self, work: &Work, now: Instant) {
        self.gathering.expire(now);
        let Some(gather) = self.engine.gather() else {
            return;
        };
        let settings = work.generation.gather();
        let stage = work.point.stage();
        let questions = gatepost_gather::plan(stage, &work.transaction, &settings.wanted);
        if questions.is_empty() {
            return;
        }
        self.last_ticket += 1;
        let due = now + settings.timeout;
        let gather = Arc::clone(gather);
        self.gathering
            .ask(&*gather, questions, self.last_ticket, due, &self.notify);
    }

    /// Goes on with the stage that waits for facts, if all of them are there.
    fn resume(&mut self) -> Progress {
        if self.gathering.is_open() {
            return Progress::Noted;
        }
        let gathers = |waiting: &mut Waiting| matches!(waiting.act, Act::Gather { .. });
        let Some(waiting) = self.waiting.take_if(gathers) else {
            return Progress::Noted;
        };
        match self.judge(waiting.work, waiting.began, waiting.deadline) {
            Begun::Now(ended) => Progress::Over(ended),
            Begun::Later => Progress::Noted,
        }
    }

    /// Judges with the facts that are there: the early stages inline, a message in the pool.
    fn judge(&mut self, work: Work, began: Instant, deadline: Instant) -> Begun {
        let (generation, transaction) = (&*work.generation, &*work.transaction);
        let listener = &*transaction.listener;
        let verdict = match &work.point {
            Point::Connect => connect(generation, listener, &transaction.client),
            Point::Helo => {
                let name = transaction.helo.as_deref();
                name.and_then(|name| helo(generation, listener, name))
            }
            Point::MailFrom => mail_from(generation, listener, &transaction.envelope.reverse_path),
            Point::RcptTo(mailbox) => rcpt_to(generation, listener, mailbox),
            Point::EndOfHeaders(mail) | Point::EndOfMessage(mail) => {
                let mail = Arc::clone(mail);
                return self.submit(work, mail, began, deadline);
            }
        };
        Begun::Now(Box::new(self.ended(work, Ok(verdict))))
    }

    fn submit(
        &mut self,
        work: Work,
        mail: Arc<ReceivedMail>,
        began: Instant,
        deadline: Instant,
    ) -> Begun {
        self.last_ticket += 1;
        let ticket = self.last_ticket;
        let cancelled = Arc::new(AtomicBool::new(false));
        let job = Job {
            ticket,
            stage: work.point.stage(),
            generation: Arc::clone(&work.generation),
            mail,
            facts: self.gathering.facts().clone(),
            deadline,
            cancelled: Arc::clone(&cancelled),
            notify: Arc::clone(&self.notify),
        };
        if let Err(fault) = self.engine.submit(job) {
            return Begun::Now(Box::new(self.ended(work, Err(fault))));
        }
        let gathering = self.engine.clock().now().saturating_duration_since(began);
        let act = Act::Judge {
            ticket,
            cancelled,
            gathering,
        };
        self.waiting = Some(Waiting {
            work,
            began,
            deadline,
            act,
        });
        Begun::Later
    }

    fn judged(&mut self, ticket: Ticket, judged: Judged) -> Progress {
        let waits = |waiting: &mut Waiting| match &waiting.act {
            Act::Judge {
                ticket: awaited, ..
            } => *awaited == ticket,
            Act::Gather { .. } => false,
        };
        let Some(waiting) = self.waiting.take_if(waits) else {
            return Progress::Late;
        };
        let Act::Judge { gathering, .. } = waiting.act else {
            return Progress::Late;
        };
        Progress::Over(Box::new(Ended {
            work: waiting.work,
            result: judged.result.map(Some),
            facts: judged.facts,
            summary: judged.summary,
            gathering,
            judging: judged.elapsed,
        }))
    }

    /// No worker was done in time.
    fn out_of_time(&mut self) -> Progress {
        let Some(waiting) = self.waiting.take() else {
            return Progress::Noted;
        };
        if let Act::Judge { cancelled, .. } = &waiting.act {
            cancelled.store(true, Ordering::Relaxed);
        }
        let ended = self.ended(waiting.work, Err(Fault::Deadline));
        Progress::Over(Box::new(ended))
    }

    fn ended(&self, work: Work, result: Result<Option<Verdict>, Fault>) -> Ended {
        Ended {
            work,
            result,
            facts: self.gathering.facts().clone(),
            gathering: Duration::ZERO,
            summary: None,
            judging: Duration::ZERO,
        }
    }
}

#[cfg(test)]
#[path = "pipeline_tests.rs"]
mod tests;
