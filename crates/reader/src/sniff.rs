//! What the first bytes of a file are.

use gatepost_words::bytes::{Cursor, skip};

/// Lines of a header that are looked at.
const LINES_MAX: usize = 200;

/// What a stream of bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A message as it is.
    Message,
    /// A message after a From_ line, or several: a mailbox.
    Mailbox,
    /// Compressed.
    Compressed(Compression),
    /// A queue file of Postfix.
    QueueFile,
    /// What `postcat -q` prints.
    Postcat,
    /// Nothing, or nothing but white space.
    Empty,
    /// Something else, with its name.
    Other(&'static str),
}

/// A compression that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Bzip2,
    Zstd,
}

/// First bytes, and what begins with them.
const MAGIC: &[(&[u8], Kind)] = &[
    (b"\x1f\x8b\x08", Kind::Compressed(Compression::Gzip)),
    (b"BZh", Kind::Compressed(Compression::Bzip2)),
    (b"\x28\xb5\x2f\xfd", Kind::Compressed(Compression::Zstd)),
    (b"\x89PNG", Kind::Other("a PNG image")),
    (b"\xff\xd8\xff", Kind::Other("a JPEG image")),
    (b"GIF8", Kind::Other("a GIF image")),
    (b"%PDF-", Kind::Other("a PDF document")),
    (b"PK\x03\x04", Kind::Other("a ZIP archive")),
    (
        b"\xfd7zXZ\0",
        Kind::Other("compressed with xz, which is not read"),
    ),
    (b"\x7fELF", Kind::Other("a program (ELF)")),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        Kind::Other("an Outlook or Office file (OLE, .msg); save it as .eml"),
    ),
    (b"\xa1\x02\x8b\x0dCyrus", Kind::Other("a file of Cyrus")),
    (b"\xff\xfe", UTF16),
    (b"\xfe\xff", UTF16),
    (b"*** ENVELOPE RECORDS ", Kind::Postcat),
];

const UTF16: Kind = Kind::Other("UTF-16 text; save it as UTF-8");

/// Fields that a message has, next to those that begin with `X-`, `List-`, `Resent-`, `ARC-`.
const FIELDS: &[&str] = &[
    "apparently-to",
    "authentication-results",
    "auto-submitted",
    "bcc",
    "cc",
    "content-disposition",
    "content-transfer-encoding",
    "content-type",
    "date",
    "delivered-to",
    "delivery-date",
    "dkim-signature",
    "domainkey-signature",
    "envelope-to",
    "errors-to",
    "from",
    "in-reply-to",
    "message-id",
    "mime-version",
    "newsgroups",
    "precedence",
    "priority",
    "received",
    "received-spf",
    "references",
    "reply-to",
    "return-path",
    "sender",
    "status",
    "subject",
    "to",
    "user-agent",
];

/// Of these a text that does not begin with a field must have one.
const DECISIVE: &[&str] = &[
    "from",
    "message-id",
    "received",
    "return-path",
    "subject",
    "to",
];

/// What begins with these bytes.
pub(crate) fn kind(prefix: &[u8]) -> Kind {
    for (magic, kind) in MAGIC {
        if prefix.starts_with(magic) {
            return *kind;
        }
    }
    // Latin letters in two bytes each, without a mark.
    if let [first, second, third, fourth, ..] = prefix
        && (([*second, *fourth] == [0, 0] && first.is_ascii_graphic() && third.is_ascii())
            || ([*first, *third] == [0, 0] && second.is_ascii_graphic() && fourth.is_ascii()))
    {
        return UTF16;
    }
    if is_queue_file(prefix) {
        return Kind::QueueFile;
    }
    let text = skip(prefix, mark(prefix));
    if text.trim_ascii().is_empty() {
        return Kind::Empty;
    }
    let mut cursor = Cursor::new(text);
    let is_mailbox = text.starts_with(b"From ");
    if is_mailbox || text.starts_with(b">From ") {
        cursor.take_through(b'\n');
    }
    if !has_header(cursor.rest()) {
        return Kind::Other("it has no header fields of a message");
    }
    if is_mailbox {
        Kind::Mailbox
    } else {
        Kind::Message
    }
}

/// Length of a byte order mark of UTF-8 at the beginning.
pub(crate) fn mark(prefix: &[u8]) -> usize {
    if prefix.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    }
}

/// The name of a field at the beginning of a line.
pub(crate) fn field_name(line: &[u8]) -> Option<&[u8]> {
    let name = Cursor::new(line).take_until(b':');
    if name.len() == line.len() {
        return None;
    }
    let name = name.trim_ascii_end();
    let is_name = name.first().is_some_and(u8::is_ascii_alphanumeric)
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte));
    is_name.then_some(name)
}

