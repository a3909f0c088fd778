//! Finds the fields of one header block (RFC 5322 §2.1): lines, folding, and where the body begins.

use gatepost_words::bytes::{skip, slice};
use std::ops::Range;

use super::anomaly::Report;
use super::{AnomalyKind, Limits};

/// Lines without colon that are skipped in the message's own header; the next one ends it, as in
/// SpamAssassin. In the header of a part the first one does.
const BAD_LINES: usize = 3;

/// U+FEFF in UTF-8, which programs on Windows write before the first field of a saved message.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What may still be read of headers, over all entities of a message.
#[derive(Debug)]
pub(super) struct HeaderBudget {
    fields: usize,
    bytes: usize,
    line: usize,
}

impl HeaderBudget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            fields: limits.headers,
            bytes: limits.header_bytes,
            line: limits.header_line,
        }
    }
}

/// One field, as ranges of the scanned bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldRange {
    pub(super) name: Range<usize>,
    pub(super) raw: Range<usize>,
}

/// A header block.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) fields: Vec<FieldRange>,
    /// Where the body begins: after the empty line, or at the line that cannot belong to a
    /// header.
    pub(super) body_start: usize,
}

/// The end of the line that starts at `from`: without its line end, and with it.
pub(super) fn line_end(bytes: &[u8], from: usize) -> (usize, usize) {
    let rest = skip(bytes, from);
    match memchr::memchr(b'\n', rest) {
        Some(at) => {
            let feed = from.saturating_add(at);
            let has_cr = at > 0 && rest.get(at.saturating_sub(1)) == Some(&b'\r');
            (
                feed.saturating_sub(usize::from(has_cr)),
                feed.saturating_add(1),
            )
        }
        None => (bytes.len(), bytes.len()),
    }
}

/// Where a header block starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    pub(super) at: usize,
    /// It is the message's own header, not that of a part.
    pub(super) is_message: bool,
    /// It is the header of a message, be it an attached one: a byte order mark may come first.
    pub(super) may_be_marked: bool,
    /// Is added to the offsets of anomalies.
    pub(super) origin: usize,
}

/// Scans a header block. `is_delimiter` knows the boundaries around, without their two dashes.
pub(super) fn scan(
    bytes: &[u8],
    start: Start,
    is_delimiter: impl Fn(&[u8]) -> bool,
    budget: &mut HeaderBudget,
    report: &mut Report,
) -> Block {
    let Start {
        at: from,
        is_message,
        may_be_marked,
        origin,
    } = start;
    let from = if may_be_marked && skip(bytes, from).starts_with(BYTE_ORDER_MARK) {
        report.add(AnomalyKind::ByteOrderMark, origin.saturating_add(from));
        from.saturating_add(BYTE_ORDER_MARK.len())
    } else {
        from
    };
    let mut block = Block {
        fields: Vec::new(),
        body_start: bytes.len(),
    };
    let mut open: Option<FieldRange> = None;
    let mut bad_lines = 0;
    let mut at = from;
    while at < bytes.len() {
        let (end, next) = line_end(bytes, at);
        let line = slice(bytes, at..end);
        if line.is_empty() {
            block.body_start = next;
            break;
        }
        // A field's name may begin with dashes, too; what is neither field nor delimiter is an
        // undeclared delimiter.
        let is_end = line
            .strip_prefix(b"--")
            .is_some_and(|rest| name_length(line).is_none() || is_delimiter(rest.trim_ascii_end()));
        if is_end {
            block.body_start = at;
            break;
        }
        let is_folded = matches!(line.first(), Some(b' ' | b'\t'));
        if let Some(field) = open.as_mut().filter(|_| is_folded) {
            field.raw.end = end;
        } else if let Some(name) = name_length(line).filter(|_| !is_folded) {
            close(open.take(), &mut block, budget, report, origin);
            let colon = memchr::memchr(b':', line).unwrap_or(name);
            let raw = at.saturating_add(colon).saturating_add(1)..end;
            open = Some(FieldRange {
                name: at..at.saturating_add(name),
                raw,
            });
        } else if !(is_message && at == from && line.starts_with(b"From ")) {
            report.add(AnomalyKind::HeaderWithoutColon, origin.saturating_add(at));
            bad_lines += 1;
            if !is_message || bad_lines > BAD_LINES {
                block.body_start = at;
                break;
            }
            // What is folded after a line that was skipped belongs to it.
            close(open.take(), &mut block, budget, report, origin);
        }
        at = next;
    }
    close(open, &mut block, budget, report, origin);
    block
}

/// The length of the field name (RFC 5322 §2.2: printable ASCII; white space before the colon is
/// obsolete but known).
fn name_length(line: &[u8]) -> Option<usize> {
    let name = line
        .iter()
        .take_while(|byte| byte.is_ascii_graphic() && **byte != b':')
        .count();
    let blank = line
        .iter()
        .skip(name)
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    (name > 0 && line.get(name.saturating_add(blank)) == Some(&b':')).then_some(name)
}

