//! Reading a pattern into its tree.

use std::ops::Range;

use super::ast::{Assertion, Greed, Node};
use super::byteset::ByteSet;
use super::problem::Problem;

/// How deep groups may be nested.
pub(super) const DEPTH_LIMIT: usize = 64;
/// Most repetitions that may be asked for; Perl's own limit.
pub(super) const REPEAT_LIMIT: u32 = 65_534;

/// The modes of Perl that the tree does not keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent modes of Perl")]
pub(super) struct Flags {
    /// /i
    pub(super) ignore_case: bool,
    /// /s
    pub(super) dot_all: bool,
    /// /m
    pub(super) multi_line: bool,
    /// /x
    pub(super) spaced: bool,
    /// /xx: blanks in classes count for nothing too.
    pub(super) spaced_classes: bool,
    /// /n
    pub(super) no_captures: bool,
}

impl Flags {
    /// Sets or clears the flag of a letter; `false` when there is no such flag. The character set
    /// flags change nothing: SpamAssassin always compiles with `/aa`.
    pub(super) fn set(&mut self, letter: u8, on: bool) -> bool {
        match letter {
            b'i' => self.ignore_case = on,
            b's' => self.dot_all = on,
            b'm' => self.multi_line = on,
            b'x' if on && self.spaced => self.spaced_classes = true,
            b'x' => (self.spaced, self.spaced_classes) = (on, false),
            b'n' => self.no_captures = on,
            b'a' | b'u' | b'l' | b'd' | b'p' | b'o' => {}
            _ => return false,
        }
        true
    }
}

/// A pattern that was read.
#[derive(Debug)]
pub(super) struct Parsed {
    /// The tree.
    pub(super) node: Node,
    /// The first construct that a finite automaton cannot decide.
    pub(super) backtracking: Option<Range<usize>>,
    /// The names of its groups.
    pub(super) names: Vec<(Vec<u8>, u32)>,
}

/// Reads a pattern.
pub(super) fn parse(pattern: &[u8], flags: Flags) -> Result<Parsed, Problem> {
    let mut parser = Parser {
        pattern,
        at: 0,
        flags,
        depth: 0,
        captures: 0,
        names: Vec::new(),
        backtracking: None,
    };
    let node = parser.alternation()?;
    if parser.at < pattern.len() {
        return Err(parser.wrong_here("this parenthesis closes nothing", 1));
    }
    parser.check_references(&node)?;
    let names = parser
        .names
        .iter()
        .map(|(name, number)| (name.to_vec(), *number))
        .collect();
    Ok(Parsed {
        node,
        backtracking: parser.backtracking,
        names,
    })
}

pub(super) struct Parser<'p> {
    pub(super) pattern: &'p [u8],
    pub(super) at: usize,
    pub(super) flags: Flags,
    pub(super) depth: usize,
    pub(super) captures: u32,
    pub(super) names: Vec<(&'p [u8], u32)>,
    pub(super) backtracking: Option<Range<usize>>,
}

