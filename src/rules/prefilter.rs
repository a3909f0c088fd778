//! The rules over one view, and the literals that tell which of them are worth trying on a text.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, MatchKind};

use super::rule::{Rule, Test, ViewKey};
use crate::facts::Stage;

/// With fewer rules the automaton costs more than it saves.
const FEWEST: usize = 3;

/// The rules over one view.
#[derive(Debug)]
pub(super) struct ViewRules {
    pub(super) key: ViewKey,
    /// From which stage on the view is there.
    pub(super) stage: Stage,
    /// Tried on every text.
    pub(super) always: Vec<usize>,
    /// The automaton over all literals, and for each literal the rules that have it.
    literals: Option<(AhoCorasick, Vec<Vec<usize>>)>,
    /// Rules with `!~`: decided when all texts were seen.
    pub(super) negated: Vec<usize>,
    /// Rules that hit when the view has no text at all: the header is missing.
    pub(super) when_missing: Vec<usize>,
}

impl ViewRules {
    /// Groups rules of one view.
    pub(super) fn new(key: &ViewKey, numbers: &[usize], rules: &[Rule]) -> Self {
        let stage = if matches!(key, ViewKey::Header(_)) { Stage::EndOfHeaders } else { Stage::EndOfMessage };
        let mut view = Self {
            key: key.clone(),
            stage,
            always: Vec::new(),
            literals: None,
            negated: Vec::new(),
            when_missing: Vec::new(),
        };
        let mut owners: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
        let mut filtered = Vec::new();
        for number in numbers {
            let Some(Test::Pattern { pattern, negated, if_unset, .. }) = rules.get(*number).map(|rule| &rule.test)
            else {
                continue;
            };
            let matches_unset = || pattern.matches(if_unset.as_deref().unwrap_or_default().as_bytes());
            let hits_missing = match key {
                ViewKey::Header(_) if *negated => if_unset.is_none() || !matches_unset(),
                ViewKey::Header(_) => matches_unset(),
                _ => *negated,
            };
            if hits_missing {
                view.when_missing.push(*number);
            }
            if *negated {
                view.negated.push(*number);
            }
            match &pattern.literals {
                Some(literals) => {
                    literals.iter().for_each(|literal| owners.entry(literal).or_default().push(*number));
                    filtered.push(*number);
                }
                None => view.always.push(*number),
            }
        }
        let automaton = (filtered.len() >= FEWEST).then(|| build(owners.keys().copied())).flatten();
        match automaton {
            Some(automaton) => view.literals = Some((automaton, owners.into_values().collect())),
            None => view.always.extend(filtered),
        }
        view
    }

    /// Tells of each rule whose literal stands in the text; a rule may be told of more than once.
    pub(super) fn candidates(&self, text: &[u8], mut tell: impl FnMut(usize)) {
        let Some((automaton, owners)) = &self.literals else { return };
        let Ok(found) = automaton.try_find_overlapping_iter(text) else { return };
        for hit in found {
            owners.get(hit.pattern().as_usize()).into_iter().flatten().for_each(|number| tell(*number));
        }
    }
}

fn build<'l>(literals: impl Iterator<Item = &'l [u8]>) -> Option<AhoCorasick> {
    // Building fails only beyond the size of an automaton that our limits do not reach; then every rule is tried.
    AhoCorasick::builder().ascii_case_insensitive(true).match_kind(MatchKind::Standard).build(literals).ok()
}
