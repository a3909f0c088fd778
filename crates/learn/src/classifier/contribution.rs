//! Which words of a message contributed to the logit of an expert, and how far; of the site learner
//! exactly, for a sum has parts.

use std::collections::BTreeMap;

use super::site_learner::SiteLearner;
use super::slots::{
    Copied, FIRST_WINDOW, Line, Section, Slots, each_gram, each_header_word, each_line,
    each_text_word,
};
use super::table_logits::{TableLogits, bounded};
use crate::features::SiteView;
use gatepost_words::bytes;

/// What one word contributed.
#[derive(Clone, Debug, PartialEq)]
pub struct Contribution {
    /// Where it is: `text`, the name of a header field, or of an item of the session (`helo`,
    /// `host`, `ip`, `from`, `rcpt`, `auth`), in lower case.
    pub place: String,
    /// The word, or what is between white space.
    pub word: String,
    /// Its part of the logit: above 0 for spam.
    pub logit: f64,
}

impl SiteLearner {
    /// The parts of the logit of a view, the strongest first. Their sum is the logit, but for
    /// rounding. A slot that is set more than once in a section counts in equal shares for each
    /// time. A 4-gram belongs to the word in which its second byte is (white space belongs to
    /// the word after it), a pair of words to its second word; and as each table's logit is
    /// bounded, so are its parts, all alike. The same word in the same place is listed once.
    pub fn contributions(&self, view: &SiteView) -> Vec<Contribution> {
        let slots = self.slots(view);
        let mut combined = Combined::default();
        self.add_grams(view, &slots, &mut combined);
        self.add_header_words(view, &slots, &mut combined);
        self.add_text_words(view, &slots, &mut combined);
        combined.strongest_first()
    }

    fn add_grams(&self, view: &SiteView, slots: &Slots, combined: &mut Combined) {
        let mut grams = Vec::new();
        each_gram(view, self.settings().bits, |at, slot| {
            grams.push((at + 1, slot));
        });
        let slots = self.section(slots, 0);
        let shares = self.shares(
            view,
            slots,
            self.to_bounded(slots),
            grams.iter().map(|(_, slot)| *slot),
        );
        let words = words(view);
        let mut logits = vec![0.0; words.len()];
        let mut word = 0;
        for (at, slot) in grams {
            while words.get(word + 1).is_some_and(|next| next.from <= at) {
                word += 1;
            }
            if let Some(logit) = logits.get_mut(word) {
                *logit += shares.of(slot);
            }
        }
        for (word, logit) in words.iter().zip(logits) {
            combined.add(&word.place, &word.text, logit);
        }
    }

    fn add_header_words(&self, view: &SiteView, slots: &Slots, combined: &mut Combined) {
        let mut words = Vec::new();
        each_header_word(view, self.settings().bits, |word| words.push(word));
        let slots = self.section(slots, 1);
        let set = words.iter().flat_map(|word| [word.alone, word.with_last]);
        let shares = self.shares(view, slots, self.to_bounded(slots), set);
        for word in words {
            let place = String::from_utf8_lossy(word.field).to_lowercase();
            let logit = shares.of(word.alone) + shares.of(word.with_last);
            combined.add(&place, &String::from_utf8_lossy(word.text), logit);
        }
    }

    fn add_text_words(&self, view: &SiteView, slots: &Slots, combined: &mut Combined) {
        let mut logits = TableLogits::default();
        for (section, slots) in slots
            .sections(self.settings().bits)
            .filter(|(section, _)| *section >= FIRST_WINDOW)
        {
            logits.add(section, self.logit(slots));
        }
        // What each window counts in the bounded logit of the text.
        let text = logits.text();
        let share = if text == 0.0 {
            0.0
        } else {
            bounded(text) / text / logits.windows()
        };
        let mut words = Vec::new();
        each_text_word(view, self.settings().bits, |section, word| {
            words.push((section, word));
        });
        for words in words.chunk_by(|(a, _), (b, _)| a == b) {
            let section = words.first().map_or(0, |(section, _)| *section);
            let set = words
                .iter()
                .flat_map(|(_, word)| [word.alone, word.with_last]);
            let shares = self.shares(view, self.section(slots, section), share, set);
            for (_, word) in words {
                let logit = shares.of(word.alone) + shares.of(word.with_last);
                combined.add("text", &String::from_utf8_lossy(word.text), logit);
            }
        }
    }

