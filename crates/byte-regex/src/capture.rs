//! What the groups of a pattern hold: named ones for rules that capture a text for others to look
//! for, the first one for settings that cut a piece out of a text.

use super::backtrack::Machine;
use super::budget::Budget;
use super::delimit::delimited;
use super::parse::{Flags, parse};
use super::pattern::bytes_of;
use super::program::{NONE, Program, capture_slot};

/// A pattern with named groups, as a program that remembers them.
#[derive(Clone, Debug)]
pub struct Captures {
    program: Program,
    names: Vec<(String, u32)>,
}

impl Captures {
    /// From a pattern with its delimiters, one that [`super::Pattern`] takes. `None` when it names
    /// no group.
    pub fn compile(text: &str) -> Option<Self> {
        let (program, names) = compiled(text)?;
        (!names.is_empty()).then_some(Self { program, names })
    }

    /// Tells `found` what the groups hold in up to `most` matches, empty texts left out; `false`
    /// when nothing matches, or the budget ends.
    pub fn each(
        &self,
        budget: &mut Budget,
        text: &[u8],
        most: usize,
        found: &mut dyn FnMut(&str, &[u8]),
    ) -> bool {
        let mut machine = Machine::default();
        let mut steps = budget.for_text(text);
        let (mut at, mut last_empty, mut count, mut reached) = (0, None, 0, false);
        while count < most {
            match self
                .program
                .find(&mut machine, &mut steps, text, at, last_empty)
            {
                Ok(Some((start, end))) => {
                    count += 1;
                    self.tell(&machine, text, found);
                    last_empty = (start == end).then_some(end);
                    at = end;
                }
                Ok(None) => break,
                Err(_) => {
                    reached = true;
                    break;
                }
            }
        }
        budget.charge(&steps, reached);
        count > 0
    }

    fn tell(&self, machine: &Machine, text: &[u8], found: &mut dyn FnMut(&str, &[u8])) {
        for (name, number) in &self.names {
            if let Some(value) = group(machine, text, *number).filter(|value| !value.is_empty()) {
                found(name, value);
            }
        }
    }
}

/// A pattern that is asked what its first group matched. It runs in the engine with a step limit.
#[derive(Clone, Debug)]
pub struct FirstGroup(Program);

impl FirstGroup {
    /// From a pattern with its delimiters; `None` where it cannot be compiled.
    pub fn compile(text: &str) -> Option<Self> {
        compiled(text).map(|(program, _)| Self(program))
    }

    /// What the first group matched, where the pattern matches within the steps that a text of that
    /// length may take.
    pub fn find<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        let mut machine = Machine::default();
        let mut steps = Budget::default().for_text(text);
        self.0
            .find(&mut machine, &mut steps, text, 0, None)
            .ok()
            .flatten()?;
        group(&machine, text, 1)
    }
}

/// The program of a pattern with its delimiters, and its named groups with their numbers.
fn compiled(text: &str) -> Option<(Program, Vec<(String, u32)>)> {
    let parts = delimited(text).ok()?;
    let mut flags = Flags::default();
    if !parts
        .modifiers
        .bytes()
        .all(|letter| flags.set(letter, true))
    {
        return None;
    }
    let parsed = parse(&bytes_of(parts.pattern), flags).ok()?;
    let named = parsed
        .names
        .iter()
        .map(|(name, at)| (String::from_utf8_lossy(name).into_owned(), *at));
    Some((Program::new(&parsed.node).ok()?, named.collect()))
}

/// What a group of the last match holds; `None` where it took no part.
fn group<'t>(machine: &Machine, text: &'t [u8], number: u32) -> Option<&'t [u8]> {
    let slot = capture_slot(number);
    let (start, end) = (machine.slot(slot), machine.slot(slot + 1));
    (start != NONE && end != NONE)
        .then(|| text.get(start..end))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::{Budget, Captures, FirstGroup};

    fn all(pattern: &str, text: &str, most: usize) -> Vec<String> {
        let mut found = Vec::new();
        let captures = Captures::compile(pattern).unwrap();
        captures.each(
            &mut Budget::default(),
            text.as_bytes(),
            most,
            &mut |name, value| {
                found.push(format!("{name}={}", String::from_utf8_lossy(value)));
            },
        );
        found
    }

    #[test]
    fn groups_are_reported() {
        assert_eq!(
            all(
                r"/Hello,? (?<NAME>\w+)(?<REST>!)?/i",
                "hello Bob, HELLO, Eve!",
                9
            ),
            ["NAME=Bob", "NAME=Eve", "REST=!"]
        );
        assert_eq!(all(r"/(?<A>.*)/", "one\ntwo", 1), ["A=one"]);
        assert_eq!(all(r"/(x)(?<A>y)(?!z)/", "xyz xy", 9), ["A=y"]);
        assert!(all(r"/(?<A>q)/", "none", 9).is_empty());
        assert!(Captures::compile("/(a)/").is_none());
    }
    #[test]
    fn the_first_group_is_reported() {
        for (pattern, text, wanted) in [
            ("/x(.*?)(?:y|$)/", "axbcyd", Some("bc")),
            (
                "m'(?<=[?&])u=(.*?)(?:$|&)'i",
                "http://example.com/?U=a&b",
                Some("a"),
            ),
            ("/x(a)?/", "x", None),
            ("/x(a)/", "xb", None),
        ] {
            let first = FirstGroup::compile(pattern).unwrap();
            assert_eq!(
                first.find(text.as_bytes()),
                wanted.map(str::as_bytes),
                "{pattern}"
            );
        }
        assert!(FirstGroup::compile("/(/").is_none());
    }
}
