//! Bracketed classes.

use super::byteset::{ByteSet, class_of_letter, class_of_name};
use super::parse::Parser;
use super::problem::Problem;

/// One element of a class.
enum Element {
    /// One byte, which may begin a range. `None`: a code point that no byte is.
    Byte(Option<u8>),
    /// A class in the class.
    Set(ByteSet),
}

impl Parser<'_> {
    /// The opening bracket is taken. Inside, `[`, `&&`, `--` and `~~` mean themselves, unlike in
    /// Rust's regex crates.
    pub(super) fn class(&mut self, start: usize) -> Result<ByteSet, Problem> {
        let negated = self.eat(b"^");
        let mut set = ByteSet::EMPTY;
        let mut first = true;
        loop {
            let at = self.at;
            match self.peek() {
                None => return Err(self.wrong("this bracket is not closed", start..start + 1)),
                Some(b']') if !first => {
                    self.at += 1;
                    break;
                }
                Some(b' ' | b'\t') if self.flags.spaced_classes => {
                    self.at += 1;
                    continue;
                }
                Some(_) => {}
            }
            first = false;
            let element = self.element(start)?;
            set = set.union(self.ranged(&element, at)?);
        }
        let set = self.fold(set);
        Ok(if negated { set.complement() } else { set })
    }

    /// The element, or the range that it begins.
    fn ranged(&mut self, element: &Element, at: usize) -> Result<ByteSet, Problem> {
        let low = match element {
            Element::Set(set) => return Ok(*set),
            Element::Byte(None) => return Ok(ByteSet::EMPTY),
            Element::Byte(Some(low)) => *low,
        };
        let is_range =
            self.peek() == Some(b'-') && !matches!(self.rest().get(1), None | Some(b']'));
        if !is_range {
            return Ok(ByteSet::of(low));
        }
        self.at += 1;
        let high = match self.element(at)? {
            Element::Byte(Some(high)) => high,
            Element::Byte(None) => u8::MAX,
            // `[a-\d]`: three elements.
            Element::Set(set) => return Ok(set.union(ByteSet::of(low)).union(ByteSet::of(b'-'))),
        };
        if high < low {
            return Err(self.wrong("this range runs backwards", at..self.at));
        }
        Ok(ByteSet::that(|byte| (low..=high).contains(&byte)))
    }

    fn element(&mut self, start: usize) -> Result<Element, Problem> {
        let at = self.at;
        if self.rest().starts_with(b"[:")
            && let Some(set) = self.posix()?
        {
            return Ok(Element::Set(set));
        }
        match self.take() {
            Some(b'\\') => {
                let Some(letter) = self.take() else {
                    return Err(self.wrong("this bracket is not closed", start..start + 1));
                };
                self.class_escape(at, letter)
            }
            Some(byte) => Ok(Element::Byte(Some(byte))),
            None => Err(self.wrong("this bracket is not closed", start..start + 1)),
        }
    }

    fn class_escape(&mut self, at: usize, letter: u8) -> Result<Element, Problem> {
        if letter != b'N'
            && let Some(set) = class_of_letter(letter)
        {
            return Ok(Element::Set(set));
        }
        match letter {
            b'b' => Ok(Element::Byte(Some(0x08))),
            b'p' | b'P' => {
                let message = format!("`\\{}` is not supported", char::from(letter));
                Err(Problem::unsupported("R0308", message, at..self.at))
            }
            b'1'..=b'7' => self
                .octal(at, u32::from(letter - b'0'), 2)
                .map(Element::Byte),
            _ => self.literal_escape(at, letter).map(Element::Byte),
        }
    }

    /// `[:alpha:]` and `[:^alpha:]`; `None` when it is none.
    fn posix(&mut self) -> Result<Option<ByteSet>, Problem> {
        let rest = self.rest().get(2..).unwrap_or_default();
        let Some(length) = rest.windows(2).position(|pair| pair == b":]") else {
            return Ok(None);
        };
        let name = rest.get(..length).unwrap_or_default();
        let (negated, name) = match name.strip_prefix(b"^") {
            Some(name) => (true, name),
            None => (false, name),
        };
        if !name.iter().all(u8::is_ascii_alphabetic) {
            return Ok(None);
        }
        let start = self.at;
        self.at += length + 4;
        match class_of_name(name) {
            Some(set) => Ok(Some(if negated { set.complement() } else { set })),
            None => Err(self.wrong("there is no such class", start..self.at)),
        }
    }
}
