//! Takes a mail apart into its texts and puts it together again, everything else as it was.

use gatepost_mail::{EntityKind, Limits, Message};
use gatepost_words::bytes;

/// One text of a mail.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Whether it is HTML.
    pub(super) html: bool,
    /// The text, decoded; HTML with its tags.
    pub(super) text: String,
}

/// How changed texts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// UTF-8 as it is.
    EightBit,
    /// UTF-8 in base 64.
    Base64,
}

/// A mail that is being changed.
pub(super) struct Rewriter<'a> {
    raw: &'a [u8],
    encoding: Encoding,
    subject: Option<String>,
}

impl<'a> Rewriter<'a> {
    /// Begins with the mail as it is.
    pub(super) fn new(raw: &'a [u8], encoding: Encoding) -> Self {
        Self {
            raw,
            encoding,
            subject: None,
        }
    }

    /// Gives the mail another subject, if it has one.
    pub(super) fn subject(&mut self, edit: impl FnOnce(&str) -> String) {
        let message = Message::parse(self.raw, &Limits::default());
        if message.field("Subject").is_some() {
            let edited = edit(&message.subject());
            self.subject = Some(format!("=?utf-8?B?{}?=", base64(edited.as_bytes())));
        }
    }

    /// Changes each text; the mail as it is then. `None` where there is no text that can be changed
    /// in its place.
    pub(super) fn texts(self, mut edit: impl FnMut(&Part) -> Part) -> Option<Vec<u8>> {
        let message = Message::parse(self.raw, &Limits::default());
        let mut out = self.raw.to_vec();
        let mut changed = false;
        // From the last to the first, so that places before stay where they are.
        for text in message.texts.iter().rev() {
            let Some(entity) = message.entities.get(text.entity) else {
                continue;
            };
            let mut ancestors =
                std::iter::successors(entity.parent, |&at| message.entities.get(at)?.parent);
            let in_place = ancestors.all(|at| {
                message
                    .entities
                    .get(at)
                    .is_some_and(|entity| entity.kind == EntityKind::Multipart)
            });
            let start = if entity.parent.is_some() {
                self.header_start(entity.body.start)
            } else {
                0
            };
            let header = self.raw.get(start..entity.body.start).filter(|_| in_place);
            let (Some(header), Some(place)) = (
                header,
                out.get(start..entity.body.end)
                    .map(|_| start..entity.body.end),
            ) else {
                continue;
            };
            let edited = edit(&Part {
                html: text.html.is_some(),
                text: text.source.clone().into_owned(),
            });
            let mut written = self.header(header, &edited);
            written.extend(self.body(&edited.text));
            out.splice(place, written);
            changed = true;
        }
        if self.subject.is_some() {
            let end = Message::parse(&out, &Limits::default()).body_start;
            let header = self.with_subject(bytes::head(&out, end));
            out.splice(..end, header);
        }
        changed.then_some(out)
    }

    /// Where the header of the part begins whose body begins there: after the line of the
    /// boundary.
    fn header_start(&self, body: usize) -> usize {
        let before = bytes::head(self.raw, body);
        let boundary = memchr::memmem::rfind(before, b"\n--").map_or(0, |at| at + 1);
        let line = before
            .get(boundary..)
            .and_then(|rest| memchr::memchr(b'\n', rest));
        line.map_or(body, |end| boundary + end + 1)
    }

    /// The header with the type and encoding of the changed text in the places of the old ones.
    fn header(&self, header: &[u8], part: &Part) -> Vec<u8> {
        let kind = if part.html { "html" } else { "plain" };
        let encoding = if self.encoding == Encoding::Base64 {
            "base64"
        } else {
            "8bit"
        };
        let mut fields = [
            (
                "content-type",
                Some(format!("Content-Type: text/{kind}; charset=utf-8\r\n")),
            ),
            (
                "content-transfer-encoding",
                Some(format!("Content-Transfer-Encoding: {encoding}\r\n")),
            ),
        ];
        let mut out = Vec::with_capacity(header.len() + 80);
        for field in header_fields(header) {
            match fields.iter_mut().find(|(name, _)| is_named(field, name)) {
                Some((_, new)) => out.extend(new.take().unwrap_or_default().into_bytes()),
                None => out.extend_from_slice(field),
            }
        }
        out.extend(
            fields
                .into_iter()
                .filter_map(|(_, new)| new)
                .flat_map(String::into_bytes),
        );
        out.extend_from_slice(b"\r\n");
        out
    }

    fn with_subject(&self, header: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(header.len() + 80);
        for field in header_fields(header) {
            match &self.subject {
                Some(subject) if is_named(field, "subject") => {
                    out.extend_from_slice(format!("Subject: {subject}\r\n").as_bytes());
                }
                _ => out.extend_from_slice(field),
            }
        }
        out.extend_from_slice(b"\r\n");
        out
    }

    fn body(&self, text: &str) -> Vec<u8> {
        match self.encoding {
            Encoding::EightBit => format!("{text}\r\n").into_bytes(),
            Encoding::Base64 => {
                let encoded = base64(text.as_bytes());
                encoded
                    .as_bytes()
                    .chunks(76)
                    .flat_map(|line| [line, b"\r\n"].concat())
                    .collect()
            }
        }
    }
}

