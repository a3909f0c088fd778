//! A rule file as lines: comments and blanks gone, places kept.

use std::borrow::Cow;
use std::ops::Range;

use gatepost_words::bytes;

/// One line that says something.
#[derive(Clone, Debug)]
pub(crate) struct Line<'s> {
    /// Without comment and outer blanks, `\#` replaced by `#`.
    pub(crate) text: Cow<'s, str>,
    /// Offset in the source where it begins.
    start: usize,
    /// Offsets in `text` before which a backslash was dropped, in order.
    dropped: Vec<usize>,
}

impl Line<'_> {
    /// The stretch of the source from which a stretch of `text` comes.
    pub(crate) fn span(&self, range: Range<usize>) -> Range<usize> {
        let moved =
            |at: usize| self.start + at + self.dropped.partition_point(|dropped| *dropped < at);
        moved(range.start)..moved(range.end)
    }

    /// The whole line.
    #[cfg(test)]
    fn whole(&self) -> Range<usize> {
        self.span(0..self.text.len())
    }
}

/// The lines of a text. As SpamAssassin reads them: a `#` begins a comment unless a backslash
/// is before it, and `\#` is `#` everywhere, in regular expressions too. A byte order mark, which
/// editors on Windows write, is passed over.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let unmarked = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut offset = text.len() - unmarked.len();
    unmarked.split_inclusive('\n').filter_map(move |raw| {
        let start = offset;
        offset += raw.len();
        line(raw, start)
    })
}

fn line(raw: &str, start: usize) -> Option<Line<'_>> {
    let mut previous = None;
    let end = raw
        .bytes()
        .position(|byte| {
            let comment = byte == b'#' && previous != Some(b'\\');
            previous = Some(byte);
            comment
        })
        .unwrap_or(raw.len());
    let kept = bytes::head_str(raw, end);
    let is_blank = |c: char| c.is_ascii_whitespace() || c == '\x0b';
    let trimmed = kept.trim_start_matches(is_blank);
    let start = start + kept.len() - trimmed.len();
    let trimmed = trimmed.trim_end_matches(is_blank);
    if trimmed.is_empty() {
        return None;
    }
    if !trimmed.contains("\\#") {
        return Some(Line {
            text: Cow::Borrowed(trimmed),
            start,
            dropped: Vec::new(),
        });
    }
    let mut text = String::with_capacity(trimmed.len());
    let mut dropped = Vec::new();
    for (index, piece) in trimmed.split("\\#").enumerate() {
        if index > 0 {
            dropped.push(text.len());
            text.push('#');
        }
        text.push_str(piece);
    }
    Some(Line {
        text: Cow::Owned(text),
        start,
        dropped,
    })
}

/// The first word, the offset of what follows it, and what follows it.
pub(crate) fn first_word(text: &str) -> (&str, usize, &str) {
    let is_blank = |c: char| c.is_ascii_whitespace() || c == '\x0b';
    let Some(end) = text.find(is_blank) else {
        return (text, text.len(), "");
    };
    let word = bytes::head_str(text, end);
    let rest = bytes::skip_str(text, end);
    let trimmed = rest.trim_start_matches(is_blank);
    (word, text.len() - trimmed.len(), trimmed)
}

#[cfg(test)]
mod tests {
    use super::{first_word, lines};

    #[test]
    fn comments_and_blanks_go_places_stay() {
        let text = "# all\n\n  body A /x\\#y/ # tail\r\nscore A 1\n\t\nlast";
        let found: Vec<_> = lines(text).collect();
        let texts: Vec<_> = found.iter().map(|line| line.text.as_ref()).collect();
        assert_eq!(texts, ["body A /x#y/", "score A 1", "last"]);
        let line = &found[0];
        for (part, shown) in [
            (0..4, "body"),
            (7..8, "/"),
            (8..9, "x"),
            (9..10, "\\#"),
            (10..11, "y"),
            (11..12, "/"),
        ] {
            let span = line.span(part);
            assert_eq!(text.get(span), Some(shown));
        }
        assert_eq!(text.get(found[2].whole()), Some("last"));
    }

    #[test]
    fn words() {
        assert_eq!(first_word("score  A 1"), ("score", 7, "A 1"));
        assert_eq!(first_word("score"), ("score", 5, ""));
        assert_eq!(first_word(""), ("", 0, ""));
    }
}
