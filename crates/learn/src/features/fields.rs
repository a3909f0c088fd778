//! The header fields of a message as bytes, and which of them are not part of it but marks that
//! others left.

use gatepost_words::bytes::{self, Cursor};

/// Header bytes that are read of a stored message: the view holds far less, marks are skipped over.
const HEADER: usize = 256 << 10;

/// Where the first line ends, its line end included.
pub(super) fn line_end(text: &[u8]) -> usize {
    memchr::memchr(b'\n', text).map_or(text.len(), |at| at + 1)
}

/// Header and body; the empty line belongs to neither.
pub(super) fn split(raw: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    while at < raw.len().min(HEADER) {
        let (header, rest) = bytes::split_at(raw, at);
        let end = line_end(rest);
        if matches!(bytes::head(rest, end), b"\n" | b"\r\n") {
            return (header, bytes::skip(rest, end));
        }
        at += end;
    }
    (raw, &[])
}

/// The fields of a header, folded lines together, line ends included.
pub(super) fn fields(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = header;
    std::iter::from_fn(move || {
        let mut end = line_end(rest);
        while matches!(rest.get(end), Some(b' ' | b'\t')) {
            end += line_end(bytes::skip(rest, end));
        }
        let (field, after) = rest.split_at_checked(end)?;
        rest = after;
        (!field.trim_ascii().is_empty()).then_some(field)
    })
}

/// The name of a field.
pub(super) fn name(field: &[u8]) -> &[u8] {
    Cursor::new(field).take_until(b':').trim_ascii()
}

/// What is after the colon.
pub(super) fn value(field: &[u8]) -> &[u8] {
    let mut cursor = Cursor::new(field);
    cursor.take_through(b':');
    cursor.rest().trim_ascii()
}

/// Whether the field of that name says to whom a message was delivered.
pub(super) fn is_delivery(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"delivered-to") || name.eq_ignore_ascii_case(b"x-original-to")
}

/// Whether the header field of that name (any case) says what an earlier filter found, or was
/// added by who received or collected the mail. Counted over the corpora in 2026: each of these
/// separates the classes by itself somewhere.
pub fn is_mark(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 23] = [
        b"x-gatepost",
        b"x-uuid",
        b"x-miltered",
        b"x-keywords",
        b"delivery-date",
        b"x-pyzor",
        b"x-loop",
        b"old-return-path",
        b"status",
        b"x-status",
        b"content-length",
        b"lines",
        b"delivered-to",
        b"x-original-to",
        b"x-incomingtopheadermarker",
        b"x-incomingheadercount",
        b"x-sid-result",
        b"x-sid-pra",
        b"x-sender-ip",
        b"x-message-info",
        b"x-message-delivery",
        b"return-path",
        b"envelope-to",
    ];
    const PREFIXES: [&[u8]; 9] = [
        b"x-spam-",
        b"x-virus-",
        b"x-barracuda-",
        b"x-asg-",
        b"resent-",
        b"x-ms-",
        b"x-microsoft-antispam",
        b"x-forefront-",
        b"x-eop",
    ];
    NAMES.iter().any(|mark| name.eq_ignore_ascii_case(mark))
        || PREFIXES.iter().any(|mark| {
            name.get(..mark.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(mark))
        })
}
