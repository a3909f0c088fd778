//! One message after scoring.

use gatepost_words::Class;

/// One message after scoring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scored {
    /// What messages are ranked by; finer than the probability near 0 and 1.
    pub(super) score: f64,
    /// The calibrated probability.
    pub(super) probability: f64,
    /// The class, if it is known.
    pub(super) class: Option<Class>,
}

impl Scored {
    /// The binary projection of its class.
    pub(super) fn is_spam(&self) -> Option<bool> {
        self.class.map(Class::is_spam)
    }

    /// A line of [`super::Report::scores`].
    pub(super) fn line(&self, path: &str) -> String {
        let label = match self.is_spam() {
            Some(true) => "spam",
            Some(false) => "ham",
            None => "unlabelled",
        };
        let decision = if self.probability >= 0.5 {
            "spam"
        } else {
            "ham"
        };
        format!("{path}\t{label}\t{}\t{decision}\n", self.score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_scores() {
        for (score, spam, line) in [
            (0.0, Some(true), "a/b.eml\tspam\t0\tspam\n"),
            (-0.25, Some(false), "a/b.eml\tham\t-0.25\tham\n"),
            (1e-9, None, "a/b.eml\tunlabelled\t0.000000001\tspam\n"),
        ] {
            let scored = Scored {
                score,
                probability: 1.0 / (1.0 + (-score).exp()),
                class: spam.map(Class::from_is_spam),
            };
            assert_eq!(scored.line("a/b.eml"), line);
        }
    }
}
