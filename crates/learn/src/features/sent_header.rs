//! The header of a message as its author sent it: the same for the message that was sent, for each
//! delivered copy, and for a copy that a filter marked.

use super::fields::{fields, is_mark, name, split};

/// Bytes that are kept.
const LIMIT: usize = 64 << 10;

/// Fields that hosts add on the way, next to the marks.
const TRACE: [&[u8]; 9] = [
    b"received",
    b"x-received",
    b"received-spf",
    b"authentication-results",
    b"dkim-signature",
    b"domainkey-signature",
    b"x-google-dkim-signature",
    b"dkim-filter",
    b"x-quarantine-id",
];

/// The fields one a line, unfolded, without those that hosts on the way add.
pub(crate) fn sent_header(raw: &[u8]) -> Vec<u8> {
    let raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    let (header, _) = split(raw);
    let mut sent = Vec::new();
    for field in fields(header) {
        if field.starts_with(b"From ") || is_mark(name(field)) || is_trace(name(field)) {
            continue;
        }
        let words = field
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        for word in words {
            sent.extend_from_slice(word);
            sent.push(b' ');
        }
        sent.push(b'\n');
        if sent.len() > LIMIT {
            sent.truncate(LIMIT);
            break;
        }
    }
    sent
}

fn is_trace(name: &[u8]) -> bool {
    let is_chain = name
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"arc-"));
    is_chain || TRACE.iter().any(|trace| name.eq_ignore_ascii_case(trace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_delivery_adds_is_left_out_and_what_the_author_wrote_is_not() {
        let sent = "From: Anna <anna@example.net>\nSubject: the\n minutes\n\nx\n";
        let delivered = "From anna@example.net Mon Jan  1 00:00:00 2024\nReturn-Path: <anna@example.net>\r\nReceived: from a\r\n\tby b; x\r\nARC-Seal: i=1\r\nX-Spam-Status: No\r\nX-Gatepost: accept\r\nFrom: Anna <anna@example.net>\r\nSubject: the\r\n\tminutes\r\n\r\nx\r\n";
        let expected = "From: Anna <anna@example.net> \nSubject: the minutes \n";
        for raw in [sent, delivered, &format!("\u{feff}{sent}")] {
            let header = String::from_utf8(sent_header(raw.as_bytes())).unwrap();
            assert_eq!(header, expected);
        }
        let other = sent.replace("the", "our");
        assert_ne!(sent_header(other.as_bytes()), sent_header(sent.as_bytes()));
    }
}
