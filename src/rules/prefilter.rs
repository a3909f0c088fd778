//! The rules over one view, and what tells which of them are worth trying on a text.
//!
//! Three filters, each exact in that it drops only rules that cannot match: the text is too short, it lacks a byte that
//! every match has, or it lacks the literals that every match has. The first two cost a look at a table; the literals of
//! all rules of the view are looked for at once.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::regex::{ByteSet, CLAUSES, Form, is_plain};
use super::rule::{Rule, Test, ViewKey};
use crate::facts::Stage;

/// With fewer rules the automaton costs more than it saves.
const FEWEST: usize = 3;
/// Bytes of literals up to which the automaton is the faster and larger kind (about 300 bytes of memory for each).
const FAST_AUTOMATON: usize = 16_384;

/// How many places with a literal of each clause are still to be seen.
type Left = [u8; CLAUSES];

/// One rule, and what a text must have for it.
#[derive(Debug)]
struct Entry {
    number: usize,
    least: usize,
    needs: Vec<ByteSet>,
    clauses: Left,
}

impl Entry {
    fn fits(&self, length: usize, bytes: ByteSet) -> bool {
        length >= self.least && self.needs.iter().all(|set| set.meets(bytes))
    }
}

/// A literal of a clause of an entry.
#[derive(Clone, Copy, Debug)]
struct Owner {
    entry: u32,
    clause: u32,
}

/// What one scanner remembers of the text that it looks at; any view may use it after any other.
#[derive(Debug, Default)]
pub(super) struct Marks {
    text: u64,
    /// By entry: the text at which it was looked at last, and what is left to be seen in that.
    seen: Vec<(u64, Left)>,
}

/// The rules over one view.
#[derive(Debug)]
pub(super) struct ViewRules {
    pub(super) key: ViewKey,
    /// From which stage on the view is there.
    pub(super) stage: Stage,
    /// For texts of any kind.
    whole: Filter,
    /// For plain texts, if some rule decides them in another way.
    plain: Option<Filter>,
    /// Rules with `!~`: decided when all texts were seen.
    pub(super) negated: Vec<usize>,
    /// Rules that hit when the view has no text at all: the header is missing.
    pub(super) when_missing: Vec<usize>,
}

impl ViewRules {
    /// Groups rules of one view.
    pub(super) fn new(key: &ViewKey, numbers: &[usize], rules: &[Rule]) -> Self {
        let stage = if matches!(key, ViewKey::Header(_)) { Stage::EndOfHeaders } else { Stage::EndOfMessage };
        let (mut when_missing, mut all_negated) = (Vec::new(), Vec::new());
        let mut patterns = Vec::with_capacity(numbers.len());
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
                when_missing.push(*number);
            }
            if *negated {
                all_negated.push(*number);
            }
            patterns.push((*number, &**pattern));
        }
        let is_split = patterns.iter().any(|(_, pattern)| pattern.is_split());
        let whole = Filter::new(patterns.iter().map(|(number, pattern)| (*number, pattern.whole())));
        let for_plain = || patterns.iter().filter_map(|(number, pattern)| Some((*number, pattern.for_plain()?)));
        let plain = is_split.then(|| Filter::new(for_plain()));
        Self { key: key.clone(), stage, whole, plain, negated: all_negated, when_missing }
    }

    /// All its rules.
    pub(super) fn numbers(&self) -> impl Iterator<Item = usize> {
        self.whole.filtered.iter().chain(&self.whole.unfiltered).map(|entry| entry.number)
    }

    /// Adds to `found` each rule that may match the text, once.
    pub(super) fn candidates(&self, text: &[u8], marks: &mut Marks, found: &mut Vec<usize>) {
        match &self.plain {
            Some(plain) if is_plain(text) => plain.candidates(text, marks, found),
            _ => self.whole.candidates(text, marks, found),
        }
    }
}

/// What tells which rules may match a text.
#[derive(Debug)]
struct Filter {
    /// Rules with clauses that are looked for.
    filtered: Vec<Entry>,
    /// All others.
    unfiltered: Vec<Entry>,
    /// The automaton over all literals, and for each literal those that have it.
    literals: Option<(AhoCorasick, Vec<Vec<Owner>>)>,
}

impl Filter {
    fn new<'f>(forms: impl Iterator<Item = (usize, &'f Form)>) -> Self {
        let mut filter = Self { filtered: Vec::new(), unfiltered: Vec::new(), literals: None };
        let mut owners: BTreeMap<&[u8], Vec<Owner>> = BTreeMap::new();
        for (number, form) in forms {
            let mut entry = Entry { number, least: form.least, needs: form.needs.clone(), clauses: [0; CLAUSES] };
            if form.clauses.is_empty() {
                filter.unfiltered.push(entry);
                continue;
            }
            let at = u32::try_from(filter.filtered.len()).unwrap_or(u32::MAX);
            for ((index, clause), left) in (0..).zip(&form.clauses).zip(&mut entry.clauses) {
                *left = clause.times;
                for literal in &clause.literals {
                    owners.entry(literal).or_default().push(Owner { entry: at, clause: index });
                }
            }
            filter.filtered.push(entry);
        }
        let automaton = (filter.filtered.len() >= FEWEST).then(|| build(owners.keys().copied())).flatten();
        match automaton {
            Some(automaton) => filter.literals = Some((automaton, owners.into_values().collect())),
            None => filter.unfiltered.append(&mut filter.filtered),
        }
        filter
    }

    fn candidates(&self, text: &[u8], marks: &mut Marks, found: &mut Vec<usize>) {
        let bytes = ByteSet::of_text(text);
        let fits = |entry: &&Entry| entry.fits(text.len(), bytes);
        found.extend(self.unfiltered.iter().filter(fits).map(|entry| entry.number));
        let Some((automaton, owners)) = &self.literals else { return };
        let Ok(hits) = automaton.try_find_overlapping_iter(text) else { return };
        marks.text += 1;
        if marks.seen.len() < self.filtered.len() {
            marks.seen.resize(self.filtered.len(), (0, Left::default()));
        }
        for owner in hits.filter_map(|hit| owners.get(hit.pattern().as_usize())).flatten() {
            let Some(seen) = marks.seen.get_mut(owner.entry as usize) else { continue };
            let Some(entry) = self.filtered.get(owner.entry as usize) else { continue };
            if seen.0 != marks.text {
                *seen = (marks.text, entry.clauses);
            }
            let Some(left) = seen.1.get_mut(owner.clause as usize).filter(|left| **left > 0) else { continue };
            *left -= 1;
            if seen.1 == Left::default() && fits(&entry) {
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
