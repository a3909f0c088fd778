//! Text as the classifier reads it: what a person would see, without the tricks that only machines
//! see.
//!
//! NFKC, lower case, invisible characters removed, digits collapsed to one `0`, white space to one
//! space, URLs and addresses to one sign, and letters of another script that imitate Latin ones (in
//! words that mix scripts) undone.

use unicode_normalization::UnicodeNormalization;

/// Stands for a URL in normalised text.
const URL: char = '\u{1}';
/// Stands for an e-mail address in normalised text.
const EMAIL: char = '\u{2}';
/// A character of normalised text for people: the two signs stand for more than one can see.
pub(super) fn spoken(c: char) -> char {
    match c {
        URL => '\u{1f517}',
        EMAIL => '@',
        other => other,
    }
}

/// Words longer than this (in bytes) are cut: base64 and the like say nothing.
const WORD: usize = 64;

/// Whether a character is not seen: zero-width, directional controls, soft hyphen, variation
/// selectors, tags.
pub(super) fn invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e007f}')
}

/// The Latin letter that a letter of another script, or a small capital, imitates (lower case).
fn latin(c: char) -> char {
    match c {
        'а' | 'α' | 'ɑ' | 'ᴀ' => 'a',
        'в' | 'β' | 'ь' | 'ʙ' => 'b',
        'с' | 'ϲ' | 'ᴄ' => 'c',
        'ԁ' | 'ᴅ' => 'd',
        'е' | 'ё' | 'ε' | 'є' | 'ᴇ' => 'e',
        'ғ' | 'ꜰ' => 'f',
        'ɡ' | 'ց' | 'ɢ' => 'g',
        'һ' | 'н' | 'հ' | 'ʜ' => 'h',
        'і' | 'ι' | 'ї' | 'ı' | 'ɪ' => 'i',
        'ј' | 'ᴊ' => 'j',
        'к' | 'κ' | 'ᴋ' => 'k',
        'ӏ' | 'ʟ' => 'l',
        'м' | 'ᴍ' => 'm',
        'п' | 'η' | 'ո' | 'ɴ' => 'n',
        'о' | 'ο' | 'σ' | 'օ' | 'ᴏ' => 'o',
        'р' | 'ρ' | 'ᴘ' => 'p',
        'ԛ' | 'զ' => 'q',
        'г' | 'ʀ' => 'r',
        'ѕ' | 'ꜱ' => 's',
        'т' | 'τ' | 'ᴛ' => 't',
        'υ' | 'ս' | 'ᴜ' => 'u',
        'ν' | 'ѵ' | 'ᴠ' => 'v',
        'ԝ' | 'ω' | 'ᴡ' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' | 'ү' | 'ʏ' => 'y',
        'ᴢ' => 'z',
        other => other,
    }
}

/// Normalises `text` after what `out` has already; `out` ends with at most one space.
pub(super) fn append(text: &str, out: &mut Vec<char>) {
    // Letters that stand alone, one after the other: three of them are a word that was spaced out.
    let mut alone = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        alone = if is_letter(word) { alone + 1 } else { 0 };
        if alone == 3
            && let Some(&before) = out.last()
        {
            // Takes the space between the first two out.
            out.truncate(out.len().saturating_sub(2));
            out.push(before);
        }
        if out.last() != Some(&' ') && alone < 3 {
            out.push(' ');
        }
        match sign(word) {
            Some(sign) => out.push(sign),
            None => append_word(word, out),
        }
    }
}

/// Whether a word is one letter.
fn is_letter(word: &str) -> bool {
    let mut letters = word.chars().filter(|&c| !invisible(c));
    letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none()
}

/// Whether a word is letters with one and the same sign between each two, such as `p-i-l-l-s`.
fn is_spelled(word: &str) -> bool {
    let mut characters = word.chars().filter(|&c| !invisible(c)).peekable();
    let mut sign = None;
    let mut letters = 0;
    while let Some(letter) = characters.next() {
        if !letter.is_alphabetic() {
            return false;
        }
        letters += 1;
        let Some(between) = characters.next() else {
            break;
        };
        if between.is_alphanumeric() || *sign.get_or_insert(between) != between {
            return false;
        }
    }
    letters >= 3
}

/// The sign that stands for the whole word, if it is a URL or an address.
fn sign(word: &str) -> Option<char> {
    let url = word.contains("://")
        || word
            .get(..4)
            .is_some_and(|head| head.eq_ignore_ascii_case("www."));
    if url {
        return Some(URL);
    }
    let (local, domain) = word.split_once('@')?;
    (!local.is_empty() && domain.contains('.')).then_some(EMAIL)
}

fn append_word(word: &str, out: &mut Vec<char>) {
    let start = out.len();
    if is_spelled(word) {
        let letters: String = word.chars().filter(|c| c.is_alphabetic()).collect();
        return append_plain(&letters, start, out);
    }
    append_plain(word, start, out);
}

fn append_plain(word: &str, start: usize, out: &mut Vec<char>) {
    if word.is_ascii() {
        for c in word.chars().take(WORD) {
            push(c.to_ascii_lowercase(), out);
        }
        return;
    }
    for c in word
        .chars()
        .take(WORD)
        .filter(|&c| !invisible(c))
        .nfkc()
        .flat_map(char::to_lowercase)
        .take(2 * WORD)
    {
        // NFKC makes spaces of some characters; the rest of the text has exactly one between words.
        if !c.is_whitespace() && !invisible(c) {
            push(c, out);
        }
    }
    let Some(written) = out.get_mut(start..) else {
        return;
    };
    if written.iter().any(char::is_ascii_lowercase) {
        for c in written {
            *c = latin(*c);
        }
    }
}

/// Appends one character; a run of digits becomes one `0`.
fn push(c: char, out: &mut Vec<char>) {
    if !c.is_numeric() {
        out.push(c);
    } else if out.last() != Some(&'0') {
        out.push('0');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(text: &str) -> String {
        let mut out = Vec::new();
        append(text, &mut out);
        out.into_iter().collect::<String>().trim().to_owned()
    }

    #[test]
    fn tricks_are_undone() {
        for (text, expected) in [
            ("Hello  \r\n\tWORLD", "hello world"),
            ("call 0800-123456 now", "call 0-0 now"),
            ("v\u{200b}i\u{ad}agra", "viagra"),
            ("ＦＲＥＥ ①", "free 0"),
            ("vіаgrа", "viagra"),
            ("привет", "привет"),
            ("see https://www.example.com/x?y=1 ok", "see \u{1} ok"),
            ("www.example.net", "\u{1}"),
            ("mail joe@example.com.", "mail \u{2}"),
            ("a @ b", "a @ b"),
            ("\u{0}\u{7f}", ""),
            ("buy v i a g r a now", "buy viagra now"),
            ("a b", "a b"),
            ("a b c", "abc"),
            ("it is a p i l l", "it is apill"),
            (
                "p-i-l-l-s e.g. well-known u.s.a.",
                "pills e.g. well-known usa",
            ),
            ("c\u{200b}-a-s-i-n-o", "casino"),
            ("p-i.l", "p-i.l"),
            ("ᴘɪʟʟs ոow", "pills now"),
        ] {
            assert_eq!(normalised(text), expected, "{text:?}");
        }
    }

    #[test]
    fn long_words_are_cut() {
        assert_eq!(normalised(&"x".repeat(WORD)).len(), WORD);
        assert_eq!(normalised(&"x".repeat(WORD + 1)).len(), WORD);
    }
}
