//! The tables that reading fills: one for each thing that can be said of a rule, by its name; later
//! lines win.

use crate::ruleset::definition::{At, Defined};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::conditions::Plugins;
use super::define::define;
use super::scores::ScoreSets;
use crate::lists::tables::Lists;
use crate::ruleset::extras::Extras;
use crate::ruleset::rule::{RuleFlags, Test, TestLine};
use crate::views::key::ViewKey;
use crate::views::mime_parts::MimeParts;
use gatepost_words::diagnostic::{Diagnostic, did_you_mean};

/// Diagnostics kept of one load: a file of another kind would drown the reader.
const DIAGNOSTICS_LIMIT: usize = 1_000;

/// The tables.
#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) rules: Vec<Defined>,
    pub(crate) index: BTreeMap<String, usize>,
    /// What each score line came to, for the sets; made one score each by [`Tables::finish`].
    pub(crate) all_scores: BTreeMap<String, (ScoreSets, At)>,
    pub(crate) scores: BTreeMap<String, (f64, At)>,
    /// Which of the four scores counts.
    pub(crate) score_set: usize,
    pub(crate) descriptions: BTreeMap<String, (String, At)>,
    pub(crate) flags: BTreeMap<String, (RuleFlags, At)>,
    pub(crate) tests: BTreeMap<String, Vec<TestLine>>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) lists: Lists,
    pub(crate) extras: Extras,
    pub(crate) plugins: Plugins,
    /// What was already said once.
    pub(crate) mentioned: BTreeSet<String>,
}

