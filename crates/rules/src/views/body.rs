//! The rendered text: the subject, then paragraphs.

use std::borrow::Cow;

use gatepost_mail::DerivedBytes;

use super::html::{Link, render};
use super::text_parts::TextSource;
use gatepost_words::bytes;

/// Longest paragraph; longer ones are split at a blank.
pub(super) const PARAGRAPH_LIMIT: usize = 2_048;
/// How far after the limit a part may be cut, to cut it at a line end or blank.
const CUT_SLACK: usize = 1_024;

/// The texts of all parts, joined.
#[derive(Debug, Default)]
pub(super) struct BodyText<'m> {
    text: String,
    is_wide: bool,
    /// A part was longer than the limit.
    pub(super) is_cut: bool,
    /// The links of HTML parts.
    pub(super) links: Vec<Link>,
    /// Each HTML part that is not empty: its source, and what is read of it.
    pub(super) html: Vec<(Cow<'m, str>, String)>,
}

impl<'m> BodyText<'m> {
    /// Renders the leaves in their order; `limit` is the number of characters that are read of
    /// each.
    pub(super) fn read(
        leaves: Vec<Option<TextSource<'m>>>,
        limit: usize,
        derived: &DerivedBytes,
        expired: &dyn Fn() -> bool,
    ) -> Self {
        let mut body = Self::default();
        for part in leaves {
            if expired() {
                break;
            }
            if !body.text.is_empty() {
                body.text.push('\n');
            }
            let Some(part) = part else { continue };
            if part.is_html && !part.source.is_empty() {
                let rendered = render(&part.source, part.is_wide, derived, expired);
                body.is_wide |= rendered.is_wide;
                body.links.extend(rendered.links);
                body.add(&rendered.text, limit);
                body.html.push((part.source, rendered.text));
            } else {
                body.is_wide |= part.is_wide;
                body.add(&part.source, limit);
            }
        }
        body
    }

    fn add(&mut self, text: &str, limit: usize) {
        let seen = cut(text, limit);
        self.is_cut |= seen.len() < text.len();
        self.text.push_str(seen);
    }

    /// The paragraphs after the subject, which ends in a line end.
    pub(super) fn paragraphs(&self, subject: Vec<u8>) -> Vec<Vec<u8>> {
        let mut text = subject;
        squeeze(&self.text, self.is_wide, &mut text);
        let mut paragraphs = Vec::new();
        let mut rest = text.as_slice();
        while !rest.is_empty() {
            let line = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let end = if line > PARAGRAPH_LIMIT {
                let window = rest.get(..=PARAGRAPH_LIMIT).unwrap_or(rest);
                window
                    .iter()
                    .rposition(|byte| *byte == b' ')
                    .map_or(PARAGRAPH_LIMIT, |blank| blank + 1)
            } else {
                line
            };
            let (paragraph, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            paragraphs.push(paragraph.to_vec());
            rest = behind;
        }
        paragraphs
    }
}

/// A part up to its limit (in characters), cut after a line end or blank that is near.
fn cut(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let Some((start, _)) = text.char_indices().nth(limit) else {
        return text;
    };
    let slack = bytes::skip_str(text, start);
    let end = slack
        .char_indices()
        .nth(CUT_SLACK + 1)
        .map_or(slack.len(), |(end, _)| end);
    let slack = bytes::head_str(slack, end);
    let more = slack
        .find('\n')
        .or_else(|| slack.find(' '))
        .map_or(0, |at| at + 1);
    text.get(..start + more).unwrap_or(text)
}

/// Appends a text with its white space squeezed: blank lines become one line end, any other white
/// space one blank. What is not wide goes out as single bytes, and then only ASCII has white space.
fn squeeze(text: &str, is_wide: bool, out: &mut Vec<u8>) {
    // White space since the last other character: is any before the first line end, how many line
    // ends, any after the last.
    let mut gap = Gap::default();
    let mut buffer = [0; 4];
    for character in text.chars() {
        let is_space = match character {
            ' ' | '\t'..='\r' => true,
            '\0'..='\x7f' => false,
            _ => is_wide && character.is_whitespace(),
        };
        if is_space {
            gap.add(character);
            continue;
        }
        gap.flush(out);
        match (character, is_wide) {
            ('\0', _) => out.push(b'\n'),
            (_, true) => out.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes()),
            (_, false) => out.push(single_byte(character)),
        }
    }
    gap.flush(out);
}

