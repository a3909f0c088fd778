//! Answers on the wire: the reply to a command, and the changes that go in front of it at the end of a message.
//!
//! What is written here is safe for the MTA whatever a handler says: no header field can inject another one, no reply text can
//! break the SMTP dialogue (Postfix fixed an overwrite by a malformed reply in 2026), no packet is longer than 64 KiB.

use super::negotiate::actions;
use super::wire::write_packet;
use super::{Action, Negotiated, Reply};

/// Lines of one reply (libmilter's limit).
const REPLY_LINES_MAX: usize = 32;
/// Bytes of one line of a reply, with its code and doubled percent signs; RFC 5321 §4.5.3.1.5 has 512 with CRLF.
const REPLY_LINE_MAX: usize = 480;
/// Bytes of a header value that we set; Sendmail's packets hold 65535 bytes, its headers 32768.
const HEADER_VALUE_MAX: usize = 30_000;
/// Bytes of a header name that we set: RFC 5322 §2.1.1 has 998 for the line.
const HEADER_NAME_MAX: usize = 256;
/// Bytes of a path with its parameters: RFC 5321 §4.5.3.1 has 256 for a path; parameters may add to it.
const PATH_MAX: usize = 2_000;
/// Bytes of a quarantine reason.
const REASON_MAX: usize = 480;
/// The highest position of a header field: MTAs read a signed number, and Postfix adds one.
const INDEX_MAX: u32 = i32::MAX.unsigned_abs() - 1;

/// Writes a reply. `Skip` becomes `Continue` where it may not be sent, and a code that is none becomes a tempfail: what we
/// cannot say is no verdict.
pub(super) fn write_reply(reply: &Reply, may_skip: bool, out: &mut Vec<u8>) {
    let command = match reply {
        Reply::Skip if may_skip => b's',
        Reply::Continue | Reply::Skip => b'c',
        Reply::Accept => b'a',
        Reply::Reject => b'r',
        Reply::Tempfail | Reply::Pending => b't',
        Reply::Code { code, enhanced, lines } => match reply_text(*code, enhanced, lines) {
            Some(text) => return write_packet(out, b'y', &[text.as_bytes(), b"\0"]),
            None => b't',
        },
    };
    write_packet(out, command, &[]);
}

/// Writes those changes that the MTA offered to make and that can be said.
pub(super) fn write_actions(all: &[Action], negotiated: &Negotiated, out: &mut Vec<u8>) {
    for action in all {
        match action {
            Action::AddHeader { name, value } => {
                if let Some(field) = added(name, value, negotiated) {
                    write_packet(out, b'h', &[&field]);
                }
            }
            Action::InsertHeader { index, name, value } => {
                if let Some(field) = added(name, value, negotiated) {
                    write_packet(out, b'i', &[&(*index).min(INDEX_MAX).to_be_bytes(), &field]);
                }
            }
            Action::ChangeHeader { index, name, value } => {
                // Postfix breaks off on index 0.
                if negotiated.may(actions::CHGHDRS)
                    && (1..=INDEX_MAX).contains(index)
                    && let Some(field) = field(name, value, negotiated)
                {
                    write_packet(out, b'm', &[&index.to_be_bytes(), &field]);
                }
            }
            Action::ChangeFrom { path, parameters } => {
                if negotiated.may(actions::CHGFROM) && is_clean(path, parameters) {
                    write_path(b'e', path, parameters, out);
                }
            }
            Action::AddRecipient { path, parameters } => add_recipient(path, parameters, negotiated, out),
            Action::DeleteRecipient { path } => {
                if negotiated.may(actions::DELRCPT) && is_clean(path, "") {
                    write_path(b'-', path, "", out);
                }
            }
            Action::Quarantine { reason } => {
                if negotiated.may(actions::QUARANTINE) {
                    write_packet(out, b'q', &[line(reason, REASON_MAX, false).as_bytes(), b"\0"]);
                }
            }
        }
    }
}

