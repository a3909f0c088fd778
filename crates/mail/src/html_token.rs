//! Divides HTML into tags and text, as tolerantly as browsers do, in one pass without going back.

use gatepost_words::bytes::{skip, slice_str};

/// Attributes kept of one tag.
const ATTRIBUTES: usize = 64;
/// Elements whose content is text up to their end tag, whatever it contains.
const RAW_TEXT: [&str; 8] = [
    "script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes",
];

/// One piece of HTML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'s> {
    /// Text; character references are not yet decoded.
    Text(&'s str),
    /// The content of a script, style, title or the like.
    Raw {
        /// Its name in lower case.
        element: &'static str,
        /// Up to its end tag.
        text: &'s str,
    },
    /// A start tag; its attributes are in [`Tokenizer::attribute`].
    Open(&'s str),
    /// An end tag.
    Close(&'s str),
    /// A comment or declaration of so many bytes.
    Comment(usize),
}

/// A position in the source, and the last start tag.
pub(super) struct Tokenizer<'s> {
    source: &'s str,
    position: usize,
    raw: Option<&'static str>,
    attributes: Vec<(&'s str, &'s str)>,
}

impl<'s> Tokenizer<'s> {
    /// Begins at the start of a source.
    pub(super) fn new(source: &'s str) -> Self {
        Self {
            source,
            position: 0,
            raw: None,
            attributes: Vec::new(),
        }
    }

    /// The value of an attribute of the last start tag; character references are not yet decoded.
    pub(super) fn attribute(&self, name: &str) -> Option<&'s str> {
        self.attributes
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }

    /// Whether the last start tag has attributes at all.
    pub(super) fn has_attributes(&self) -> bool {
        !self.attributes.is_empty()
    }

    fn rest(&self) -> &'s [u8] {
        skip(self.source.as_bytes(), self.position)
    }

    /// What was read since `start`.
    fn since(&self, start: usize) -> &'s str {
        slice_str(self.source, start..self.position)
    }

    /// Moves on by `length` bytes and returns them.
    fn take(&mut self, length: usize) -> &'s str {
        let start = self.position;
        self.position = start.saturating_add(length).min(self.source.len());
        self.since(start)
    }

    fn raw_text(&mut self, element: &'static str) -> Token<'s> {
        let rest = self.rest();
        let is_end = |at: usize| {
            let tail = skip(rest, at.saturating_add(1));
            let name = tail
                .strip_prefix(b"/")
                .and_then(|tail| tail.get(..element.len()));
            let after = tail.get(element.len().saturating_add(1));
            name.is_some_and(|name| name.eq_ignore_ascii_case(element.as_bytes()))
                && after
                    .is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'))
        };
        let end = memchr::memchr_iter(b'<', rest)
            .find(|&at| is_end(at))
            .unwrap_or(rest.len());
        Token::Raw {
            element,
            text: self.take(end),
        }
    }

    /// A declaration, processing instruction or comment; `self.position` is at its `<`.
    fn markup(&mut self) -> Token<'s> {
        let rest = self.rest();
        if rest.starts_with(b"<!--") {
            return self.comment();
        }
        if rest
            .get(..9)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"<![CDATA["))
        {
            let text = skip(rest, 9);
            let length = memchr::memmem::find(text, b"]]>");
            self.take(9);
            let text = self.take(length.unwrap_or(text.len()));
            self.take(3);
            return Token::Text(text);
        }
        let length = memchr::memchr(b'>', rest).map_or(rest.len(), |at| at.saturating_add(1));
        Token::Comment(self.take(length).len())
    }

    fn comment(&mut self) -> Token<'s> {
        let rest = self.rest();
        let text = skip(rest, 4);
        // `<!-->` and `<!--->` are whole comments; `--!>` ends one, too.
        let length = if text.starts_with(b">") {
            5
        } else if text.starts_with(b"->") {
            6
        } else {
            let is_end = |at: usize| matches!(text.get(at..), Some([_, b'>' | b'!', ..]));
            let mut ends = memchr::memmem::find_iter(text, b"--").filter_map(|at| {
                match text.get(at.saturating_add(2)..) {
                    Some([b'>', ..]) => Some(at.saturating_add(7)),
                    Some([b'!', b'>', ..]) => Some(at.saturating_add(8)),
                    Some([b'-', ..]) if is_end(at.saturating_add(2)) => Some(at.saturating_add(8)),
                    _ => None,
                }
            });
            ends.next().unwrap_or(rest.len())
        };
        Token::Comment(self.take(length).len())
    }

    /// A start or end tag whose name begins at `name_start`. `None`: the source ends inside the
    /// tag, which browsers drop.
    fn tag(&mut self, is_end: bool) -> Option<Token<'s>> {
        let name_start = self
            .position
            .saturating_add(1)
            .saturating_add(usize::from(is_end));
        self.position = name_start;
        let length = self
            .rest()
            .iter()
            .take_while(|byte| !is_tag_break(**byte))
            .count();
        let name = self.take(length);
        self.attributes.clear();
        loop {
            self.pass(|byte| byte.is_ascii_whitespace() || byte == b'/');
            match self.rest().first() {
                None => return None,
                Some(b'>') => break,
                Some(_) => self.read_attribute()?,
            }
        }
        self.take(1);
        if is_end {
            return Some(Token::Close(name));
        }
        self.raw = RAW_TEXT
            .iter()
            .find(|element| name.eq_ignore_ascii_case(element))
            .copied();
        Some(Token::Open(name))
    }

    fn read_attribute(&mut self) -> Option<()> {
        let start = self.position;
        // An equals sign at the start belongs to the name.
        self.take_one();
        self.pass(|byte| !is_tag_break(byte) && byte != b'=');
        let name = self.since(start);
        self.pass(|byte| byte.is_ascii_whitespace());
        let mut value = "";
        if self.rest().first() == Some(&b'=') {
            self.take(1);
            self.pass(|byte| byte.is_ascii_whitespace());
            value = self.read_value()?;
        }
        if self.attributes.len() < ATTRIBUTES {
            self.attributes.push((name, value));
        }
        Some(())
    }

    /// The value after an equals sign. `None`: the source ends in it.
    fn read_value(&mut self) -> Option<&'s str> {
        let quote = *self.rest().first()?;
        if !matches!(quote, b'"' | b'\'') {
            let start = self.position;
            self.pass(|byte| !byte.is_ascii_whitespace() && byte != b'>');
            return Some(self.since(start));
        }
        self.take(1);
        let Some(length) = memchr::memchr(quote, self.rest()) else {
            self.position = self.source.len();
            return None;
        };
        let value = self.take(length);
        self.take(1);
        Some(value)
    }

    fn take_one(&mut self) {
        let length = self
            .rest()
            .iter()
            .skip(1)
            .take_while(|byte| **byte & 0xc0 == 0x80)
            .count();
        self.take(length.saturating_add(1));
    }

    fn pass(&mut self, belongs: impl Fn(u8) -> bool) {
        let length = self
            .rest()
            .iter()
            .take_while(|byte| belongs(**byte))
            .count();
        self.position = self.position.saturating_add(length);
    }
}

