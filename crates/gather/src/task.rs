//! A question being answered: which look-ups it needs, and what they came to. Without I/O.

use crate::client_names::ClientNamesTask;
use crate::dns::{Lookup, Outcome};
use crate::{Answer, Question};

/// What a task wants next.
#[derive(Debug)]
pub(crate) enum Step {
    /// The results of these.
    Need(Vec<Lookup>),
    /// Results that it has asked for already.
    Wait,
    /// Nothing: this is the answer.
    Done(Answer),
}

/// One question on its way to an answer.
#[derive(Debug)]
pub(crate) enum Task {
    ClientNames(ClientNamesTask),
}

impl Task {
    pub(crate) fn new(question: &Question) -> Self {
        match question {
            Question::ClientNames(address) => Self::ClientNames(ClientNamesTask::new(*address)),
        }
    }

    pub(crate) fn begin(&self) -> Vec<Lookup> {
        match self {
            Self::ClientNames(task) => task.begin(),
        }
    }

    pub(crate) fn answered(&mut self, lookup: &Lookup, outcome: &Outcome) -> Step {
        match self {
            Self::ClientNames(task) => task.answered(lookup, outcome),
        }
    }

    /// The best answer without waiting any longer.
    pub(crate) fn answer(&self) -> Answer {
        match self {
            Self::ClientNames(task) => task.answer(),
        }
    }
}
