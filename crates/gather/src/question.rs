//! What can be asked of the world, what comes back, and who answers.

use std::net::IpAddr;
use std::time::Instant;

use gatepost_mail::{ClientNames, Facts};
use gatepost_words::fact::{Cause, Fact};

/// One question about the world.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Question {
    /// The names of a client address in the reverse DNS, and which of them the forward DNS
    /// confirms (RFC 8601 §2.7.3, `iprev`).
    ClientNames(IpAddr),
}

/// The answer to a [`Question`] of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To [`Question::ClientNames`].
    ClientNames(Fact<ClientNames>),
}

impl Answer {
    /// That `question` has no answer, and why.
    pub fn unknown(question: &Question, cause: Cause) -> Self {
        match question {
            Question::ClientNames(_) => Self::ClientNames(Fact::Unknown(cause)),
        }
    }

    /// Puts the answer in its place among the facts.
    pub fn enter(self, facts: &mut Facts) {
        match self {
            Self::ClientNames(names) => facts.client_names = names,
        }
    }
}

/// Receives the answers to one request: to each question one, in the order of the questions.
pub type Done = Box<dyn FnOnce(Vec<(Question, Answer)>) + Send>;

/// Answers questions.
pub trait Gather: Send + Sync {
    /// Asks `questions` and returns immediately. `done` is called exactly once, from any thread
    /// (also from the calling one, before this returns), at `deadline` at the latest: what is not
    /// known by then is `Unknown(Timeout)`. It must not block.
    fn ask(&self, questions: Vec<Question>, deadline: Instant, done: Done);
}
