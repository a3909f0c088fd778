//! The arithmetic that metas and `if` conditions share: Perl's numeric operators and their
//! precedence.
//!
//! An expression becomes a compact program for a stack of numbers. Truth is "not zero", and `a &&
//! b` is `a` when `a` is 0, else `b`, as in Perl: counts survive.

use gatepost_words::bytes;
use std::ops::Range;

use crate::limits::{PARENTHESES_LIMIT, TOKENS_LIMIT};

/// One step of a program. `N` names a value: a rule, or a condition already decided.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step<N> {
    /// Put a number on the stack.
    Number(f64),
    /// Put the value of a name on the stack.
    Name(N),
    /// Replace the top.
    Not,
    /// Replace the top.
    Negate,
    /// Replace the two on top.
    Binary(Operator),
    /// Replace the three on top: condition, value if true, value if false.
    Select,
}

/// Operators with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Xor,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// Operators by their text, longer ones first, and how tightly they bind.
const OPERATORS: &[(&str, Operator, u8)] = &[
    ("||", Operator::Or, 1),
    ("&&", Operator::And, 2),
    ("==", Operator::Equal, 4),
    ("!=", Operator::NotEqual, 4),
    ("<=", Operator::LessOrEqual, 5),
    (">=", Operator::GreaterOrEqual, 5),
    ("<", Operator::Less, 5),
    (">", Operator::Greater, 5),
    ("^", Operator::Xor, 3),
    ("+", Operator::Add, 6),
    ("-", Operator::Subtract, 6),
    ("*", Operator::Multiply, 7),
    ("/", Operator::Divide, 7),
];

/// What is wrong with an expression, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// What.
    pub(crate) message: String,
    /// Byte offsets in the text.
    pub(crate) span: Range<usize>,
    /// Whether a limit was passed (else the syntax is wrong).
    pub(crate) too_large: bool,
}

/// Compiles an expression. `name` turns a name with its optional argument in parentheses into a
/// value; `None` means that there is none such.
pub(crate) fn compile<N>(
    text: &str,
    mut name: impl FnMut(&str, Option<&str>, Range<usize>) -> Option<N>,
) -> Result<Vec<Step<N>>, Malformed> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
        steps: Vec::new(),
        name: &mut name,
    };
    parser.expression()?;
    if parser.at < text.len() {
        return Err(parser.expected("an operator"));
    }
    Ok(parser.steps)
}

/// Turns a name with its optional argument into a value.
type Names<'n, N> = dyn FnMut(&str, Option<&str>, Range<usize>) -> Option<N> + 'n;

struct Parser<'t, 'n, N> {
    text: &'t str,
    at: usize,
    depth: usize,
    steps: Vec<Step<N>>,
    name: &'n mut Names<'n, N>,
}

impl<'t, N> Parser<'t, '_, N> {
    fn rest(&self) -> &'t str {
        bytes::skip_str(self.text, self.at)
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
            self.skip_blanks();
        }
        found
    }

    fn expected(&self, what: &str) -> Malformed {
        let length = self.rest().chars().next().map_or(0, char::len_utf8);
        Malformed {
            message: format!("expected {what}"),
            span: self.at..self.at + length,
            too_large: false,
        }
    }

    fn push(&mut self, step: Step<N>) -> Result<(), Malformed> {
        if self.steps.len() >= TOKENS_LIMIT {
            let message =
                format!("the expression has more than {TOKENS_LIMIT} operands and operators");
            return Err(Malformed {
                message,
                span: 0..self.text.len(),
                too_large: true,
            });
        }
        self.steps.push(step);
        Ok(())
    }

    /// With `?:`, which binds least.
    fn expression(&mut self) -> Result<(), Malformed> {
        self.depth += 1;
        if self.depth > PARENTHESES_LIMIT {
            let message = format!("parentheses are nested more than {PARENTHESES_LIMIT} deep");
            return Err(Malformed {
                message,
                span: self.at..self.at,
                too_large: true,
            });
        }
        self.skip_blanks();
        self.binary(0)?;
        if self.eat("?") {
            self.expression()?;
            if !self.eat(":") {
                return Err(self.expected("`:`"));
            }
            self.expression()?;
            self.push(Step::Select)?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn binary(&mut self, least: u8) -> Result<(), Malformed> {
        self.operand()?;
        loop {
            let rest = self.rest();
            let Some((text, operator, strength)) =
                OPERATORS.iter().find(|(text, ..)| rest.starts_with(text))
            else {
                return Ok(());
            };
            if *strength <= least {
                return Ok(());
            }
            self.eat(text);
            self.binary(*strength)?;
            self.push(Step::Binary(*operator))?;
        }
    }

    fn operand(&mut self) -> Result<(), Malformed> {
        let mut prefixes = Vec::new();
        loop {
            if self.eat("!") {
                prefixes.push(Step::Not);
            } else if self.eat("-") {
                prefixes.push(Step::Negate);
            } else if !self.eat("+") {
                break;
            }
        }
        if self.eat("(") {
            self.expression()?;
            if !self.eat(")") {
                return Err(self.expected("`)`"));
            }
        } else {
            let step = self.value()?;
            self.push(step)?;
        }
        while let Some(prefix) = prefixes.pop() {
            self.push(prefix)?;
        }
        Ok(())
    }

    fn value(&mut self) -> Result<Step<N>, Malformed> {
        let rest = self.rest();
        let length = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.')
            .unwrap_or(rest.len());
        let word = bytes::head_str(rest, length);
        if word.is_empty() {
            return Err(self.expected("a name, a number or `(`"));
        }
        let start = self.at;
        self.at += length;
        let number = word
            .starts_with(|c: char| c.is_ascii_digit() || c == '.')
            .then(|| word.parse::<f64>());
        if let Some(number) = number {
            let message = "invalid number".to_owned();
            let number = number.map_err(|_| Malformed {
                message,
                span: start..self.at,
                too_large: false,
            })?;
            self.skip_blanks();
            return Ok(Step::Number(number));
        }
        let mut argument = None;
        self.skip_blanks();
        if self.rest().starts_with('(') {
            let inside = bytes::skip_str(self.rest(), 1);
            let Some(length) = inside.find(')') else {
                return Err(self.expected("`)`"));
            };
            argument = inside.get(..length).map(str::trim);
            self.at += length + 2;
            self.skip_blanks();
        }
        let end = start + word.len();
        let value = (self.name)(word, argument, start..end);
        let message = format!("`{word}` is not known here");
        value.map(Step::Name).ok_or(Malformed {
            message,
            span: start..end,
            too_large: false,
        })
    }
}

/// Runs a program. `None` where Perl would have died: a division by zero.
pub(crate) fn run<N: Copy>(
    steps: &[Step<N>],
    stack: &mut Vec<f64>,
    mut value: impl FnMut(N) -> f64,
) -> Option<f64> {
    stack.clear();
    for step in steps {
        let result = match step {
            Step::Number(number) => *number,
            Step::Name(name) => value(*name),
            Step::Not => truth(stack.pop()? == 0.0),
            Step::Negate => -stack.pop()?,
            Step::Binary(operator) => {
                let right = stack.pop()?;
                apply(*operator, stack.pop()?, right)?
            }
            Step::Select => {
                let (no, yes) = (stack.pop()?, stack.pop()?);
                if stack.pop()? == 0.0 { no } else { yes }
            }
        };
        stack.push(result);
    }
    stack.pop()
}

fn truth(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}

#[expect(
    clippy::float_cmp,
    reason = "counts and literals are compared as Perl compares them"
)]
fn apply(operator: Operator, a: f64, b: f64) -> Option<f64> {
    Some(match operator {
        Operator::Or => {
            if a == 0.0 {
                b
            } else {
                a
            }
        }
        Operator::And => {
            if a == 0.0 {
                a
            } else {
                b
            }
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "Perl's ^ works on integers"
        )]
        Operator::Xor => ((a as i64) ^ (b as i64)) as f64,
        Operator::Equal => truth(a == b),
        Operator::NotEqual => truth(a != b),
        Operator::Less => truth(a < b),
        Operator::LessOrEqual => truth(a <= b),
        Operator::Greater => truth(a > b),
        Operator::GreaterOrEqual => truth(a >= b),
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide if b == 0.0 => return None,
        Operator::Divide => a / b,
    })
}

