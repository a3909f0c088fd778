//! Runs a rule set over a case.

use crate::ruleset::scan::Scan;
use std::time::Duration;

use super::tally::Tally;
use crate::limits::MULTIPLE_LIMIT;
use crate::ruleset::prefilter::{Marks, ViewRules};
use crate::ruleset::rule::{Rule, Test};
use crate::ruleset::ruleset::Ruleset;
use crate::ruleset::{expression, shortcircuit};
use crate::views::key::ViewKey;
use crate::views::lazy::Views;
use gatepost_byte_regex::{Budget, Cache};
use gatepost_mail::{Anomaly, AnomalyKind, Case};
use gatepost_words::Stage;
use gatepost_words::verdict::Hit;

/// What looks over the shoulder of a scan.
struct Watch<'w> {
    until: &'w dyn Fn() -> bool,
    meter: Option<Meter<'w>>,
}

/// Notes what each rule costs.
struct Meter<'w> {
    clock: &'w dyn Fn() -> Duration,
    tallies: &'w mut [Tally],
}

impl Watch<'_> {
    /// Does it, and notes the time and the steps of backtracking that it took if requested
    /// them.
    fn measured<T>(&mut self, number: usize, views: &Views<'_>, work: impl FnOnce() -> T) -> T {
        let Some(meter) = &mut self.meter else {
            return work();
        };
        let (start, left) = ((meter.clock)(), views.budget().left());
        let result = work();
        let time = (meter.clock)().saturating_sub(start);
        if let Some(tally) = meter.tallies.get_mut(number) {
            tally.tried += 1;
            tally.time += time;
            tally.steps += left - views.budget().left();
        }
        result
    }
}