impl<'s> Iterator for Tokenizer<'s> {
    type Item = Token<'s>;

    fn next(&mut self) -> Option<Token<'s>> {
        if let Some(element) = self.raw.take() {
            return Some(self.raw_text(element));
        }
        let rest = self.rest();
        match rest {
            [] => None,
            [b'<', b'/', byte, ..] if byte.is_ascii_alphabetic() => self.tag(true),
            [b'<', b'!' | b'?', ..] | [b'<', b'/', _, ..] => Some(self.markup()),
            [b'<', byte, ..] if byte.is_ascii_alphabetic() => self.tag(false),
            _ => {
                // A `<` that begins nothing is text.
                let text = skip(rest, 1);
                let length =
                    memchr::memchr(b'<', text).map_or(rest.len(), |at| at.saturating_add(1));
                Some(Token::Text(self.take(length)))
            }
        }
    }
}

fn is_tag_break(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(source: &str) -> Vec<Token<'_>> {
        Tokenizer::new(source).collect()
    }

    #[test]
    fn html_is_divided() {
        use Token::*;
        for (source, expected) in [
            ("", vec![]),
            (
                "a<b>c</b>",
                vec![Text("a"), Open("b"), Text("c"), Close("b")],
            ),
            ("1 < 2 <3", vec![Text("1 "), Text("< 2 "), Text("<3")]),
            (
                "<!-- a --><!-->x<!--->y",
                vec![Comment(10), Comment(5), Text("x"), Comment(6), Text("y")],
            ),
            ("<!-- a --!>x", vec![Comment(11), Text("x")]),
            ("<!--a--->x", vec![Comment(9), Text("x")]),
            ("<!doctype html>x", vec![Comment(15), Text("x")]),
            ("<![CDATA[a>b]]>c", vec![Text("a>b"), Text("c")]),
            (
                "<script>a<b</SCRIPT >c",
                vec![
                    Open("script"),
                    Raw {
                        element: "script",
                        text: "a<b",
                    },
                    Close("SCRIPT"),
                    Text("c"),
                ],
            ),
            (
                "<style>a</styles>",
                vec![
                    Open("style"),
                    Raw {
                        element: "style",
                        text: "a</styles>",
                    },
                ],
            ),
            (
                "<br/>x</>y",
                vec![Open("br"), Text("x"), Comment(3), Text("y")],
            ),
            ("a<!-- open", vec![Text("a"), Comment(9)]),
            ("a<b c=\"open>", vec![Text("a")]),
            ("<", vec![Text("<")]),
        ] {
            assert_eq!(tokens(source), expected, "{source:?}");
        }
    }

    #[test]
    fn attributes_are_read() {
        for (source, name, expected) in [
            ("<a href=x>", "href", Some("x")),
            ("<a HREF = 'x y' >", "href", Some("x y")),
            ("<a b href=\"a>b\">", "href", Some("a>b")),
            ("<a href=x/y/>", "href", Some("x/y/")),
            ("<a hidden>", "hidden", Some("")),
            ("<a =x href=y>", "href", Some("y")),
            ("<a é=1 href=2>", "href", Some("2")),
            ("<a href=1 href=2>", "href", Some("1")),
            ("<a>", "href", None),
        ] {
            let mut tokenizer = Tokenizer::new(source);
            assert_eq!(tokenizer.next(), Some(Token::Open("a")), "{source:?}");
            assert_eq!(tokenizer.attribute(name), expected, "{source:?}");
        }
    }

    #[test]
    fn attributes_stop_at_the_limit() {
        for (before, found) in [(ATTRIBUTES - 1, true), (ATTRIBUTES, false)] {
            let source = format!("<a {}href=x>", "b ".repeat(before));
            let mut tokenizer = Tokenizer::new(&source);
            tokenizer.next();
            assert_eq!(tokenizer.attribute("href").is_some(), found);
        }
    }
}