/// With parameters where the MTA takes them; without, the recipient still counts.
fn add_recipient(path: &str, parameters: &str, negotiated: &Negotiated, out: &mut Vec<u8>) {
    if !is_clean(path, parameters) {
        return;
    }
    if negotiated.may(actions::ADDRCPT_PAR) && (!parameters.is_empty() || !negotiated.may(actions::ADDRCPT)) {
        write_path(b'2', path, parameters, out);
    } else if negotiated.may(actions::ADDRCPT) {
        write_path(b'+', path, "", out);
    }
}

fn write_path(command: u8, path: &str, parameters: &str, out: &mut Vec<u8>) {
    if parameters.is_empty() {
        write_packet(out, command, &[path.as_bytes(), b"\0"]);
    } else {
        write_packet(out, command, &[path.as_bytes(), b"\0", parameters.as_bytes(), b"\0"]);
    }
}

/// An address with control characters, or cut, would be another address: such a change is left out as a whole.
fn is_clean(path: &str, parameters: &str) -> bool {
    let mut characters = path.chars().chain(parameters.chars());
    !path.is_empty() && path.len() + parameters.len() <= PATH_MAX && !characters.any(char::is_control)
}

fn added(name: &str, value: &str, negotiated: &Negotiated) -> Option<Vec<u8>> {
    if negotiated.may(actions::ADDHDRS) { field(name, value, negotiated) } else { None }
}

/// A header field, name and value each closed by NUL; `None` where the name is none (RFC 5322 §2.2).
fn field(name: &str, value: &str, negotiated: &Negotiated) -> Option<Vec<u8>> {
    let is_name = |byte: &u8| byte.is_ascii_graphic() && *byte != b':';
    if name.is_empty() || name.len() > HEADER_NAME_MAX || !name.as_bytes().iter().all(is_name) {
        return None;
    }
    let mut field = name.as_bytes().to_vec();
    field.push(0);
    // An empty value deletes the field: it must stay empty.
    if negotiated.leading_space && !value.is_empty() {
        field.push(b' ');
    }
    let mut characters =
        value.trim_end_matches(['\r', '\n', '\0']).chars().filter(|c| !matches!(c, '\r' | '\0')).peekable();
    let end = field.len() + HEADER_VALUE_MAX;
    while let Some(character) = characters.next()
        && field.len() < end
    {
        field.push(match character {
            '\n' if characters.peek().is_some_and(|next| matches!(next, ' ' | '\t')) => b'\n',
            '\n' => b' ',
            '\t' => b'\t',
            ' '..='~' => u8::try_from(character).unwrap_or(b'?'),
            _ => b'?',
        });
    }
    field.push(0);
    Some(field)
}

/// `550-5.7.1 first CRLF 550 5.7.1 last`; `None` where code and enhanced code do not fit each other (RFC 3463 §2).
fn reply_text(code: u16, enhanced: &str, lines: &[String]) -> Option<String> {
    let class = match code {
        400..=499 => "4",
        500..=599 => "5",
        _ => return None,
    };
    let parts: Vec<&str> = enhanced.split('.').collect();
    let is_number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let [first, subject, detail] = *parts.as_slice() else { return None };
    if first != class || !is_number(subject) || !is_number(detail) {
        return None;
    }
    let prefix = 5 + enhanced.len();
    let count = lines.len().clamp(1, REPLY_LINES_MAX);
    let mut text = String::new();
    for at in 0..count {
        let words = lines.get(at).map_or("Refused", String::as_str);
        let separator = if at + 1 < count { "-" } else { " " };
        text.push_str(if at > 0 { "\r\n" } else { "" });
        text.push_str(&[&code.to_string(), separator, enhanced, " "].concat());
        text.push_str(&line(words, REPLY_LINE_MAX - prefix, true));
    }
    Some(text)
}