/// The scratch space of one worker. Owns every cache; nothing of one message leaks into the next.
#[derive(Debug)]
pub struct Scanner {
    digest: [u8; 32],
    caches: Vec<Option<Box<Cache>>>,
    /// How often each rule hit; for metas their value.
    values: Vec<f64>,
    /// The rules whose value is not 0, or was not for a while.
    touched: Vec<usize>,
    /// A bit for each place in the order of metas: one that is to be worked out.
    due: Vec<u64>,
    marks: Marks,
    candidates: Vec<usize>,
    /// Whether a limit kept a part of a text from a rule, or an answer from being found.
    truncated: bool,
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
            touched: Vec::new(),
            due: vec![0; ruleset.metas.len().div_ceil(64)],
            marks: Marks::default(),
            candidates: Vec::new(),
            truncated: false,
            stack: Vec::new(),
        }
    }

    /// Decides every rule that can be decided at the stage of the case. `until` reports whether the
    /// deadline passed; it is asked before every text and every rule over it. Another set than
    /// the last one is fine.
    pub fn scan(&mut self, ruleset: &Ruleset, case: &Case<'_>, until: &dyn Fn() -> bool) -> Scan {
        self.scan_watched(ruleset, case, &mut Watch { until, meter: None })
    }

    /// The same without a deadline, noting what each rule costs in the tally of its number.
    pub(crate) fn scan_measured(
        &mut self,
        ruleset: &Ruleset,
        case: &Case<'_>,
        clock: &dyn Fn() -> Duration,
        tallies: &mut [Tally],
    ) -> Scan {
        self.scan_watched(
            ruleset,
            case,
            &mut Watch {
                until: &|| false,
                meter: Some(Meter { clock, tallies }),
            },
        )
    }

    fn scan_watched(&mut self, ruleset: &Ruleset, case: &Case<'_>, watch: &mut Watch<'_>) -> Scan {
        self.prepare(ruleset);
        let views = Views::new(case, &ruleset.lists).until(watch.until);
        if watch.meter.is_some() {
            // So that the first rule to ask is not charged with making them.
            let _ = (
                views.body(),
                views.rawbody(),
                views.uri(),
                views.html(),
                views.relays(),
            );
        }
        let complete = self.scan_views(ruleset, &views, watch)
            && self.scan_others(ruleset, &views, watch)
            && self.scan_templates(ruleset, &views, watch);
        if complete {
            self.run_metas(ruleset, &views, watch);
        }
        self.truncated |= views.budget().was_reached();
        let mut scan = self.collect(ruleset, case.stage, complete);
        if case.message.derived.is_exceeded() {
            scan.anomalies.push(Anomaly {
                kind: AnomalyKind::DerivedLimit,
                offset: 0,
            });
        }
        scan
    }

    fn prepare(&mut self, ruleset: &Ruleset) {
        if self.digest != ruleset.digest() || self.values.len() != ruleset.rules().len() {
            *self = Self::new(ruleset);
        }
        for number in self.touched.drain(..) {
            if let Some(value) = self.values.get_mut(number) {
                *value = 0.0;
            }
        }
        self.truncated = false;
    }

    fn scan_views(&mut self, ruleset: &Ruleset, views: &Views<'_>, watch: &mut Watch<'_>) -> bool {
        let stage = views.case().stage;
        ruleset
            .views
            .iter()
            .filter(|view| view.stage <= stage)
            .all(|view| self.scan_view(ruleset, view, views, watch))
    }

    fn scan_view(
        &mut self,
        ruleset: &Ruleset,
        view: &ViewRules,
        views: &Views<'_>,
        watch: &mut Watch<'_>,
    ) -> bool {
        let texts = views.texts(&view.key);
        let truncated = views.take_truncated();
        if texts.is_empty() {
            view.when_missing
                .iter()
                .for_each(|number| self.set(*number, 1.0));
            return true;
        }
        let is_body = view.key == ViewKey::Body;
        for (position, text) in texts.iter().enumerate() {
            if (watch.until)() {
                return false;
            }
            let mut candidates = std::mem::take(&mut self.candidates);
            candidates.clear();
            view.candidates(text, &mut self.marks, &mut candidates);
            for number in candidates.drain(..) {
                let Some(rule) = ruleset.rules().get(number) else {
                    continue;
                };
                if is_body && position == 0 && rule.flags.no_subject {
                    continue;
                }
                if (watch.until)() {
                    return false;
                }
                watch.measured(number, views, || {
                    self.confirm(number, rule, text, &mut views.budget());
                });
            }
            self.candidates = candidates;
        }
        // Only a rule that did not hit yet, or counts, would have looked at the rest.
        if truncated
            && view
                .numbers()
                .any(|number| self.value(number) == 0.0 || counts(ruleset, number))
        {
            self.truncated = true;
        }
        for number in &view.negated {
            let value = if self.value(*number) == 0.0 { 1.0 } else { 0.0 };
            self.set(*number, value);
        }
        true
    }

    fn confirm(&mut self, number: usize, rule: &Rule, text: &[u8], budget: &mut Budget) {
        let Test::Pattern { pattern, .. } = &rule.test else {
            return;
        };
        let Some(slot) = self.caches.get_mut(number) else {
            return;
        };
        let value = self.values.get(number).copied().unwrap_or(0.0);
        let cache = slot.get_or_insert_default();
        if rule.flags.multiple {
            let most = rule.flags.max_hits.unwrap_or(MULTIPLE_LIMIT);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a count of at most u32::MAX"
            )]
            let left = most.saturating_sub(value as u32);
            if left > 0 {
                let found = pattern.count(cache, budget, text, left);
                self.set(number, value + f64::from(found));
            }
        } else if value == 0.0 && pattern.is_match(cache, budget, text) {
            self.set(number, 1.0);
        }
    }

    fn scan_others(&mut self, ruleset: &Ruleset, views: &Views<'_>, watch: &mut Watch<'_>) -> bool {
        for number in &ruleset.others {
            let Some(rule) = ruleset
                .rules()
                .get(*number)
                .filter(|rule| rule.stage <= views.case().stage)
            else {
                continue;
            };
            if (watch.until)() {
                return false;
            }
            let hits = watch.measured(*number, views, || match &rule.test {
                Test::Exists(request) => views.header(request).is_some(),
                Test::Eval(eval, arguments) => (eval.run)(views, arguments),
                Test::UriDetail(detail) => detail.hits(views),
                Test::Pattern { .. } | Test::Template(_) | Test::Meta(_) | Test::Never => false,
            });
            self.truncated |= views.take_truncated();
            self.set(*number, if hits { 1.0 } else { 0.0 });
        }
        true
    }

    /// The rules that look for what others captured, when those are known.
    fn scan_templates(
        &mut self,
        ruleset: &Ruleset,
        views: &Views<'_>,
        watch: &mut Watch<'_>,
    ) -> bool {
        let hits = ruleset
            .extras
            .templates
            .run(ruleset.rules(), views, watch.until, &self.values);
        let is_complete = hits.is_some();
        for (number, count) in hits.into_iter().flatten() {
            self.set(number, f64::from(count));
        }
        is_complete
    }

    /// Works out the metas that can have a value: those that name a rule that hit, and those that
    /// need none.
    fn run_metas(&mut self, ruleset: &Ruleset, views: &Views<'_>, watch: &mut Watch<'_>) {
        let stage = views.case().stage;
        self.due.fill(0);
        ruleset
            .always_due
            .iter()
            .for_each(|position| self.schedule(*position));
        for at in 0..self.touched.len() {
            self.schedule_dependents(ruleset, self.touched.get(at).copied());
        }
        let mut from = 0;
        while let Some(position) = self.next_due(from) {
            from = position + 1;
            let Some(number) = ruleset.metas.get(position).copied() else {
                continue;
            };
            let Some(rule) = ruleset
                .rules()
                .get(number)
                .filter(|rule| rule.stage <= stage)
            else {
                continue;
            };
            let Test::Meta(program) = &rule.test else {
                continue;
            };
            let (values, stack) = (&self.values, &mut self.stack);
            let value = |at: u32| values.get(at as usize).copied().unwrap_or(0.0);
            // A division by zero is no hit. What is negative counts as one hit for those who ask.
            let result = watch.measured(number, views, || expression::run(program, stack, value));
            let result = result.filter(|result| !result.is_nan()).unwrap_or(0.0);
            if result != 0.0 {
                self.set(number, if result < 0.0 { 1.0 } else { result });
                // They all are after it in the order.
                self.schedule_dependents(ruleset, Some(number));
            }
        }
    }

    fn schedule_dependents(&mut self, ruleset: &Ruleset, number: Option<usize>) {
        let positions = number.and_then(|number| ruleset.dependents.get(number));
        positions
            .into_iter()
            .flatten()
            .for_each(|position| self.schedule(*position));
    }

    fn schedule(&mut self, position: usize) {
        if let Some(word) = self.due.get_mut(position / 64) {
            *word |= 1 << (position % 64);
        }
    }

    /// The next meta that is due, from that place in the order on.
    fn next_due(&self, from: usize) -> Option<usize> {
        let first = from / 64;
        let masked = |at: usize, word: u64| {
            if at == first {
                word & (u64::MAX << (from % 64))
            } else {
                word
            }
        };
        let words = self
            .due
            .iter()
            .enumerate()
            .skip(first)
            .map(|(at, word)| (at, masked(at, *word)));
        words
            .filter(|(_, word)| *word != 0)
            .map(|(at, word)| at * 64 + word.trailing_zeros() as usize)
            .next()
    }

    fn value(&self, number: usize) -> f64 {
        self.values.get(number).copied().unwrap_or(0.0)
    }

    fn set(&mut self, number: usize, value: f64) {
        if let Some(slot) = self.values.get_mut(number) {
            if *slot == 0.0 && value != 0.0 {
                self.touched.push(number);
            }
            *slot = value;
        }
    }

    fn collect(&mut self, ruleset: &Ruleset, stage: Stage, complete: bool) -> Scan {
        let mut scan = Scan {
            complete,
            ..Scan::default()
        };
        scan.anomalies.extend((self.truncated).then_some(Anomaly {
            kind: AnomalyKind::RuleLimit,
            offset: 0,
        }));
        self.touched.sort_unstable();
        self.touched.dedup();
        for number in &self.touched {
            let Some(rule) = ruleset.rules().get(*number) else {
                continue;
            };
            if self.value(*number) == 0.0 || rule.is_subrule() || rule.stage > stage {
                continue;
            }
            let description = std::sync::Arc::clone(&rule.description);
            let hit = Hit {
                rule: std::sync::Arc::clone(&rule.name),
                score: rule.score,
                description,
            };
            if rule.flags.shadow {
                scan.shadow.push(hit);
            } else {
                scan.hits.push(hit);
            }
        }
        let description = || {
            ruleset
                .get(shortcircuit::NAME)
                .map_or_else(|| "".into(), |rule| rule.description().into())
        };
        ruleset
            .extras
            .short_circuit(self.values(ruleset), &description, &mut scan);
        scan
    }

    /// What the last scan made of a rule.
    pub(crate) fn value_of(&self, number: usize) -> f64 {
        self.value(number)
    }

    /// The rules that hit in the last scan, sub-rules included.
    pub(crate) fn values_by_number(&self) -> impl Iterator<Item = usize> {
        self.touched
            .iter()
            .copied()
            .filter(|number| self.value(*number) != 0.0)
    }

    /// The values of all rules after the last scan, sub-rules included, by name; for `explain` and
    /// the parity tools.
    pub fn values<'s>(&'s self, ruleset: &'s Ruleset) -> impl Iterator<Item = (&'s Rule, f64)> {
        let rule = |number: &usize| Some((ruleset.rules().get(*number)?, self.value(*number)));
        self.touched
            .iter()
            .filter_map(rule)
            .filter(|(_, value)| *value != 0.0)
    }
}

fn counts(ruleset: &Ruleset, number: usize) -> bool {
    ruleset
        .rules()
        .get(number)
        .is_some_and(|rule| rule.flags.multiple)
}
