//! Content-Transfer-Encodings (RFC 2045 §6) and charsets, decoded tolerantly and within a budget.

use std::borrow::Cow;

use mail_parser::decoders::charsets::map::charset_decoder;

use gatepost_words::hex;

use super::AnomalyKind;
use super::japanese;

/// Decoded bytes and what was odd about them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) bytes: Vec<u8>,
    /// Something did not belong there; it was skipped (base64) or kept as it is
    /// (quoted-printable).
    pub(super) is_bad: bool,
    /// The budget ended before the input did.
    pub(super) is_cut: bool,
}

const INVALID: u8 = 0xff;
const BASE64: [u8; 256] = base64_table();

const fn base64_table() -> [u8; 256] {
    let alphabet = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [INVALID; 256];
    let mut value: u8 = 0;
    while value < 64 {
        #[expect(
            clippy::indexing_slicing,
            reason = "evaluated at compile time, where a wrong index does not compile"
        )]
        {
            table[alphabet[value as usize] as usize] = value;
        }
        value += 1;
    }
    table
}

#[expect(
    clippy::indexing_slicing,
    reason = "the table has an entry for each byte"
)]
fn sextet(byte: u8) -> u8 {
    BASE64[usize::from(byte)]
}

/// Decodes base64 up to `budget` bytes. Characters outside the alphabet are skipped; data after
/// padding is decoded on, as some readers do (both are oddities).
pub(super) fn base64(input: &[u8], budget: usize) -> Decoded {
    let mut decoded = Decoded::default();
    decoded.bytes.reserve(
        input
            .len()
            .div_ceil(4)
            .saturating_mul(3)
            .min(budget.saturating_add(3)),
    );
    let (mut chunk, mut count, mut padded) = (0_u32, 0_u8, false);
    let mut rest = input;
    loop {
        while count == 0
            && !padded
            && decoded.bytes.len() < budget
            && let [a, b, c, d, tail @ ..] = rest
        {
            let (a, b, c, d) = (sextet(*a), sextet(*b), sextet(*c), sextet(*d));
            if (a | b | c | d) >= 64 {
                break;
            }
            let word =
                (u32::from(a) << 18) | (u32::from(b) << 12) | (u32::from(c) << 6) | u32::from(d);
            let [_, first, second, third] = word.to_be_bytes();
            decoded.bytes.extend_from_slice(&[first, second, third]);
            rest = tail;
        }
        if decoded.bytes.len() >= budget {
            decoded.is_cut = decoded.bytes.len() > budget
                || !rest.trim_ascii().is_empty() && budget > 0
                || !input.is_empty() && budget == 0;
            decoded.bytes.truncate(budget);
            return decoded;
        }
        let Some((&byte, tail)) = rest.split_first() else {
            break;
        };
        rest = tail;
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'=' => {
                decoded.is_bad |= count == 1;
                flush_base64(&mut decoded.bytes, chunk, count);
                (chunk, count, padded) = (0, 0, true);
            }
            _ => {
                let value = sextet(byte);
                // Data after the padding, or a byte outside the alphabet.
                decoded.is_bad |= padded || value == INVALID;
                if value != INVALID {
                    padded = false;
                    chunk = (chunk << 6) | u32::from(value);
                    count += 1;
                }
                if count == 4 {
                    let [_, first, second, third] = chunk.to_be_bytes();
                    decoded.bytes.extend_from_slice(&[first, second, third]);
                    (chunk, count) = (0, 0);
                }
            }
        }
    }
    decoded.is_bad |= count != 0;
    flush_base64(&mut decoded.bytes, chunk, count);
    decoded.is_cut = decoded.bytes.len() > budget;
    decoded.bytes.truncate(budget);
    decoded
}

fn flush_base64(bytes: &mut Vec<u8>, chunk: u32, count: u8) {
    let aligned = match count {
        2 => chunk << 12,
        3 => chunk << 6,
        _ => return,
    };
    let [_, first, second, _] = aligned.to_be_bytes();
    bytes.push(first);
    if count == 3 {
        bytes.push(second);
    }
}

/// Decodes quoted-printable (RFC 2045 §6.7) up to `budget` bytes. An equals sign that encodes
/// nothing stays; white space at the end of a line goes away.
pub(super) fn quoted_printable(input: &[u8], budget: usize) -> Decoded {
    let mut decoded = Decoded::default();
    let mut rest = input;
    // Where the last byte that is not removable white space ends.
    let mut solid = 0;
    while !rest.is_empty() {
        if decoded.bytes.len() >= budget {
            decoded.is_cut = true;
            break;
        }
        let end = memchr::memchr2(b'=', b'\n', rest).unwrap_or(rest.len());
        let (plain, tail) = rest.split_at(end);
        let line_end = tail.first() == Some(&b'\n');
        let (plain, is_crlf) = match plain.strip_suffix(b"\r") {
            Some(plain) if line_end => (plain, true),
            _ => (plain, false),
        };
        decoded.bytes.extend_from_slice(plain);
        let trailing = plain
            .iter()
            .rev()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        if trailing < plain.len() {
            solid = decoded.bytes.len().saturating_sub(trailing);
        }
        let Some((&first, after)) = tail.split_first() else {
            break;
        };
        if first == b'\n' {
            decoded.bytes.truncate(solid);
            decoded
                .bytes
                .extend_from_slice(if is_crlf { b"\r\n" } else { b"\n" });
            rest = after;
        } else {
            rest = escape(after, &mut decoded);
        }
        solid = decoded.bytes.len();
    }
    decoded.is_cut |= decoded.bytes.len() > budget;
    decoded.bytes.truncate(budget);
    decoded
}

