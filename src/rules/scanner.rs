//! Runs a rule set over a case.

use super::expression;
use super::limits::MULTIPLE_LIMIT;
use super::prefilter::{Marks, ViewRules};
use super::regex::{Budget, Cache};
use super::rule::{Rule, Test, ViewKey};
use super::ruleset::Ruleset;
use super::shortcircuit;
use super::views::Views;
use crate::facts::{Case, Stage};
use crate::mail::{Anomaly, AnomalyKind};
use crate::verdict::Hit;

/// What a scan found.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// The rules that hit and score, in the order of their definition. Sub-rules are not told.
    pub hits: Vec<Hit>,
    /// The shadow rules that hit: counted, never scored.
    pub shadow: Vec<Hit>,
    /// What the rules themselves found odd, such as a limit that was reached.
    pub anomalies: Vec<Anomaly>,
    /// Whether all rules of the stage were decided before the deadline. If not, the hits are those decided so far, and no
    /// meta was.
    pub complete: bool,
}

/// The scratch space of one worker. Owns every cache; nothing of one mail leaks into the next.
#[derive(Debug)]
pub struct Scanner {
    digest: [u8; 32],
    caches: Vec<Option<Box<Cache>>>,
    /// How often each rule hit; for metas their value.
    values: Vec<f64>,
    marks: Marks,
    candidates: Vec<usize>,
    /// Whether a limit kept a part of a text from a rule.
    was_cut: bool,
    /// What backtracking may still cost for this mail.
    budget: Budget,
    stack: Vec<f64>,
}

impl Scanner {
    /// Scratch space for that set.
    pub fn new(ruleset: &Ruleset) -> Self {
        let count = ruleset.rules().len();
        Self {
            digest: ruleset.digest(),
            caches: std::iter::repeat_with(|| None).take(count).collect(),
            values: vec![0.0; count],
            marks: Marks::default(),
            candidates: Vec::new(),
            was_cut: false,
            budget: Budget::default(),
            stack: Vec::new(),
        }
    }

    /// Decides every rule that can be decided at the stage of the case. `until` tells whether the deadline passed; it is
    /// asked before every text and every rule over it. Another set than the last one is fine.
    pub fn scan(&mut self, ruleset: &Ruleset, case: &Case<'_>, until: &dyn Fn() -> bool) -> Scan {
        self.prepare(ruleset);
        let views = Views::new(case, &ruleset.lists);
        let complete = self.scan_views(ruleset, &views, until)
            && self.scan_others(ruleset, &views, until)
            && ruleset.extras.templates.run(ruleset.rules(), &views, &mut self.budget, until, &mut self.values);
        if complete {
            self.run_metas(ruleset, case.stage);
        }
        self.collect(ruleset, case.stage, complete)
    }

    fn prepare(&mut self, ruleset: &Ruleset) {
        if self.digest != ruleset.digest() || self.values.len() != ruleset.rules().len() {
            *self = Self::new(ruleset);
        }
        self.values.fill(0.0);
        self.was_cut = false;
        self.budget = Budget::default();
    }

    fn scan_views(&mut self, ruleset: &Ruleset, views: &Views<'_>, until: &dyn Fn() -> bool) -> bool {
        let stage = views.case().stage;
        ruleset.views.iter().filter(|view| view.stage <= stage).all(|view| self.scan_view(ruleset, view, views, until))
    }

    fn scan_view(&mut self, ruleset: &Ruleset, view: &ViewRules, views: &Views<'_>, until: &dyn Fn() -> bool) -> bool {
        let texts = views.texts(&view.key);
        let was_cut = views.take_cut();
        if texts.is_empty() {
            view.when_missing.iter().for_each(|number| self.set(*number, 1.0));
            return true;
        }
        let is_body = view.key == ViewKey::Body;
        for (position, text) in texts.iter().enumerate() {
            if until() {
                return false;
            }
            let mut candidates = std::mem::take(&mut self.candidates);
            candidates.clear();
            view.candidates(text, &mut self.marks, &mut candidates);
            for number in candidates.drain(..) {
                let Some(rule) = ruleset.rules().get(number) else { continue };
                if is_body && position == 0 && rule.flags.no_subject {
                    continue;
                }
                if until() {
                    return false;
                }
                self.confirm(number, rule, text);
            }
            self.candidates = candidates;
        }
        // Only a rule that did not hit yet, or counts, would have looked at the rest.
        if was_cut && view.numbers().any(|number| self.value(number) == 0.0 || counts(ruleset, number)) {
            self.was_cut = true;
        }
        for number in &view.negated {
            let value = if self.value(*number) == 0.0 { 1.0 } else { 0.0 };
            self.set(*number, value);
        }
        true
    }

