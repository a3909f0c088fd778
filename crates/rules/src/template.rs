//! Templates: `%{NAME}` in a regular expression stands for what another rule captured with
//! `(?<NAME>…)`.
//!
//! Such a pattern is made anew for every mail, so it is made as seldom as can be: only when
//! something was captured, and a text holds it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::rule::{Rule, Test, ViewKey};
use super::views::Views;
use gatepost_byte_regex::{Cache, Captures, Pattern};

/// Values kept of one name.
pub(super) const VALUES_LIMIT: usize = 16;
/// Bytes of a value; longer ones are not kept.
pub(super) const VALUE_LIMIT: usize = 256;

/// A pattern with templates.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pub(super) view: ViewKey,
    /// `!~`: hits when no text matches.
    pub(super) negated: bool,
    /// Stands for a header that is missing.
    pub(super) if_unset: Option<String>,
    text: String,
    places: Vec<(Range<usize>, String)>,
}

/// What was captured of one mail, by name.
type Captured = BTreeMap<String, Vec<Vec<u8>>>;

/// The templates in a text: where they stand, and their names. `\%{NAME}` is none.
fn places(text: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("%{") {
        let rest = text.get(at + 2..).unwrap_or_default();
        let name = rest
            .split('}')
            .next()
            .filter(|name| name.len() < rest.len() && is_tag(name));
        if let Some(name) =
            name.filter(|_| !text.get(..at).is_some_and(|before| before.ends_with('\\')))
        {
            found.push((at..at + name.len() + 3, name.to_owned()));
        }
    }
    found
}

/// Upper case words with one underscore between them, and no digit first.
fn is_tag(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.split('_').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        })
}

/// The names that a definition captures.
pub(super) fn captured_names(definition: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (open, close) in [("(?<", '>'), ("(?P<", '>'), ("(?'", '\'')] {
        for (at, _) in definition.match_indices(open) {
            let name = definition
                .get(at + open.len()..)
                .and_then(|rest| rest.split(close).next());
            found.extend(name.filter(|name| is_tag(name)).map(str::to_owned));
        }
    }
    found
}

impl Template {
    /// A pattern with its delimiters; `None` when there is no template in it.
    pub(super) fn parse(
        text: &str,
        view: ViewKey,
        negated: bool,
        if_unset: Option<String>,
    ) -> Option<Self> {
        let places = places(text);
        (!places.is_empty()).then(|| Self {
            view,
            negated,
            if_unset,
            text: text.to_owned(),
            places,
        })
    }

    /// The names that it asks for.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|(_, name)| name.as_str())
    }

    /// The pattern with something harmless for each template, to see whether the rest is right.
    pub(super) fn sample(&self) -> String {
        self.filled(|out, _| out.push_str("(?:x)"))
    }

    fn filled(&self, mut fill: impl FnMut(&mut String, &str)) -> String {
        let (mut out, mut done) = (String::new(), 0);
        for (place, name) in &self.places {
            out.push_str(self.text.get(done..place.start).unwrap_or_default());
            fill(&mut out, name);
            done = place.end;
        }
        out.push_str(self.text.get(done..).unwrap_or_default());
        out
    }

    /// How often it hits; no more than `most`.
    fn hits(&self, captured: &Captured, views: &Views<'_>, most: u32) -> u32 {
        if !self.names().all(|name| captured.contains_key(name)) {
            return 0;
        }
        let values = |name: &str| captured.get(name).map(Vec::as_slice).unwrap_or_default();
        let mut texts = views.texts(&self.view);
        if texts.is_empty() && matches!(self.view, ViewKey::Header(_)) {
            texts.push(Cow::Owned(
                self.if_unset.clone().unwrap_or_default().into_bytes(),
            ));
        }
        texts.retain(|text| {
            self.names()
                .all(|name| values(name).iter().any(|value| occurs(value, text)))
        });
        let pattern =
            (!texts.is_empty()).then(|| self.filled(|out, name| write_values(out, values(name))));
        let pattern = pattern.and_then(|text| Pattern::compile(&text).ok());
        let (mut cache, mut count) = (Cache::default(), 0);
        for text in &texts {
            let Some(pattern) = pattern.as_ref().filter(|_| count < most) else {
                break;
            };
            count += pattern.count(&mut cache, &mut views.budget(), text, most - count);
        }
        if self.negated {
            u32::from(count == 0)
        } else {
            count
        }
    }
}

/// The values as branches, every byte quoted.
fn write_values(out: &mut String, values: &[Vec<u8>]) {
    out.push_str("(?:");
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push('|');
        }
        for byte in value {
            if byte.is_ascii_alphanumeric() {
                out.push(char::from(*byte));
            } else {
                out.extend([format!("\\x{byte:02X}")]);
            }
        }
    }
    out.push(')');
}

/// Whether a value stands in a text, whatever the case; never no where a pattern would say yes.
fn occurs(value: &[u8], text: &[u8]) -> bool {
    let Some((first, behind)) = value.split_first() else {
        return true;
    };
    let same = |a: &u8, b: &u8| (a ^ b) & !0x20 == 0;
    memchr::memchr2_iter(*first, first ^ 0x20, text).any(|at| {
        let rest = text.get(at + 1..at + 1 + behind.len()).unwrap_or_default();
        rest.len() == behind.len() && rest.iter().zip(behind).all(|(a, b)| same(a, b))
    })
}

