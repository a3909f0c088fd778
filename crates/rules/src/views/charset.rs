//! Charsets as SpamAssassin guesses them (`normalize_charset 1`): UTF-8 first, whatever is
//! declared; then what is declared; then Windows-1252.

use std::borrow::Cow;

use gatepost_mail::{decode_charset, decode_windows_1252, is_shift_jis};

/// A text, and whether it was decoded at all. What is plain ASCII stays bytes, and then the
/// characters 128 to 255 that references of HTML add are single bytes in the end, as in
/// SpamAssassin.
pub(super) struct Decoded<'b> {
    pub(super) text: Cow<'b, str>,
    pub(super) is_wide: bool,
}

/// Whose word counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// A body: the declared charset is one guess of several, and must fit.
    Guess,
    /// An encoded word: the declared charset holds, and what does not fit is replaced.
    Declared,
}

/// Decodes a text. `charset` is the declared name; none is US-ASCII.
pub(super) fn decode<'b>(bytes: &'b [u8], charset: Option<&str>, trust: Trust) -> Decoded<'b> {
    let charset = charset.unwrap_or("us-ascii");
    let is_ascii = bytes.is_ascii();
    let as_it_is = |text: &'b str| Decoded {
        text: Cow::Borrowed(text),
        is_wide: false,
    };
    if let Ok(text) = std::str::from_utf8(bytes) {
        if is_ascii && has_ascii_inside(charset) {
            return as_it_is(text);
        }
        if !is_ascii && trust == Trust::Guess {
            return Decoded {
                text: Cow::Borrowed(text),
                is_wide: true,
            };
        }
    }
    let wide = |text: String| Decoded {
        text: Cow::Owned(text),
        is_wide: true,
    };
    if let Some(text) = declared(bytes, charset, trust) {
        return wide(text);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if is_ascii => as_it_is(text),
        _ => wide(decode_windows_1252(bytes)),
    }
}

/// Names of ISO-2022-JP (RFC 1468). Its text has 7 bits, and what SpamAssassin reads of it ends at
/// the first byte that has 8; but where it is Shift_JIS after all, which is common in Japan, we read
/// that.
const JIS: [&str; 4] = ["iso-2022-jp", "iso-2022-jp-1", "7bit-jis", "jis"];

/// How many bytes of a text are read in that charset (in lower case).
pub(crate) fn end_of_word(charset: &str, bytes: &[u8]) -> usize {
    let cut = JIS
        .contains(&charset)
        .then_some(bytes)
        .filter(|bytes| !is_shift_jis(bytes))
        .and_then(|bytes| bytes.iter().position(|byte| !byte.is_ascii()));
    cut.unwrap_or(bytes.len())
}

/// The text of a header field, which should be ASCII or UTF-8: what is neither is taken for
/// Windows-1252.
pub(crate) fn unambiguous(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes)
        .map_or_else(|_| Cow::Owned(decode_windows_1252(bytes)), Cow::Borrowed)
}

/// The text in the declared charset, where that is known and the text fits.
fn declared(bytes: &[u8], charset: &str, trust: Trust) -> Option<String> {
    let name = charset.trim().to_ascii_lowercase();
    if JIS.contains(&name.as_str()) {
        return decode_charset(bytes.get(..end_of_word(&name, bytes))?, "iso-2022-jp");
    }
    match name.as_str() {
        // What is ASCII or UTF-8 was tried first.
        "us-ascii" | "ascii" | "utf-8" | "utf8" if trust == Trust::Guess => None,
        "us-ascii" | "ascii" => Some(
            bytes
                .iter()
                .map(|b| {
                    if b.is_ascii() {
                        char::from(*b)
                    } else {
                        '\u{fffd}'
                    }
                })
                .collect(),
        ),
        "utf-8" | "utf8" => Some(String::from_utf8_lossy(bytes).into_owned()),
        "iso-8859-1" | "iso8859-1" | "windows-1252" | "cp1252" => {
            fitting(decode_windows_1252(bytes), trust)
        }
        _ if name.starts_with("utf16")
            || name.starts_with("utf-16")
            || name.starts_with("utf 16") =>
        {
            fitting(decode_charset(bytes, utf_16(bytes)?)?, trust)
        }
        _ => fitting(decode_charset(bytes, &name)?, trust),
    }
}