/// One line of at most `limit` bytes of printable ASCII. Percent signs may be doubled: Postfix drops a single one, Sendmail
/// takes it for a format.
fn line(words: &str, limit: usize, double_percent: bool) -> String {
    let mut line = String::new();
    for character in words.chars() {
        let bytes = if character == '%' && double_percent { 2 } else { 1 };
        if line.len() + bytes > limit {
            break;
        }
        match character {
            '%' if double_percent => line.push_str("%%"),
            ' '..='~' => line.push(character),
            '\r' | '\n' | '\t' => line.push(' '),
            '\0' => {}
            _ => line.push('?'),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize, length: usize) -> String {
        reply_text(550, "5.7.1", &vec!["x".repeat(length); count]).unwrap()
    }

    #[test]
    fn reply_lines_up_to_the_limit() {
        assert_eq!(lines(REPLY_LINES_MAX, 1).lines().count(), REPLY_LINES_MAX);
        let text = lines(REPLY_LINES_MAX + 1, 1);
        assert_eq!(text.split("\r\n").count(), REPLY_LINES_MAX);
        assert!(text.starts_with("550-5.7.1 x\r\n550-5.7.1 x") && text.ends_with("\r\n550 5.7.1 x"));
    }

    #[test]
    fn reply_line_up_to_the_limit() {
        let room = REPLY_LINE_MAX - "550 5.7.1 ".len();
        assert_eq!(lines(1, room).len(), REPLY_LINE_MAX);
        assert_eq!(lines(1, room + 1).len(), REPLY_LINE_MAX);
        // A doubled percent sign is not cut in two.
        let text = reply_text(550, "5.7.1", &["x".repeat(room - 1) + "%"]).unwrap();
        assert_eq!(text.len(), REPLY_LINE_MAX - 1);
        let text = reply_text(550, "5.7.1", &["x".repeat(room - 2) + "%"]).unwrap();
        assert!(text.len() == REPLY_LINE_MAX && text.ends_with("%%"));
    }

    #[test]
    fn codes_at_their_edges() {
        for (code, enhanced, said) in [
            (399, "3.0.0", false),
            (400, "4.0.0", true),
            (499, "4.0.0", true),
            (499, "5.0.0", false),
            (500, "5.0.0", true),
            (599, "5.999.999", true),
            (599, "5.1000.0", false),
            (599, "5..0", false),
            (600, "6.0.0", false),
            (550, "5.7.1 ", false),
            (550, "05.7.1", false),
            (550, "", false),
        ] {
            assert_eq!(reply_text(code, enhanced, &["x".to_owned()]).is_some(), said, "{code} {enhanced}");
        }
    }

    #[test]
    fn header_fields_up_to_the_limit() {
        let negotiated = Negotiated::new(6, u32::MAX, 0);
        for (length, kept) in [(HEADER_VALUE_MAX, HEADER_VALUE_MAX), (HEADER_VALUE_MAX + 1, HEADER_VALUE_MAX)] {
            let field = field("X", &"v".repeat(length), &negotiated).unwrap();
            assert_eq!(field.len(), "X\0\0".len() + kept);
        }
        assert!(field(&"X".repeat(HEADER_NAME_MAX), "v", &negotiated).is_some());
        assert!(field(&"X".repeat(HEADER_NAME_MAX + 1), "v", &negotiated).is_none());
    }

    #[test]
    fn header_values_are_cleaned() {
        let negotiated = Negotiated::new(6, u32::MAX, 0);
        for (value, clean) in [
            ("plain", "plain"),
            ("a\r\n b", "a\n b"),
            ("a\n\tb", "a\n\tb"),
            ("a\nb", "a b"),
            ("a\n\n b", "a \n b"),
            ("a\n\r b", "a\n b"),
            ("a\n\0b", "a b"),
            ("a\r\n\r\n", "a"),
            ("\u{e9}\u{7f}\u{1}", "???"),
            ("\n", ""),
        ] {
            let expected = [b"X\0", clean.as_bytes(), b"\0"].concat();
            assert_eq!(field("X", value, &negotiated), Some(expected), "{value:?}");
        }
    }

    #[test]
    fn paths_up_to_the_limit() {
        assert!(is_clean(&"x".repeat(PATH_MAX), ""));
        assert!(!is_clean(&"x".repeat(PATH_MAX), "y"));
        assert!(!is_clean("", ""));
    }

    #[test]
    fn reasons_up_to_the_limit() {
        let negotiated = Negotiated::new(6, u32::MAX, 0);
        for length in [REASON_MAX, REASON_MAX + 1] {
            let mut out = Vec::new();
            write_actions(&[Action::Quarantine { reason: "x".repeat(length) }], &negotiated, &mut out);
            assert_eq!(out.len(), "....q\0".len() + REASON_MAX);
        }
    }
}
