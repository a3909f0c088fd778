//! Percents: the escapes of URLs (RFC 3986 §2.1), and shares.

use std::borrow::Cow;

use crate::bytes::Cursor;
use crate::hex;

/// Undoes `%XX`. A percent sign without two hexadecimal digits stays as it is, as browsers leave
/// it.
pub fn decode(text: &str) -> Cow<'_, [u8]> {
    if !text.contains('%') {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut cursor = Cursor::new(text.as_bytes());
    loop {
        decoded.extend_from_slice(cursor.take_until(b'%'));
        if cursor.next_byte().is_none() {
            return Cow::Owned(decoded);
        }
        let escaped = match cursor.rest() {
            [high, low, ..] => hex::byte(*high, *low),
            _ => None,
        };
        if escaped.is_some() {
            cursor.skip(2);
        }
        decoded.push(escaped.unwrap_or(b'%'));
    }
}

/// [`decode`] to text; what is not UTF-8 becomes U+FFFD.
pub fn decode_lossy(text: &str) -> String {
    match decode(text) {
        Cow::Borrowed(_) => text.to_owned(),
        Cow::Owned(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
    }
}

/// What percentage of `whole` is `part`; 0 of nothing.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of messages and bytes are far below 2^52"
)]
pub fn of(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    100.0 * part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_once() {
        for (text, decoded) in [
            ("", ""),
            ("plain", "plain"),
            ("a%20b", "a b"),
            ("%C3%a9", "é"),
            ("%2541", "%41"),
            ("100%", "100%"),
            ("%4", "%4"),
            ("%zz%41", "%zzA"),
            ("%%41", "%A"),
        ] {
            assert_eq!(decode_lossy(text), decoded, "{text}");
        }
        assert_eq!(decode("%ff").as_ref(), [0xff]);
        assert_eq!(decode_lossy("%ff"), "\u{fffd}");
    }

    #[test]
    fn shares() {
        assert!((of(1, 8) - 12.5).abs() < 1e-12);
        assert!(of(3, 0).abs() < 1e-12);
    }
}