fn close(
    field: Option<FieldRange>,
    block: &mut Block,
    budget: &mut HeaderBudget,
    report: &mut Report,
    origin: usize,
) {
    let Some(mut field) = field else { return };
    let offset = origin.saturating_add(field.name.start);
    if budget.fields == 0 {
        report.add(AnomalyKind::HeadersLimit, offset);
        return;
    }
    let length = field.raw.end.saturating_sub(field.name.start);
    if length > budget.bytes {
        report.add(AnomalyKind::HeaderBytesLimit, offset);
        budget.bytes = 0;
        return;
    }
    budget.fields -= 1;
    budget.bytes -= length;
    if length > budget.line {
        report.add(AnomalyKind::HeaderLineLimit, offset);
        let end = field.name.start.saturating_add(budget.line);
        field.name.end = field.name.end.min(end);
        field.raw.start = field.raw.start.min(end);
        field.raw.end = end;
    }
    block.fields.push(field);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(
        text: &str,
        is_message: bool,
        limits: &Limits,
    ) -> (Vec<(String, String)>, String, Vec<AnomalyKind>) {
        let mut report = Report::default();
        let bytes = text.as_bytes();
        let block = scan(
            bytes,
            Start {
                at: 0,
                is_message,
                may_be_marked: is_message,
                origin: 0,
            },
            |line| line == b"b: x",
            &mut HeaderBudget::new(limits),
            &mut report,
        );
        let text =
            |range: &Range<usize>| String::from_utf8_lossy(&bytes[range.clone()]).into_owned();
        let fields = block
            .fields
            .iter()
            .map(|field| (text(&field.name), text(&field.raw)))
            .collect();
        (
            fields,
            text(&(block.body_start..bytes.len())),
            report.anomalies.iter().map(|odd| odd.kind).collect(),
        )
    }

    /// Text, whether it is a message's own header, the fields, the rest, the anomalies.
    type Case<'a> = (
        &'a str,
        bool,
        Vec<(&'a str, &'a str)>,
        &'a str,
        Vec<AnomalyKind>,
    );

    fn check(cases: Vec<Case<'_>>) {
        for (text, is_message, expected, body, odd) in cases {
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
                .collect();
            let found = fields(text, is_message, &Limits::default());
            assert_eq!(found, (expected, body.to_owned(), odd), "{text:?}");
        }
    }

    #[test]
    fn headers_of_messages_are_scanned() {
        let bad = AnomalyKind::HeaderWithoutColon;
        check(vec![
            ("", true, vec![], "", vec![]),
            ("\r\nbody", true, vec![], "body", vec![]),
            (
                "A: 1\r\nB:2\n\nbody",
                true,
                vec![("A", " 1"), ("B", "2")],
                "body",
                vec![],
            ),
            (
                "A: 1\r\n 2\r\n\t3\r\n\r\n",
                true,
                vec![("A", " 1\r\n 2\r\n\t3")],
                "",
                vec![],
            ),
            ("A : 1\n", true, vec![("A", " 1")], "", vec![]),
            ("From x\nA: 1\n\n", true, vec![("A", " 1")], "", vec![]),
            (
                "\u{feff}From x\nA: 1\n\n",
                true,
                vec![("A", " 1")],
                "",
                vec![AnomalyKind::ByteOrderMark],
            ),
            (
                "\u{feff}A: 1\n\n",
                false,
                vec![],
                "\u{feff}A: 1\n\n",
                vec![bad],
            ),
            (
                "A: 1\nbad\nB: 2\n\n",
                true,
                vec![("A", " 1"), ("B", " 2")],
                "",
                vec![bad],
            ),
            (
                "A: 1\na b: c\n d\nB: 2\n\n",
                true,
                vec![("A", " 1"), ("B", " 2")],
                "",
                vec![bad, bad],
            ),
            (
                "x\nx\nx\nA: 1\n\n",
                true,
                vec![("A", " 1")],
                "",
                vec![bad; 3],
            ),
            (
                "x\nx\nx\ny\nA: 1\n\n",
                true,
                vec![],
                "y\nA: 1\n\n",
                vec![bad; 4],
            ),
        ]);
    }

    #[test]
    fn headers_end_at_delimiters_and_at_text() {
        let bad = AnomalyKind::HeaderWithoutColon;
        check(vec![
            (
                "A: 1\ntext\nB: 2",
                false,
                vec![("A", " 1")],
                "text\nB: 2",
                vec![bad],
            ),
            (
                "A: 1\n--b: x\nB: 2",
                false,
                vec![("A", " 1")],
                "--b: x\nB: 2",
                vec![],
            ),
            (
                "A: 1\n--c: x\n\n",
                false,
                vec![("A", " 1"), ("--c", " x")],
                "",
                vec![],
            ),
            (
                "A: 1\n--c\nB: 2\n\n",
                true,
                vec![("A", " 1")],
                "--c\nB: 2\n\n",
                vec![],
            ),
            (": empty\nA:\n", true, vec![("A", "")], "", vec![bad]),
        ]);
    }

    #[test]
    fn limits_hold_at_n_and_n_plus_one() {
        let limits = Limits {
            headers: 3,
            header_bytes: 30,
            header_line: 10,
            ..Limits::default()
        };
        let cases = [
            ("A: 1\nB: 2\nC: 3\n", 3, vec![]),
            (
                "A: 1\nB: 2\nC: 3\nD: 4\n",
                3,
                vec![AnomalyKind::HeadersLimit],
            ),
            ("A: 3456789\n", 1, vec![]),
            ("A: 34567890\n", 1, vec![AnomalyKind::HeaderLineLimit]),
            ("A: 3456789\nB: 3456789\nC: 3456789\n", 3, vec![]),
            (
                "A: 3456789\nB: 3456789\nC: 34567890\n",
                2,
                vec![AnomalyKind::HeaderBytesLimit],
            ),
        ];
        for (text, count, odd) in cases {
            let (fields, _, anomalies) = fields(text, true, &limits);
            assert_eq!((fields.len(), anomalies), (count, odd), "{text:?}");
            assert!(
                fields
                    .iter()
                    .all(|(name, raw)| name.len() + 1 + raw.len() <= 10)
            );
        }
    }
}