    fn confirm(&mut self, number: usize, rule: &Rule, text: &[u8]) {
        let Test::Pattern { pattern, .. } = &rule.test else { return };
        let Some(slot) = self.caches.get_mut(number) else { return };
        let Some(value) = self.values.get_mut(number) else { return };
        let cache = slot.get_or_insert_default();
        if rule.flags.multiple {
            let most = rule.flags.max_hits.unwrap_or(MULTIPLE_LIMIT);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of at most u32::MAX")]
            let left = most.saturating_sub(*value as u32);
            if left > 0 {
                *value += f64::from(pattern.count(cache, &mut self.budget, text, left));
            }
        } else if *value == 0.0 && pattern.is_match(cache, &mut self.budget, text) {
            *value = 1.0;
        }
    }

    fn scan_others(&mut self, ruleset: &Ruleset, views: &Views<'_>, until: &dyn Fn() -> bool) -> bool {
        for number in &ruleset.others {
            let Some(rule) = ruleset.rules().get(*number).filter(|rule| rule.stage <= views.case().stage) else {
                continue;
            };
            if until() {
                return false;
            }
            let hits = match &rule.test {
                Test::Exists(request) => views.header(request).is_some(),
                Test::Eval(eval, arguments) => (eval.run)(views, arguments),
                Test::UriDetail(detail) => detail.hits(views, &mut self.budget),
                Test::Pattern { .. } | Test::Template(_) | Test::Meta(_) | Test::Never => false,
            };
            self.was_cut |= views.take_cut();
            self.set(*number, if hits { 1.0 } else { 0.0 });
        }
        true
    }

    fn run_metas(&mut self, ruleset: &Ruleset, stage: Stage) {
        for number in &ruleset.metas {
            let Some(rule) = ruleset.rules().get(*number).filter(|rule| rule.stage <= stage) else { continue };
            let Test::Meta(program) = &rule.test else { continue };
            let values = &self.values;
            let value = |at: u32| values.get(at as usize).copied().unwrap_or(0.0);
            // A division by zero is no hit. What is negative counts as one hit for those who ask.
            let result =
                expression::run(program, &mut self.stack, value).filter(|result| !result.is_nan()).unwrap_or(0.0);
            self.set(*number, if result < 0.0 { 1.0 } else { result });
        }
    }

    fn value(&self, number: usize) -> f64 {
        self.values.get(number).copied().unwrap_or(0.0)
    }

    fn set(&mut self, number: usize, value: f64) {
        if let Some(slot) = self.values.get_mut(number) {
            *slot = value;
        }
    }

    fn collect(&self, ruleset: &Ruleset, stage: Stage, complete: bool) -> Scan {
        let mut scan = Scan { complete, ..Scan::default() };
        scan.anomalies.extend(
            (self.was_cut || self.budget.was_reached()).then_some(Anomaly { kind: AnomalyKind::RuleLimit, offset: 0 }),
        );
        for (rule, value) in ruleset.rules().iter().zip(&self.values) {
            if *value == 0.0 || rule.is_subrule() || rule.stage > stage {
                continue;
            }
            let description = std::sync::Arc::clone(&rule.description);
            let hit = Hit { rule: std::sync::Arc::clone(&rule.name), score: rule.score, description };
            if rule.flags.shadow { scan.shadow.push(hit) } else { scan.hits.push(hit) }
        }
        let description =
            || ruleset.get(shortcircuit::NAME).map_or_else(|| "".into(), |rule| rule.description().into());
        ruleset.extras.short_circuit(self.values(ruleset), &description, &mut scan);
        scan
    }

    /// The values of all rules after the last scan, sub-rules included, by name; for `explain` and the parity tools.
    pub fn values<'s>(&'s self, ruleset: &'s Ruleset) -> impl Iterator<Item = (&'s Rule, f64)> {
        ruleset.rules().iter().zip(self.values.iter().copied()).filter(|(_, value)| *value != 0.0)
    }
}

fn counts(ruleset: &Ruleset, number: usize) -> bool {
    ruleset.rules().get(number).is_some_and(|rule| rule.flags.multiple)
}
