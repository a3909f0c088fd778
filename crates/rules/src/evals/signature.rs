//! What a function after `eval:` is: its name, what it takes, from which stage on it can be
//! called; and how the text of a call is read.

use crate::views::lazy::Views;
use gatepost_byte_regex::{Pattern, Problem};
use gatepost_mail::AnomalyKind;
use gatepost_words::Stage;
use gatepost_words::bytes;

/// What an argument has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A number, or `undef`.
    Number,
    /// Any text.
    Text,
    /// A regular expression with delimiters, such as `/\.exe$/i`; quotes around it are allowed.
    Pattern,
    /// The name of an anomaly, such as `bare_cr`.
    Anomaly,
    /// One of the words.
    Word(&'static [&'static str]),
}

impl Kind {
    fn name(self) -> String {
        match self {
            Self::Number => "a number".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::Pattern => "a regular expression such as `/\\.exe$/i`".to_owned(),
            Self::Anomaly => "the name of an anomaly such as `bare_cr`".to_owned(),
            Self::Word(words) => format!("one of {}", words.join(", ")),
        }
    }
}

/// An argument as written, read.
#[derive(Clone, Debug)]
pub(crate) enum Argument {
    /// `None` is `undef`.
    Number(Option<f64>),
    Text(String),
    Pattern(Box<Pattern>),
    Anomaly(AnomalyKind),
}

/// The arguments of one call. A missing one is like `undef` or the empty text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arguments(pub(super) Vec<Argument>);

impl Arguments {
    pub(super) fn number(&self, index: usize) -> Option<f64> {
        match self.0.get(index) {
            Some(Argument::Number(number)) => *number,
            _ => None,
        }
    }

    pub(super) fn text(&self, index: usize) -> &str {
        match self.0.get(index) {
            Some(Argument::Text(text)) => text,
            _ => "",
        }
    }

    pub(super) fn pattern(&self, index: usize) -> Option<&Pattern> {
        match self.0.get(index) {
            Some(Argument::Pattern(pattern)) => Some(pattern),
            _ => None,
        }
    }

    /// Whether a number is between the arguments 0 (inclusive) and 1 (exclusive; inclusive when
    /// `closed`).
    pub(super) fn spans(&self, value: f64, closed: bool) -> bool {
        let below = |max: f64| if closed { value <= max } else { value < max };
        self.number(0).is_none_or(|min| value >= min) && self.number(1).is_none_or(below)
    }
}

/// One function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Eval {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it takes.
    kinds: &'static [Kind],
    /// How many of these must be given.
    required: usize,
    /// From which stage on it can be asked with any arguments.
    stage: Stage,
    /// When it hits, in one sentence.
    pub(crate) summary: &'static str,
    /// Whether it hits.
    pub(crate) run: fn(&Views<'_>, &Arguments) -> bool,
}