/// The rules of a set that capture, and those that ask for what was captured.
#[derive(Debug, Default)]
pub(super) struct Templates {
    capturing: Vec<(usize, ViewKey, Captures)>,
    asking: Vec<usize>,
}

impl Templates {
    /// Finds them among the rules.
    pub(super) fn new(rules: &[Rule]) -> Self {
        let live = || {
            rules
                .iter()
                .enumerate()
                .filter(|(_, rule)| rule.disabled.is_none())
        };
        let asking: Vec<_> = live()
            .filter(|(_, rule)| matches!(rule.test, Test::Template(_)))
            .map(|(number, _)| number)
            .collect();
        if asking.is_empty() {
            return Self::default();
        }
        let capturing = live().filter_map(|(number, rule)| match &rule.test {
            Test::Pattern {
                view,
                negated: false,
                ..
            } if !captured_names(&rule.definition).is_empty() => {
                Some((number, view.clone(), Captures::compile(rule.regex()?)?))
            }
            _ => None,
        });
        Self {
            capturing: capturing.collect(),
            asking,
        }
    }

    /// The rules that ask, with how often each hits. `values` are those of all rules so far; `None`
    /// when the deadline passed.
    pub(super) fn run(
        &self,
        rules: &[Rule],
        views: &Views<'_>,
        until: &dyn Fn() -> bool,
        values: &[f64],
    ) -> Option<Vec<(usize, u32)>> {
        if self.asking.is_empty() {
            return Some(Vec::new());
        }
        let captured = self.captured(rules, views, values);
        let mut hits = Vec::new();
        for number in &self.asking {
            let Some(rule) = rules
                .get(*number)
                .filter(|rule| rule.stage <= views.case().stage)
            else {
                continue;
            };
            let Test::Template(template) = &rule.test else {
                continue;
            };
            if until() {
                return None;
            }
            hits.push((*number, template.hits(&captured, views, rule.most_hits())));
        }
        Some(hits)
    }

    fn captured(&self, rules: &[Rule], views: &Views<'_>, values: &[f64]) -> Captured {
        let mut captured = Captured::new();
        let hit = |number: &usize| values.get(*number).is_some_and(|value| *value != 0.0);
        for (number, view, captures) in self.capturing.iter().filter(|(number, ..)| hit(number)) {
            let Some(rule) = rules.get(*number) else {
                continue;
            };
            let most = usize::try_from(rule.most_hits())
                .unwrap_or(VALUES_LIMIT)
                .min(VALUES_LIMIT);
            for text in views.texts(view) {
                let found = captures.each(&mut views.budget(), &text, most, &mut |name, value| {
                    if !is_tag(name) || value.len() > VALUE_LIMIT {
                        return;
                    }
                    let known = captured.entry(name.to_owned()).or_default();
                    if known.len() < VALUES_LIMIT && !known.iter().any(|old| old == value) {
                        known.push(value.to_vec());
                    }
                });
                if found && !rule.flags.multiple {
                    break;
                }
            }
        }
        captured
    }
}

#[cfg(test)]
mod tests {
    use super::{Template, ViewKey, captured_names, occurs, places, write_values};

    #[test]
    fn templates_are_found() {
        for (text, wanted) in [
            ("/a%{NAME}b%{A_1}/", &["NAME", "A_1"][..]),
            (r"/\%{NAME}/", &[]),
            ("/%{name}%{A__B}%{_A}%{1A}%{A/", &[]),
        ] {
            assert_eq!(
                places(text)
                    .into_iter()
                    .map(|(_, name)| name)
                    .collect::<Vec<_>>(),
                wanted,
                "{text}"
            );
        }
        assert_eq!(
            captured_names("To =~ /(?<TO>.*)(?P<B>x)(?<c>y)(?<=z)/"),
            ["TO", "B"]
        );
    }

    #[test]
    fn values_are_quoted() {
        let template = Template::parse("/<%{A}>/i", ViewKey::Body, false, None).unwrap();
        let mut values = String::new();
        write_values(&mut values, &[b"a.b".to_vec(), b"(\xe9|/".to_vec()]);
        assert_eq!(
            template.filled(|out, _| out.push_str(&values)),
            r"/<(?:a\x2Eb|\x28\xE9\x7C\x2F)>/i"
        );
        assert_eq!(template.sample(), "/<(?:x)>/i");
    }

    #[test]
    fn values_are_looked_for_in_any_case() {
        for (value, text, wanted) in [
            ("abc", "xABCx", true),
            ("a\u{e9}", "A\u{c9}", true),
            ("abc", "ab", false),
            ("a.b", "axb", false),
            ("a", "A", true),
            ("ab", "aaB", true),
        ] {
            assert_eq!(
                occurs(value.as_bytes(), text.as_bytes()),
                wanted,
                "{value} {text}"
            );
        }
    }
}
