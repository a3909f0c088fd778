//! What attackers have at hand: words and texts of ham.

use std::collections::HashMap;

use super::super::random::Random;
use gatepost_mail::{Limits, Message};
use gatepost_words::bytes;

/// Text of ham that attackers paste: words and whole texts.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Good {
    /// Words that are much more frequent in ham than in spam.
    best: Vec<String>,
    /// Any words of ham.
    words: Vec<String>,
    texts: Vec<String>,
    headers: Vec<Vec<u8>>,
}

/// Texts and words that are kept of ham.
const TEXTS: usize = 4_000;
const WORDS: usize = 400_000;
/// Headers that are kept, each of at most so many bytes.
const HEADERS: usize = 500;
const HEADER: usize = 8 << 10;
/// Words that are kept of one ham.
const WORDS_OF_ONE: usize = 60;

impl Good {
    /// Adds the visible text of one ham.
    pub(in super::super) fn add(&mut self, text: &str) {
        let words = text
            .split_whitespace()
            .filter(|word| word.len() >= 3 && word.chars().all(char::is_alphabetic));
        let room = WORDS.saturating_sub(self.words.len()).min(WORDS_OF_ONE);
        self.words.extend(words.take(room).map(str::to_owned));
        if self.texts.len() < TEXTS && text.len() >= 200 {
            self.texts.push(text.to_owned());
        }
    }

    /// Adds the visible texts of one ham.
    pub(in super::super) fn add_mail(&mut self, raw: &[u8]) {
        let message = Message::parse(raw, &Limits::default());
        for text in &message.texts {
            self.add(&text.rendered);
        }
        if self.headers.len() < HEADERS && message.body_start <= HEADER {
            let header = bytes::head(raw, message.body_start);
            self.headers.push(header.to_vec());
        }
    }

    /// Adds the words that are much more frequent in ham than in spam.
    pub(in super::super) fn add_best(&mut self, words: Vec<String>) {
        self.best.extend(words);
    }

    /// Leaves only the best words, as an attacker does who has measured them.
    pub(in super::super) fn keep_best(&mut self) {
        if !self.best.is_empty() {
            self.words.clear();
        }
    }

    /// So many words at random: all from the best, or all from any ham, where there are both.
    pub(super) fn words(&self, count: usize, random: &mut Random) -> String {
        let best = !self.best.is_empty() && (self.words.is_empty() || random.unit() < 0.5);
        let from = if best { &self.best } else { &self.words };
        let words =
            (0..count).filter_map(|_| from.get(random.below(from.len())).map(String::as_str));
        words.collect::<Vec<_>>().join(" ")
    }

    /// The header of one ham; empty where there is none.
    pub(in super::super) fn header(&self, random: &mut Random) -> &[u8] {
        self.headers
            .get(random.below(self.headers.len()))
            .map_or(&[], Vec::as_slice)
    }

    /// So many characters of one ham, or of several where one is too short.
    pub(super) fn passage(&self, characters: usize, random: &mut Random) -> String {
        let mut passage = String::new();
        let mut left = characters;
        while left > 0 {
            let Some(text) = self.texts.get(random.below(self.texts.len())) else {
                break;
            };
            let before = passage.len();
            passage.extend(text.chars().chain(['\n']).take(left));
            left -= bytes::skip_str(&passage, before).chars().count();
        }
        passage
    }
}

/// In how many ham and spam each word is.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct GoodWords(HashMap<String, [usize; 2]>);

impl GoodWords {
    /// Words that attackers use of one collection.
    const MOST: usize = 1_000;
    /// In so many ham a word must be.
    const LEAST: usize = 5;

    /// Counts the words of one mail, each once.
    pub(in super::super) fn add_mail(&mut self, raw: &[u8], spam: bool) {
        let message = Message::parse(raw, &Limits::default());
        let texts = message
            .texts
            .iter()
            .map(|text| text.rendered.to_lowercase())
            .collect::<Vec<_>>()
            .join("\n");
        let mut words: Vec<&str> = texts
            .split(|c: char| !c.is_alphabetic())
            .filter(|word| word.len() > 3)
            .collect();
        words.sort_unstable();
        words.dedup();
        for word in words {
            if let Some(count) = self
                .0
                .entry(word.to_owned())
                .or_default()
                .get_mut(usize::from(spam))
            {
                *count += 1;
            }
        }
    }

    /// The words that speak most for ham.
    #[expect(
        clippy::cast_precision_loss,
        reason = "message counts are far below 2^52"
    )]
    pub(in super::super) fn best(self) -> Vec<String> {
        let often = self
            .0
            .into_iter()
            .filter(|(_, [ham, _])| *ham >= Self::LEAST);
        let mut words: Vec<(f64, String)> = often
            .map(|(word, [ham, spam])| (ham as f64 / (spam as f64 + 1.0), word))
            .collect();
        words.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        words
            .into_iter()
            .take(Self::MOST)
            .map(|(_, word)| word)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passages_are_as_long_as_asked_for() {
        let mut good = Good::default();
        assert_eq!(good.passage(10, &mut Random::new(1)), "");
        good.add(&"wörter ".repeat(60));
        assert_eq!(
            good.passage(1_500, &mut Random::new(1)).chars().count(),
            1_500
        );
        assert_eq!(good.words(7, &mut Random::new(1)).split(' ').count(), 7);
    }

    #[test]
    fn good_words_are_those_of_ham() {
        let mut counts = GoodWords::default();
        for (word, ham, spam) in [
            ("lunch", 9, 0),
            ("meeting", 9, 3),
            ("pills", 5, 50),
            ("rare", 4, 0),
            ("the", 9, 0),
        ] {
            for n in 0..ham + spam {
                counts.add_mail(
                    format!("Subject: x\n\n{word}, {word}!\n").as_bytes(),
                    n >= ham,
                );
            }
        }
        let best = counts.best();
        assert_eq!(best, ["lunch", "meeting", "pills"]);
        let mut good = Good::default();
        good.add("garden");
        good.add_best(best);
        let both = |good: &Good| {
            (0..20).any(|seed| good.words(3, &mut Random::new(seed)).contains("garden"))
        };
        assert!(both(&good));
        good.keep_best();
        assert!(!both(&good));
    }
}
