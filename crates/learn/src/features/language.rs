//! Whether a stretch of text is in another language than English.
//!
//! Nearly all ham that can be trained on is English, and other languages are nearly always spam
//! there. A model that learned from that would take every German newsletter for spam: with
//! newsletters left out of training, 86 to 100 % of them got a probability of 0.5 or more. So words
//! in other languages are no features: of such text the model sees the structure only, and the site
//! learner, which knows the site's own languages, must do the rest.

use std::sync::LazyLock;

/// Percent of the words that must be function words of other languages, at least; half to a fifth
/// are in real text, so a sender who wants words to be overlooked must write hardly readable
/// English.
const FOREIGN_PERCENT: usize = 8;
/// Percent of the words that may be function words of English.
const ENGLISH_PERCENT: usize = 3;
/// Words that a stretch must have.
const LEAST: usize = 12;

/// Whether normalised text is in a language that is not English, as far as its function words or
/// its script say.
pub(super) fn is_foreign(characters: &[char]) -> bool {
    let (mut words, mut english, mut foreign) = (0, 0, 0);
    for word in characters
        .split(|c| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
    {
        words += 1;
        match kind(word) {
            Some(Kind::English) => english += 1,
            Some(Kind::Foreign) => foreign += 1,
            None => {}
        }
    }
    let is_foreign = words >= LEAST
        && 100 * foreign >= FOREIGN_PERCENT * words
        && 100 * english <= ENGLISH_PERCENT * words;
    is_foreign || is_far(characters)
}

/// Whether most letters belong to no script that Latin letters are written in: Cyrillic, Greek,
/// Arabic, Chinese, ….
fn is_far(characters: &[char]) -> bool {
    let letters = characters.iter().filter(|c| c.is_alphabetic());
    let (mut all, mut far) = (0, 0);
    for &letter in letters {
        all += 1;
        far += usize::from(letter > '\u{24f}' && !('\u{1e00}'..='\u{1eff}').contains(&letter));
    }
    all >= 2 * LEAST && 2 * far > all
}

enum Kind {
    English,
    Foreign,
}

/// Function words of English.
const ENGLISH: [&str; 22] = [
    "and", "are", "be", "by", "can", "for", "from", "have", "if", "is", "it", "not", "of", "or",
    "our", "that", "the", "this", "to", "we", "with", "you",
];
/// Function words of German, French, Spanish, Italian, Portuguese and Dutch that English does not
/// have.
const FOREIGN: [&str; 82] = [
    "auch", "auf", "aus", "aux", "avec", "bei", "che", "com", "con", "da", "dans", "das", "dat",
    "de", "dei", "del", "dem", "den", "der", "des", "di", "die", "dos", "du", "een", "ein", "eine",
    "einem", "einen", "einer", "el", "em", "en", "est", "et", "für", "het", "ich", "ihr", "ihre",
    "ihrem", "ihren", "ihrer", "il", "im", "ist", "la", "las", "le", "les", "lo", "los", "mit",
    "nicht", "niet", "non", "nous", "não", "oder", "para", "por", "pour", "que", "qui", "sich",
    "sie", "sind", "sur", "um", "uma", "un", "una", "und", "une", "van", "vom", "von", "voor",
    "vous", "wir", "wird", "zu",
];
/// Letters of the longest of them.
const LONGEST: usize = 5;

/// Whether a word is a function word, and of which kind.
fn kind(word: &[char]) -> Option<Kind> {
    static KEYS: LazyLock<(Vec<u64>, Vec<u64>)> =
        LazyLock::new(|| (keys(&ENGLISH), keys(&FOREIGN)));
    if word.len() > LONGEST {
        return None;
    }
    let key = key(word.iter().copied());
    let (english, foreign) = &*KEYS;
    if english.binary_search(&key).is_ok() {
        Some(Kind::English)
    } else if foreign.binary_search(&key).is_ok() {
        Some(Kind::Foreign)
    } else {
        None
    }
}

/// Up to [`LONGEST`] letters as one number, as comparing numbers is quicker.
fn key(word: impl Iterator<Item = char>) -> u64 {
    // Letters beyond 12 bits, which no word of the lists has, all become the same one.
    word.fold(0, |key, letter| {
        key << 12 | u64::from(u32::from(letter)).min(0xfff)
    })
}

fn keys(words: &[&str]) -> Vec<u64> {
    let mut keys: Vec<u64> = words.iter().map(|word| key(word.chars())).collect();
    keys.sort_unstable();
    keys
}

#[cfg(test)]
mod tests {
    use super::super::normalise;
    use super::*;

    fn foreign(text: &str) -> bool {
        let mut characters = Vec::new();
        normalise::append(text, &mut characters);
        is_foreign(&characters)
    }

    #[test]
    fn languages() {
        for (text, expected) in [
            (
                "Shall we meet at noon? I have read the minutes of the meeting and agree with most of what is in there.",
                false,
            ),
            (
                "Wollen wir uns am Mittag treffen? Ich habe das Protokoll der Sitzung gelesen und bin mit fast allem einverstanden.",
                true,
            ),
            (
                "Voulez-vous que nous nous retrouvions pour le déjeuner? Vous avez sur votre bureau le compte rendu de la séance.",
                true,
            ),
            (
                "¿Quiere que nos veamos para la comida? He leído el acta de la reunión y estoy de acuerdo con casi todo lo que dice.",
                true,
            ),
            (
                "Давайте встретимся в полдень? Я прочитал протокол заседания и почти со всем согласен, до встречи.",
                true,
            ),
            (
                "我们中午见面好吗我已经读了会议记录并且同意其中的大部分内容请在图书馆等我谢谢你的来信",
                true,
            ),
            (
                "Cheap pills, best price, fast delivery, no prescription, order now, save big, click here, limited offer today",
                false,
            ),
            (
                "let x = vector.len(); while x > 0 { x -= 1; println!(x); } fn main return struct impl match enum",
                false,
            ),
            ("Bis morgen im Park und danach bei mir", false),
            ("", false),
        ] {
            assert_eq!(foreign(text), expected, "{text}");
        }
    }

    #[test]
    fn lists_are_sorted_and_apart() {
        let sorted = |list: &[&str]| list.is_sorted_by(|a, b| a.chars().lt(b.chars()));
        assert!(sorted(&ENGLISH) && sorted(&FOREIGN));
        assert!(
            FOREIGN
                .iter()
                .all(|word| !ENGLISH.contains(word) && word.chars().count() <= LONGEST)
        );
    }

    /// A few words of another language among English words hide nothing.
    #[test]
    fn limits() {
        let mixed = |foreign: usize, english: usize| {
            let others = 100 - foreign - english;
            [
                vec!["und"; foreign],
                vec!["the"; english],
                vec!["pills"; others],
            ]
            .concat()
            .join(" ")
        };
        assert!(foreign(&mixed(8, 3)) && !foreign(&mixed(7, 3)) && !foreign(&mixed(8, 4)));
        assert!(foreign(&["und"; LEAST].join(" ")) && !foreign(&["und"; LEAST - 1].join(" ")));
    }
}