/// Fields that stay those of the mail: from whom, to whom and when it is, how it is made, and what
/// others write into it.
const OWN: [&str; 15] = [
    "from",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "received",
    "return-path",
    "delivered-to",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "dkim-signature",
    "authentication-results",
];

/// The mail with the fields of another header after its own, and in place of its own of those
/// names.
pub(super) fn with_fields_of(raw: &[u8], other: &[u8]) -> Vec<u8> {
    let end = Message::parse(raw, &Limits::default()).body_start;
    let (header, body) = raw.split_at_checked(end).unwrap_or((raw, &[]));
    let foreign: Vec<&[u8]> = header_fields(other)
        .into_iter()
        .filter(|field| !OWN.iter().any(|own| is_named(field, own)))
        .collect();
    let is_replaced = |field: &&[u8]| {
        foreign
            .iter()
            .any(|new| name(new).eq_ignore_ascii_case(name(field)))
    };
    let kept = header_fields(header)
        .into_iter()
        .filter(|field| !is_replaced(field));
    let mut out: Vec<u8> = kept
        .chain(foreign.iter().copied())
        .flatten()
        .copied()
        .collect();
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    out
}

/// Base 64 (RFC 4648 §4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut padded = [0; 3];
        for (to, from) in padded.iter_mut().zip(chunk) {
            *to = *from;
        }
        let [a, b, c] = padded.map(usize::from);
        let word = a << 16 | b << 8 | c;
        for digit in 0..4 {
            let letter = ALPHABET
                .get(word >> (18 - 6 * digit) & 63)
                .copied()
                .unwrap_or(b'A');
            out.push(if digit <= chunk.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    out
}

/// The name of a field.
fn name(field: &[u8]) -> &[u8] {
    field
        .split(|&byte| byte == b':')
        .next()
        .unwrap_or_default()
        .trim_ascii()
}

fn is_named(field: &[u8], wanted: &str) -> bool {
    name(field).eq_ignore_ascii_case(wanted.as_bytes())
}

/// The fields of a header with their continuation lines, without the empty line at its end.
fn header_fields(header: &[u8]) -> Vec<&[u8]> {
    let mut fields = Vec::new();
    let mut rest = header;
    while !rest.is_empty() && !rest.starts_with(b"\r\n") && !rest.starts_with(b"\n") {
        let mut end = 0;
        loop {
            let line = bytes::skip(rest, end);
            end += memchr::memchr(b'\n', line).map_or(line.len(), |at| at + 1);
            if !matches!(rest.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        let (field, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        fields.push(field);
        rest = after;
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upper(raw: &str, encoding: Encoding) -> String {
        let mut rewriter = Rewriter::new(raw.as_bytes(), encoding);
        rewriter.subject(str::to_uppercase);
        let out = rewriter.texts(|part| Part {
            html: part.html,
            text: part.text.to_uppercase(),
        });
        String::from_utf8(out.unwrap()).unwrap()
    }

    /// The test vectors of RFC 4648 §10.
    #[test]
    fn base_64() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }

    #[test]
    fn single_part() {
        let raw = "From: a\r\nContent-Type: text/plain;\r\n\tcharset=iso-8859-1\r\nSubject: a\r\n b\r\nX: y\r\n\r\nhello\r\n";
        let expected = "From: a\r\nContent-Type: text/plain; charset=utf-8\r\nSubject: =?utf-8?B?QSBC?=\r\nX: y\r\nContent-Transfer-Encoding: 8bit\r\n\r\nHELLO\r\n\r\n";
        assert_eq!(upper(raw, Encoding::EightBit), expected);
        assert!(
            upper(raw, Encoding::Base64)
                .ends_with("Content-Transfer-Encoding: base64\r\n\r\nSEVMTE8NCg==\r\n")
        );
    }

    #[test]
    fn fields_of_another_header() {
        let raw = b"Received: r\r\nFrom: a\r\nX-Mailer: m\r\n\tn\r\nSubject: s\r\n\r\nbody\r\n";
        let other = b"From: b\r\nx-mailer: h\r\nList-Id: l\r\n k\r\nDate: d\r\n\r\n";
        let expected = "Received: r\r\nFrom: a\r\nSubject: s\r\nx-mailer: h\r\nList-Id: l\r\n k\r\n\r\nbody\r\n";
        assert_eq!(
            String::from_utf8(with_fields_of(raw, other)).unwrap(),
            expected
        );
        assert_eq!(with_fields_of(b"A: b\r\n\r\nx", b""), b"A: b\r\n\r\nx");
    }

    #[test]
    fn parts_keep_their_frame() {
        let raw = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: text/html\r\nX: y\r\n\r\n<p>two\r\n--b--\r\n";
        let out = upper(raw, Encoding::EightBit);
        let message = Message::parse(out.as_bytes(), &Limits::default());
        let texts: Vec<&str> = message
            .texts
            .iter()
            .map(|text| text.source.trim())
            .collect();
        assert_eq!(texts, ["ONE", "<P>TWO"]);
        assert!(
            out.contains("Content-Type: text/html; charset=utf-8\r\nX: y\r\n"),
            "{out}"
        );
    }
}
