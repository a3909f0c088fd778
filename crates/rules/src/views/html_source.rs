//! Cuts HTML the way the reader does that SpamAssassin uses (HTML::Parser, with marked sections and
//! lenient comments).
//!
//! It is not the way of browsers, which [`gatepost_mail`] follows: a slash belongs to a name, an end
//! tag honours quotes, and what is left open at the end becomes a comment. Rules were written
//! against this one.

use gatepost_words::bytes;
use std::borrow::Cow;

use super::html_entities::{Place, decode};
use super::html_markup::{Markup, Section};

/// Elements whose content is text up to their end tag; `true` where character references stay as
/// they are.
const LITERAL: &[(&str, bool)] = &[
    ("script", true),
    ("style", true),
    ("xmp", true),
    ("iframe", true),
    ("plaintext", true),
    ("title", false),
    ("textarea", false),
];

/// One piece.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'s> {
    /// Text, character references decoded.
    Text(Cow<'s, str>),
    /// A start tag; its attributes are in [`HtmlSource::attribute`].
    Open(&'s str),
    /// An end tag.
    Close(&'s str),
    /// A comment, declaration or processing instruction.
    Other,
}

/// The state of cutting.
pub(crate) struct HtmlSource<'s> {
    pub(super) text: &'s str,
    at: usize,
    /// The element whose text is being read, and whether it is literal.
    literal: Option<(&'static str, bool)>,
    sections: Vec<Section>,
    /// What was found after text that was put out first, and where it ends.
    pending: Option<(Piece<'s>, usize)>,
    /// The end of the source was met inside a comment: from there on the first `>` ends one.
    pub(super) has_lone_ends: bool,
    pub(super) attributes: Vec<(&'s str, Option<&'s str>)>,
}

impl<'s> HtmlSource<'s> {
    /// Begins at the start of a source.
    pub(crate) fn new(text: &'s str) -> Self {
        let (literal, sections, pending, attributes) = (None, Vec::new(), None, Vec::new());
        Self {
            text,
            at: 0,
            literal,
            sections,
            pending,
            has_lone_ends: false,
            attributes,
        }
    }

    /// The value of an attribute of the last start tag: the first of that name. One without value
    /// has its own name.
    pub(crate) fn attribute(&self, name: &str) -> Option<Cow<'s, str>> {
        self.attribute_if(|key| key.eq_ignore_ascii_case(name))
    }

    /// The value of the first attribute whose name is wanted.
    pub(crate) fn attribute_if(&self, is_wanted: impl Fn(&str) -> bool) -> Option<Cow<'s, str>> {
        let (name, value) = self.attributes.iter().find(|(key, _)| is_wanted(key))?;
        Some(match value {
            Some(value) => decode(value, Place::Attribute),
            None => Cow::Owned(name.to_ascii_lowercase()),
        })
    }

    /// Whether the last start tag has attributes.
    pub(crate) fn has_attributes(&self) -> bool {
        !self.attributes.is_empty()
    }

    /// The names of the attributes of the last start tag, in order.
    #[cfg(test)]
    fn attribute_names(&self) -> impl Iterator<Item = &'s str> {
        self.attributes.iter().map(|(name, _)| *name)
    }

    fn bytes(&self) -> &'s [u8] {
        self.text.as_bytes()
    }

    pub(super) fn rest(&self, from: usize) -> &'s [u8] {
        bytes::skip(self.bytes(), from)
    }

    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.bytes().get(at).copied()
    }

    pub(super) fn cut(&self, start: usize, end: usize) -> &'s str {
        bytes::slice_str(self.text, start..end)
    }

    /// The first place from `from` on where the byte does not belong; the end of the source where
    /// all do.
    pub(super) fn past(&self, from: usize, belongs: impl Fn(u8) -> bool) -> usize {
        let rest = self.rest(from);
        from + rest
            .iter()
            .position(|byte| !belongs(*byte))
            .unwrap_or(rest.len())
    }

    pub(super) fn place_of(&self, from: usize, byte: u8) -> Option<usize> {
        memchr::memchr(byte, self.rest(from)).map(|at| from + at)
    }

    fn take_text(&mut self, end: usize, is_literal: bool) -> Piece<'s> {
        let text = self.cut(self.at, end);
        self.at = end;
        Piece::Text(if is_literal {
            Cow::Borrowed(text)
        } else {
            decode(text, Place::Text)
        })
    }

    /// The content of a literal element, or its end tag.
    fn literal(&mut self, element: &'static str, is_literal: bool) -> Option<Piece<'s>> {
        let mut from = self.at;
        while let Some(start) = self.place_of(from, b'<') {
            from = start + 1;
            let name_end = start + 2 + element.len();
            let is_name = self.rest(start + 1).first() == Some(&b'/')
                && self
                    .bytes()
                    .get(start + 2..name_end)
                    .is_some_and(|name| name.eq_ignore_ascii_case(element.as_bytes()));
            let end = self.past(name_end, is_space);
            if !is_name || element == "plaintext" || self.byte(end) != Some(b'>') {
                continue;
            }
            if start > self.at {
                return Some(self.take_text(start, is_literal));
            }
            self.literal = None;
            self.at = end + 1;
            return Some(Piece::Close(self.cut(start + 2, name_end)));
        }
        if element == "title" {
            // A title that is never closed hides nothing.
            self.literal = None;
            return self.next();
        }
        (self.at < self.text.len()).then(|| self.take_text(self.text.len(), is_literal))
    }

    /// The content of a marked section up to its end.
    fn section(&mut self, is_literal: bool) -> Option<Piece<'s>> {
        let end = memchr::memmem::find(self.rest(self.at), b"]]>").map(|at| self.at + at);
        let Some(end) = end else {
            self.sections.clear();
            return (self.at < self.text.len())
                .then(|| self.take_text(self.text.len(), is_literal));
        };
        self.sections.pop();
        let piece = self.take_text(end, is_literal);
        self.at = end + 3;
        Some(piece)
    }

    /// Puts out a piece that ends at `end`.
    fn put_out(&mut self, piece: Piece<'s>, end: usize) -> Piece<'s> {
        self.at = end;
        if let Piece::Open(name) = piece {
            self.literal = LITERAL
                .iter()
                .find(|(element, _)| name.eq_ignore_ascii_case(element))
                .copied();
        }
        piece
    }

    /// The source ends inside the markup at `self.at`: comments are tried again with lone ends;
    /// then the rest is one.
    fn leftover(&mut self) -> Option<Piece<'s>> {
        if !self.has_lone_ends {
            self.has_lone_ends = true;
            return self.next();
        }
        self.at = self.text.len();
        Some(Piece::Other)
    }
}

