//! Which words of a mail pushed the site learner, and how far: exactly, for a sum has parts.

use std::collections::BTreeMap;

use super::SiteLearner;
use crate::features::MilterView;

/// What one word pushed.
#[derive(Clone, Debug, PartialEq)]
pub struct Contribution {
    /// Where it stands: `body`, the name of a header field, or of an item of the session (`helo`, `host`, `ip`, `from`,
    /// `rcpt`, `auth`), in lower case.
    pub place: String,
    /// The word, or whatever stands between white space.
    pub word: String,
    /// Its part of the logit: above 0 for spam.
    pub logit: f64,
}

impl SiteLearner {
    /// The parts of the logit of a view, the strongest first. Their sum is the logit, but for rounding: each 4-gram counts
    /// once, in equal shares where it stands more often, and belongs to the word in which its second byte lies (white space
    /// belongs to the word behind it). The same word in the same place is told once.
    pub fn contributions(&self, view: &MilterView) -> Vec<Contribution> {
        let slots = self.slots(view);
        let slots = slots.numbers();
        let mut times = vec![0.0_f64; slots.len()];
        let mut grams = Vec::new();
        self.each_gram(view, |at, slot| {
            if let Ok(index) = slots.binary_search(&slot)
                && let Some(times) = times.get_mut(index)
            {
                *times += 1.0;
                grams.push((at + 1, index));
            }
        });
        let words = words(view.bytes());
        let mut logits = vec![0.0; words.len()];
        let mut word = 0;
        for (at, index) in grams {
            while words.get(word + 1).is_some_and(|next| next.from <= at) {
                word += 1;
            }
            let weight = slots.get(index).and_then(|slot| self.weights().get(*slot as usize));
            if let (Some(logit), Some(weight), Some(times)) = (logits.get_mut(word), weight, times.get(index)) {
                *logit += f64::from(*weight) / times;
            }
        }
        let mut together: BTreeMap<(String, String), f64> = BTreeMap::new();
        for (word, logit) in words.into_iter().zip(logits) {
            *together.entry((word.place, word.text)).or_default() += logit;
        }
        let told = |((place, word), logit)| Contribution { place, word, logit };
        let mut contributions: Vec<Contribution> = together.into_iter().map(told).collect();
        contributions.sort_by(|a, b| b.logit.abs().total_cmp(&a.logit.abs()));
        contributions
    }
}

struct Word {
    place: String,
    text: String,
    /// Where it begins, the white space before it included.
    from: usize,
}

/// The words of a view with the places where they stand.
fn words(bytes: &[u8]) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut place = String::new();
    let mut in_header = true;
    let mut at = 0;
    let mut behind = 0;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        if in_header && line == b"\n" {
            in_header = false;
            "body".clone_into(&mut place);
        } else if in_header && !line.first().is_some_and(u8::is_ascii_whitespace) {
            let end = line.iter().position(|byte| *byte == b':' || byte.is_ascii_whitespace());
            place = String::from_utf8_lossy(line.get(..end.unwrap_or(line.len())).unwrap_or_default()).to_lowercase();
        }
        for word in line.split(u8::is_ascii_whitespace) {
            let end = at + word.len();
            if !word.is_empty() {
                let text = String::from_utf8_lossy(word).into_owned();
                words.push(Word { place: place.clone(), text, from: behind });
                behind = end;
            }
            at = end + 1;
        }
        // The split gives one empty piece behind the line end.
        if line.ends_with(b"\n") {
            at -= 1;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::super::SiteSettings;
    use super::*;
    use crate::features::Trust;

    fn view(raw: &str) -> MilterView {
        MilterView::of_stored(raw.as_bytes(), &Trust::nobody())
    }

    fn taught() -> SiteLearner {
        let mut learner = SiteLearner::new(SiteSettings::default());
        for n in 0..20 {
            learner.learn(&view(&format!("Subject: cheap pills {n}\n\nbuy pills pills pills now\n")), true);
            learner.learn(&view(&format!("Subject: lunch {n}\n\nshall we meet for lunch\n")), false);
        }
        learner
    }

    #[test]
    fn the_parts_add_up_to_the_logit() {
        let learner = taught();
        for raw in [
            "Subject: cheap lunch\n\nbuy pills for lunch, pills pills\n",
            "Received: from x\n\tby y\nSubject: folded\n words\n\nbody  with   gaps\n\n\nend",
            "",
            "\n",
            "\n\n\n",
            "a",
            "\u{e4}\u{fc}: x\n\n\u{1f600} \u{0} end",
        ] {
            let view = view(raw);
            let sum: f64 = learner.contributions(&view).iter().map(|part| part.logit).sum();
            assert!((sum - learner.score(&view)).abs() < 1e-9, "{raw:?}: {sum} {}", learner.score(&view));
        }
    }

    #[test]
    fn words_are_told_with_their_place_the_strongest_first() {
        let parts = taught().contributions(&view("Subject: cheap pills\n\nlunch and pills\n"));
        let of = |place: &str, word: &str| parts.iter().find(|part| (&*part.place, &*part.word) == (place, word));
        assert!(of("body", "pills").unwrap().logit > 0.0);
        assert!(of("body", "lunch").unwrap().logit < 0.0);
        assert!(of("subject", "cheap").is_some() && of("subject", "pills").is_some());
        assert!(parts.is_sorted_by(|a, b| a.logit.abs() >= b.logit.abs()));
    }

    #[test]
    fn words_begin_where_the_one_before_ends() {
        let words = words(b"helo x\nSubject: a\n b\n\nc  d\n");
        let told: Vec<_> = words.iter().map(|word| (&*word.place, &*word.text, word.from)).collect();
        assert_eq!(
            told,
            [
                ("helo", "helo", 0),
                ("helo", "x", 4),
                ("subject", "Subject:", 6),
                ("subject", "a", 15),
                ("subject", "b", 17),
                ("body", "c", 20),
                ("body", "d", 23)
            ]
        );
    }
}