/// The byte of a character up to 255.
pub(super) fn single_byte(character: char) -> u8 {
    u8::try_from(u32::from(character)).unwrap_or(b'?')
}

/// A run of white space.
#[derive(Default)]
struct Gap {
    is_open: bool,
    before: bool,
    line_ends: usize,
    behind: bool,
}

impl Gap {
    fn add(&mut self, character: char) {
        self.is_open = true;
        if character == '\n' {
            self.line_ends += 1;
            self.behind = false;
        } else if self.line_ends == 0 {
            self.before = true;
        } else {
            self.behind = true;
        }
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        if !self.is_open {
            return;
        }
        if self.line_ends < 2 {
            out.push(b' ');
        } else {
            if self.before {
                out.push(b' ');
            }
            out.push(b'\n');
            if self.behind {
                out.push(b' ');
            }
        }
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paragraphs(text: &str, is_wide: bool) -> Vec<Vec<u8>> {
        let body = BodyText {
            text: text.to_owned(),
            is_wide,
            ..BodyText::default()
        };
        body.paragraphs(b"S\n".to_vec())
    }

    #[test]
    fn white_space_is_squeezed() {
        for (text, is_wide, wanted) in [
            ("a  b\nc\t d", false, vec!["S\n", "a b c d"]),
            ("a\n\nb", false, vec!["S\n", "a\n", "b"]),
            ("\n\na \n \n\n b\n", false, vec!["S\n", "\n", "a \n", " b "]),
            ("a\u{a0}\u{2003}b", true, vec!["S\n", "a b"]),
            ("a\0b", false, vec!["S\n", "a\n", "b"]),
            ("", false, vec!["S\n"]),
        ] {
            let wanted: Vec<_> = wanted.iter().map(|line| line.as_bytes().to_vec()).collect();
            assert_eq!(paragraphs(text, is_wide), wanted, "{text:?}");
        }
        assert_eq!(
            paragraphs("\u{e9}\u{a0}", false).last().unwrap(),
            b"\xe9\xa0"
        );
    }

    #[test]
    fn paragraphs_are_split_at_the_limit() {
        let sizes = |text: String| {
            paragraphs(&text, false)
                .iter()
                .skip(1)
                .map(Vec::len)
                .collect::<Vec<_>>()
        };
        assert_eq!(sizes("a".repeat(PARAGRAPH_LIMIT)), [PARAGRAPH_LIMIT]);
        assert_eq!(sizes("a".repeat(PARAGRAPH_LIMIT + 1)), [PARAGRAPH_LIMIT, 1]);
        assert_eq!(
            sizes(format!(
                "{} {}",
                "a".repeat(10),
                "b".repeat(PARAGRAPH_LIMIT)
            )),
            [11, PARAGRAPH_LIMIT]
        );
    }

    #[test]
    fn parts_are_cut() {
        assert_eq!(cut("aaaaé", 5), "aaaaé");
        assert_eq!(cut("aaaaaéb", 5), "aaaaa");
        assert_eq!(cut("aaaaa b\nc", 5), "aaaaa b\n");
        assert_eq!(cut("aaaaab c", 5), "aaaaab ");
        let far = |gap: usize| cut(&format!("aaaaa{}\nb", "c".repeat(gap)), 5).len();
        assert_eq!((far(CUT_SLACK), far(CUT_SLACK + 1)), (5 + CUT_SLACK + 1, 5));
    }
}
