//! Reading bytes without slicing by hand: a cursor that cannot leave its bytes, and the few cuts of
//! whole slices and texts that the parsers share.
//!
//! An index that is one too far must be neither a panic (the bytes come from strangers) nor a
//! silently empty slice (a bug would pass for data). So the slices are made here, in one place
//! whose bounds are tested, and the parsers say what they want to read.
#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "the one place that slices: every bound is clamped, or is an invariant of the cursor"
)]

use std::ops::Range;

/// A position in a slice of bytes, at most at its end. Reading past the end returns `None` or what
/// is left. Cheap to copy: a copy is how a parser looks ahead.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    /// Never greater than the length of `bytes`.
    position: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// A cursor at `position`, or at the end where that is past it.
    pub fn at(bytes: &'a [u8], position: usize) -> Self {
        let position = position.min(bytes.len());
        Self { bytes, position }
    }

    /// Bytes from the beginning to here.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Goes to `position`, or to the end where that is past it.
    pub fn seek(&mut self, position: usize) {
        self.position = position.min(self.bytes.len());
    }

    /// Whether nothing is left.
    pub fn is_at_end(&self) -> bool {
        self.position == self.bytes.len()
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.position..]
    }

    /// What was read since `start`, a position of this cursor; empty where `start` is ahead.
    pub fn since(&self, start: usize) -> &'a [u8] {
        &self.bytes[start.min(self.position)..self.position]
    }

    /// The byte here.
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }

    /// The byte `ahead` bytes after the one here.
    pub fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.rest().get(ahead).copied()
    }

    /// Reads one byte.
    pub fn next_byte(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.position += 1;
        Some(byte)
    }

    /// Reads `byte` if it is the one here.
    pub fn eat(&mut self, byte: u8) -> bool {
        let is_here = self.peek() == Some(byte);
        if is_here {
            self.position += 1;
        }
        is_here
    }

    /// Reads `prefix` if the rest starts with it.
    pub fn eat_slice(&mut self, prefix: &[u8]) -> bool {
        let is_here = self.rest().starts_with(prefix);
        if is_here {
            self.position += prefix.len();
        }
        is_here
    }

    /// Passes over `count` bytes, or over what is left.
    pub fn skip(&mut self, count: usize) {
        self.position += count.min(self.rest().len());
    }

    /// Reads `count` bytes, or what is left.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, _) = split_at(self.rest(), count);
        self.position += taken.len();
        taken
    }

    /// Reads exactly `count` bytes; `None`, and nothing is read, where fewer are left.
    pub fn take_exactly(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.rest().get(..count)?;
        self.position += count;
        Some(taken)
    }

    /// Reads as long as `wanted` holds.
    pub fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let end = rest.iter().position(|byte| !wanted(*byte));
        self.take(end.unwrap_or(rest.len()))
    }

    /// Reads up to `byte`, which stays unread, or to the end.
    pub fn take_until(&mut self, byte: u8) -> &'a [u8] {
        self.take_while(|other| other != byte)
    }

    /// Reads up to and including `byte`, or to the end: a line, with `\n`.
    pub fn take_through(&mut self, byte: u8) -> &'a [u8] {
        let rest = self.rest();
        let end = rest.iter().position(|other| *other == byte);
        self.take(end.map_or(rest.len(), |end| end + 1))
    }
}

/// The first `count` bytes, or all of them.
pub fn head(bytes: &[u8], count: usize) -> &[u8] {
    &bytes[..count.min(bytes.len())]
}

/// What is left without the first `count` bytes.
pub fn skip(bytes: &[u8], count: usize) -> &[u8] {
    &bytes[count.min(bytes.len())..]
}

/// The first `count` bytes, or all of them, and the rest.
pub fn split_at(bytes: &[u8], count: usize) -> (&[u8], &[u8]) {
    bytes.split_at(count.min(bytes.len()))
}

/// The bytes of `range` as far as they exist.
pub fn slice(bytes: &[u8], range: Range<usize>) -> &[u8] {
    let end = range.end.min(bytes.len());
    &bytes[range.start.min(end)..end]
}

