//! `score` lines: one number, or four for the four score sets; in parentheses they are added to
//! what was said before.

use super::lines::first_word;
use gatepost_words::bytes;

/// How many score sets there are: local, network, Bayes, network and Bayes.
pub(crate) const SETS: usize = 4;

/// The scores of one rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ScoreSets([f64; SETS]);

/// A `score` line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ScoreLine {
    scores: [f64; SETS],
    /// To be added to the scores so far.
    pub(crate) relative: bool,
}

/// What is wrong with a `score` line, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadScore {
    pub(crate) message: String,
    pub(crate) span: std::ops::Range<usize>,
}

impl ScoreSets {
    /// The score in a set; out of range it is the local one.
    pub(crate) fn get(self, set: usize) -> f64 {
        self.0
            .get(set)
            .or(self.0.first())
            .copied()
            .unwrap_or_default()
    }
}

impl ScoreLine {
    /// Reads what is after the name of the rule.
    pub(crate) fn parse(text: &str) -> Result<Self, BadScore> {
        let (mut numbers, mut relative, mut offset) = (Vec::new(), false, 0);
        while let (word, next, _) = first_word(bytes::skip_str(text, offset))
            && !word.is_empty()
        {
            let inner = word
                .strip_prefix('(')
                .and_then(|word| word.strip_suffix(')'));
            let number = inner
                .unwrap_or(word)
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite());
            let span = offset..offset + word.len();
            let Some(number) = number else {
                return Err(BadScore {
                    message: format!("invalid score `{word}`"),
                    span,
                });
            };
            if numbers.len() == SETS {
                return Err(BadScore {
                    message: "a rule has one score, or four".to_owned(),
                    span,
                });
            }
            relative |= inner.is_some();
            numbers.push(number);
            offset += next;
        }
        let scores = match numbers.as_slice() {
            [score] => [*score; SETS],
            [local, network, bayes, both] => [*local, *network, *bayes, *both],
            _ => {
                return Err(BadScore {
                    message: "a rule has one score, or four".to_owned(),
                    span: 0..text.len(),
                });
            }
        };
        Ok(Self { scores, relative })
    }

    /// The scores, on top of those so far if the line is relative; `None` when there are none to
    /// add to.
    pub(crate) fn over(self, before: Option<ScoreSets>) -> Option<ScoreSets> {
        if !self.relative {
            return Some(ScoreSets(self.scores));
        }
        let mut sum = before?;
        sum.0
            .iter_mut()
            .zip(self.scores)
            .for_each(|(old, more)| *old += more);
        Some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::ScoreLine;

    #[test]
    fn lines_are_read() {
        for (text, wanted) in [
            ("2", Some(([2.0; 4], false))),
            ("1 2 3 -4.5", Some(([1.0, 2.0, 3.0, -4.5], false))),
            ("(1)", Some(([1.0; 4], true))),
            ("(1) (0) 2 (3)", Some(([1.0, 0.0, 2.0, 3.0], true))),
            ("1 2", None),
            ("1 2 3", None),
            ("1 2 3 4 5", None),
            ("", None),
            ("x", None),
            ("inf", None),
        ] {
            let found = ScoreLine::parse(text)
                .ok()
                .map(|line| (line.scores, line.relative));
            assert_eq!(found, wanted, "{text}");
        }
    }

    #[test]
    fn relative_scores_add_up_set_by_set() {
        let line = |text| ScoreLine::parse(text).unwrap();
        let first = line("1 2 3 4").over(None);
        let sum = line("(3) (0) (3) (0)").over(first).unwrap();
        assert_eq!(
            [0, 1, 2, 3, 9].map(|set| sum.get(set).to_string()),
            ["4", "2", "6", "4", "4"]
        );
        assert_eq!(line("7").over(first).unwrap().get(1).to_string(), "7");
        assert_eq!(line("(1)").over(None), None);
    }
}
