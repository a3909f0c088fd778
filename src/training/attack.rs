//! What a spammer may do to a text so that a filter takes it for ham: the attacks of `model attack`.
//!
//! Every attack is written into a mail that is put together anew from the header of the original and its visible text, as one
//! part of UTF-8; the row `none` is put together in the same way, so that only the attack differs.

use super::random::Random;
use crate::mail::{Limits, Message};

/// One attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attack {
    /// None: the text as it is.
    None,
    /// So many words that stand in ham often and in spam seldom are put behind the text.
    GoodWords(usize),
    /// 1,500 characters of a ham of the training part are put behind the text.
    HamBehind,
    /// The same before the text.
    HamBefore,
    /// Half of the letters that have a look-alike in another script are replaced by it.
    Homoglyphs,
    /// Behind three letters of ten comes a character that is not seen.
    Invisible,
    /// In half of the words two letters change places.
    Typos,
    /// In half of the words the letters stand apart.
    Spaced,
}

/// Characters of a ham that are pasted.
const PASTE: usize = 1_500;
/// Latin letters and letters of other scripts that look like them (Unicode Technical Standard 39, confusables).
const LOOKALIKES: [(char, char); 18] = [
    ('a', '\u{430}'),
    ('c', '\u{441}'),
    ('e', '\u{435}'),
    ('i', '\u{456}'),
    ('j', '\u{458}'),
    ('o', '\u{43e}'),
    ('p', '\u{440}'),
    ('s', '\u{455}'),
    ('x', '\u{445}'),
    ('y', '\u{443}'),
    ('A', '\u{410}'),
    ('B', '\u{412}'),
    ('C', '\u{421}'),
    ('E', '\u{415}'),
    ('H', '\u{41d}'),
    ('O', '\u{41e}'),
    ('P', '\u{420}'),
    ('T', '\u{422}'),
];
/// Characters that are not seen: zero width space, non-joiner and joiner, word joiner.
const UNSEEN: [char; 4] = ['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}'];

impl Attack {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 9] = [
        Self::None,
        Self::GoodWords(100),
        Self::GoodWords(300),
        Self::HamBehind,
        Self::HamBefore,
        Self::Homoglyphs,
        Self::Invisible,
        Self::Typos,
        Self::Spaced,
    ];

    /// The name in the table.
    pub fn name(self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::GoodWords(count) => format!("{count} good words"),
            Self::HamBehind => "ham text behind".to_owned(),
            Self::HamBefore => "ham text before".to_owned(),
            Self::Homoglyphs => "look-alike letters".to_owned(),
            Self::Invisible => "invisible characters".to_owned(),
            Self::Typos => "typos".to_owned(),
            Self::Spaced => "spaced letters".to_owned(),
        }
    }

    /// The text after the attack. In HTML, tags are left alone.
    fn change(self, text: &str, is_html: bool, arms: &Arms, random: &mut Random) -> String {
        let paste = |text: &str| {
            let paragraph = text.replace(['<', '>', '&'], " ");
            if is_html { format!("<p>{paragraph}</p>") } else { format!("\n\n{paragraph}\n\n") }
        };
        match self {
            Self::None => text.to_owned(),
            Self::GoodWords(count) => {
                let word = |_| arms.words.get(random.below(arms.words.len())).map_or("", String::as_str);
                let words: Vec<&str> = (0..count).map(word).collect();
                format!("{text}{}", paste(&words.join(" ")))
            }
            Self::HamBehind | Self::HamBefore => {
                let ham = arms.hams.get(random.below(arms.hams.len())).map_or("", String::as_str);
                let ham: String = ham.chars().take(PASTE).collect();
                if self == Self::HamBehind {
                    format!("{text}{}", paste(&ham))
                } else {
                    format!("{}{text}", paste(&ham))
                }
            }
            Self::Homoglyphs | Self::Invisible | Self::Typos | Self::Spaced => {
                outside_of_tags(text, is_html, |word| self.disguise(word, random))
            }
        }
    }

    /// One word in disguise.
    fn disguise(self, word: &str, random: &mut Random) -> String {
        match self {
            Self::Homoglyphs => word
                .chars()
                .map(|c| match LOOKALIKES.iter().find(|(latin, _)| *latin == c) {
                    Some((_, other)) if random.unit() < 0.5 => *other,
                    _ => c,
                })
                .collect(),
            Self::Invisible => {
                let mut out = String::new();
                for c in word.chars() {
                    out.push(c);
                    if c.is_alphabetic() && random.unit() < 0.3 {
                        out.extend(UNSEEN.get(random.below(UNSEEN.len())));
                    }
                }
                out
            }
            Self::Typos if word.chars().count() > 3 && random.unit() < 0.5 => {
                let mut letters: Vec<char> = word.chars().collect();
                let at = 1 + random.below(letters.len() - 2);
                letters.swap(at, at - 1);
                letters.into_iter().collect()
            }
            Self::Spaced if word.chars().count() > 2 && random.unit() < 0.5 => {
                let letters: Vec<String> = word.chars().map(String::from).collect();
                letters.join(" ")
            }
            _ => word.to_owned(),
        }
    }
}

