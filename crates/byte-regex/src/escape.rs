//! What follows a backslash, outside of classes and inside.

use super::ast::{Assertion, Node};
use super::byteset::{ByteSet, class_of_letter};
use super::parse::Parser;
use super::problem::Problem;

impl Parser<'_> {
    /// Outside of a class; the backslash is taken.
    pub(super) fn escape(&mut self, start: usize) -> Result<Node, Problem> {
        let Some(letter) = self.take() else {
            return Err(self.wrong("a backslash at the end escapes nothing", start..self.at));
        };
        let assertion = match letter {
            b'A' => Some(Assertion::Start),
            b'Z' => Some(Assertion::End),
            b'z' => Some(Assertion::VeryEnd),
            b'b' if self.peek() != Some(b'{') => Some(Assertion::WordBoundary),
            b'B' if self.peek() != Some(b'{') => Some(Assertion::NoWordBoundary),
            _ => None,
        };
        if let Some(assertion) = assertion {
            return Ok(Node::Assert(assertion));
        }
        match letter {
            b'R' => Ok(line_break()),
            b'1'..=b'9' => self.number(start, letter),
            b'g' => self.group_reference(start),
            b'k' => {
                let end = match self.take() {
                    Some(b'<') => b'>',
                    Some(b'{') => b'}',
                    Some(b'\'') => b'\'',
                    _ => return Err(self.wrong("`\\k` wants a name: `\\k<name>`", start..self.at)),
                };
                self.reference_by_name(start, end)
            }
            b'N' if self.peek() != Some(b'{') => Ok(Node::Set(ByteSet::of(b'\n').complement())),
            b'b' | b'B' | b'p' | b'P' | b'X' | b'G' | b'K' => {
                let message = format!("`\\{}` is not supported", char::from(letter));
                Err(Problem::unsupported("R0308", message, start..self.at))
            }
            _ => Ok(Node::Set(self.byte_escape(start, letter)?)),
        }
    }

    /// `\1` to `\9` refer back; larger numbers only if there are so many groups, else they are
    /// octal.
    fn number(&mut self, start: usize, first: u8) -> Result<Node, Problem> {
        let mut number = u32::from(first - b'0');
        let before = self.at;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            number = number
                .saturating_mul(10)
                .saturating_add(u32::from(digit - b'0'));
            self.at += 1;
        }
        if number < 10 || number <= self.captures {
            self.needs_backtracking(start);
            return Ok(Node::BackReference {
                capture: number,
                fold: self.flags.ignore_case,
            });
        }
        self.at = before;
        if first > b'7' {
            return Ok(Node::Set(ByteSet::of(first)));
        }
        self.octal(start, u32::from(first - b'0'), 2)
            .map(|byte| Node::Set(byte.map_or(ByteSet::EMPTY, |byte| self.fold(ByteSet::of(byte)))))
    }

    /// `\g1`, `\g-1`, `\g{1}`, `\g{-1}`, `\g{name}`.
    fn group_reference(&mut self, start: usize) -> Result<Node, Problem> {
        let name = if self.eat(b"{") {
            let rest = self.rest();
            match rest.iter().position(|b| *b == b'}') {
                Some(length) => rest.get(..length).unwrap_or_default(),
                None => return Err(self.wrong("this brace is not closed", start..self.at)),
            }
        } else {
            let length = self
                .rest()
                .iter()
                .skip(1)
                .take_while(|b| b.is_ascii_digit())
                .count()
                + 1;
            self.rest().get(..length).unwrap_or_default()
        };
        let braced = self.pattern.get(self.at.wrapping_sub(1)) == Some(&b'{');
        let number = std::str::from_utf8(name)
            .ok()
            .and_then(|text| text.trim().parse::<i64>().ok());
        let Some(number) = number else {
            return if braced {
                self.reference_by_name(start, b'}')
            } else {
                Err(self.wrong("`\\g` wants a number", start..self.at))
            };
        };
        self.at += name.len() + usize::from(braced);
        self.needs_backtracking(start);
        let absolute = if number < 0 {
            i64::from(self.captures) + 1 + number
        } else {
            number
        };
        let capture = u32::try_from(absolute).unwrap_or(0);
        Ok(Node::BackReference {
            capture,
            fold: self.flags.ignore_case,
        })
    }

    /// An escape that stands for bytes; case is folded here.
    fn byte_escape(&mut self, start: usize, letter: u8) -> Result<ByteSet, Problem> {
        if let Some(class) = class_of_letter(letter).filter(|_| letter != b'N') {
            return Ok(class);
        }
        let byte = self.literal_escape(start, letter)?;
        Ok(byte.map_or(ByteSet::EMPTY, |byte| self.fold(ByteSet::of(byte))))
    }

    /// An escape that stands for one byte, inside of classes too. `None`: a code point above 255,
    /// which no byte is.
    pub(super) fn literal_escape(
        &mut self,
        start: usize,
        letter: u8,
    ) -> Result<Option<u8>, Problem> {
        Ok(Some(match letter {
            b't' => b'\t',
            b'n' => b'\n',
            b'r' => b'\r',
            b'f' => 0x0c,
            b'e' => 0x1b,
            b'a' => 0x07,
            b'c' => match self.take() {
                Some(control) if control.is_ascii() => control.to_ascii_uppercase() ^ 0x40,
                _ => return Err(self.wrong("`\\c` wants a letter", start..self.at)),
            },
            b'x' => return self.hexadecimal(start),
            b'0' => return self.octal(start, 0, 2),
            b'o' if self.peek() == Some(b'{') => return self.braced_number(start, 8),
            b'N' if self.rest().starts_with(b"{U+") => {
                self.at += 2;
                return self.braced_number(start, 16);
            }
            // Perl passes unknown escapes through.
            other => other,
        }))
    }

    fn hexadecimal(&mut self, start: usize) -> Result<Option<u8>, Problem> {
        if self.peek() == Some(b'{') {
            return self.braced_number(start, 16);
        }
        let mut value = 0;
        for _ in 0..2 {
            let Some(digit) = self.peek().and_then(|b| char::from(b).to_digit(16)) else {
                break;
            };
            value = value * 16 + digit;
            self.at += 1;
        }
        Ok(u8::try_from(value).ok())
    }

    pub(super) fn octal(
        &mut self,
        start: usize,
        first: u32,
        more: usize,
    ) -> Result<Option<u8>, Problem> {
        let mut value = first;
        for _ in 0..more {
            let Some(digit) = self.peek().and_then(|b| char::from(b).to_digit(8)) else {
                break;
            };
            value = value * 8 + digit;
            self.at += 1;
        }
        self.byte_of(value, start)
    }

    /// `{263a}` after `\x`, `\o` or `\N` (there with `U+` taken as its brace).
    fn braced_number(&mut self, start: usize, radix: u32) -> Result<Option<u8>, Problem> {
        self.at += 1;
        let digits = self
            .until(b'}')
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let Some(digits) = digits else {
            return Err(self.wrong("this brace is not closed", start..self.at));
        };
        let digits = digits.trim().replace('_', "");
        match u32::from_str_radix(&digits, radix) {
            Ok(value) => self.byte_of(value, start),
            Err(_) if digits.is_empty() => Ok(Some(0)),
            Err(_) => Err(self.wrong("this is no number", start..self.at)),
        }
    }

    fn byte_of(&self, value: u32, start: usize) -> Result<Option<u8>, Problem> {
        let byte = u8::try_from(value).ok();
        if byte.is_none() {
            let message =
                "rules match bytes: write a character above \\xff as the bytes of its UTF-8 form";
            return Err(Problem::unsupported("R0308", message, start..self.at));
        }
        Ok(byte)
    }
}

/// `\R`.
fn line_break() -> Node {
    let pair = Node::Concat(vec![
        Node::Set(ByteSet::of(b'\r')),
        Node::Set(ByteSet::of(b'\n')),
    ]);
    let single = ByteSet::that(|byte| matches!(byte, b'\n'..=b'\r' | 0x85));
    Node::Alternate(vec![pair, Node::Set(single)])
}