#[cfg(test)]
mod tests {
    use super::{compile, run};

    fn value(text: &str) -> Option<f64> {
        let program = compile(text, |name, _, _| match name {
            "A" => Some(2),
            "B" => Some(3),
            "ZERO" => Some(0),
            _ => None,
        });
        run(
            &program.unwrap_or_else(|e| panic!("{text}: {e:?}")),
            &mut Vec::new(),
            f64::from,
        )
    }

    #[test]
    fn computes_as_perl_does() {
        for (text, wanted) in [
            ("1 + 2 * 3", 7.0),
            ("(1 + 2) * 3", 9.0),
            ("A && B", 3.0),
            ("ZERO && B", 0.0),
            ("A || B", 2.0),
            ("!A", 0.0),
            ("!!A", 1.0),
            ("!A + B", 3.0),
            ("10 - 4 - 3", 3.0),
            ("A + B > 4", 1.0),
            ("A > 1 && B >= 3", 1.0),
            ("A == 2 || ZERO", 1.0),
            ("A != 2", 0.0),
            ("-A + 5", 3.0),
            ("12 / 4 / 3", 1.0),
            ("A ? B : 7", 3.0),
            ("ZERO ? 1 : ZERO ? 2 : 3", 3.0),
            ("5 ^ 1", 4.0),
            ("(A+B)>=(2)", 1.0),
            ("1 < 2 == 1", 1.0),
        ] {
            assert_eq!(value(text), Some(wanted), "{text}");
        }
        assert_eq!(value("A / ZERO"), None);
    }

    #[test]
    fn diagnostics_point() {
        for (text, span) in [
            ("A &&", 4..4),
            ("(A", 2..2),
            ("A B", 2..3),
            ("A & B", 2..3),
            ("NOPE", 0..4),
            ("", 0..0),
            ("A)", 1..2),
            ("1x", 0..2),
        ] {
            let error = compile(text, |name, _, _| (name != "NOPE").then_some(())).unwrap_err();
            assert_eq!(error.span, span, "{text}: {}", error.message);
        }
    }

    #[test]
    fn size_is_limited() {
        let nested = |depth: usize| format!("{}A{}", "(".repeat(depth), ")".repeat(depth));
        let size = |text: &str| {
            compile(text, |_, _, _| Some(()))
                .map(|steps| steps.len())
                .map_err(|e| e.too_large)
        };
        assert_eq!(size(&nested(63)), Ok(1));
        assert_eq!(size(&nested(64)), Err(true));
        assert_eq!(size(&format!("A{}", "+A".repeat(2047))), Ok(4095));
        assert_eq!(size(&format!("A{}", "+A".repeat(2048))), Err(true));
        assert_eq!(size(&"!".repeat(100_000)), Err(false));
    }
}
