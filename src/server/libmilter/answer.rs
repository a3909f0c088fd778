//! Answers through the library: the same limits and the same cleaning as the native front-end (`milter/answer.rs`), for
//! libmilter checks little of what it is given.

use ::milter::{ContextApi, Status};

use crate::milter::{Action, Negotiated, Reply};

/// Lines of one reply: what `smfi_setmlreply` takes.
const REPLY_LINES_MAX: usize = 32;
/// Bytes of one line of a reply, with its codes.
const REPLY_LINE_MAX: usize = 480;
/// Bytes of a header value that we set.
const HEADER_VALUE_MAX: usize = 30_000;
/// Bytes of a header name that we set.
const HEADER_NAME_MAX: usize = 256;
/// Bytes of a path with its parameters.
const PATH_MAX: usize = 2_000;
/// Bytes of a quarantine reason.
const REASON_MAX: usize = 480;
/// The highest position of a header field.
const INDEX_MAX: usize = (i32::MAX - 1) as usize;

/// Says a reply. What cannot be said becomes a deferral.
pub(super) fn reply(api: &ContextApi, reply: &Reply, may_skip: bool) -> Status {
    match reply {
        Reply::Skip if may_skip => Status::Skip,
        Reply::Continue | Reply::Skip => Status::Continue,
        Reply::Accept => Status::Accept,
        Reply::Reject => Status::Reject,
        Reply::Tempfail | Reply::Pending => Status::Tempfail,
        Reply::Code { code, enhanced, lines } => {
            let status = match code {
                400..=499 => Status::Tempfail,
                500..=599 => Status::Reject,
                _ => return Status::Tempfail,
            };
            if !class_fits(*code, enhanced) {
                return Status::Tempfail;
            }
            let room = REPLY_LINE_MAX.saturating_sub(5 + enhanced.len());
            let mut lines: Vec<String> =
                lines.iter().take(REPLY_LINES_MAX).map(|words| line(words, room, true)).collect();
            if lines.is_empty() {
                lines.push("Refused".to_owned());
            }
            let text = lines.iter().map(String::as_str).collect();
            match api.set_error_reply(&code.to_string(), Some(enhanced), text) {
                Ok(()) => status,
                Err(_) => Status::Tempfail,
            }
        }
    }
}

/// RFC 3463 §2: the class of the enhanced code is that of the code.
fn class_fits(code: u16, enhanced: &str) -> bool {
    let parts: Vec<&str> = enhanced.split('.').collect();
    let is_number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    matches!(*parts, [class, subject, detail]
        if class == (code / 100).to_string() && is_number(subject) && is_number(detail))
}

/// Makes those changes that can be said; one that the MTA did not offer to make is refused by the library and left out.
pub(super) fn actions(api: &ContextApi, actions: &[Action], negotiated: &Negotiated) {
    for action in actions {
        if let Err(error) = make(api, action, negotiated) {
            log::debug!("libmilter did not take a change: {error}");
        }
    }
}

fn make(api: &ContextApi, action: &Action, negotiated: &Negotiated) -> ::milter::Result<()> {
    match action {
        Action::AddHeader { name, value } if is_name(name) => api.add_header(name, &clean(value, negotiated)),
        Action::InsertHeader { index, name, value } if is_name(name) => {
            api.insert_header(position(*index), name, &clean(value, negotiated))
        }
        Action::ChangeHeader { index, name, value }
            if is_name(name) && *index > 0 && position(*index) as u64 == u64::from(*index) =>
        {
            api.replace_header(name, position(*index), Some(&clean(value, negotiated)))
        }
        Action::ChangeFrom { path, parameters } if is_clean(path, parameters) => {
            api.replace_sender(path, Some(&**parameters).filter(|parameters| !parameters.is_empty()))
        }
        Action::AddRecipient { path, parameters } if is_clean(path, parameters) => {
            // Without parameters, or where the MTA does not take any, the recipient still counts.
            match Some(&**parameters).filter(|parameters| !parameters.is_empty()) {
                Some(parameters) => {
                    api.add_recipient(path, Some(parameters)).or_else(|_| api.add_recipient(path, None))
                }
                None => api.add_recipient(path, None).or_else(|_| api.add_recipient(path, Some(""))),
            }
        }
        Action::DeleteRecipient { path } if is_clean(path, "") => api.remove_recipient(path),
        Action::Quarantine { reason } => api.quarantine(&line(reason, REASON_MAX, false)),
        _ => Ok(()),
    }
}

fn position(index: u32) -> usize {
    usize::try_from(index).unwrap_or(INDEX_MAX).min(INDEX_MAX)
}

fn is_name(name: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_graphic() && byte != b':';
    (1..=HEADER_NAME_MAX).contains(&name.len()) && name.bytes().all(is_name)
}

fn is_clean(path: &str, parameters: &str) -> bool {
    let mut characters = path.chars().chain(parameters.chars());
    !path.is_empty() && path.len() + parameters.len() <= PATH_MAX && !characters.any(char::is_control)
}

/// A header value that cannot begin another header field.
fn clean(value: &str, negotiated: &Negotiated) -> String {
    let mut field = String::new();
    if negotiated.leading_space && !value.is_empty() {
        field.push(' ');
    }
    let end = field.len() + HEADER_VALUE_MAX;
    let kept = value.trim_end_matches(['\r', '\n', '\0']).chars().filter(|c| !matches!(c, '\r' | '\0'));
    let mut characters = kept.peekable();
    while let Some(character) = characters.next()
        && field.len() < end
    {
        field.push(match character {
            '\n' if characters.peek().is_some_and(|next| matches!(next, ' ' | '\t')) => '\n',
            '\n' => ' ',
            '\t' | ' '..='~' => character,
            _ => '?',
        });
    }
    field
}

/// One line of at most `limit` bytes of printable ASCII; percent signs doubled where the MTA would take them for a format.
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
    use super::{HEADER_VALUE_MAX, class_fits, clean, is_clean, is_name, line};
    use crate::milter::Negotiated;

    #[test]
    fn no_text_breaks_out_of_its_place() {
        let plain = Negotiated::default();
        assert_eq!(clean("a\r\nX-Evil: b\n c\0\n", &plain), "a X-Evil: b\n c");
        let spaced = Negotiated { leading_space: true, ..Negotiated::default() };
        assert_eq!((clean("v", &spaced), clean("", &spaced)), (" v".to_owned(), String::new()));
        assert_eq!(line("100%\n\u{e9}\0!", 480, true), "100%% ?!");
        assert_eq!((line("ab%", 3, true), line("ab%", 4, true)), ("ab".to_owned(), "ab%%".to_owned()));
        for length in [HEADER_VALUE_MAX, HEADER_VALUE_MAX + 1] {
            assert_eq!(clean(&"x".repeat(length), &plain).len(), HEADER_VALUE_MAX);
        }
    }

    #[test]
    fn what_is_malformed_is_told_apart() {
        assert!(is_name("X-Spam") && !is_name("") && !is_name("a b") && !is_name("a:"));
        assert!(is_clean("<a@example.com>", "SIZE=1") && !is_clean("", "") && !is_clean("<a>\r\n", ""));
        assert!(
            class_fits(550, "5.7.1")
                && !class_fits(550, "4.7.1")
                && !class_fits(550, "5.7")
                && !class_fits(550, "5..1")
        );
    }
}