impl<'s> Iterator for HtmlSource<'s> {
    type Item = Piece<'s>;

    fn next(&mut self) -> Option<Piece<'s>> {
        if let Some((piece, end)) = self.pending.take() {
            return Some(self.put_out(piece, end));
        }
        if let Some((element, is_literal)) = self.literal {
            return self.literal(element, is_literal);
        }
        if let Some(Section::Data { is_literal }) = self.sections.last() {
            return self.section(*is_literal);
        }
        let mut from = self.at;
        while let Some(start) = self.place_of(from, b'<') {
            match self.markup(start) {
                Markup::Text => from = start + 1,
                Markup::Whole(piece, end) if start > self.at => {
                    self.pending = Some((piece, end));
                    return Some(self.take_text(start, false));
                }
                Markup::Whole(piece, end) => return Some(self.put_out(piece, end)),
                _ if start > self.at => return Some(self.take_text(start, false)),
                Markup::Section(section, end) => {
                    self.at = end;
                    self.sections.push(section);
                    return Some(Piece::Other);
                }
                Markup::Open => return self.leftover(),
            }
        }
        (self.at < self.text.len()).then(|| self.take_text(self.text.len(), false))
    }
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::html_markup::ATTRIBUTES;

    /// The pieces in one line: `<name a=b>`, `</name>`, text as it is, `!` for anything else, each
    /// ended by a bar.
    fn pieces(text: &str) -> String {
        let mut source = HtmlSource::new(text);
        let mut shown = String::new();
        while let Some(piece) = source.next() {
            match piece {
                Piece::Text(text) => shown.push_str(&text),
                Piece::Close(name) => shown.extend(["</", name, ">"]),
                Piece::Other => shown.push('!'),
                Piece::Open(name) => {
                    let value = |name| source.attribute(name).unwrap_or_default();
                    let attributes = source
                        .attribute_names()
                        .map(|name| format!(" {name}={}", value(name)));
                    shown.extend(["<", name, &attributes.collect::<Vec<_>>().concat(), ">"]);
                }
            }
            shown.push('|');
        }
        shown
    }

    #[test]
    fn html_is_cut() {
        for (text, wanted) in [
            ("a<b>c</b >d", "a|<b>|c|</b>|d|"),
            ("<a href=1 x = 'y z'>b", "<a href=1 x=y z>|b|"),
            ("<a href>b", "<a href=href>|b|"),
            ("<br/>a<p / >", "<br/>|a|<p /=/>|"),
            ("1 < 2 <3>", "1 < 2 <3>|"),
            (
                "a&copyx &eacute &foo; &hellip x &amp;amp;",
                "a\u{a9}x \u{e9} &foo; &hellip x &amp;|",
            ),
            ("<a x='&copyx &amp'>", "<a x=&copyx &>|"),
            ("<title>a&amp;<b></title>c", "<title>|a&<b>|</title>|c|"),
            ("<title>a<b>c", "<title>|a|<b>|c|"),
            (
                "<script>'</script>&lt;</script>c",
                "<script>|'|</script>|<|</script>|c|",
            ),
            (
                "<style>a<b></style x>c</style>d",
                "<style>|a<b></style x>c|</style>|d|",
            ),
            ("<![if !mso]>a<![endif]>b", "!|a|!|b|"),
            ("<![CDATA[a&amp;<b>]]>c", "!|a&amp;<b>|c|"),
            ("<![CDATA[a<b", "!|a<b|"),
            (
                "<!-- a > b -- >c<!---->d<!x>e<?f>g</ h>i",
                "!|c|!|d|!|e|!|g|!|i|",
            ),
            ("a<!-- b > c --", "a|!| c --|"),
            ("<!doctype a \"b>\" -- > -- >c", "!|c|"),
            ("</p 'a>b'>c</p\"a>b\">d", "</p>|c|</p\"a>|b\">d|"),
            ("a<b c='d>e", "a|!|"),
            ("a</", "a|!|"),
            ("a<", "a|!|"),
        ] {
            assert_eq!(pieces(text), wanted, "{text}");
        }
    }

    #[test]
    fn attributes_stop_at_the_limit() {
        for (before, is_found) in [(ATTRIBUTES - 1, true), (ATTRIBUTES, false)] {
            let text = format!("<a {}href=x>", "b ".repeat(before));
            let mut source = HtmlSource::new(&text);
            source.next();
            assert_eq!(source.attribute("href").is_some(), is_found);
        }
    }
}