/// What attackers have at hand.
#[derive(Debug, Default)]
pub(super) struct Arms {
    /// Words of ham.
    pub(super) words: Vec<String>,
    /// Texts of ham.
    pub(super) hams: Vec<String>,
}

/// Changes every word outside of tags.
fn outside_of_tags(text: &str, is_html: bool, mut change: impl FnMut(&str) -> String) -> String {
    let mut out = String::new();
    let mut word = String::new();
    let mut in_tag = false;
    for c in text.chars() {
        if !in_tag && c.is_alphabetic() {
            word.push(c);
            continue;
        }
        out.push_str(&change(&word));
        word.clear();
        out.push(c);
        in_tag = is_html && (c == '<' || (in_tag && c != '>'));
    }
    out.push_str(&change(&word));
    out
}

/// The visible text of a mail.
pub(super) fn visible(raw: &[u8]) -> String {
    let message = Message::parse(raw, &Limits::default());
    let texts: Vec<&str> = message.texts.iter().map(|part| &*part.rendered).collect();
    texts.join("\n")
}

/// The mail under attack.
pub(super) fn attacked(raw: &[u8], attack: Attack, arms: &Arms, random: &mut Random) -> Vec<u8> {
    let message = Message::parse(raw, &Limits::default());
    let is_html = message.texts.iter().any(|part| part.html.is_some());
    let parts = message.texts.iter().filter(|part| part.html.is_some() == is_html);
    let text = parts.map(|part| &*part.source).collect::<Vec<_>>().join("\n");
    let text = attack.change(&text, is_html, arms, random);
    let mut out = Vec::new();
    let header = raw.get(..message.body_start).unwrap_or(raw);
    let mut is_kept = true;
    for line in header.split_inclusive(|&byte| byte == b'\n') {
        if matches!(line, b"\n" | b"\r\n") {
            break;
        }
        if !matches!(line.first(), Some(b' ' | b'\t')) {
            let name = line.split(|&byte| byte == b':').next().unwrap_or_default().to_ascii_lowercase();
            is_kept = !name.starts_with(b"content-") && name != b"mime-version";
        }
        if is_kept {
            out.extend_from_slice(line);
        }
    }
    let subtype = if is_html { "html" } else { "plain" };
    out.extend_from_slice(
        format!("MIME-Version: 1.0\r\nContent-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n")
            .as_bytes(),
    );
    out.extend_from_slice(text.as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"From: a@example.com\r\nSubject: offer\r\nContent-Type: text/html\r\n\r\n<p class=great>great offer today</p>\r\n";

    fn arms() -> Arms {
        Arms { words: vec!["meeting".to_owned()], hams: vec!["see you <at> lunch ".repeat(200)] }
    }

    fn text(attack: Attack) -> String {
        visible(&attacked(MAIL, attack, &arms(), &mut Random::new(5)))
    }

    #[test]
    fn every_attack_does_what_its_name_says() {
        assert_eq!(text(Attack::None).trim(), "great offer today");
        assert_eq!(text(Attack::GoodWords(100)).matches("meeting").count(), 100);
        for (attack, is_before) in [(Attack::HamBefore, true), (Attack::HamBehind, false)] {
            let text = text(attack);
            let (ham, offer) = (text.find("see you").unwrap(), text.find("great offer").unwrap());
            assert_eq!(ham < offer, is_before);
            assert!(text.len() < PASTE + 100, "{}", text.len());
        }
        assert!(text(Attack::Homoglyphs).chars().any(|c| ('\u{400}'..'\u{500}').contains(&c)));
        let unseen = |c: &char| UNSEEN.contains(c);
        let stripped: String = text(Attack::Invisible).chars().filter(|c| !unseen(c)).collect();
        assert!(stripped.trim() == "great offer today" && text(Attack::Invisible).chars().any(|c| unseen(&c)));
        let sorted = |text: &str| {
            let mut letters: Vec<char> = text.trim().chars().collect();
            letters.sort_unstable();
            letters
        };
        assert_eq!(sorted(&text(Attack::Typos)), sorted("great offer today"));
        assert_ne!(text(Attack::Typos).trim(), "great offer today");
        assert_eq!(text(Attack::Spaced).replace(' ', "").trim(), "greatoffertoday");
    }

    #[test]
    fn the_header_stays_and_tags_are_left_alone() {
        for attack in Attack::ALL {
            let mail = attacked(MAIL, attack, &arms(), &mut Random::new(5));
            let mail = String::from_utf8(mail).unwrap();
            assert!(mail.starts_with("From: a@example.com\r\nSubject: offer\r\nMIME-Version: 1.0\r\n"), "{mail}");
            assert!(mail.contains("<p class=great>"), "{mail}");
            assert_eq!(mail.matches("Content-Type").count(), 1);
        }
        assert!(!attacked(b"", Attack::GoodWords(1), &Arms::default(), &mut Random::new(1)).is_empty());
    }
}
