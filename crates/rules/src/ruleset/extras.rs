//! What a set holds next to its rules: their order, what ends a scan, templates, what is written to
//! the message, and what could not be taken.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::definition::At;
use super::ignored_setting::IgnoredSetting;
use super::report_templates::ReportTemplates;
use super::rule::{Rule, Test};
use super::scan::Scan;
use super::shortcircuit::ShortCircuits;
use super::template::captured_names;
use super::templates::Templates;
use super::{metas, shortcircuit};
use gatepost_words::verdict::RuleName;

/// The priority of network rules, unless a line says otherwise.
const NETWORK_PRIORITY: i32 = -100;
/// The priority of rules that capture: before all others.
const CAPTURE_PRIORITY: i32 = -10_000;

/// What a set holds in addition to its rules.
#[derive(Debug, Default)]
pub(crate) struct Extras {
    /// As said in `priority` lines.
    pub(crate) declared_priorities: BTreeMap<String, (i32, At)>,
    /// Of all rules whose priority is not 0.
    priorities: BTreeMap<RuleName, i32>,
    pub(crate) shortcircuits: ShortCircuits,
    pub(crate) templates: Templates,
    /// As said by `capture_templates`.
    pub(crate) runs_templates: Option<bool>,
    pub(crate) reports: ReportTemplates,
    pub(crate) ignored: Vec<IgnoredSetting>,
}

impl Extras {
    /// What was said of rules by name: word, name, place.
    pub(crate) fn declared_of_rules(&self) -> impl Iterator<Item = (&'static str, &String, &At)> {
        let priorities = self
            .declared_priorities
            .iter()
            .map(|(name, (_, at))| ("priority", name, at));
        let ends = self
            .shortcircuits
            .classes
            .iter()
            .map(|(name, (_, at))| ("shortcircuit", name, at));
        let prefixes = self
            .reports
            .subject_prefixes
            .iter()
            .map(|(name, (_, at))| ("subject prefix", name, at));
        priorities.chain(ends).chain(prefixes)
    }

    /// When all rules are there: `order` has every meta after what it needs.
    pub(crate) fn resolve(&mut self, rules: &[Rule], order: &[usize]) {
        self.templates = Templates::new(rules);
        let mut priorities: Vec<i32> = rules.iter().map(|rule| self.own_priority(rule)).collect();
        for number in order.iter().rev() {
            let Some(Test::Meta(program)) = rules.get(*number).map(|rule| &rule.test) else {
                continue;
            };
            let own = priorities.get(*number).copied().unwrap_or_default();
            for needed in metas::names(program) {
                if let Some(priority) = priorities.get_mut(needed) {
                    *priority = own.min(*priority);
                }
            }
        }
        let named = rules
            .iter()
            .map(|rule| Arc::clone(&rule.name))
            .zip(priorities);
        self.priorities = named.filter(|(_, priority)| *priority != 0).collect();
    }

    fn own_priority(&self, rule: &Rule) -> i32 {
        let said = self
            .declared_priorities
            .get(&*rule.name)
            .map(|(priority, _)| *priority);
        if matches!(rule.test, Test::Pattern { .. }) && !captured_names(&rule.definition).is_empty()
        {
            return CAPTURE_PRIORITY;
        }
        match said {
            Some(priority) if priority != 0 => priority,
            _ if self.shortcircuits.class(&rule.name).is_some() => shortcircuit::PRIORITY,
            None if rule.flags.net => NETWORK_PRIORITY,
            _ => 0,
        }
    }

    /// When a rule runs: lower first.
    pub(crate) fn priority(&self, rule: &str) -> i32 {
        self.priorities.get(rule).copied().unwrap_or_default()
    }

    /// Drops what would not have been run because the scan ended earlier.
    pub(crate) fn short_circuit<'r>(
        &self,
        values: impl Iterator<Item = (&'r Rule, f64)>,
        description: &dyn Fn() -> Arc<str>,
        scan: &mut Scan,
    ) {
        self.shortcircuits
            .apply(&self.priorities, values, description, scan);
    }
}