/// Whether a text begins with the header of a message: fields, of which one is known.
///
/// Where the first line is no field (a line of a proxy, a mistake of a spammer), two known fields
/// are needed. Files of settings, tables and programs have neither.
fn has_header(text: &[u8]) -> bool {
    let mut known: Vec<Vec<u8>> = Vec::new();
    let mut is_first_field = None;
    for line in text.split(|byte| *byte == b'\n').take(LINES_MAX) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            // Empty lines before the header are a mistake that programs make.
            if is_first_field.is_some() {
                break;
            }
            continue;
        }
        let name = field_name(line).map(<[u8]>::to_ascii_lowercase);
        is_first_field.get_or_insert(name.is_some());
        if let Some(name) = name
            && is_known(&name)
            && !known.contains(&name)
        {
            known.push(name);
        }
    }
    let is_decisive = known
        .iter()
        .any(|name| DECISIVE.iter().any(|known| known.as_bytes() == name));
    match is_first_field {
        Some(true) => !known.is_empty(),
        Some(false) => known.len() >= 2 && is_decisive,
        None => false,
    }
}

fn is_known(name: &[u8]) -> bool {
    let families: [&[u8]; 4] = [b"x-", b"list-", b"resent-", b"arc-"];
    families.iter().any(|family| name.starts_with(family))
        || FIELDS.iter().any(|known| known.as_bytes() == name)
}

/// A queue file begins with its size, or in `maildrop` with a time: a record of digits and spaces.
fn is_queue_file(prefix: &[u8]) -> bool {
    let mut cursor = Cursor::new(prefix);
    if !(cursor.eat(b'C') || cursor.eat(b'T')) {
        return false;
    }
    let Some(length) = cursor
        .next_byte()
        .filter(|length| (10..128).contains(length))
    else {
        return false;
    };
    let rest = cursor.rest();
    let Some((digits, next)) = rest.split_at_checked(usize::from(length)) else {
        return false;
    };
    let is_numbers = digits
        .iter()
        .all(|byte| byte.is_ascii_digit() || *byte == b' ');
    is_numbers && next.first().is_some_and(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_a_field_that_is_known() {
        for text in [
            "Subject: x\n\ny",
            "\u{feff}From: a@example.net\n\n",
            "\n\r\nFrom: a@example.net\n\n",
            "Foo: 1\n folded\nX-Bar: 1\n",
            "a line of no sense\nFrom: a@example.net\nSubject: x\n\n",
            ">From a Mon Jan  1 00:00:00 2024\nSubject: x\n",
            "To : a@example.com\n\n",
        ] {
            assert_eq!(kind(text.as_bytes()), Kind::Message, "{text:?}");
        }
        let mailbox = b"\xef\xbb\xbfFrom a Mon Jan  1 00:00:00 2024\r\nSubject: x\r\n\r\n";
        assert_eq!(kind(mailbox), Kind::Mailbox);
    }

    #[test]
    fn what_is_no_message_is_named() {
        for (bytes, what) in [
            (&b"\x89PNG\r\n\x1a\n\0\0"[..], "PNG"),
            (b"\x7fELF\x02\x01", "ELF"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", ".msg"),
            (
                b"why = \"x\"\nargs = [\"a: b\"]\n[session]\n",
                "no header fields",
            ),
            (b"[policy]\nfrom = 1\n# From: x\n", "no header fields"),
            (
                b"3 V1764000000 N3 G0123456789abcdef\n1 :1764000000.M1P2.host\n",
                "no header fields",
            ),
            (b"0 $label1\n1 $label2\n", "no header fields"),
            (
                b"From the desk of Anna\n\nDear all: come.\n",
                "no header fields",
            ),
            (b"all: build\nbuild:\n\tcc x.c\n", "no header fields"),
            (
                b"---\ntitle: x\ndate: 2026-11-23\n---\n",
                "no header fields",
            ),
            (b"\xa1\x02\x8b\x0dCyrus mailbox header\n", "Cyrus"),
            (b"\x01\x02\x08\x00\x04\x00", "no header fields"),
            (b"\xff\xfeF\0r\0o\0m\0:\0", "UTF-16"),
            (b"F\0r\0o\0m\0:\0", "UTF-16"),
            (b"\0F\0r\0o\0m\0:", "UTF-16"),
        ] {
            let found = kind(bytes);
            let Kind::Other(name) = found else {
                panic!("{bytes:?} is {found:?}")
            };
            assert!(name.contains(what), "{name}");
        }
        for empty in [&b""[..], b" \r\n", b"\xef\xbb\xbf"] {
            assert_eq!(kind(empty), Kind::Empty);
        }
    }
}