/// Reads what follows an equals sign; returns what follows that.
fn escape<'a>(after: &'a [u8], decoded: &mut Decoded) -> &'a [u8] {
    if let [high, low, tail @ ..] = after
        && let Some(byte) = hex::byte(*high, *low)
    {
        decoded.bytes.push(byte);
        return tail;
    }
    let blank = after
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
        .count();
    match after.get(blank..) {
        Some([b'\n', tail @ ..]) => tail,
        Some([]) => &[],
        _ => {
            decoded.is_bad = true;
            decoded.bytes.push(b'=');
            after
        }
    }
}

/// Decodes the `Q` encoding of encoded words (RFC 2047 §4.2).
pub(super) fn quoted_printable_word(input: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(input.len());
    let mut rest = input;
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail) {
            (b'_', _) => bytes.push(b' '),
            (b'=', [high, low, after @ ..]) => match hex::byte(*high, *low) {
                Some(byte) => {
                    bytes.push(byte);
                    rest = after;
                }
                None => bytes.push(first),
            },
            _ => bytes.push(first),
        }
    }
    bytes
}

/// Decodes a charset (given in lower case) to UTF-8. UTF-8 is tried first, whatever is declared, as
/// SpamAssassin does; what is not known is taken as Windows-1252, which gives every byte a
/// character.
pub(super) fn to_utf8<'a>(
    bytes: &'a [u8],
    charset: Option<&str>,
) -> (Cow<'a, str>, Option<AnomalyKind>) {
    let charset = charset.unwrap_or_default();
    // Charsets whose text can look like ASCII and still mean something else.
    let is_masked = [
        "utf-16",
        "utf16",
        "utf-7",
        "utf7",
        "iso-2022",
        "unicode-1-1-utf-7",
        "hz-gb",
        "ucs-2",
        "unicode",
    ]
    .iter()
    .any(|prefix| charset.starts_with(prefix))
        && !charset.ends_with("utf-8");
    if !is_masked && let Ok(text) = std::str::from_utf8(bytes) {
        return (Cow::Borrowed(text), None);
    }
    let is_utf_8 = matches!(charset, "utf-8" | "utf8" | "utf_8");
    if is_utf_8 {
        return (
            String::from_utf8_lossy(bytes),
            Some(AnomalyKind::BadCharset),
        );
    }
    if japanese::is_iso_2022_jp(charset) {
        let is_other = japanese::is_shift_jis(bytes);
        let text = decode_charset(bytes, charset).unwrap_or_default();
        let is_odd = is_other || text.contains('\u{fffd}');
        return (Cow::Owned(text), is_odd.then_some(AnomalyKind::BadCharset));
    }
    let name = match charset {
        "utf-16" | "utf16" | "utf_16" => utf_16_name(bytes),
        "utf7" => "utf-7",
        name => name,
    };
    if let Some(decoder) =
        charset_decoder(name.as_bytes()).filter(|_| !name.is_empty() && name.len() <= 45)
    {
        let text = decoder(bytes);
        let is_odd = text.contains('\u{fffd}') || matches!(charset, "us-ascii" | "ascii");
        return (Cow::Owned(text), is_odd.then_some(AnomalyKind::BadCharset));
    }
    let kind = if charset.is_empty() {
        AnomalyKind::BadCharset
    } else {
        AnomalyKind::UnknownCharset
    };
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (Cow::Borrowed(text), Some(kind));
    }
    let text = match charset_decoder(b"windows-1252") {
        Some(decoder) => decoder(bytes),
        None => String::from_utf8_lossy(bytes).into_owned(),
    };
    (Cow::Owned(text), Some(kind))
}

/// Decodes a charset by its declared name (any case); `None` where no decoder is known. What is
/// malformed becomes U+FFFD. What is declared as ISO-2022-JP may be Shift_JIS.
pub fn decode_charset(bytes: &[u8], name: &str) -> Option<String> {
    let name = name.trim().to_ascii_lowercase();
    if japanese::is_iso_2022_jp(&name) {
        return Some(if japanese::is_shift_jis(bytes) {
            charset_decoder(b"shift_jis")?(bytes)
        } else {
            charset_decoder(b"iso-2022-jp")?(&japanese::without_idle_escapes(bytes))
        });
    }
    let decoder =
        charset_decoder(name.as_bytes()).filter(|_| !name.is_empty() && name.len() <= 45)?;
    Some(decoder(bytes))
}

