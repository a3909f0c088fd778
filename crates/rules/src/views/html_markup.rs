//! Markup as [`HtmlSource`] reads it: what a `<` begins and where that ends.

use super::html_source::{HtmlSource, Piece, is_space};

/// Attributes kept of one tag.
pub(super) const ATTRIBUTES: usize = 256;

/// What is at a `<`.
pub(super) enum Markup<'s> {
    /// A piece, and where it ends.
    Whole(Piece<'s>, usize),
    /// A marked section begins and ends there.
    Section(Section, usize),
    /// It is only a `<`.
    Text,
    /// The source ends inside it.
    Open,
}

/// How the content of a marked section is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// As text.
    Data { is_literal: bool },
    /// Like anything else.
    Include,
}

impl<'s> HtmlSource<'s> {
    /// What is at the `<` at `start`.
    pub(super) fn markup(&mut self, start: usize) -> Markup<'s> {
        match self.byte(start + 1) {
            Some(byte) if is_name_start(byte) => self.start_tag(start),
            Some(b'/') => self.end_tag(start),
            Some(b'!') => self.declaration(start),
            Some(b'?') => self.up_to_gt(start + 2),
            Some(_) => Markup::Text,
            None => Markup::Open,
        }
    }

    fn up_to_gt(&self, from: usize) -> Markup<'s> {
        self.place_of(from, b'>')
            .map_or(Markup::Open, |end| Markup::Whole(Piece::Other, end + 1))
    }

    fn start_tag(&mut self, start: usize) -> Markup<'s> {
        let name_end = self.past(start + 1, |byte| !is_space(byte) && byte != b'>');
        let name = self.cut(start + 1, name_end);
        self.attributes.clear();
        let mut at = self.past(name_end, is_space);
        while let Some(byte) = self.byte(at) {
            if byte == b'>' {
                return Markup::Whole(Piece::Open(name), at + 1);
            }
            let Some(next) = self.read_attribute(at) else {
                return Markup::Open;
            };
            at = next;
        }
        Markup::Open
    }

    /// Reads the attribute at `start`; returns where the next one begins, or nothing where the
    /// source ends.
    fn read_attribute(&mut self, start: usize) -> Option<usize> {
        let name_end = self.past(start + 1, |byte| {
            !is_space(byte) && byte != b'=' && byte != b'>'
        });
        let mut at = self.past(name_end, is_space);
        let mut value = None;
        if self.byte(at)? == b'=' {
            at = self.past(at + 1, is_space);
            let quote = self.byte(at)?;
            value = Some(if matches!(quote, b'"' | b'\'') {
                let end = self.place_of(at + 1, quote)?;
                let value = self.cut(at + 1, end);
                at = end + 1;
                value
            } else {
                let end = self.past(at, |byte| !is_space(byte) && byte != b'>');
                let value = self.cut(at, end);
                at = end;
                value
            });
            at = self.past(at, is_space);
            self.byte(at)?;
        }
        if self.attributes.len() < ATTRIBUTES {
            self.attributes.push((self.cut(start, name_end), value));
        }
        Some(at)
    }

    /// An end tag; between name and `>` quotes are honoured, after a blank or an equals sign.
    fn end_tag(&self, start: usize) -> Markup<'s> {
        let name_end = self.past(start + 2, |byte| !is_space(byte) && byte != b'>');
        let (mut quote, mut before) = (None, b' ');
        for (index, byte) in self.rest(name_end).iter().copied().enumerate() {
            match (quote, byte) {
                (None, b'>') => {
                    let has_name = name_end > start + 2;
                    let piece = if has_name {
                        Piece::Close(self.cut(start + 2, name_end))
                    } else {
                        Piece::Other
                    };
                    return Markup::Whole(piece, name_end + index + 1);
                }
                (Some(open), byte) if open == byte => quote = None,
                (None, b'"' | b'\'') if matches!(before, b' ' | b'=') => quote = Some(byte),
                _ => {}
            }
            before = byte;
        }
        Markup::Open
    }

    fn declaration(&mut self, start: usize) -> Markup<'s> {
        match (self.byte(start + 2), self.byte(start + 3)) {
            (None, _) | (Some(b'-'), None) => Markup::Open,
            (Some(b'-'), Some(b'-')) => self.comment(start + 4),
            (Some(b'['), _) => self.marked_section(start),
            (Some(byte), _) if byte.is_ascii_alphabetic() => self.named_declaration(start),
            _ => self.up_to_gt(start + 2),
        }
    }

    /// A comment ends at two dashes, white space and `>`.
    fn comment(&self, from: usize) -> Markup<'s> {
        if self.has_lone_ends {
            return self.up_to_gt(from);
        }
        let mut at = from;
        while let Some(dash) = self.place_of(at, b'-') {
            at = dash + 1;
            if self.byte(at) == Some(b'-') {
                let end = self.past(at + 1, is_space);
                if self.byte(end) == Some(b'>') {
                    return Markup::Whole(Piece::Other, end + 1);
                }
            }
        }
        Markup::Open
    }

    /// `<![ name name [`; what only looks like one is a comment up to the next `>`.
    fn marked_section(&self, start: usize) -> Markup<'s> {
        let mut at = self.past(start + 3, is_space);
        let mut section = Section::Include;
        while self.byte(at).is_some_and(is_name_start) {
            let end = self.past(at, is_name);
            match self.cut(at, end).to_ascii_lowercase().as_str() {
                "cdata" => section = Section::Data { is_literal: true },
                "rcdata" => section = Section::Data { is_literal: false },
                _ => {}
            }
            at = self.past(end, is_space);
        }
        match self.byte(at) {
            None => Markup::Open,
            Some(b'[') => Markup::Section(section, at + 1),
            Some(_) => self.up_to_gt(start + 2),
        }
    }

    /// A document type or entity, with quoted strings and comments inside; any other is a comment
    /// up to the next `>`.
    fn named_declaration(&self, start: usize) -> Markup<'s> {
        let name_end = self.past(start + 2, is_name);
        let name = self.cut(start + 2, name_end);
        if name_end == self.text.len() {
            return Markup::Open;
        }
        if !["doctype", "entity"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
        {
            return self.up_to_gt(start + 2);
        }
        let mut at = name_end;
        loop {
            at = self.past(at, is_space);
            let end = match (self.byte(at), self.byte(at + 1)) {
                (None, _) | (Some(b'-'), None) => None,
                (Some(b'>'), _) => return Markup::Whole(Piece::Other, at + 1),
                (Some(quote @ (b'"' | b'\'')), _) => {
                    self.place_of(at + 1, quote).map(|end| end + 1)
                }
                (Some(b'-'), Some(b'-')) => {
                    memchr::memmem::find(self.rest(at + 2), b"--").map(|length| at + 2 + length + 2)
                }
                (Some(b'-'), _) => return self.up_to_gt(start + 2),
                _ => Some(self.past(at + 1, |byte| !is_space(byte) && byte != b'>')),
            };
            let Some(end) = end else { return Markup::Open };
            at = end;
        }
    }
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':')
}

fn is_name(byte: u8) -> bool {
    is_name_start(byte) || byte.is_ascii_digit() || matches!(byte, b'.' | b'-')
}
