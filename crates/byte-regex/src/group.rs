//! Parentheses: captures, modes, look-around.

use super::ast::Node;
use super::parse::{DEPTH_LIMIT, Parser};
use super::problem::Problem;

impl Parser<'_> {
    /// What follows an opening parenthesis, and the closing one. `None` when only modes were
    /// changed.
    pub(super) fn group(&mut self, start: usize) -> Result<Option<Node>, Problem> {
        if self.depth >= DEPTH_LIMIT {
            let message = format!("groups are nested more than {DEPTH_LIMIT} deep");
            return Err(Problem::wrong("R0304", message, start..start + 1));
        }
        if self.peek() == Some(b'*') {
            return Err(self.not_yet("control verbs are not supported", start));
        }
        if self.eat(b"?") {
            return self.special(start);
        }
        if self.flags.no_captures {
            return self.closed(start).map(Some);
        }
        self.capture(start).map(Some)
    }

    fn capture(&mut self, start: usize) -> Result<Node, Problem> {
        self.captures = self.captures.saturating_add(1);
        let number = self.captures;
        Ok(Node::Capture(number, Box::new(self.closed(start)?)))
    }

    /// The inside of a group up to its closing parenthesis; modes changed inside end there.
    fn closed(&mut self, start: usize) -> Result<Node, Problem> {
        let flags = self.flags;
        self.depth += 1;
        let node = self.alternation()?;
        self.depth -= 1;
        self.flags = flags;
        if self.eat(b")") {
            Ok(node)
        } else {
            Err(self.wrong("this parenthesis is not closed", start..start + 1))
        }
    }

    /// After `(?`.
    fn special(&mut self, start: usize) -> Result<Option<Node>, Problem> {
        for (mark, ahead, negative) in [
            (&b"="[..], true, false),
            (b"!", true, true),
            (b"<=", false, false),
            (b"<!", false, true),
        ] {
            if self.eat(mark) {
                let node = Box::new(self.closed(start)?);
                self.needs_backtracking(start);
                return Ok(Some(Node::Look {
                    ahead,
                    negative,
                    node,
                }));
            }
        }
        if self.eat(b">") {
            let node = Box::new(self.closed(start)?);
            self.needs_backtracking(start);
            return Ok(Some(Node::Atomic(node)));
        }
        if self.eat(b"P=") {
            return self.reference_by_name(start, b')').map(Some);
        }
        for (mark, end) in [(&b"P<"[..], b'>'), (b"<", b'>'), (b"'", b'\'')] {
            if self.eat(mark) {
                return self.named(start, end).map(Some);
            }
        }
        match self.peek() {
            Some(b'{' | b'?') => Err(Problem::wrong(
                "R0307",
                "code is not allowed in a rule",
                start..self.at + 1,
            )),
            Some(b'|') => Err(self.not_yet("branch reset is not supported", start)),
            Some(b'R' | b'0'..=b'9' | b'+' | b'&' | b'P') => {
                Err(self.not_yet("recursion is not supported", start))
            }
            Some(b'(') => Err(self.not_yet("conditions are not supported", start)),
            Some(_) => self.modes(start),
            None => Err(self.wrong("this parenthesis is not closed", start..start + 1)),
        }
    }

    fn not_yet(&self, message: &str, start: usize) -> Problem {
        Problem::unsupported(
            "R0308",
            message,
            start..(self.at + 1).min(self.pattern.len()),
        )
    }

    fn named(&mut self, start: usize, end: u8) -> Result<Node, Problem> {
        let name = self.until(end).filter(|name| is_name(name));
        let Some(name) = name else {
            return Err(self.wrong("this group has no proper name", start..self.at));
        };
        self.names.push((name, self.captures.saturating_add(1)));
        self.capture(start)
    }

    /// A reference by name, up to its closing mark.
    pub(super) fn reference_by_name(&mut self, start: usize, end: u8) -> Result<Node, Problem> {
        let name = self.until(end).unwrap_or_default();
        let capture = self
            .names
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, number)| *number);
        self.needs_backtracking(start);
        let Some(capture) = capture else {
            return Err(self.wrong("there is no group of that name before", start..self.at));
        };
        Ok(Node::BackReference {
            capture,
            fold: self.flags.ignore_case,
        })
    }

    /// `(?i)`, `(?^i-x:…)` and the like.
    fn modes(&mut self, start: usize) -> Result<Option<Node>, Problem> {
        let outside = self.flags;
        if self.eat(b"^") {
            self.flags = super::parse::Flags::default();
        }
        let mut on = true;
        loop {
            match self.take() {
                Some(b'-') if on => on = false,
                Some(b')') => return Ok(None),
                Some(b':') => {
                    let node = self.closed(start)?;
                    self.flags = outside;
                    return Ok(Some(node));
                }
                Some(letter) if self.flags.set(letter, on) => {}
                Some(_) => return Err(self.wrong("there is no such group or mode", start..self.at)),
                None => return Err(self.wrong("this parenthesis is not closed", start..start + 1)),
            }
        }
    }
}

/// Whether it can name a group.
fn is_name(name: &[u8]) -> bool {
    !name.is_empty()
        && !name.first().is_some_and(u8::is_ascii_digit)
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}
