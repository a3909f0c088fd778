//! The rules over one view, and what tells which of them are worth trying on a text.
//!
//! Three filters, each exact in that it drops only rules that cannot match: the text is too short, it lacks a byte that
//! every match has, or it lacks the literals that every match has. The first two cost a look at a table; the literals of
//! all rules of the view are looked for at once.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::regex::{ByteSet, CLAUSES};
use super::rule::{Rule, Test, ViewKey};
use crate::facts::Stage;

/// With fewer rules the automaton costs more than it saves.
const FEWEST: usize = 3;
/// Bytes of literals up to which the automaton is the faster and larger kind (about 300 bytes of memory for each).
const FAST_AUTOMATON: usize = 16_384;

// The clauses that were seen are the bits of a byte.
const _: () = assert!(CLAUSES <= 8);

/// One rule, and what a text must have for it.
#[derive(Debug)]
struct Entry {
    number: usize,
    least: usize,
    needs: Vec<ByteSet>,
    /// A bit for each of its clauses.
    clauses: u8,
}

impl Entry {
    fn fits(&self, length: usize, bytes: ByteSet) -> bool {
        length >= self.least && self.needs.iter().all(|set| set.meets(bytes))
    }
}

/// A literal of a clause of an entry.
#[derive(Clone, Copy, Debug)]
struct Owner {
    entry: usize,
    clause: u8,
}

/// What one scanner remembers of the text that it looks at; any view may use it after any other.
#[derive(Debug, Default)]
pub(super) struct Marks {
    text: u64,
    /// By entry: the text at which it was looked at last, and the clauses seen in that.
    seen: Vec<(u64, u8)>,
}

/// The rules over one view.
#[derive(Debug)]
pub(super) struct ViewRules {
    pub(super) key: ViewKey,
    /// From which stage on the view is there.
    pub(super) stage: Stage,
    /// Rules with clauses that are looked for.
    filtered: Vec<Entry>,
    /// All others.
    unfiltered: Vec<Entry>,
    /// The automaton over all literals, and for each literal those that have it.
    literals: Option<(AhoCorasick, Vec<Vec<Owner>>)>,
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
            filtered: Vec::new(),
            unfiltered: Vec::new(),
            literals: None,
            negated: Vec::new(),
            when_missing: Vec::new(),
        };
        let mut owners: BTreeMap<&[u8], Vec<Owner>> = BTreeMap::new();
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
            let mut entry = Entry { number: *number, least: pattern.least, needs: pattern.needs.clone(), clauses: 0 };
            if pattern.clauses.is_empty() {
                view.unfiltered.push(entry);
                continue;
            }
            for (index, clause) in pattern.clauses.iter().take(CLAUSES).enumerate() {
                let owner = Owner { entry: view.filtered.len(), clause: 1 << index };
                entry.clauses |= owner.clause;
                for literal in clause {
                    owners.entry(literal).or_default().push(owner);
                }
            }
            view.filtered.push(entry);
        }
        let automaton = (view.filtered.len() >= FEWEST).then(|| build(owners.keys().copied())).flatten();
        match automaton {
            Some(automaton) => view.literals = Some((automaton, owners.into_values().collect())),
            None => view.unfiltered.append(&mut view.filtered),
        }
        view
    }

    /// All its rules.
    pub(super) fn numbers(&self) -> impl Iterator<Item = usize> {
        self.filtered.iter().chain(&self.unfiltered).map(|entry| entry.number)
    }

    /// Adds to `found` each rule that may match the text, once.
    pub(super) fn candidates(&self, text: &[u8], marks: &mut Marks, found: &mut Vec<usize>) {
        let bytes = ByteSet::of_text(text);
        let fits = |entry: &&Entry| entry.fits(text.len(), bytes);
        found.extend(self.unfiltered.iter().filter(fits).map(|entry| entry.number));
        let Some((automaton, owners)) = &self.literals else { return };
        let Ok(hits) = automaton.try_find_overlapping_iter(text) else { return };
        marks.text += 1;
        if marks.seen.len() < self.filtered.len() {
            marks.seen.resize(self.filtered.len(), (0, 0));
        }
        for owner in hits.filter_map(|hit| owners.get(hit.pattern().as_usize())).flatten() {
            let Some((text_seen, clauses)) = marks.seen.get_mut(owner.entry) else { continue };
            let before = if *text_seen == marks.text { *clauses } else { 0 };
            (*text_seen, *clauses) = (marks.text, before | owner.clause);
            let Some(entry) = self.filtered.get(owner.entry) else { continue };
            if before != entry.clauses && *clauses == entry.clauses && fits(&entry) {
                found.push(entry.number);
            }
        }
    }
}

fn build<'l>(literals: impl Iterator<Item = &'l [u8]> + Clone) -> Option<AhoCorasick> {
    let bytes: usize = literals.clone().map(<[u8]>::len).sum();
    let kind = (bytes <= FAST_AUTOMATON).then_some(AhoCorasickKind::DFA);
    // Building fails only beyond the size of an automaton that our limits do not reach; then every rule is tried.
    let mut builder = AhoCorasick::builder();
    builder.ascii_case_insensitive(true).match_kind(MatchKind::Standard).kind(kind).build(literals).ok()
}
