//! What may be sent to an MTA: the same limits and the same sanitizing for both front-ends.
//!
//! What these functions return is safe whatever a handler returned: no header field can inject
//! another one, and no reply text can break the SMTP dialogue (Postfix fixed an overwrite by a
//! malformed reply in 2026; libmilter checks little of what it is given).

/// Lines of one reply (libmilter's limit).
pub const REPLY_LINES_MAX: usize = 32;
/// Bytes of one line of a reply, with its code and doubled percent signs; RFC 5321 §4.5.3.1.5 has
/// 512 with CRLF.
pub const REPLY_LINE_MAX: usize = 480;
/// Bytes of a header value that we set; Sendmail's packets hold 65535 bytes, its headers 32768.
pub const HEADER_VALUE_MAX: usize = 30_000;
/// Bytes of a header name that we set: RFC 5322 §2.1.1 has 998 for the line.
pub const HEADER_NAME_MAX: usize = 256;
/// Bytes of a path with its parameters: RFC 5321 §4.5.3.1 has 256 for a path; parameters may add to
/// it.
pub const PATH_MAX: usize = 2_000;
/// Bytes of a quarantine reason.
pub const REASON_MAX: usize = 480;
/// The highest position of a header field: MTAs read a signed number, and Postfix adds one.
pub const INDEX_MAX: u32 = i32::MAX.unsigned_abs() - 1;

/// Whether a header field may have that name (RFC 5322 §2.2).
pub fn is_field_name(name: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_graphic() && byte != b':';
    (1..=HEADER_NAME_MAX).contains(&name.len()) && name.bytes().all(is_name)
}

/// A header value that cannot begin another header field: ASCII, line ends only before white space.
/// With `leading_space` it begins with a space, unless it is empty (an empty value deletes the
/// field).
pub fn field_value(value: &str, leading_space: bool) -> String {
    let mut field = String::new();
    if leading_space && !value.is_empty() {
        field.push(' ');
    }
    let end = field.len() + HEADER_VALUE_MAX;
    let kept = value
        .trim_end_matches(['\r', '\n', '\0'])
        .chars()
        .filter(|c| !matches!(c, '\r' | '\0'));
    let mut characters = kept.peekable();
    while let Some(character) = characters.next()
        && field.len() < end
    {
        field.push(match character {
            '\n' if characters
                .peek()
                .is_some_and(|next| matches!(next, ' ' | '\t')) =>
            {
                '\n'
            }
            '\n' => ' ',
            '\t' | ' '..='~' => character,
            _ => '?',
        });
    }
    field
}

/// An address with control characters, or truncated, would be another address: such a change is left out
/// as a whole.
pub fn is_path(path: &str, parameters: &str) -> bool {
    let mut characters = path.chars().chain(parameters.chars());
    !path.is_empty()
        && path.len() + parameters.len() <= PATH_MAX
        && !characters.any(char::is_control)
}

/// Whether a reply code is negative and its enhanced code well-formed and of the same class (RFC
/// 3463 §2).
pub fn codes_fit(code: u16, enhanced: &str) -> bool {
    let parts: Vec<&str> = enhanced.split('.').collect();
    let is_number = |part: &str| {
        (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    (400..600).contains(&code)
        && matches!(*parts, [class, subject, detail]
            if class == (code / 100).to_string() && is_number(subject) && is_number(detail))
}

/// One line of at most `limit` bytes of printable ASCII. Percent signs may be doubled: Postfix
/// drops a single one, Sendmail takes it for a format.
pub fn line(words: &str, limit: usize, double_percent: bool) -> String {
    let mut line = String::new();
    for character in words.chars() {
        let bytes = if character == '%' && double_percent {
            2
        } else {
            1
        };
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

/// The lines of a reply, each short enough for its codes in front of it; at least one.
pub fn reply_lines(enhanced: &str, lines: &[String]) -> Vec<String> {
    let room = REPLY_LINE_MAX.saturating_sub(5 + enhanced.len());
    let mut lines: Vec<String> = lines
        .iter()
        .take(REPLY_LINES_MAX)
        .map(|words| line(words, room, true))
        .collect();
    if lines.is_empty() {
        lines.push("Refused".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_at_their_edges() {
        for (code, enhanced, fits) in [
            (399, "3.0.0", false),
            (400, "4.0.0", true),
            (499, "4.0.0", true),
            (499, "5.0.0", false),
            (500, "5.0.0", true),
            (599, "5.999.999", true),
            (599, "5.1000.0", false),
            (599, "5..0", false),
            (600, "6.0.0", false),
            (550, "5.7", false),
            (550, "5.7.1 ", false),
            (550, "05.7.1", false),
            (550, "", false),
        ] {
            assert_eq!(codes_fit(code, enhanced), fits, "{code} {enhanced}");
        }
    }

    #[test]
    fn field_values_are_cleaned() {
        for (value, sanitized) in [
            ("plain", "plain"),
            ("a\r\n b", "a\n b"),
            ("a\n\tb", "a\n\tb"),
            ("a\nb", "a b"),
            ("a\r\nX-Evil: b\n c\0\n", "a X-Evil: b\n c"),
            ("a\n\n b", "a \n b"),
            ("a\n\r b", "a\n b"),
            ("a\n\0b", "a b"),
            ("a\r\n\r\n", "a"),
            ("\u{e9}\u{7f}\u{1}", "???"),
            ("\n", ""),
        ] {
            assert_eq!(field_value(value, false), sanitized, "{value:?}");
        }
        assert_eq!(
            (field_value("v", true), field_value("", true)),
            (" v".to_owned(), String::new())
        );
    }

    #[test]
    fn names_values_and_paths_up_to_the_limit() {
        for length in [HEADER_VALUE_MAX, HEADER_VALUE_MAX + 1] {
            assert_eq!(
                field_value(&"v".repeat(length), false).len(),
                HEADER_VALUE_MAX
            );
        }
        assert!(
            is_field_name(&"X".repeat(HEADER_NAME_MAX))
                && !is_field_name(&"X".repeat(HEADER_NAME_MAX + 1))
        );
        assert!(
            is_field_name("X-Spam")
                && !is_field_name("")
                && !is_field_name("a b")
                && !is_field_name("a:")
        );
        assert!(is_path(&"x".repeat(PATH_MAX), "") && !is_path(&"x".repeat(PATH_MAX), "y"));
        assert!(
            is_path("<a@example.com>", "SIZE=1") && !is_path("", "") && !is_path("<a>\r\n", "")
        );
    }

    #[test]
    fn lines_up_to_the_limit() {
        assert_eq!(line("100%\n\u{e9}\0!", 480, true), "100%% ?!");
        // A doubled percent sign is not divided.
        assert_eq!(
            (line("ab%", 3, true), line("ab%", 4, true)),
            ("ab".to_owned(), "ab%%".to_owned())
        );
        for count in [REPLY_LINES_MAX, REPLY_LINES_MAX + 1] {
            assert_eq!(
                reply_lines("5.7.1", &vec!["x".to_owned(); count]).len(),
                REPLY_LINES_MAX
            );
        }
        let room = REPLY_LINE_MAX - "550 5.7.1 ".len();
        for length in [room, room + 1] {
            assert_eq!(
                reply_lines("5.7.1", &["x".repeat(length)]),
                ["x".repeat(room)]
            );
        }
        assert_eq!(reply_lines("5.7.1", &[]), ["Refused"]);
    }
}
