//! A file as it was read, kept so that a diagnostic can show the line.

use crate::bytes;

/// First of the 128 private-use characters that stand for the bytes 0x80..=0xFF of a file that is
/// not UTF-8.
const STAND_IN: u32 = 0xF780;

/// A file that was read, or a text that stands for one (`<command line>`). Shared as `Arc<Source>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What to call it in front of people: the path as the reader knows it.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl Source {
    /// A source of that name and text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }

    /// From the bytes of a file. Each byte that is not UTF-8 becomes a private-use character, from
    /// which [`byte_of_stand_in`] gives the byte back: old rule files hold Latin-1 bytes inside
    /// of regular expressions, which must match as the bytes that they are.
    pub fn from_bytes(name: impl Into<String>, bytes: &[u8]) -> Self {
        let mut text = String::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend(
                chunk
                    .invalid()
                    .iter()
                    .filter_map(|byte| char::from_u32(STAND_IN + u32::from(*byte) - 0x80)),
            );
        }
        Self {
            name: name.into(),
            text,
        }
    }

    /// Line and column (both from 1; the column counts characters) of a byte offset. An offset
    /// past the end gives the end.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let start = self.line_start(offset);
        let line = bytes::head_str(&self.text, start).matches('\n').count() + 1;
        let column = bytes::slice_str(&self.text, start..self.clamp(offset))
            .chars()
            .count()
            + 1;
        (line, column)
    }

    /// The line that holds a byte offset, without its line end, and where it begins.
    pub fn line_at(&self, offset: usize) -> (usize, &str) {
        let start = self.line_start(offset);
        let rest = bytes::skip_str(&self.text, start);
        let line = rest.split_once('\n').map_or(rest, |(line, _)| line);
        (start, line.strip_suffix('\r').unwrap_or(line))
    }

    fn line_start(&self, offset: usize) -> usize {
        let before = bytes::head_str(&self.text, offset);
        before.rfind('\n').map_or(0, |end| end + 1)
    }

    /// The nearest character boundary at or before the offset.
    fn clamp(&self, offset: usize) -> usize {
        self.text.floor_char_boundary(offset)
    }
}

/// The byte for which a character of [`Source::from_bytes`] stands, if it does.
pub fn byte_of_stand_in(character: char) -> Option<u8> {
    let offset = u32::from(character).checked_sub(STAND_IN)?;
    u8::try_from(offset)
        .ok()
        .filter(|byte| *byte < 0x80)
        .map(|byte| byte | 0x80)
}

#[cfg(test)]
mod tests {
    use super::{Source, byte_of_stand_in};

    #[test]
    fn positions_count_lines_and_characters() {
        let source = Source::new("a.cf", "eins\nzw\u{f6}lf\r\ndrei");
        for (offset, position) in [
            (0, (1, 1)),
            (4, (1, 5)),
            (5, (2, 1)),
            (9, (2, 4)),
            (8, (2, 3)),
            (13, (3, 1)),
            (99, (3, 5)),
        ] {
            assert_eq!(source.position(offset), position, "offset {offset}");
        }
        assert_eq!(source.line_at(7), (5, "zw\u{f6}lf"));
        assert_eq!(Source::new("", "").position(0), (1, 1));
    }

    #[test]
    fn bytes_survive() {
        let source = Source::from_bytes("a", b"a\xe9\xc3\xa9\xff");
        assert_eq!(source.text.chars().count(), 4);
        let bytes: Vec<_> = source.text.chars().filter_map(byte_of_stand_in).collect();
        assert_eq!(bytes, [0xe9, 0xff]);
        assert_eq!(byte_of_stand_in('a'), None);
        assert_eq!(byte_of_stand_in('\u{f800}'), None);
    }
}
