//! Templates: `%{NAME}` in a regular expression stands for what another rule captured with
//! `(?<NAME>…)`.
//!
//! Such a pattern is made again for every message, so it is made as seldom as can be: only when
//! something was captured, and a text holds it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::views::key::ViewKey;
use crate::views::lazy::Views;
use gatepost_byte_regex::{Cache, Pattern};
use gatepost_words::bytes;

/// A pattern with templates.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) view: ViewKey,
    /// `!~`: hits when no text matches.
    pub(crate) negated: bool,
    /// Stands for a header that is missing.
    pub(crate) if_unset: Option<String>,
    text: String,
    places: Vec<(Range<usize>, String)>,
}

/// What was captured of one message, by name.
pub(super) type Captured = BTreeMap<String, Vec<Vec<u8>>>;

/// The templates in a text: where they are, and their names. `\%{NAME}` is none.
fn places(text: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("%{") {
        let rest = bytes::skip_str(text, at + 2);
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
pub(super) fn is_tag(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.split('_').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        })
}

/// The names that a definition captures.
pub(crate) fn captured_names(definition: &str) -> Vec<String> {
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
    pub(crate) fn parse(
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
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|(_, name)| name.as_str())
    }

    /// The pattern with something harmless for each template, to see whether the rest is right.
    pub(crate) fn sample(&self) -> String {
        self.filled(|out, _| out.push_str("(?:x)"))
    }

    fn filled(&self, mut fill: impl FnMut(&mut String, &str)) -> String {
        let (mut out, mut done) = (String::new(), 0);
        for (place, name) in &self.places {
            out.push_str(bytes::slice_str(&self.text, done..place.start));
            fill(&mut out, name);
            done = place.end;
        }
        out.push_str(bytes::skip_str(&self.text, done));
        out
    }

    /// How often it hits; no more than `most`.
    pub(super) fn hits(&self, captured: &Captured, views: &Views<'_>, most: u32) -> u32 {
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

/// Whether a value is in a text, whatever the case; never no where a pattern would say yes.
fn occurs(value: &[u8], text: &[u8]) -> bool {
    let Some((first, behind)) = value.split_first() else {
        return true;
    };
    let same = |a: &u8, b: &u8| (a ^ b) & !0x20 == 0;
    memchr::memchr2_iter(*first, first ^ 0x20, text).any(|at| {
        let rest = bytes::slice(text, at + 1..at + 1 + behind.len());
        rest.len() == behind.len() && rest.iter().zip(behind).all(|(a, b)| same(a, b))
    })
}

#[cfg(test)]
mod tests {
    use super::{Template, captured_names, occurs, places, write_values};
    use crate::views::key::ViewKey;

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