/// The first `count` bytes of a text, or fewer, so that no character is divided.
pub fn head_str(text: &str, count: usize) -> &str {
    &text[..text.floor_char_boundary(count)]
}

/// The last `count` bytes of a text, or fewer, so that no character is divided.
pub fn tail_str(text: &str, count: usize) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(count))..]
}

/// The text without its first `count` bytes, or a little less, so that no character is divided.
pub fn skip_str(text: &str, count: usize) -> &str {
    &text[text.floor_char_boundary(count)..]
}

/// The text of `range` as far as it exists; both ends move down to where a character begins.
pub fn slice_str(text: &str, range: Range<usize>) -> &str {
    let end = text.floor_char_boundary(range.end);
    let start = text.floor_char_boundary(range.start.min(end));
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_in_order_and_stops_at_the_end() {
        let mut cursor = Cursor::new(b"name: value\nrest");
        assert_eq!(cursor.take_until(b':'), b"name");
        assert!(cursor.eat(b':') && !cursor.eat(b':'));
        assert_eq!(cursor.take_while(|byte| byte == b' '), b" ");
        assert_eq!((cursor.peek(), cursor.peek_at(1)), (Some(b'v'), Some(b'a')));
        assert_eq!(cursor.take_through(b'\n'), b"value\n");
        assert_eq!(cursor.since(6), b"value\n");
        assert!(cursor.eat_slice(b"re") && !cursor.eat_slice(b"xx"));
        assert_eq!(cursor.take_exactly(3), None);
        assert_eq!(cursor.take_exactly(1), Some(b"s".as_slice()));
        assert_eq!(cursor.next_byte(), Some(b't'));
        assert_eq!((cursor.next_byte(), cursor.peek()), (None, None));
        assert_eq!(cursor.take_through(b'\n'), b"");
        assert!(cursor.is_at_end());
    }

    #[test]
    fn no_position_is_past_the_end() {
        for start in 0..=4 {
            for count in [0, 1, 2, 3, 4, usize::MAX] {
                let mut cursor = Cursor::at(b"abc", start);
                cursor.skip(count);
                assert!(cursor.position() <= 3);
                cursor.seek(count);
                assert!(cursor.position() <= 3);
                assert_eq!(cursor.take(count).len(), count.min(3 - count.min(3)));
                assert_eq!(cursor.since(usize::MAX), b"");
                assert_eq!(cursor.peek_at(usize::MAX), None);
            }
        }
    }

    #[test]
    fn slices_are_clamped() {
        assert_eq!(
            (head(b"abc", 2), head(b"abc", 4)),
            (&b"ab"[..], &b"abc"[..])
        );
        assert_eq!((skip(b"abc", 2), skip(b"abc", 4)), (&b"c"[..], &b""[..]));
        assert_eq!(split_at(b"abc", 9), (&b"abc"[..], &b""[..]));
        assert_eq!(slice(b"abc", 1..9), b"bc");
        assert_eq!(slice(b"abc", 7..9), b"");
        #[expect(clippy::reversed_empty_ranges, reason = "what a bug would ask for")]
        let reversed = 2..1;
        assert_eq!(slice(b"abc", reversed.clone()), b"");
        assert_eq!(slice_str("abc", reversed), "");
    }

    #[test]
    fn characters_are_not_divided() {
        let text = "aéz";
        assert_eq!(
            [0, 1, 2, 3, 4, 9].map(|n| head_str(text, n)),
            ["", "a", "a", "aé", text, text]
        );
        assert_eq!(
            [0, 1, 2, 3, 4, 9].map(|n| tail_str(text, n)),
            ["", "z", "z", "éz", text, text]
        );
        assert_eq!(
            [0, 1, 2, 3, 4, 9].map(|n| skip_str(text, n)),
            [text, "éz", "éz", "z", "", ""]
        );
        assert_eq!(slice_str(text, 1..3), "é");
        assert_eq!(slice_str(text, 2..9), "éz");
    }
}
