//! What is suspicious about rules that do load: rules that never or always hit, that find what others
//! find, that cost too much, and what a rule of good manners lacks.

use std::collections::BTreeMap;

use super::slow::slow_rules;
use super::test_lines::{run_tests, test_diagnostic};
use crate::ruleset::interval;
use crate::ruleset::interval::Interval;
use crate::ruleset::kind::RuleKind;
use crate::ruleset::rule::{Rule, Test};
use crate::ruleset::ruleset::Ruleset;
use crate::ruleset::template::captured_names;
use crate::views::header_request::HeaderRequest;
use crate::views::key::ViewKey;
use gatepost_byte_regex::PatternFacts;
use gatepost_words::diagnostic::{Diagnostic, did_you_mean};

/// Pairs of rules that are compared at most.
const PAIRS_LIMIT: usize = 4_000_000;

/// Pseudo fields: names that stand for something that no field holds. Their case matters.
const PSEUDO_FIELDS: &[&str] = &[
    "ALL",
    "ALL-EXTERNAL",
    "ALL-INTERNAL",
    "ALL-TRUSTED",
    "ALL-UNTRUSTED",
    "EnvelopeFrom",
    "MESSAGEID",
    "ToCc",
    "X-Spam-Relays-External",
    "X-Spam-Relays-Internal",
    "X-Spam-Relays-Trusted",
    "X-Spam-Relays-Untrusted",
];

/// What is suspicious about rules that do load, in the order of the rules.
pub fn lint(ruleset: &Ruleset) -> Vec<Diagnostic> {
    let mut results = run_tests(ruleset).into_iter().peekable();
    let lint = Lint::new(ruleset);
    let mut relations = lint.relations();
    let slow = slow_rules(ruleset);
    let mut found = Vec::new();
    for (number, rule) in ruleset.rules().iter().enumerate() {
        found.extend(lint.extent(number, rule));
        found.extend(relations.remove(&number).into_iter().flatten());
        found.extend(slow.get(&number).map(|steps| is_slow(rule, *steps)));
        found.extend(style_lints(rule));
        while let Some(result) = results.next_if(|result| result.rule == rule.name) {
            found.extend(test_diagnostic(&result));
        }
    }
    found
}

fn warn(rule: &Rule, code: &'static str, message: String) -> Diagnostic {
    Diagnostic::warning(code, message).at(&rule.source, rule.span.clone(), "")
}

struct Lint<'r> {
    ruleset: &'r Ruleset,
    values: Vec<Interval>,
    facts: Vec<Option<PatternFacts>>,
}

impl<'r> Lint<'r> {
    fn new(ruleset: &'r Ruleset) -> Self {
        let facts = ruleset.rules().iter().map(|rule| match &rule.test {
            Test::Pattern { negated: false, .. }
                if !ruleset.lists.replaced_rules.contains(&*rule.name) =>
            {
                rule.regex().and_then(PatternFacts::new)
            }
            _ => None,
        });
        Self {
            ruleset,
            values: interval::as_written(ruleset.rules(), &ruleset.metas),
            facts: facts.collect(),
        }
    }