impl Tables {
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < DIAGNOSTICS_LIMIT
            || (diagnostic.is_error() && !self.diagnostics.iter().any(Diagnostic::is_error))
        {
            self.diagnostics.push(diagnostic);
        }
    }

    /// When all was read.
    pub(crate) fn finish(&mut self) {
        self.replace_tags();
        self.narrow_parts();
        let set = self.score_set;
        let scores = std::mem::take(&mut self.all_scores);
        self.scores = scores
            .into_iter()
            .map(|(name, (sets, at))| (name, (sets.get(set), at)))
            .collect();
        self.tell_strays();
        self.tell_templates();
    }

    /// Defines the rules again in which tags stand for stretches of a regular expression.
    fn replace_tags(&mut self) {
        let mut errors = Vec::new();
        for name in &self.lists.replaced_rules {
            let Some(rule) = self.index.get(name).and_then(|at| self.rules.get_mut(*at)) else {
                continue;
            };
            let expanded = self.lists.expanded(&rule.definition);
            if expanded == rule.definition {
                continue;
            }
            rule.disabled = None;
            rule.test = define(rule.kind, &expanded).unwrap_or_else(|error| {
                rule.disabled = error.disables.map(str::to_owned);
                errors.push(error.placed(&rule.at.0, |_| rule.definition_at.clone()));
                Test::Never
            });
        }
        for error in errors {
            self.report(error);
        }
    }

    /// `tflags range=` and `concat` make a `mimeheader` rule look at a view of its own, and so does
    /// a field that is missing when the rule matches what then stands for it.
    fn narrow_parts(&mut self) {
        for rule in &mut self.rules {
            let (range, concat) = self
                .flags
                .get(&rule.name)
                .map_or((None, false), |(flags, _)| (flags.parts, flags.concat));
            let Test::Pattern {
                view,
                pattern,
                if_unset,
                ..
            } = &mut rule.test
            else {
                continue;
            };
            let ViewKey::Mime(request) = view else {
                continue;
            };
            let unset = if_unset.clone().unwrap_or_default();
            let if_unset = Some(unset).filter(|unset| concat || pattern.matches(unset.as_bytes()));
            if range.is_some() || concat || if_unset.is_some() {
                let (request, range) = (request.clone(), range.unwrap_or_default());
                *view = ViewKey::MimeParts(MimeParts {
                    request,
                    range,
                    concat,
                    if_unset,
                });
            }
        }
    }

    /// Says which scores and the like belong to no rule.
    fn tell_strays(&mut self) {
        let first_lines = self
            .tests
            .iter()
            .filter_map(|(name, lines)| Some((name, lines.first()?)));
        let first_lines: Vec<_> = first_lines
            .map(|(name, line)| (name, (Arc::clone(&line.source), line.span.clone())))
            .collect();
        let scores = self
            .scores
            .iter()
            .map(|(name, (_, at))| ("score", name, at));
        let descriptions = self
            .descriptions
            .iter()
            .map(|(name, (_, at))| ("description", name, at));
        let flags = self.flags.iter().map(|(name, (_, at))| ("flag", name, at));
        let extras = self.extras.declared_of_rules();
        let tests = first_lines.iter().map(|(name, at)| ("test", *name, at));
        let mut found = Vec::new();
        for (what, name, at) in scores
            .chain(descriptions)
            .chain(flags)
            .chain(extras)
            .chain(tests)
        {
            if !self.index.contains_key(name) {
                let diagnostic = Diagnostic::warning(
                    "R0206",
                    format!("a {what} for the rule {name}, which does not exist"),
                );
                let diagnostic = diagnostic.at(&at.0, at.1.clone(), "");
                found.push(
                    match did_you_mean(name, self.index.keys().map(String::as_str)) {
                        Some(guess) => diagnostic.help(format!("did you mean {guess}?")),
                        None => diagnostic,
                    },
                );
            }
        }
        for diagnostic in found {
            self.report(diagnostic);
        }
    }

    /// Whether rules with templates run. In one long-lived process SpamAssassin 4.0.1 was not seen
    /// to fill them for each message (2026-11-23: of 2,200 messages 28 hit when each had a process of
    /// its own, none when all shared one; the cause was not proved). A set that is loaded as
    /// its daemon loads it, with `loadplugin` lines, hits as that daemon does.
    fn runs_templates(&self) -> bool {
        self.extras
            .runs_templates
            .unwrap_or(!self.plugins.are_named())
    }

    /// Says that the templates do not run.
    fn switch_templates_off(&mut self) {
        let mut first = None;
        for rule in self
            .rules
            .iter_mut()
            .filter(|rule| matches!(rule.test, Test::Template(_)))
        {
            rule.disabled = Some("templates are switched off".to_owned());
            first.get_or_insert_with(|| (Arc::clone(&rule.at.0), rule.at.1.clone()));
        }
        if let Some((source, span)) = first.filter(|_| self.extras.runs_templates.is_none()) {
            let message = "rules with templates do not run together with `loadplugin` lines unless switched on";
            let diagnostic =
                Diagnostic::warning("R0221", message).at(&source, span, "the first of them");
            self.report(
                diagnostic
                    .help("write `capture_templates 1` to run them, or 0 to silence this warning"),
            );
        }
    }

    /// Says which templates ask for a name that no rule captures.
    fn tell_templates(&mut self) {
        if !self.runs_templates() {
            return self.switch_templates_off();
        }
        let captured: BTreeSet<String> = self
            .rules
            .iter()
            .filter_map(Defined::captures)
            .flatten()
            .collect();
        let mut found = Vec::new();
        for rule in &mut self.rules {
            let Test::Template(template) = &rule.test else {
                continue;
            };
            let Some(name) = template.names().find(|name| !captured.contains(*name)) else {
                continue;
            };
            rule.disabled = Some(format!("no rule captures {name}"));
            let message = format!("no rule captures {name}: the rule never hits");
            let diagnostic = Diagnostic::warning("R0218", message).at(
                &rule.at.0,
                rule.definition_at.clone(),
                "",
            );
            found.push(
                match did_you_mean(name, captured.iter().map(String::as_str)) {
                    Some(guess) => diagnostic.help(format!("did you mean %{{{guess}}}?")),
                    None => {
                        diagnostic.help(format!("capture it in another rule with `(?<{name}>…)`"))
                    }
                },
            );
        }
        for diagnostic in found {
            self.report(diagnostic);
        }
    }
}
