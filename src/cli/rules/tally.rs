//! Counting which rules hit which kind of mail.

use super::judge::{Found, Standing};
use super::label::Label;

/// A count for each label.
pub(super) type ByLabel = [usize; Label::ALL.len()];

/// What was counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Messages.
    pub(super) messages: ByLabel,
    /// Messages that are at least marked, at least held, refused: by the points of the rules alone.
    pub(super) marked: ByLabel,
    /// Likewise, at least held.
    pub(super) held: ByLabel,
    /// Likewise, refused.
    pub(super) refused: ByLabel,
    /// Messages that each rule hit, by its number.
    hits: Vec<ByLabel>,
    /// The rules that hit each mail, for those who compare rules with each other.
    pub(super) lists: Vec<Vec<usize>>,
}

fn count(counts: &mut ByLabel, label: Label, by: bool) {
    if let Some(count) = counts.get_mut(label as usize) {
        *count += usize::from(by);
    }
}

impl Tally {
    /// Counts one mail; with `keep` its list of rules is kept.
    pub(super) fn add(&mut self, label: Label, found: &Found, keep: bool) {
        count(&mut self.messages, label, true);
        count(&mut self.marked, label, found.standing >= Standing::Marked);
        count(&mut self.held, label, found.standing >= Standing::Held);
        count(
            &mut self.refused,
            label,
            found.standing >= Standing::Refused,
        );
        // The hits are in ascending order: the last one is the highest.
        if let Some(highest) = found
            .hits
            .last()
            .filter(|highest| **highest >= self.hits.len())
        {
            self.hits.resize(highest + 1, ByLabel::default());
        }
        for number in &found.hits {
            if let Some(counts) = self.hits.get_mut(*number) {
                count(counts, label, true);
            }
        }
        if keep {
            self.lists.push(found.hits.clone());
        }
    }

    /// How many messages of each label the rule of that number hit.
    pub(super) fn hits(&self, number: usize) -> ByLabel {
        self.hits.get(number).copied().unwrap_or_default()
    }

    /// All messages.
    pub(super) fn total(&self) -> usize {
        self.messages.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepost_words::verdict::Score;

    fn found(hits: &[usize], standing: Standing) -> Found {
        Found {
            hits: hits.to_vec(),
            score: Score::ZERO,
            standing,
        }
    }

    #[test]
    fn messages_are_counted_by_label_and_rule() {
        let messages = [
            (Label::Spam, found(&[0, 2], Standing::Refused)),
            (Label::Spam, found(&[2], Standing::Marked)),
            (Label::Ham, found(&[], Standing::Accepted)),
            (Label::Ham, found(&[2], Standing::Held)),
            (Label::Unlabelled, found(&[1], Standing::Accepted)),
        ];
        let mut all = Tally::default();
        for (label, found) in &messages {
            all.add(*label, found, false);
        }
        assert_eq!(
            (all.messages, all.marked, all.held, all.refused),
            ([2, 2, 1], [2, 1, 0], [1, 1, 0], [1, 0, 0])
        );
        assert_eq!(
            (all.hits(0), all.hits(1), all.hits(2), all.hits(3)),
            ([1, 0, 0], [0, 0, 1], [2, 1, 0], [0, 0, 0])
        );
        assert_eq!(all.total(), 5);
    }
}