pub(super) const fn eval(
    name: &'static str,
    kinds: &'static [Kind],
    stage: Stage,
    summary: &'static str,
    run: fn(&Views<'_>, &Arguments) -> bool,
) -> Eval {
    Eval {
        name,
        kinds,
        required: kinds.len(),
        stage,
        summary,
        run,
    }
}

/// A function whose last arguments may be missing.
pub(super) const fn optional(
    name: &'static str,
    kinds: &'static [Kind],
    required: usize,
    stage: Stage,
    summary: &'static str,
    run: fn(&Views<'_>, &Arguments) -> bool,
) -> Eval {
    Eval {
        name,
        kinds,
        required,
        stage,
        summary,
        run,
    }
}

/// The anomalies that the header of the message alone decides.
const HEADER_ANOMALIES: &[AnomalyKind] = &[
    AnomalyKind::BareCr,
    AnomalyKind::EightBitHeader,
    AnomalyKind::EmptyHeader,
    AnomalyKind::MissingFrom,
    AnomalyKind::DuplicateFrom,
    AnomalyKind::DuplicateSubject,
];

/// What is wrong with a call.
pub(crate) enum BadCall {
    /// The arguments do not fit; the message says what would.
    Arguments(String),
    /// A pattern among them is wrong: the offset of the argument's text, and the problem in it.
    Pattern(usize, Problem),
}

impl Eval {
    /// From which stage on it can be asked with these arguments.
    pub(crate) fn stage(&self, arguments: &Arguments) -> Stage {
        match arguments.0.first() {
            Some(Argument::Anomaly(kind)) if HEADER_ANOMALIES.contains(kind) => Stage::EndOfHeaders,
            _ => self.stage,
        }
    }

    /// Reads the text between the parentheses.
    pub(crate) fn arguments(&self, text: &str) -> Result<Arguments, BadCall> {
        let written = split(text).map_err(BadCall::Arguments)?;
        if written.len() < self.required || written.len() > self.kinds.len() {
            let wanted: Vec<_> = self.kinds.iter().map(|kind| kind.name()).collect();
            let wanted = if wanted.is_empty() {
                "no arguments".to_owned()
            } else {
                wanted.join(", ")
            };
            return Err(BadCall::Arguments(format!(
                "`{}` takes {wanted}",
                self.name
            )));
        }
        let read = written
            .iter()
            .zip(self.kinds)
            .map(|((at, value), kind)| read(*at, value, *kind));
        read.collect::<Result<_, _>>().map(Arguments)
    }
}

/// Compiles a pattern; one without delimiters is taken as it is.
fn compile(value: &str) -> Result<Pattern, Problem> {
    if value.starts_with('/') || value.starts_with("m{") || value.starts_with("m(") {
        return Pattern::compile(value);
    }
    Pattern::compile(&format!("/{}/", value.replace('/', "\\/")))
}

fn read(at: usize, value: &str, kind: Kind) -> Result<Argument, BadCall> {
    let unfit = || {
        BadCall::Arguments(format!(
            "invalid argument `{value}`: expected {}",
            kind.name()
        ))
    };
    match kind {
        Kind::Number if value == "undef" => Ok(Argument::Number(None)),
        Kind::Number => value
            .parse()
            .map(|number| Argument::Number(Some(number)))
            .map_err(|_| unfit()),
        Kind::Text => Ok(Argument::Text(value.to_owned())),
        Kind::Word(words) if words.contains(&value) => Ok(Argument::Text(value.to_owned())),
        Kind::Word(_) => Err(unfit()),
        Kind::Pattern => match compile(value) {
            Ok(pattern) => Ok(Argument::Pattern(Box::new(pattern))),
            Err(problem) => Err(BadCall::Pattern(at, problem)),
        },
        Kind::Anomaly => {
            let found = AnomalyKind::ALL.iter().find(|kind| kind.name() == value);
            found.map(|kind| Argument::Anomaly(*kind)).ok_or_else(unfit)
        }
    }
}

/// Splits arguments at commas outside of quotes and of `/…/`; each with the offset of its text.
fn split(text: &str) -> Result<Vec<(usize, &str)>, String> {
    let mut arguments = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.trim().is_empty()) {
        at += rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        let (start, length, taken) = match rest.chars().next() {
            Some(quote @ ('\'' | '"')) => {
                let inside = bytes::skip_str(rest, 1);
                let length = inside
                    .find(quote)
                    .ok_or_else(|| format!("the closing {quote} is missing"))?;
                (at + 1, length, length + 2)
            }
            Some('/') => {
                let closing = closing_slash(rest).ok_or("the closing / is missing")?;
                let tail = bytes::skip_str(rest, closing + 1);
                let length = closing + 1 + tail.len()
                    - tail
                        .trim_start_matches(|c: char| c.is_ascii_alphabetic())
                        .len();
                (at, length, length)
            }
            _ => {
                let raw = rest.split(',').next().unwrap_or_default();
                (at, raw.trim_end().len(), raw.len())
            }
        };
        arguments.push((start, bytes::slice_str(text, start..start + length)));
        let tail = bytes::skip_str(rest, taken);
        at += taken + tail.len() - tail.trim_start().len();
        match tail.trim_start().strip_prefix(',') {
            Some(_) => at += 1,
            None if tail.trim().is_empty() => break,
            None => return Err("arguments are separated by commas".to_owned()),
        }
    }
    Ok(arguments)
}

fn closing_slash(text: &str) -> Option<usize> {
    let mut escaped = true;
    for (offset, byte) in text.bytes().enumerate() {
        if byte == b'/' && !escaped {
            return Some(offset);
        }
        escaped = byte == b'\\' && !escaped;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn arguments_are_split() {
        for (text, wanted) in [
            ("", vec![]),
            ("'a', \"b,c\", 3", vec![(1, "a"), (6, "b,c"), (12, "3")]),
            (r"/a,\/b/i , undef", vec![(0, r"/a,\/b/i"), (11, "undef")]),
            ("12", vec![(0, "12")]),
        ] {
            assert_eq!(split(text).unwrap(), wanted, "{text}");
        }
        assert!(split("'a").is_err() && split("'a' 'b'").is_err() && split("/a").is_err());
    }
}