    /// Whether a rule hits never or always.
    fn extent(&self, number: usize, rule: &Rule) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let name = &rule.name;
        if let Some((source, span)) = &rule.earlier {
            let reported = warn(
                rule,
                "R0403",
                format!("{name} is defined twice; this one counts"),
            );
            found.push(reported.also(source, span.clone(), "first defined here"));
        }
        if rule.disabled.is_some() {
            return found;
        }
        let value = self.values.get(number).copied();
        let is_always = match &rule.test {
            // A rule that captures may well match everything.
            Test::Pattern {
                pattern,
                negated: false,
                ..
            } => pattern.always_matches && captured_names(&rule.definition).is_empty(),
            Test::Meta(_) => value.is_some_and(Interval::is_always),
            _ => false,
        };
        if is_always {
            found.push(warn(rule, "R0406", format!("{name} always hits")));
        }
        let never = match &rule.test {
            Test::Meta(_) if value.is_some_and(Interval::is_never) => {
                Some(("whatever its rules do, its value is 0".to_owned(), None))
            }
            Test::Pattern {
                view,
                negated: false,
                ..
            } => self.never(number, view),
            Test::Exists(request) => no_such_field(request),
            _ => None,
        };
        if let Some((why, help)) = never {
            let reported = warn(rule, "R0408", format!("{name} never hits: {why}"));
            found.push(match help {
                Some(help) => reported.help(help),
                None => reported,
            });
        }
        found
    }

    fn never(&self, number: usize, view: &ViewKey) -> Option<(String, Option<String>)> {
        if let ViewKey::Header(request) = view
            && let Some(reported) = no_such_field(request)
        {
            return Some(reported);
        }
        let facts = self.facts.get(number)?.as_ref()?;
        facts
            .never(*view == ViewKey::Body)
            .map(|why| (why.to_owned(), None))
    }

    /// Which rules find nothing that another does not find, by number.
    fn relations(&self) -> BTreeMap<usize, Vec<Diagnostic>> {
        let mut groups: BTreeMap<&ViewKey, Vec<usize>> = BTreeMap::new();
        for (number, rule) in self.ruleset.rules().iter().enumerate() {
            if let Test::Pattern {
                view,
                negated: false,
                if_unset: None,
                ..
            } = &rule.test
                && rule.disabled.is_none()
                && self.facts.get(number).is_some_and(Option::is_some)
            {
                groups.entry(view).or_default().push(number);
            }
        }
        let mut found: BTreeMap<usize, Vec<Diagnostic>> = BTreeMap::new();
        let mut left = PAIRS_LIMIT;
        for numbers in groups.values() {
            let twins = self.twins(numbers, &mut found);
            let scored: Vec<usize> = numbers
                .iter()
                .copied()
                .filter(|at| !twins.contains(at) && self.is_scored(*at))
                .collect();
            for number in &scored {
                left = left.saturating_sub(scored.len());
                if left == 0 {
                    return found;
                }
                let wider = scored
                    .iter()
                    .find(|other| *other != number && self.is_within(*number, **other));
                if let Some(reported) = wider.and_then(|wider| self.subsumed(*number, *wider)) {
                    found.entry(*number).or_default().push(reported);
                }
            }
        }
        found
    }

    fn is_scored(&self, number: usize) -> bool {
        self.ruleset
            .rules()
            .get(number)
            .is_some_and(|rule| !rule.is_subrule())
    }

    fn is_within(&self, number: usize, other: usize) -> bool {
        let facts = |at: usize| self.facts.get(at).and_then(Option::as_ref);
        let skips = |at: usize| {
            self.ruleset
                .rules()
                .get(at)
                .is_some_and(|rule| rule.flags.no_subject)
        };
        (skips(number) || !skips(other))
            && facts(number)
                .zip(facts(other))
                .is_some_and(|(own, other)| own.is_within(other))
    }

    fn subsumed(&self, number: usize, wider: usize) -> Option<Diagnostic> {
        let (rule, wider) = (
            self.ruleset.rules().get(number)?,
            self.ruleset.rules().get(wider)?,
        );
        let message = format!("{} hits only where {} hits too", rule.name, wider.name);
        let reported =
            warn(rule, "R0409", message).also(&wider.source, wider.span.clone(), "finds all of it");
        Some(reported.help("their scores add up: if that is not wanted, leave out one of them"))
    }

    /// Rules of one view with the same pattern and flags as one before them.
    fn twins(&self, numbers: &[usize], found: &mut BTreeMap<usize, Vec<Diagnostic>>) -> Vec<usize> {
        let mut first: BTreeMap<(&str, String), usize> = BTreeMap::new();
        let mut twins = Vec::new();
        for number in numbers {
            let Some(rule) = self.ruleset.rules().get(*number) else {
                continue;
            };
            let flags = format!(
                "{:?} {:?} {}",
                rule.flags.multiple, rule.flags.max_hits, rule.flags.no_subject
            );
            let Some(regex) = rule.regex() else { continue };
            let earlier = *first.entry((regex, flags)).or_insert(*number);
            let Some(earlier) = self
                .ruleset
                .rules()
                .get(earlier)
                .filter(|_| earlier != *number)
            else {
                continue;
            };
            let message = format!("{} is the same as {}", rule.name, earlier.name);
            let reported = warn(rule, "R0410", message).also(
                &earlier.source,
                earlier.span.clone(),
                "the same pattern",
            );
            found
                .entry(*number)
                .or_default()
                .push(reported.help("use one of them, and name it in metas"));
            twins.push(*number);
        }
        twins
    }
}

fn is_slow(rule: &Rule, steps: u64) -> Diagnostic {
    let message = format!(
        "{} is slow: {steps} steps of backtracking on one mail of our sample",
        rule.name
    );
    warn(rule, "R0411", message)
        .help("give it a literal of three letters or more, or a `{0,N}` instead of `*`")
}

/// Why no message has what a header test asks for, and what to do.
fn no_such_field(request: &HeaderRequest) -> Option<(String, Option<String>)> {
    let name = request.name.as_str();
    if PSEUDO_FIELDS.contains(&name) {
        return None;
    }
    // Some programs do write `MessageID: …`.
    let known = PSEUDO_FIELDS
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name) && **known != "MESSAGEID")
        .copied();
    let is_ours = name
        .get(..14)
        .is_some_and(|start| start.eq_ignore_ascii_case("X-Spam-Relays-"));
    if known.is_none() && !is_ours {
        return None;
    }
    let guess = known.or_else(|| did_you_mean(name, PSEUDO_FIELDS.iter().copied()));
    Some((
        format!("there is no field {name}"),
        guess.map(|guess| format!("did you mean {guess}?")),
    ))
}

