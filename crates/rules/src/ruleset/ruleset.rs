//! The rules of one generation: loaded once, then only read.

use std::collections::BTreeMap;

use super::extras::Extras;
use super::prefilter::ViewRules;
use super::rule::Rule;
use crate::lists::tables::Lists;
use gatepost_words::Stage;
use gatepost_words::verdict::{RuleName, Score};

/// A set of rules. Immutable; share it as `Arc<Ruleset>`.
#[derive(Debug)]
pub struct Ruleset {
    pub(crate) rules: Vec<Rule>,
    pub(crate) index: BTreeMap<RuleName, usize>,
    /// Rules over texts, by view.
    pub(crate) views: Vec<ViewRules>,
    /// Rules that ask for a header or a function.
    pub(crate) others: Vec<usize>,
    /// Metas, in an order in which each follows what it needs.
    pub(crate) metas: Vec<usize>,
    /// By rule: where the metas that name it are in that order.
    pub(crate) dependents: Vec<Vec<usize>>,
    /// Where the metas are whose value is not 0 even when nothing hits.
    pub(crate) always_due: Vec<usize>,
    /// What eval functions look up.
    pub(crate) lists: Lists,
    /// Order, templates, reports, and what could not be taken.
    pub(crate) extras: Extras,
    pub(crate) digest: [u8; 32],
}

impl Ruleset {
    /// All rules, in the order of their first definition.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of that name.
    pub fn get(&self, name: &str) -> Option<&Rule> {
        self.index
            .get(name)
            .and_then(|number| self.rules.get(*number))
    }

    /// Tells this set from any other: SHA-256 over the texts of the sources in order. Part of the
    /// generation's id.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// The sum of all negative scores that can still come after `stage`: with a score above the
    /// limit even so, a message may be refused at once. Zero or negative.
    pub fn lowest_remaining(&self, stage: Stage) -> Score {
        let later = self
            .rules
            .iter()
            .filter(|rule| rule.stage > stage && rule.disabled.is_none() && !rule.flags.shadow);
        later
            .map(|rule| rule.score)
            .filter(|score| *score < Score::ZERO)
            .sum::<Score>()
            + self.extras.shortcircuits.lowest()
    }
}