    fn section<'s>(&self, slots: &'s Slots, wanted: Section) -> &'s [u32] {
        slots
            .sections(self.settings().bits)
            .find(|(section, _)| *section == wanted)
            .map_or(&[], |(_, slots)| slots)
    }

    /// The bounded logit of a section in proportion to its logit.
    fn to_bounded(&self, slots: &[u32]) -> f64 {
        let logit = self.logit(slots);
        if logit == 0.0 {
            0.0
        } else {
            bounded(logit) / logit
        }
    }

    /// What each time that a slot of one section is set adds to the logit, when the section counts
    /// `share` of what it says.
    fn shares<'s>(
        &self,
        view: &SiteView,
        slots: &'s [u32],
        share: f64,
        set: impl Iterator<Item = u32>,
    ) -> Shares<'s> {
        let copy = Copied::of(view, self.settings());
        let mut times = vec![0.0_f64; slots.len()];
        for slot in set
            .flat_map(|slot| [Some(slot), copy.as_ref().map(|copy| copy.slot(slot))])
            .flatten()
        {
            if let Some(times) = slots
                .binary_search(&slot)
                .ok()
                .and_then(|index| times.get_mut(index))
            {
                *times += 1.0;
            }
        }
        let sum: f64 = slots.iter().map(|slot| self.weight(*slot)).sum();
        let scale = if sum == 0.0 {
            0.0
        } else {
            share * self.logit(slots) / sum
        };
        let part = |(slot, times): (&u32, f64)| scale * self.weight(*slot) / times.max(1.0);
        let parts = slots.iter().zip(times).map(part).collect();
        Shares { slots, parts, copy }
    }
}

/// Adds up the contributions of the same word in the same place.
#[derive(Debug, Default)]
pub(super) struct Combined(BTreeMap<(String, String), f64>);

impl Combined {
    /// Adds one part.
    pub(super) fn add(&mut self, place: &str, word: &str, logit: f64) {
        *self
            .0
            .entry((place.to_owned(), word.to_owned()))
            .or_default() += logit;
    }

    /// The sums, the strongest first.
    pub(super) fn strongest_first(self) -> Vec<Contribution> {
        let one = |((place, word), logit)| Contribution { place, word, logit };
        let mut contributions: Vec<Contribution> = self.0.into_iter().map(one).collect();
        contributions.sort_by(|a, b| b.logit.abs().total_cmp(&a.logit.abs()));
        contributions
    }
}

/// The slots of one table and what each adds.
struct Shares<'s> {
    slots: &'s [u32],
    parts: Vec<f64>,
    copy: Option<Copied>,
}

impl Shares<'_> {
    /// Of a slot and of its second one in the copy of the domain.
    fn of(&self, slot: u32) -> f64 {
        let part = |slot: u32| {
            self.slots
                .binary_search(&slot)
                .ok()
                .and_then(|index| self.parts.get(index))
                .copied()
        };
        let copied = self.copy.as_ref().and_then(|copy| part(copy.slot(slot)));
        part(slot).unwrap_or(0.0) + copied.unwrap_or(0.0)
    }
}

struct Word {
    place: String,
    text: String,
    /// Where it begins, the white space before it included.
    from: usize,
}