fn fitting(text: String, trust: Trust) -> Option<String> {
    (trust == Trust::Declared || !text.contains('\u{fffd}')).then_some(text)
}

/// Charsets in which ASCII bytes are ASCII, by the names that are known to be so.
fn has_ascii_inside(charset: &str) -> bool {
    let name = charset.to_ascii_lowercase();
    let is_number = |text: &str, most: usize| {
        !text.is_empty() && text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_letters = |text: &str| {
        (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    if let Some(rest) = name
        .strip_prefix("iso8859")
        .or_else(|| name.strip_prefix("iso-8859"))
        .or(name.strip_prefix("iso 8859"))
    {
        return rest.is_empty()
            || rest
                .strip_prefix('-')
                .is_some_and(|part| is_number(part, 2));
    }
    if let Some(page) = name.strip_prefix("windows-") {
        return page.len() == 4 && is_number(page, 4);
    }
    if let Some(kind) = name
        .strip_prefix("koi8-")
        .or_else(|| name.strip_prefix("euc-"))
    {
        return is_letters(kind);
    }
    let known = [
        "us-ascii",
        "ascii",
        "utf-8",
        "utf8",
        "big5",
        "gbk",
        "gb18030",
        "gb-18030",
        "gb 18030",
        "iso646-us",
    ];
    known.contains(&name.as_str())
        || name.starts_with("ansi_x3.4-")
        || name.starts_with("ansi x3.4-")
}

/// The byte order of UTF-16: the mark, else where blanks and zero bytes are; `None` where they
/// say nothing.
fn utf_16(bytes: &[u8]) -> Option<&'static str> {
    if matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        return Some("utf-16");
    }
    let (mut little, mut big, mut even, mut odd) = (0_usize, 0_usize, 0_usize, 0_usize);
    let nibbles = |byte: u8| usize::from(byte >> 4) + usize::from(byte & 15);
    for pair in bytes.chunks_exact(2) {
        let [first, second] = pair else { continue };
        little += usize::from(pair == [0x20, 0]);
        big += usize::from(pair == [0, 0x20]);
        even += nibbles(*first);
        odd += nibbles(*second);
    }
    little += usize::from(even > 4 * odd);
    big += usize::from(4 * odd > even);
    match little.cmp(&big) {
        std::cmp::Ordering::Greater => Some("utf-16le"),
        std::cmp::Ordering::Less => Some("utf-16be"),
        std::cmp::Ordering::Equal => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets_are_guessed() {
        for (bytes, charset, wanted, is_wide) in [
            (b"abc".as_slice(), None, "abc", false),
            (b"abc", Some("ISO-8859-15"), "abc", false),
            (b"abc", Some("x-unknown"), "abc", false),
            ("ä".as_bytes(), Some("iso-8859-1"), "ä", true),
            (b"\xe4\x93", Some("utf-8"), "ä\u{201c}", true),
            (b"\xe4\x93", Some("iso-8859-1"), "ä\u{201c}", true),
            (b"\xe4\x81", None, "ä\u{fffd}", true),
            (b"\xe4", Some("koi8-r"), "Д", true),
            (b"a\x1b$B$\"\x1b(Bb", Some("ISO-2022-JP"), "aあb", true),
            (b"ab\xe4c", Some("iso-2022-jp"), "ab", true),
            (b"\x93\xfa", Some("iso-2022-jp"), "", true),
            (b"\x93\xfa\x82\xcc", Some("iso-2022-jp"), "日の", true),
            (b"a\0b\0", Some("utf-16"), "ab", true),
            (b"\0a\0 ", Some("utf-16"), "a ", true),
        ] {
            let got = decode(bytes, charset, Trust::Guess);
            assert_eq!(
                (got.text.as_ref(), got.is_wide),
                (wanted, is_wide),
                "{bytes:?} {charset:?}"
            );
        }
    }

    #[test]
    fn the_charset_of_an_encoded_word_holds() {
        for (bytes, charset, wanted) in [
            (b"\xc3\xa4".as_slice(), "iso-8859-1", "Ã¤"),
            (b"\xe4", "utf-8", "\u{fffd}"),
            (b"\xe4", "us-ascii", "\u{fffd}"),
            (b"\xe4", "x-unknown", "ä"),
        ] {
            assert_eq!(
                decode(bytes, Some(charset), Trust::Declared).text,
                wanted,
                "{bytes:?} {charset}"
            );
        }
    }
}
