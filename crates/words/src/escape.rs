//! Text of strangers, made harmless for where it is shown: each wrapper escapes in its `Display`.
//!
//! Wrap at the last moment and for the one place where the text goes; the wrapped value itself is
//! never changed.

use std::fmt::{self, Write as _};

/// For one log line: control characters, line and paragraph separators, bidirectional controls,
/// quotes and backslashes are escaped, so that one event stays one line.
#[derive(Clone, Copy, Debug)]
pub struct ForLog<'a> {
    text: &'a str,
    /// Characters shown at most.
    limit: usize,
}

/// For the value of a header field that we add: printable ASCII, a question mark for anything else.
#[derive(Clone, Copy, Debug)]
pub struct ForHeader<'a>(pub &'a str);

/// For a terminal: no control, escape or bidirectional character gets through; line ends become
/// spaces.
#[derive(Clone, Copy, Debug)]
pub struct ForTerminal<'a>(pub &'a str);

/// For HTML text and quoted attribute values: `&`, `<`, `>`, both quotes and control characters are
/// escaped.
#[derive(Clone, Copy, Debug)]
pub struct ForHtml<'a>(pub &'a str);

impl<'a> ForLog<'a> {
    /// All of the text.
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            limit: usize::MAX,
        }
    }

    /// The first `limit` characters, with an ellipsis where there were more.
    pub fn short(text: &'a str, limit: usize) -> Self {
        Self { text, limit }
    }
}

/// Controls of bidirectional text and other characters that are not seen but change what is seen.
fn is_deceptive(c: char) -> bool {
    matches!(
        c,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}' | '\u{fff9}'..='\u{fffb}'
    )
}

impl fmt::Display for ForLog<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, c) in self.text.chars().enumerate() {
            if count >= self.limit {
                return f.write_char('…');
            }
            match c {
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '"' | '\\' => write!(f, "\\{c}")?,
                c if c.is_control() || is_deceptive(c) => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for ForHeader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| {
            f.write_char(if c == ' ' || c.is_ascii_graphic() {
                c
            } else {
                '?'
            })
        })
    }
}

impl fmt::Display for ForTerminal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\n' | '\r' | '\t' => f.write_char(' '),
            c if c.is_control() || is_deceptive(c) => f.write_char('\u{fffd}'),
            c => f.write_char(c),
        })
    }
}

impl fmt::Display for ForHtml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            '\n' | '\t' => f.write_char(c),
            c if c.is_control() || is_deceptive(c) => f.write_char('\u{fffd}'),
            c => f.write_char(c),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NASTY: &str = "a\r\nb\x1b[31m\u{202e}\u{2028}\"\\\0\x7f\u{9b}<&>'é";

    #[test]
    fn each_place_gets_harmless_text() {
        assert_eq!(
            ForLog::new(NASTY).to_string(),
            "a\\r\\nb\\u{1b}[31m\\u{202e}\\u{2028}\\\"\\\\\\u{0}\\u{7f}\\u{9b}<&>'é"
        );
        assert_eq!(ForHeader(NASTY).to_string(), "a??b?[31m??\"\\???<&>'?");
        assert_eq!(
            ForTerminal(NASTY).to_string(),
            "a  b\u{fffd}[31m\u{fffd}\u{fffd}\"\\\u{fffd}\u{fffd}\u{fffd}<&>'é"
        );
        assert_eq!(
            ForHtml("<a b=\"c'&\0\">").to_string(),
            "&lt;a b=&quot;c&#39;&amp;\u{fffd}&quot;&gt;"
        );
    }

    #[test]
    fn log_text_is_cut_at_the_limit() {
        assert_eq!(ForLog::short("abc", 3).to_string(), "abc");
        assert_eq!(ForLog::short("abcd", 3).to_string(), "abc…");
    }

    #[test]
    fn nothing_breaks_a_line() {
        for code in 0..=0x10_ffff_u32 {
            let Some(c) = char::from_u32(code) else {
                continue;
            };
            let text = c.to_string();
            for shown in [
                ForLog::new(&text).to_string(),
                ForHeader(&text).to_string(),
                ForTerminal(&text).to_string(),
            ] {
                assert!(
                    !shown
                        .chars()
                        .any(|c| c.is_control() || c == '\u{2028}' || c == '\u{2029}'),
                    "{code:x}"
                );
            }
        }
    }
}
