//! A message that is judged offline: all that judging reads, owned.

use std::time::UNIX_EPOCH;

use gatepost_words::Stage;

use crate::{Case, Facts, Limits, Message, Transaction};

/// One message with the session in which it came and the facts about it.
#[derive(Clone, Debug)]
pub struct Specimen {
    /// The SMTP side.
    pub transaction: Transaction,
    /// The message as it was received.
    pub raw: Vec<u8>,
    /// What gathering found out.
    pub facts: Facts,
}

impl Specimen {
    /// A message from a file, of which nothing else is known. Its session began at the epoch: no
    /// clock is read, so that the same file always gives the same result.
    pub fn stored(raw: impl Into<Vec<u8>>) -> Self {
        Self {
            transaction: Transaction::new("stored".into(), UNIX_EPOCH),
            raw: raw.into(),
            facts: Facts::default(),
        }
    }

    /// Reads the message.
    pub fn message(&self, limits: &Limits) -> Message<'_> {
        Message::parse(&self.raw, limits)
    }

    /// What the judging rooms look at once the whole message is there. `message` is what
    /// [`Self::message`] gave.
    pub fn case<'a>(&'a self, message: &'a Message<'a>) -> Case<'a> {
        Case {
            stage: Stage::EndOfMessage,
            transaction: &self.transaction,
            message,
            facts: &self.facts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_stored_message_nothing_but_its_bytes_is_known() {
        let specimen = Specimen::stored(*b"Subject: x\n\ny\n");
        let message = specimen.message(&Limits::default());
        let case = specimen.case(&message);
        assert_eq!(case.stage, Stage::EndOfMessage);
        assert_eq!(case.transaction.arrived, UNIX_EPOCH);
        assert!(case.transaction.helo.is_none() && case.transaction.queue_id.is_none());
        assert_eq!(case.message.body(), b"y\n");
        assert_eq!(*case.facts, Facts::default());
    }
}
