//! Japanese text as it is found under the name ISO-2022-JP: with escape sequences next to each
//! other, or in Shift_JIS after all.

use std::borrow::Cow;

use gatepost_words::bytes::skip;

const ESCAPE: u8 = 0x1b;

/// Whether a charset, named in lower case, is one of the ISO-2022-JP family (RFC 1468, RFC 1554).
pub(super) fn is_iso_2022_jp(charset: &str) -> bool {
    charset.starts_with("iso-2022-jp") || charset == "csiso2022jp"
}

/// Whether text is Shift_JIS: bytes above 127 in its pairs only, kana among them, no escape
/// sequence. Many programs in Japan write it and declare ISO-2022-JP, whose text has 7 bits.
pub fn is_shift_jis(bytes: &[u8]) -> bool {
    let mut has_kana = false;
    let mut rest = bytes;
    while let Some((&lead, after)) = rest.split_first() {
        rest = after;
        match lead {
            ESCAPE => return false,
            0..=0x7f | 0xa1..=0xdf => {}
            0x81..=0x9f | 0xe0..=0xfc => match after.split_first() {
                Some((&trail @ (0x40..=0x7e | 0x80..=0xfc), after)) => {
                    has_kana |= is_kana(lead, trail);
                    rest = after;
                }
                Some(_) => return false,
                // A limit may have cut a pair apart.
                None => {}
            },
            _ => return false,
        }
    }
    has_kana
}

/// Hiragana or katakana.
fn is_kana(lead: u8, trail: u8) -> bool {
    match lead {
        0x82 => (0x9f..=0xf1).contains(&trail),
        0x83 => (0x40..=0x96).contains(&trail),
        _ => false,
    }
}

/// ISO-2022-JP without escape sequences that another one follows at once. They arise where encoded
/// words are joined, mean nothing, and decoders of the WHATWG standard take them for an attack.
pub(super) fn without_idle_escapes(bytes: &[u8]) -> Cow<'_, [u8]> {
    let is_idle = |at: usize| {
        let length = escape_length(skip(bytes, at));
        length > 0 && escape_length(skip(bytes, at.saturating_add(length))) > 0
    };
    if !memchr::memchr_iter(ESCAPE, bytes).any(is_idle) {
        return Cow::Borrowed(bytes);
    }
    let mut kept = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if is_idle(at) {
            at = at.saturating_add(escape_length(skip(bytes, at)));
        } else {
            kept.push(byte);
            at = at.saturating_add(1);
        }
    }
    Cow::Owned(kept)
}

/// The length of the escape sequence at the start; 0 where there is none.
fn escape_length(from: &[u8]) -> usize {
    match from {
        [ESCAPE, b'(', b'B' | b'J' | b'I', ..] | [ESCAPE, b'$', b'@' | b'B', ..] => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shift_jis_is_recognised_by_its_kana() {
        for (bytes, wanted) in [
            (b"abc".as_slice(), false),
            (b"\x82\xa0", true),
            (b"ab \x83A", true),
            (b"\x82\xa0\x93", true),
            (b"\x93\xfa", false),
            (b"\xe4\xf6\xfc\x20", false),
            (b"\x82\xa0\x1b$B$\"\x1b(B", false),
            (b"\x82\xa0\xff", false),
        ] {
            assert_eq!(is_shift_jis(bytes), wanted, "{bytes:?}");
        }
    }

    #[test]
    fn idle_escapes_go_away() {
        for (bytes, wanted) in [
            ("", ""),
            ("\x1b$B$\"\x1b(B", "\x1b$B$\"\x1b(B"),
            ("\x1b$B$\"\x1b(B\x1b$B$$\x1b(B", "\x1b$B$\"\x1b$B$$\x1b(B"),
            ("\x1b(B\x1b(B\x1b$B", "\x1b$B"),
            ("\x1bx\x1b(B", "\x1bx\x1b(B"),
        ] {
            let got = without_idle_escapes(bytes.as_bytes());
            assert_eq!(got, wanted.as_bytes(), "{bytes:?}");
        }
    }
}
