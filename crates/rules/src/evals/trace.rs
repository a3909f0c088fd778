//! Received fields as words, and small patterns over them.
//!
//! A pattern is words that follow each other; `*` in a word stands for any characters of it, `#`
//! for an address.

use std::net::IpAddr;

use crate::views::lazy::Views;
use gatepost_words::glob::matches as matches_glob;

/// Words of all fields that are looked at.
const WORDS_LIMIT: usize = 5_000;

/// The words of one or more fields.
pub(super) struct Trace(Vec<String>);

impl Trace {
    /// The fields of that name as one text.
    pub(super) fn of(views: &Views<'_>, field: &str) -> Self {
        Self::read(&views.text(field))
    }

    pub(super) fn read(text: &str) -> Self {
        Self(
            text.split_whitespace()
                .take(WORDS_LIMIT)
                .map(str::to_owned)
                .collect(),
        )
    }

    /// Each word with the one before it; nothing is before the first.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let before = std::iter::once("").chain(self.0.iter().map(String::as_str));
        before.zip(self.0.iter().map(String::as_str))
    }

    /// Whether the words of the pattern are somewhere, one after the other.
    pub(super) fn says(&self, pattern: &str) -> bool {
        let pattern: Vec<&str> = pattern.split(' ').collect();
        self.0.windows(pattern.len().max(1)).any(|words| {
            words
                .iter()
                .zip(&pattern)
                .all(|(word, part)| fits(part, word))
        })
    }

    /// Whether words that fit are in this order, with others between them or not.
    pub(super) fn says_in_order(&self, parts: &[&str]) -> bool {
        let mut words = self.0.iter();
        parts.iter().all(|part| words.any(|word| fits(part, word)))
    }
}

/// Whether the word fits the part of a pattern.
fn fits(part: &str, word: &str) -> bool {
    let Some((before, behind)) = part.split_once('#') else {
        return matches_glob(part, word);
    };
    // The address is the longest run of its characters at any place where the glob before it fits.
    let is_digit = |c: char| c.is_ascii_hexdigit() || c == '.' || c == ':';
    let mut starts = word
        .char_indices()
        .filter(|(at, c)| is_digit(*c) && !word.get(..*at).is_some_and(|w| w.ends_with(is_digit)));
    starts.any(|(at, _)| {
        let (head, tail) = word.split_at_checked(at).unwrap_or((word, ""));
        let end = tail.find(|c: char| !is_digit(c)).unwrap_or(tail.len());
        let (address, rest) = tail.split_at_checked(end).unwrap_or((tail, ""));
        address.parse::<IpAddr>().is_ok()
            && matches_glob(before, head)
            && matches_glob(behind, rest)
    })
}

/// Whether a text holds an address.
pub(super) fn has_address(text: &str) -> bool {
    text.split_whitespace().any(|word| fits("*#*", word))
}

#[cfg(test)]
mod tests {
    use super::{Trace, has_address};

    #[test]
    fn patterns_over_words() {
        let trace =
            Trace::read("from a.example\n (b.example [192.0.2.1]) by mx.example.net with SMTP; x");
        for (pattern, wanted) in [
            ("from *.example (b.*", true),
            ("from a.example by *", false),
            ("(b.example [#]) by", true),
            ("[#] by", false),
            ("with SMTP;*", true),
            ("*", true),
            ("x y", false),
        ] {
            assert_eq!(trace.says(pattern), wanted, "{pattern}");
        }
        assert!(
            trace.says_in_order(&["from", "*[#]*", "by"]) && !trace.says_in_order(&["by", "from"])
        );
        for (text, wanted) in [
            ("[192.0.2.1]", true),
            ("IP: 2001:db8::1;", true),
            ("192.0.2", false),
            ("", false),
        ] {
            assert_eq!(has_address(text), wanted, "{text}");
        }
    }
}