/// What a rule should have.
fn style_lints(rule: &Rule) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let name = &rule.name;
    if rule.disabled.is_some() || rule.is_subrule() || rule.kind == RuleKind::Unsupported {
        return found;
    }
    if rule.description.is_empty() {
        found.push(
            warn(rule, "R0401", format!("{name} has no description"))
                .help(format!("add `describe {name} …`")),
        );
    }
    if !rule.has_score {
        let reported = warn(
            rule,
            "R0402",
            format!("{name} has no score and counts {}", rule.score),
        );
        found.push(reported.help(format!("add `score {name} {}`", rule.score)));
    }
    if matches!(rule.test, Test::Pattern { .. }) && rule.tests.is_empty() {
        let reported = warn(rule, "R0404", format!("{name} has no test line"));
        found.push(reported.help(format!("add `test {name} ok …` and `test {name} fail …`")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::lint;
    use crate::ruleset::ruleset::Ruleset;
    use gatepost_words::diagnostic::Source;

    fn load(text: &str) -> Ruleset {
        let (ruleset, reported) = Ruleset::load(&[std::sync::Arc::new(Source::new("t.cf", text))]);
        ruleset.unwrap_or_else(|| panic!("{reported:?}"))
    }

    /// The codes of the lints about hits, without those about style.
    fn codes(text: &str) -> Vec<String> {
        let reported = lint(&load(text));
        let reported = reported
            .iter()
            .filter(|one| !["R0401", "R0402", "R0404"].contains(&one.code));
        reported
            .map(|one| {
                format!(
                    "{} {}",
                    one.code,
                    one.message.split(' ').next().unwrap_or_default()
                )
            })
            .collect()
    }

    #[test]
    fn doubts_are_reported() {
        for (text, wanted) in [
            ("body A /foo\\nbar/", &["R0408 A"][..]),
            ("rawbody A /foo\\nbar/", &[]),
            ("body A /[^\\s\\S]/", &["R0408 A"]),
            ("header A all =~ /x/", &["R0408 A"]),
            ("header A ALL =~ /x/", &[]),
            ("header A exists:X-Spam-Relays-Outside", &["R0408 A"]),
            ("header A x-spam-relays-extrenal =~ /x/", &["R0408 A"]),
            ("body __B /b/\nmeta A __B > 1", &["R0408 A"]),
            ("body __B /b/\ntflags __B multiple\nmeta A __B > 1", &[]),
            (
                "body __B /b/\ntflags __B multiple maxhits=3\nmeta A __B > 3",
                &["R0408 A"],
            ),
            ("body __B /b/\nmeta A __B >= 0", &["R0406 A"]),
            ("body A /(?:x|)/", &["R0406 A"]),
            ("header __N eval:not_there()\nmeta A __N", &[]),
            ("body OFF /b/\nscore OFF 0\nmeta A OFF", &[]),
            ("header __N To =~ /(?<N>.*)/", &[]),
            ("header __N exists:MessageID", &[]),
            ("body A /cheap pills/\nbody B /pills/i", &["R0409 A"]),
            ("body A /cheap pills/\nbody __B /pills/i", &[]),
            ("body A /cheap pills/\nrawbody B /pills/i", &[]),
            (
                "body A /cheap pills/\nbody B /pills/i\ntflags B nosubject",
                &[],
            ),
            ("body A /pills/\nbody B /pills/", &["R0410 B"]),
            ("body A /pills/\nbody __B /pills/", &["R0410 __B"]),
            (
                "body A /pills/\nbody B /pills/\ntflags B multiple",
                &["R0409 A", "R0409 B"],
            ),
            ("body A /pills/\nbody B /pills/\nscore B 0", &[]),
            ("body A /pills/\nbody A /pills2/", &["R0403 A"]),
        ] {
            assert_eq!(codes(text), wanted, "{text}");
        }
    }

    /// The rule that a clock would call slow too, at its own place; the others not.
    #[test]
    fn slow_rules_are_reported() {
        let ruleset = load("body A /z/\nbody B /(?:\\w+[ .,]*)+(?!x)(\\w)\\1{6}/\nbody C /x.*y/\n");
        let reported = lint(&ruleset);
        let slow: Vec<_> = reported.iter().filter(|one| one.code == "R0411").collect();
        let reported = slow.iter().map(|one| {
            (
                one.message.split(": ").next().unwrap(),
                one.position().unwrap().0,
            )
        });
        assert_eq!(reported.collect::<Vec<_>>(), [("B is slow", 2)]);
    }
}
