//! What one SMTP session knows of the world, and what it has asked and not received yet.
//!
//! A question is settled once: by its answer or by its deadline. An answer that comes later is not
//! used, so that two stages of one session never see two different facts.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::outcome::{Completion, Notify, Report, Ticket};
use gatepost_gather::{Answer, Gather, Question};
use gatepost_mail::Facts;
use gatepost_words::fact::Cause;

/// The facts of one session, and its open questions.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    facts: Facts,
    open: Vec<Request>,
}

/// Questions that were asked together and are not settled.
#[derive(Debug)]
struct Request {
    ticket: Ticket,
    questions: Vec<Question>,
    due: Instant,
}

impl Gathering {
    /// What is known by now.
    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Whether an answer is still to come.
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// When the next question is settled, with or without an answer.
    pub(super) fn due(&self) -> Option<Instant> {
        self.open.iter().map(|request| request.due).min()
    }

    /// Asks; returns immediately. Answers that are known without asking anyone (a cache) count
    /// immediately, the others come to `notify` as [`Report::Gathered`] under `ticket`.
    pub(super) fn ask(
        &mut self,
        gather: &dyn Gather,
        questions: Vec<Question>,
        ticket: Ticket,
        due: Instant,
        notify: &Arc<dyn Notify>,
    ) {
        self.open.push(Request {
            ticket,
            questions: questions.clone(),
            due,
        });
        let desk = Arc::new(Mutex::new(Reply::Asking));
        let (answered, notify) = (Arc::clone(&desk), Arc::clone(notify));
        let done = move |answers| {
            let mut reply = answered.lock().unwrap_or_else(PoisonError::into_inner);
            if matches!(*reply, Reply::Asking) {
                *reply = Reply::AtOnce(answers);
                return;
            }
            drop(reply);
            let report = Report::Gathered(answers);
            notify.completed(Completion { ticket, report });
        };
        gather.ask(questions, due, Box::new(done));
        // An answer that is there before `ask` returns may have been given on this thread, which is
        // the event loop: it must not wait for room in its own queue of reports.
        let mut reply = desk.lock().unwrap_or_else(PoisonError::into_inner);
        if let Reply::AtOnce(answers) = mem::replace(&mut *reply, Reply::Later) {
            self.enter(ticket, answers);
        }
    }

    /// Takes the answers to one request. False where nothing is waiting for them any more.
    pub(super) fn enter(&mut self, ticket: Ticket, answers: Vec<(Question, Answer)>) -> bool {
        let Some(at) = self
            .open
            .iter()
            .position(|request| request.ticket == ticket)
        else {
            return false;
        };
        let request = self.open.swap_remove(at);
        let mut answers = answers;
        for question in request.questions {
            let found = answers.iter().position(|(asked, _)| *asked == question);
            let answer = match found {
                Some(at) => answers.swap_remove(at).1,
                None => Answer::unknown(&question, Cause::Failed),
            };
            answer.enter(&mut self.facts);
        }
        true
    }

    /// Settles what is due by `now`: it timed out.
    pub(super) fn expire(&mut self, now: Instant) {
        let (over, open) = mem::take(&mut self.open)
            .into_iter()
            .partition(|request| request.due <= now);
        self.open = open;
        self.time_out(&over);
    }

    /// Settles everything that is open: it timed out.
    pub(super) fn give_up(&mut self) {
        let over = mem::take(&mut self.open);
        self.time_out(&over);
    }

    fn time_out(&mut self, over: &[Request]) {
        for question in over.iter().flat_map(|request| &request.questions) {
            Answer::unknown(question, Cause::Timeout).enter(&mut self.facts);
        }
    }
}

/// Where the answers to one request are put.
enum Reply {
    /// `ask` has not returned.
    Asking,
    /// They were there before it returned.
    AtOnce(Vec<(Question, Answer)>),
    /// It has returned: they are reported.
    Later,
}