/// The words of session and header with their places.
fn words(view: &SiteView) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut end_of_last = 0;
    each_line(
        view,
        |Line {
             field, at: line, ..
         }| {
            let place = String::from_utf8_lossy(field).to_lowercase();
            let mut at = line.start;
            let line = bytes::slice(view.bytes(), line);
            for word in line.split(u8::is_ascii_whitespace) {
                let end = at + word.len();
                if !word.is_empty() {
                    let text = String::from_utf8_lossy(word).into_owned();
                    words.push(Word {
                        place: place.clone(),
                        text,
                        from: end_of_last,
                    });
                    end_of_last = end;
                }
                at = end + 1;
            }
        },
    );
    words
}

#[cfg(test)]
mod tests {
    use super::super::site_settings::SiteSettings;
    use super::*;
    use crate::features::TrustedAuthservIds;

    fn view(raw: &str) -> SiteView {
        SiteView::of_stored(raw.as_bytes(), &TrustedAuthservIds::none())
    }

    fn taught() -> SiteLearner {
        let mut learner = SiteLearner::new(SiteSettings::default());
        for n in 0..20 {
            learner.learn(
                &view(&format!(
                    "Subject: cheap pills {n}\n\nbuy pills pills pills now\n"
                )),
                true,
            );
            learner.learn(
                &view(&format!("Subject: lunch {n}\n\nshall we meet for lunch\n")),
                false,
            );
        }
        learner
    }

    #[test]
    fn the_parts_add_up_to_the_logit() {
        let domains = vec!["one.example".to_owned()];
        let mut learner = SiteLearner::new(SiteSettings {
            domains,
            ..SiteSettings::default()
        });
        let to_one = "Received: from x by mx for <a@one.example>; now\nSubject: lunch\n\nbuy lunch, buy pills\n";
        for n in 0..20 {
            learner.learn(
                &view(&format!(
                    "Subject: cheap pills {n}\n\nbuy pills pills pills now\n"
                )),
                true,
            );
            learner.learn(&view(to_one), false);
        }
        for raw in [
            to_one,
            "Subject: cheap lunch\n\nbuy pills for lunch, pills pills\n",
            "Received: from x\n\tby y\nSubject: folded\n words\n\nbody  with   gaps\n\n\nend",
            "",
            "\n",
            "\n\n\n",
            "a",
            "\u{e4}\u{fc}: x\n\n\u{1f600} \u{0} end",
            &format!(
                "Subject: x\n\n{}buy pills",
                "shall we meet for lunch ".repeat(80)
            ),
        ] {
            let view = view(raw);
            let sum: f64 = learner
                .contributions(&view)
                .iter()
                .map(|part| part.logit)
                .sum();
            assert!(
                (sum - learner.score(&view)).abs() < 1e-9,
                "{raw:?}: {sum} {}",
                learner.score(&view)
            );
        }
    }

    #[test]
    fn words_are_shown_with_their_place_the_strongest_first() {
        let parts = taught().contributions(&view("Subject: cheap pills\n\nlunch and pills\n"));
        let of = |place: &str, word: &str| {
            parts
                .iter()
                .find(|part| (&*part.place, &*part.word) == (place, word))
        };
        assert!(of("text", "pills").unwrap().logit > 0.0);
        assert!(of("text", "lunch").unwrap().logit < 0.0);
        assert!(of("subject", "cheap").is_some() && of("subject", "pills").is_some());
        assert!(parts.is_sorted_by(|a, b| a.logit.abs() >= b.logit.abs()));
    }

    #[test]
    fn words_begin_where_the_one_before_ends() {
        let view = view("Subject: a\n b\nX: c  d\n\n");
        let (words, session) = (words(&view), view.session());
        // The last item of the session is `rcpt`, a space and a line end.
        let of_header = words.iter().filter(|word| word.from + 2 >= session);
        let found: Vec<_> = of_header
            .map(|word| (&*word.place, &*word.text, word.from + 2 - session))
            .collect();
        assert_eq!(
            found,
            [
                ("subject", "Subject:", 0),
                ("subject", "a", 10),
                ("subject", "b", 12),
                ("x", "X:", 15),
                ("x", "c", 18),
                ("x", "d", 20)
            ]
        );
    }
}