impl<'p> Parser<'p> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.pattern.get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'p [u8] {
        self.pattern.get(self.at..).unwrap_or_default()
    }

    pub(super) fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn eat(&mut self, text: &[u8]) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// What is before the next `end`, which is taken too.
    pub(super) fn until(&mut self, end: u8) -> Option<&'p [u8]> {
        let rest = self.rest();
        let length = rest.iter().position(|byte| *byte == end)?;
        self.at += length + 1;
        rest.get(..length)
    }

    pub(super) fn wrong_here(&self, message: &str, length: usize) -> Problem {
        self.wrong(message, self.at..(self.at + length).min(self.pattern.len()))
    }

    #[expect(clippy::unused_self, reason = "reads like its sibling")]
    pub(super) fn wrong(&self, message: &str, span: Range<usize>) -> Problem {
        Problem::wrong("R0302", message, span)
    }

    /// Remembers that an automaton will not do.
    pub(super) fn needs_backtracking(&mut self, start: usize) {
        let span = start..self.at;
        self.backtracking.get_or_insert(span);
    }

    /// Branches until a closing parenthesis or the end.
    pub(super) fn alternation(&mut self) -> Result<Node, Problem> {
        let mut branches = vec![self.sequence()?];
        while self.eat(b"|") {
            branches.push(self.sequence()?);
        }
        Ok(if branches.len() == 1 {
            branches.pop().unwrap_or(Node::Empty)
        } else {
            Node::Alternate(branches)
        })
    }

    fn sequence(&mut self) -> Result<Node, Problem> {
        let mut nodes = Vec::new();
        loop {
            self.skip_spacing()?;
            let start = self.at;
            let atom = match self.peek() {
                None | Some(b'|' | b')') => break,
                Some(_) => self.atom()?,
            };
            let node = match atom {
                Some(node) => self.quantified(node, start)?,
                None => continue,
            };
            nodes.push(node);
        }
        Ok(match nodes.len() {
            0 => Node::Empty,
            1 => nodes.pop().unwrap_or(Node::Empty),
            _ => Node::Concat(nodes),
        })
    }

    /// Under /x blanks and comments are nothing; `(?#…)` always is.
    fn skip_spacing(&mut self) -> Result<(), Problem> {
        loop {
            let start = self.at;
            if self.eat(b"(?#") {
                if self.until(b')').is_none() {
                    return Err(self.wrong("this comment is not closed", start..self.at));
                }
            } else if self.flags.spaced
                && self
                    .peek()
                    .is_some_and(|b| matches!(b, b'\t'..=b'\r' | b' '))
            {
                self.at += 1;
            } else if self.flags.spaced && self.eat(b"#") {
                if self.until(b'\n').is_none() {
                    self.at = self.pattern.len();
                }
            } else {
                return Ok(());
            }
        }
    }

    /// One atom; `None` for what only changes modes.
    fn atom(&mut self) -> Result<Option<Node>, Problem> {
        let start = self.at;
        let Some(byte) = self.take() else {
            return Ok(None);
        };
        Ok(Some(match byte {
            b'(' => return self.group(start),
            b'[' => Node::Set(self.class(start)?),
            b'\\' => self.escape(start)?,
            b'.' if self.flags.dot_all => Node::Set(ByteSet::ALL),
            b'.' => Node::Set(ByteSet::of(b'\n').complement()),
            b'^' if self.flags.multi_line => Node::Assert(Assertion::LineStart),
            b'^' => Node::Assert(Assertion::Start),
            b'$' if self.flags.multi_line => Node::Assert(Assertion::LineEnd),
            b'$' => Node::Assert(Assertion::End),
            b'*' | b'+' | b'?' => {
                return Err(self.wrong("this quantifier follows nothing", start..start + 1));
            }
            b'%' if self.peek() == Some(b'{') && self.is_template() => {
                let end = start + 2 + self.rest().iter().position(|b| *b == b'}').unwrap_or(0);
                return Err(Problem::unsupported(
                    "R0308",
                    "a template is filled in from another rule",
                    start..end,
                ));
            }
            other => Node::Set(self.fold(ByteSet::of(other))),
        }))
    }

    /// Whether `{NAME}` follows, with a name such as rules have.
    fn is_template(&self) -> bool {
        let name = self
            .rest()
            .get(1..)
            .unwrap_or_default()
            .split(|b| *b == b'}')
            .next()
            .unwrap_or_default();
        name.len() + 1 < self.rest().len()
            && name.len() > 1
            && name
                .iter()
                .all(|b| b.is_ascii_uppercase() || *b == b'_' || b.is_ascii_digit())
    }

    pub(super) fn fold(&self, set: ByteSet) -> ByteSet {
        if self.flags.ignore_case {
            set.folded()
        } else {
            set
        }
    }

    /// The quantifier after an atom, if there is one.
    fn quantified(&mut self, node: Node, start: usize) -> Result<Node, Problem> {
        self.skip_spacing()?;
        let at = self.at;
        let Some((min, max)) = self.quantifier()? else {
            return Ok(node);
        };
        let greed = if self.eat(b"?") {
            Greed::Lazy
        } else if self.eat(b"+") {
            self.needs_backtracking(start);
            Greed::Possessive
        } else {
            Greed::Greedy
        };
        let end = self.at;
        self.skip_spacing()?;
        if self.quantifier()?.is_some() {
            return Err(self.wrong("this quantifier follows another", end..self.at));
        }
        if max.is_some_and(|max| max < min) {
            return Err(self.wrong("the lower bound is above the upper one", at..end));
        }
        Ok(Node::Repeat {
            node: Box::new(node),
            min,
            max,
            greed,
        })
    }

    fn quantifier(&mut self) -> Result<Option<(u32, Option<u32>)>, Problem> {
        Ok(match self.peek() {
            Some(b'*') => Some(self.counted(0, None)),
            Some(b'+') => Some(self.counted(1, None)),
            Some(b'?') => Some(self.counted(0, Some(1))),
            Some(b'{') => return self.braces(),
            _ => None,
        })
    }

    fn counted(&mut self, min: u32, max: Option<u32>) -> (u32, Option<u32>) {
        self.at += 1;
        (min, max)
    }

    /// `{n}`, `{n,}`, `{,n}` and `{n,m}`, blanks allowed inside (Perl 5.34). Anything else is a
    /// brace like any letter.
    fn braces(&mut self) -> Result<Option<(u32, Option<u32>)>, Problem> {
        let rest = self.rest();
        let Some(length) = rest.iter().position(|b| *b == b'}') else {
            return Ok(None);
        };
        let inside = rest.get(1..length).unwrap_or_default();
        let Ok(inside) = std::str::from_utf8(inside) else {
            return Ok(None);
        };
        let number = |text: &str| -> Option<Option<u64>> {
            let text = text.trim_matches([' ', '\t']);
            if text.is_empty() {
                return Some(None);
            }
            text.bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| Some(text.parse().unwrap_or(u64::MAX)))
        };
        let bounds = match inside.split_once(',') {
            None => number(inside).flatten().map(|n| (n, Some(n))),
            Some((low, high)) => match (number(low), number(high)) {
                (Some(None), Some(None)) | (None, _) | (_, None) => None,
                (Some(low), Some(high)) => Some((low.unwrap_or(0), high)),
            },
        };
        let Some((min, max)) = bounds else {
            return Ok(None);
        };
        let span = self.at..self.at + length + 1;
        self.at = span.end;
        let within = |n: u64| {
            let message = format!("more than {REPEAT_LIMIT} repetitions");
            u32::try_from(n)
                .ok()
                .filter(|n| *n <= REPEAT_LIMIT)
                .ok_or(Problem::wrong("R0304", message, span.clone()))
        };
        Ok(Some((within(min)?, max.map(within).transpose()?)))
    }

    /// Every back-reference must name a capture that exists.
    fn check_references(&self, node: &Node) -> Result<(), Problem> {
        let mut pending = vec![node];
        while let Some(node) = pending.pop() {
            match node {
                Node::BackReference { capture, .. }
                    if *capture == 0 || *capture > self.captures =>
                {
                    let span = self.backtracking.clone().unwrap_or(0..self.pattern.len());
                    return Err(self.wrong("a back-reference to a group that does not exist", span));
                }
                Node::Concat(nodes) | Node::Alternate(nodes) => pending.extend(nodes),
                Node::Repeat { node, .. }
                | Node::Capture(_, node)
                | Node::Look { node, .. }
                | Node::Atomic(node) => {
                    pending.push(node);
                }
                _ => {}
            }
        }
        Ok(())
    }
}
