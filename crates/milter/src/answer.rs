//! Answers on the wire: the reply to a command, and the changes that go in front of it at the end
//! of a message.
//!
//! What is written here is safe for the MTA whatever a handler returns (see [`super::clean`]), and no
//! packet is longer than 64 KiB.

use super::negotiate::actions;
use super::sanitize::{
    INDEX_MAX, REASON_MAX, codes_fit, field_value, is_field_name, is_path, line, reply_lines,
};
use super::wire::write_packet;
use super::{Action, Negotiated, Reply};

/// Writes a reply. `Skip` becomes `Continue` where it may not be sent, and an invalid code
/// becomes a tempfail: what cannot be sent is no verdict.
pub(super) fn write_reply(reply: &Reply, may_skip: bool, out: &mut Vec<u8>) {
    let command = match reply {
        Reply::Skip if may_skip => b's',
        Reply::Continue | Reply::Skip => b'c',
        Reply::Accept => b'a',
        Reply::Reject => b'r',
        Reply::Tempfail | Reply::Pending => b't',
        Reply::Code {
            code,
            enhanced,
            lines,
        } => match reply_text(*code, enhanced, lines) {
            Some(text) => return write_packet(out, b'y', &[text.as_bytes(), b"\0"]),
            None => b't',
        },
    };
    write_packet(out, command, &[]);
}

/// Writes those changes that the MTA offered to make and that are valid.
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
                if negotiated.may(actions::CHGFROM) && is_path(path, parameters) {
                    write_path(b'e', path, parameters, out);
                }
            }
            Action::AddRecipient { path, parameters } => {
                add_recipient(path, parameters, negotiated, out);
            }
            Action::DeleteRecipient { path } => {
                if negotiated.may(actions::DELRCPT) && is_path(path, "") {
                    write_path(b'-', path, "", out);
                }
            }
            Action::Quarantine { reason } => {
                if negotiated.may(actions::QUARANTINE) {
                    write_packet(
                        out,
                        b'q',
                        &[line(reason, REASON_MAX, false).as_bytes(), b"\0"],
                    );
                }
            }
        }
    }
}

/// With parameters where the MTA takes them; without, the recipient still counts.
fn add_recipient(path: &str, parameters: &str, negotiated: &Negotiated, out: &mut Vec<u8>) {
    if !is_path(path, parameters) {
        return;
    }
    if negotiated.may(actions::ADDRCPT_PAR)
        && (!parameters.is_empty() || !negotiated.may(actions::ADDRCPT))
    {
        write_path(b'2', path, parameters, out);
    } else if negotiated.may(actions::ADDRCPT) {
        write_path(b'+', path, "", out);
    }
}

fn write_path(command: u8, path: &str, parameters: &str, out: &mut Vec<u8>) {
    if parameters.is_empty() {
        write_packet(out, command, &[path.as_bytes(), b"\0"]);
    } else {
        write_packet(
            out,
            command,
            &[path.as_bytes(), b"\0", parameters.as_bytes(), b"\0"],
        );
    }
}

fn added(name: &str, value: &str, negotiated: &Negotiated) -> Option<Vec<u8>> {
    if negotiated.may(actions::ADDHDRS) {
        field(name, value, negotiated)
    } else {
        None
    }
}

/// A header field, name and value each closed by NUL; `None` where the name is invalid.
fn field(name: &str, value: &str, negotiated: &Negotiated) -> Option<Vec<u8>> {
    let value = field_value(value, negotiated.leading_space);
    is_field_name(name).then(|| [name.as_bytes(), b"\0", value.as_bytes(), b"\0"].concat())
}

/// `550-5.7.1 first CRLF 550 5.7.1 last`; `None` where code and enhanced code do not fit each
/// other.
fn reply_text(code: u16, enhanced: &str, lines: &[String]) -> Option<String> {
    if !codes_fit(code, enhanced) {
        return None;
    }
    let lines = reply_lines(enhanced, lines);
    let last = lines.len().saturating_sub(1);
    let numbered = lines.iter().enumerate().map(|(at, words)| {
        let separator = if at < last { '-' } else { ' ' };
        format!("{code}{separator}{enhanced} {words}")
    });
    Some(numbered.collect::<Vec<_>>().join("\r\n"))
}

#[cfg(test)]
mod tests {
    use super::super::sanitize::{REPLY_LINE_MAX, REPLY_LINES_MAX};
    use super::*;

    #[test]
    fn replies_of_several_lines() {
        let text = reply_text(550, "5.7.1", &vec!["x".to_owned(); REPLY_LINES_MAX + 1]).unwrap();
        assert_eq!(text.split("\r\n").count(), REPLY_LINES_MAX);
        assert!(
            text.starts_with("550-5.7.1 x\r\n550-5.7.1 x") && text.ends_with("\r\n550 5.7.1 x")
        );
        let text = reply_text(451, "4.3.0", &["y".repeat(REPLY_LINE_MAX)]).unwrap();
        assert_eq!(text.len(), REPLY_LINE_MAX);
        assert_eq!(reply_text(451, "5.3.0", &["class".to_owned()]), None);
    }

    #[test]
    fn fields_are_closed_by_nul() {
        let plain = Negotiated::new(6, u32::MAX, 0);
        assert_eq!(
            field("X-Test", "yes\r\nno", &plain),
            Some(b"X-Test\0yes no\0".to_vec())
        );
        assert_eq!(field("X Test", "yes", &plain), None);
    }

    #[test]
    fn reasons_up_to_the_limit() {
        let negotiated = Negotiated::new(6, u32::MAX, 0);
        for length in [REASON_MAX, REASON_MAX + 1] {
            let mut out = Vec::new();
            write_actions(
                &[Action::Quarantine {
                    reason: "x".repeat(length),
                }],
                &negotiated,
                &mut out,
            );
            assert_eq!(out.len(), "....q\0".len() + REASON_MAX);
        }
    }
}