/// Decodes Windows-1252; the five bytes that it leaves open become U+FFFD.
pub fn decode_windows_1252(bytes: &[u8]) -> String {
    const HIGH: [char; 32] = [
        '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž',
        '\u{fffd}', '\u{fffd}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ',
        '\u{fffd}', 'ž', 'Ÿ',
    ];
    let character = |byte: u8| match byte {
        0x80..=0x9f => HIGH
            .get(usize::from(byte - 0x80))
            .copied()
            .unwrap_or('\u{fffd}'),
        _ => char::from(byte),
    };
    bytes.iter().map(|byte| character(*byte)).collect()
}

/// UTF-16 without a byte order mark is recognised by the position of its zero bytes.
fn utf_16_name(bytes: &[u8]) -> &'static str {
    if matches!(bytes, [0xfe, 0xff, ..] | [0xff, 0xfe, ..]) {
        return "utf-16";
    }
    let zeros = |odd: usize| {
        bytes
            .iter()
            .skip(odd)
            .step_by(2)
            .take(4_096)
            .filter(|&&byte| byte == 0)
            .count()
    };
    if zeros(0) > zeros(1) {
        "utf-16be"
    } else {
        "utf-16le"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded_tolerantly() {
        for (input, bytes, is_bad) in [
            ("", "", false),
            ("YQ==", "a", false),
            ("YWI=", "ab", false),
            ("YWJj", "abc", false),
            ("YW\r\nJj\r\n", "abc", false),
            ("YQ", "a", true),
            ("Y", "", true),
            ("YW!Jj", "abc", true),
            ("YQ==YWJj", "aabc", true),
            ("====", "", false),
        ] {
            let decoded = base64(input.as_bytes(), 1_000);
            assert_eq!(
                (decoded.bytes.as_slice(), decoded.is_bad),
                (bytes.as_bytes(), is_bad),
                "{input:?}"
            );
        }
    }

    #[test]
    fn quoted_printable_is_decoded_tolerantly() {
        for (input, bytes, is_bad) in [
            ("", "", false),
            ("a=3D=C3=a4", "a=ä", false),
            ("a=\r\nb=  \nc=", "abc", false),
            ("a \t\r\nb=20\r\n", "a\r\nb \r\n", false),
            ("a =\nb", "a b", false),
            ("a= b", "a= b", true),
            ("=4", "=4", true),
            ("a \n", "a\n", false),
            ("=20 \n", "  \n".trim_end_matches(" \n"), false),
        ] {
            let decoded = quoted_printable(input.as_bytes(), 1_000);
            let expected = if input == "=20 \n" { " \n" } else { bytes };
            assert_eq!(
                (
                    String::from_utf8_lossy(&decoded.bytes).as_ref(),
                    decoded.is_bad
                ),
                (expected, is_bad),
                "{input:?}"
            );
        }
    }

    #[test]
    fn decoders_stop_at_the_budget() {
        for (budget, is_cut) in [(0, true), (5, true), (6, false), (7, false)] {
            let decoded = base64(b"YWJjYWJj", budget);
            assert_eq!(
                (decoded.bytes.len(), decoded.is_cut),
                (budget.min(6), is_cut),
                "base64 {budget}"
            );
            let decoded = quoted_printable(b"abc=64ef", budget);
            assert_eq!(
                (decoded.bytes.len(), decoded.is_cut),
                (budget.min(6), is_cut),
                "quoted-printable {budget}"
            );
        }
    }

    #[test]
    fn charsets_become_utf_8() {
        for (bytes, charset, text, anomaly) in [
            (b"abc".as_slice(), None, "abc", None),
            ("ä".as_bytes(), Some("iso-8859-1"), "ä", None),
            (b"\xe4", Some("iso-8859-1"), "ä", None),
            (b"\xe4", None, "ä", Some(AnomalyKind::BadCharset)),
            (
                b"\xe4",
                Some("us-ascii"),
                "ä",
                Some(AnomalyKind::BadCharset),
            ),
            (
                b"\xe4",
                Some("utf-8"),
                "\u{fffd}",
                Some(AnomalyKind::BadCharset),
            ),
            (
                b"\xe4",
                Some("x-none"),
                "ä",
                Some(AnomalyKind::UnknownCharset),
            ),
            (b"a\0b\0", Some("utf-16"), "ab", None),
            (b"\0a\0b", Some("utf-16"), "ab", None),
            (b"+AOQ-", Some("utf-7"), "ä", None),
            (b"\x1b$B%\"\x1b(B", Some("iso-2022-jp"), "ア", None),
            (
                b"\x1b$B%\"\x1b(B\x1b$B%$\x1b(B",
                Some("iso-2022-jp"),
                "アイ",
                None,
            ),
            (
                b"\x83A\x82\xa0",
                Some("iso-2022-jp"),
                "アあ",
                Some(AnomalyKind::BadCharset),
            ),
        ] {
            let (got, odd) = to_utf8(bytes, charset);
            assert_eq!(
                (got.as_ref(), odd),
                (text, anomaly),
                "{bytes:?} {charset:?}"
            );
        }
    }
}
