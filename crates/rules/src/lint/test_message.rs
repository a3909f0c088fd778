//! The small message that a `test` line of a meta or a function stands for.

use gatepost_words::bytes;
use gatepost_words::diagnostic::byte_of_stand_in;

/// The header of a line that has none.
const PLAIN_HEADER: &str = "From: Test <test@example.net>\r\nTo: reader@example.com\r\nSubject: test\r\n\
    Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <test@example.net>\r\n";

/// The message: `\n` is a line end, `\r` and `\0` are the bare bytes, `\xHH` is the byte of that
/// number, `\\` a backslash; any other backslash stays. What comes before the first empty line is
/// the header; a text without one is the body of a plain message.
pub(crate) fn test_message(text: &str) -> Vec<u8> {
    let mail = unescaped(text);
    if memchr::memmem::find(&mail, b"\r\n\r\n").is_some() {
        return mail;
    }
    [PLAIN_HEADER.as_bytes(), b"\r\n", &mail, b"\r\n"].concat()
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            push(&mut out, character);
            continue;
        }
        let behind = rest.as_str();
        let digits = behind.strip_prefix('x').and_then(|hex| hex.get(..2));
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let hex = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (bytes, taken): (&[u8], usize) = match (behind.chars().next(), hex) {
            (Some('x'), Some(byte)) => (&[byte], 3),
            (Some('n'), _) => (b"\r\n", 1),
            (Some('r'), _) => (b"\r", 1),
            (Some('0'), _) => (b"\0", 1),
            (Some('\\'), _) => (b"\\", 1),
            _ => (b"\\", 0),
        };
        out.extend_from_slice(bytes);
        rest = bytes::skip_str(behind, taken).chars();
    }
    out
}

fn push(out: &mut Vec<u8>, character: char) {
    match byte_of_stand_in(character) {
        Some(byte) => out.push(byte),
        None => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::{test_message, unescaped};

    #[test]
    fn escapes_stand_for_bytes() {
        for (text, wanted) in [
            (r"a\nb", &b"a\r\nb"[..]),
            (r"a\rb\0c", b"a\rb\0c"),
            (r"\x00\xFf\x4", b"\0\xff\\x4"),
            (r"\\n \d \", b"\\n \\d \\"),
            ("\u{e9}\u{f7e9}", b"\xc3\xa9\xe9"),
            (r"\x+1", b"\\x+1"),
        ] {
            assert_eq!(unescaped(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_text_without_header_is_a_body() {
        assert_eq!(test_message(r"Subject: x\n\nhi"), b"Subject: x\r\n\r\nhi");
        let mail = test_message("hi");
        assert!(mail.starts_with(b"From: ") && mail.ends_with(b"\r\n\r\nhi\r\n"));
    }
}
