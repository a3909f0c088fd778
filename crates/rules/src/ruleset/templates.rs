//! Runs templates: collects what rules captured of a message, then tries the rules that use it.

use super::rule::{Rule, Test};
use super::template::{Captured, captured_names, is_tag};
use crate::views::key::ViewKey;
use crate::views::lazy::Views;
use gatepost_byte_regex::Captures;

/// Values kept of one name.
pub(crate) const VALUES_LIMIT: usize = 16;
/// Bytes of a value; longer ones are not kept.
pub(crate) const VALUE_LIMIT: usize = 256;

/// The rules of a set that capture, and those that ask for what was captured.
#[derive(Debug, Default)]
pub(crate) struct Templates {
    capturing: Vec<(usize, ViewKey, Captures)>,
    asking: Vec<usize>,
}

impl Templates {
    /// Finds them among the rules.
    pub(crate) fn new(rules: &[Rule]) -> Self {
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
    pub(crate) fn run(
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
