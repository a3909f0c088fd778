//! A request whose answer is owed: it is given exactly once, whatever happens.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use gatepost_words::fact::Cause;

use crate::{Answer, Done, Question};

/// Questions and the one who waits for the answers. Dropped without an answer (the thread
/// panicked, the resolver was closed) it answers `Unknown(Failed)`.
pub(crate) struct Pending {
    pub(crate) questions: Vec<Question>,
    pub(crate) deadline: Instant,
    done: Option<Done>,
}

impl Pending {
    pub(crate) fn new(questions: Vec<Question>, deadline: Instant, done: Done) -> Self {
        Self {
            questions,
            deadline,
            done: Some(done),
        }
    }

    /// Answers each question in order.
    pub(crate) fn answer(mut self, answers: Vec<Answer>) {
        self.finish(answers);
    }

    /// Answers that nothing is known.
    pub(crate) fn unknown(mut self, cause: Cause) {
        self.finish_unknown(cause);
    }

    fn finish_unknown(&mut self, cause: Cause) {
        let unknown = |question: &Question| Answer::unknown(question, cause);
        let answers = self.questions.iter().map(unknown).collect();
        self.finish(answers);
    }

    fn finish(&mut self, answers: Vec<Answer>) {
        let Some(done) = self.done.take() else {
            return;
        };
        let questions = std::mem::take(&mut self.questions);
        let answered = questions.into_iter().zip(answers).collect();
        // A panic of the one who asked must not take the others with it.
        drop(catch_unwind(AssertUnwindSafe(|| done(answered))));
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.finish_unknown(Cause::Failed);
    }
}
