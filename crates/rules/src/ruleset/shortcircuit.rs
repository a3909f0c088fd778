//! `shortcircuit`: a rule whose hit ends the scan. What would have run later does not count.
//!
//! SpamAssassin runs rules in the order of their priority and stops. Here all rules of a view are
//! looked for at once, so the order is applied to what was found: hits of a later priority than the
//! one at which the scan would have ended are dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::definition::At;
use super::rule::Rule;
use super::scan::Scan;
use gatepost_words::verdict::{Hit, RuleName, Score};

/// The name under which the end of a scan is reported.
pub(crate) const NAME: &str = "SHORTCIRCUIT";
/// The priority of a rule that ends the scan, unless a `priority` line says otherwise.
pub(crate) const PRIORITY: i32 = -200;

/// What a hit of such a rule means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// The message is spam, by `shortcircuit_spam_score`.
    Spam,
    /// The message is good, by `shortcircuit_ham_score`.
    Ham,
    /// The score so far decides.
    On,
    /// Nothing; takes an earlier line back.
    Off,
}

impl Class {
    /// The words of a `shortcircuit` line.
    pub(crate) const NAMES: &'static [&'static str] = &["spam", "ham", "on", "off"];

    /// Reads one.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "spam" => Self::Spam,
            "ham" => Self::Ham,
            "on" => Self::On,
            "off" => Self::Off,
            _ => return None,
        })
    }
}

/// All that was said about it.
#[derive(Debug)]
pub(crate) struct ShortCircuits {
    pub(crate) classes: BTreeMap<String, (Class, At)>,
    spam: f64,
    ham: f64,
    below: Option<f64>,
    above: Option<f64>,
}

impl Default for ShortCircuits {
    fn default() -> Self {
        Self {
            classes: BTreeMap::new(),
            spam: 100.0,
            ham: -100.0,
            below: None,
            above: None,
        }
    }
}

impl ShortCircuits {
    /// Takes one of the `shortcircuit_…` settings; `false` when it is none, `Err` when the value is
    /// no number.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<bool, ()> {
        let number = || {
            value
                .trim()
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite())
                .ok_or(())
        };
        match key {
            "shortcircuit_spam_score" => self.spam = number()?,
            "shortcircuit_ham_score" => self.ham = number()?,
            "shortcircuit_min_ham_score" => self.below = Some(number()?),
            "shortcircuit_max_spam_score" => self.above = Some(number()?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What a rule does.
    pub(crate) fn class(&self, rule: &str) -> Option<Class> {
        self.classes
            .get(rule)
            .map(|(class, _)| *class)
            .filter(|class| *class != Class::Off)
    }

    /// The least that ending a scan may add to its score.
    pub(crate) fn lowest(&self) -> Score {
        let is_ham = self.classes.values().any(|(class, _)| *class == Class::Ham);
        Score::from_points(if is_ham { self.ham.min(0.0) } else { 0.0 })
    }

    fn is_idle(&self) -> bool {
        self.classes.is_empty() && self.below.is_none() && self.above.is_none()
    }

    /// Ends the scan where it would have ended. `values` are those of all rules that hit.
    pub(crate) fn apply<'r>(
        &self,
        priorities: &BTreeMap<RuleName, i32>,
        values: impl Iterator<Item = (&'r Rule, f64)>,
        description: &dyn Fn() -> Arc<str>,
        scan: &mut Scan,
    ) {
        if self.is_idle() {
            return;
        }
        let priority = |name: &str| priorities.get(name).copied().unwrap_or_default();
        let ending = values
            .filter_map(|(rule, _)| Some((priority(&rule.name), self.class(&rule.name)?)))
            .min_by_key(|(priority, _)| *priority);
        let by_score = self.ended_by_score(scan, &priority);
        let by_rule = ending.map(|(priority, class)| {
            let score = match class {
                Class::Spam => self.spam,
                Class::Ham => self.ham,
                Class::On | Class::Off => 0.0,
            };
            (priority, score)
        });
        let Some((last, score)) = [by_rule, by_score]
            .into_iter()
            .flatten()
            .min_by_key(|(priority, _)| *priority)
        else {
            return;
        };
        scan.hits.retain(|hit| priority(&hit.rule) <= last);
        scan.shadow.retain(|hit| priority(&hit.rule) <= last);
        scan.hits.push(Hit {
            rule: NAME.into(),
            score: Score::from_points(score),
            description: description(),
        });
    }

    /// The first priority after which the score so far is beyond a limit.
    fn ended_by_score(&self, scan: &Scan, priority: &dyn Fn(&str) -> i32) -> Option<(i32, f64)> {
        if self.below.is_none() && self.above.is_none() {
            return None;
        }
        let steps: BTreeSet<i32> = scan.hits.iter().map(|hit| priority(&hit.rule)).collect();
        steps.into_iter().find_map(|step| {
            let hits = scan.hits.iter().filter(|hit| priority(&hit.rule) <= step);
            let sum: Score = hits.map(|hit| hit.score).sum();
            let below = self.below.is_some_and(|limit| sum.points() < limit);
            let above = self.above.is_some_and(|limit| sum.points() > limit);
            (below || above).then_some((step, if sum < Score::ZERO { -0.001 } else { 0.001 }))
        })
    }
}
