//! The last line of `gatepost learn`: how many of each outcome.

use std::fmt::Write as _;

use gatepost_learn::learning::Outcome;
use gatepost_reader::Unread;
use gatepost_words::Class;

/// How many of each.
#[derive(Debug, Default)]
pub(super) struct Summary {
    learned: usize,
    relearned: usize,
    already: usize,
    retracted: usize,
    unchanged: usize,
    failed: usize,
    not_messages: usize,
    passed_over: usize,
}

impl Summary {
    /// Counts a message.
    pub(super) fn outcome(&mut self, outcome: Outcome) {
        let count = match outcome {
            Outcome::Learned => &mut self.learned,
            Outcome::Relearned(_) => &mut self.relearned,
            Outcome::Already => &mut self.already,
            Outcome::Unlearned => &mut self.retracted,
            Outcome::Unknown | Outcome::OtherLabel(_) => &mut self.unchanged,
        };
        *count += 1;
    }

    /// Counts what is not a message, or could not be read.
    pub(super) fn unread(&mut self, why: &Unread) {
        match why {
            Unread::Failed(_) => self.failed += 1,
            Unread::NotAMessage(_) => self.not_messages += 1,
            Unread::PassedOver(_) => self.passed_over += 1,
            Unread::Nothing(_) => {}
        }
    }

    /// The line; what did not happen is left out.
    pub(super) fn line(&self, class: Class) -> String {
        let messages =
            self.learned + self.relearned + self.already + self.retracted + self.unchanged;
        let mut line = match messages {
            1 => "1 message".to_owned(),
            count => format!("{count} messages"),
        };
        let parts = [
            (self.learned, format!("learned as {class}")),
            (
                self.relearned,
                format!("learned as {class} instead of another label"),
            ),
            (self.already, "known already".to_owned()),
            (self.retracted, format!("no longer {class}")),
            (self.unchanged, "left as they were".to_owned()),
        ];
        let mut separator = ": ";
        for (count, what) in parts.iter().filter(|(count, _)| *count > 0) {
            write!(line, "{separator}{count} {what}").unwrap_or_default();
            separator = ", ";
        }
        let others = [
            (self.failed, "not readable"),
            (self.not_messages, "not messages"),
            (self.passed_over, "passed over"),
        ];
        let mut separator = "; ";
        for (count, what) in others.iter().filter(|(count, _)| *count > 0) {
            write!(line, "{separator}{what}: {count}").unwrap_or_default();
            separator = ", ";
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_happen_is_left_out() {
        let mut summary = Summary::default();
        assert_eq!(summary.line(Class::Spam), "0 messages");
        summary.outcome(Outcome::Learned);
        assert_eq!(summary.line(Class::Spam), "1 message: 1 learned as spam");
        summary.outcome(Outcome::Already);
        summary.unread(&Unread::NotAMessage(String::new()));
        summary.unread(&Unread::PassedOver(String::new()));
        let expected =
            "2 messages: 1 learned as spam, 1 known already; not messages: 1, passed over: 1";
        assert_eq!(summary.line(Class::Spam), expected);
    }
}
