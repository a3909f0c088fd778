//! The rules over one view, and what tells which of them are worth trying on a text.
//!
//! Four filters, each exact in that it drops only rules that cannot match: the text is too short,
//! it lacks a byte that every match has, it lacks the literals that every match has, or its
//! skeleton does. The first two cost a look at a table; the literals of all rules of the view are
//! looked for at once.

use std::collections::BTreeMap;

use aho_corasick::automaton::Automaton as Walk;
use aho_corasick::nfa::contiguous;
use aho_corasick::{Anchored, MatchKind, StartKind, dfa};

use super::rule::{Rule, Test};
use crate::views::key::ViewKey;
use gatepost_byte_regex::{ByteSet, CLAUSES, Clause, Form, Skeletons, is_plain};
use gatepost_words::Stage;

/// With fewer rules the automaton costs more than it saves.
const FEWEST: usize = 3;
/// Bytes of literals up to which the automaton is the faster and larger kind (about 200 bytes of
/// memory for each).
const FAST_AUTOMATON: usize = 128 << 10;
/// Bytes of a literal that are looked for: more make the automaton larger and hardly ever tell
/// more.
const LONGEST: usize = 6;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Owner {
    entry: u32,
    clause: u32,
}

/// Those that have one literal.
#[derive(Debug, Default)]
struct Owners {
    /// They need it once.
    once: Vec<Owner>,
    /// They need it, or others of its clause, several times.
    repeated: Vec<Owner>,
}

/// What one scanner remembers of the text that it looks at; any view may use it after any other.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    text: u64,
    /// By entry: the text at which it was looked at last, and what is left to be seen in that.
    seen: Vec<(u64, Left)>,
    /// By literal: the text in which it was last.
    last_seen: Vec<u64>,
    skeletons: Skeletons,
    /// The text in lower case, or its skeleton.
    changed: Vec<u8>,
}

/// The rules over one view.
#[derive(Debug)]
pub(crate) struct ViewRules {
    pub(crate) key: ViewKey,
    /// From which stage on the view is there.
    pub(crate) stage: Stage,
    /// For texts of any kind.
    whole: Filter,
    /// For plain texts, if some rule decides them in another way.
    plain: Option<Filter>,
    /// Rules with `!~`: decided when all texts were seen.
    pub(crate) negated: Vec<usize>,
    /// Rules that hit when the view has no text at all: the header is missing.
    pub(crate) when_missing: Vec<usize>,
}

impl ViewRules {
    /// Groups rules of one view.
    pub(crate) fn new(key: &ViewKey, numbers: &[usize], rules: &[Rule]) -> Self {
        let stage = if matches!(key, ViewKey::Header(_)) {
            Stage::EndOfHeaders
        } else {
            Stage::EndOfMessage
        };
        let (mut when_missing, mut all_negated) = (Vec::new(), Vec::new());
        let mut patterns = Vec::with_capacity(numbers.len());
        for number in numbers {
            let Some(Test::Pattern {
                pattern,
                negated,
                if_unset,
                ..
            }) = rules.get(*number).map(|rule| &rule.test)
            else {
                continue;
            };
            let matches_unset =
                || pattern.matches(if_unset.as_deref().unwrap_or_default().as_bytes());
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
        let whole = Filter::new(
            patterns
                .iter()
                .map(|(number, pattern)| (*number, pattern.whole())),
        );
        let for_plain = || {
            patterns
                .iter()
                .filter_map(|(number, pattern)| Some((*number, pattern.for_plain()?)))
        };
        let plain = is_split.then(|| Filter::new(for_plain()));
        Self {
            key: key.clone(),
            stage,
            whole,
            plain,
            negated: all_negated,
            when_missing,
        }
    }

    /// All its rules.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = usize> {
        self.whole.entries().map(|entry| entry.number)
    }

    /// Adds to `found` each rule that may match the text, once.
    pub(crate) fn candidates(&self, text: &[u8], marks: &mut Marks, found: &mut Vec<usize>) {
        match &self.plain {
            Some(plain) if is_plain(text) => plain.candidates(text, marks, found),
            _ => self.whole.candidates(text, marks, found),
        }
    }
}

/// What tells which rules may match a text.
#[derive(Debug)]
struct Filter {
    by_literals: Group,
    /// Rules without literals in texts, but in skeletons.
    by_skeletons: Group,
    /// All others.
    unfiltered: Vec<Entry>,
}

impl Filter {
    fn new<'f>(forms: impl Iterator<Item = (usize, &'f Form)>) -> Self {
        let (mut by_literals, mut by_skeletons) = (Gathered::default(), Gathered::default());
        let mut unfiltered = Vec::new();
        for (number, form) in forms {
            let entry = Entry {
                number,
                least: form.least,
                needs: form.needs.clone(),
                clauses: [0; CLAUSES],
            };
            match (form.clauses.as_slice(), form.skeleton.as_slice()) {
                ([], []) => unfiltered.push(entry),
                ([], skeleton) => by_skeletons.add(entry, skeleton),
                (clauses, _) => by_literals.add(entry, clauses),
            }
        }
        let (by_literals, by_skeletons) = (
            by_literals.group(&mut unfiltered),
            by_skeletons.group(&mut unfiltered),
        );
        Self {
            by_literals,
            by_skeletons,
            unfiltered,
        }
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.by_literals
            .entries
            .iter()
            .chain(&self.by_skeletons.entries)
            .chain(&self.unfiltered)
    }

    fn candidates(&self, text: &[u8], marks: &mut Marks, found: &mut Vec<usize>) {
        let bytes = ByteSet::of_text(text);
        let mut take = |entry: &Entry| {
            if entry.fits(text.len(), bytes) {
                found.push(entry.number);
            }
        };
        self.unfiltered.iter().for_each(&mut take);
        let mut changed = std::mem::take(&mut marks.changed);
        if !self.by_literals.entries.is_empty() {
            changed.clear();
            changed.extend_from_slice(text);
            changed.make_ascii_lowercase();
            self.by_literals.each(&changed, marks, &mut take);
        }
        if !self.by_skeletons.entries.is_empty() {
            marks.skeletons.write(text, &mut changed);
            self.by_skeletons.each(&changed, marks, &mut take);
        }
        marks.changed = changed;
    }
}

/// Rules with clauses that are looked for together.
#[derive(Debug, Default)]
struct Group {
    entries: Vec<Entry>,
    /// Over the literals of ASCII; over all others, which only texts that are not ASCII can have.
    /// One automaton for both would have to tell twice as many bytes apart, and be twice as
    /// large.
    automata: [Option<Automaton>; 2],
}

/// What looks for literals.
#[derive(Debug)]
struct Automaton {
    literals: Literals,
    /// By literal.
    owners: Vec<Owners>,
    /// By literal: whether it, or one inside of it, is needed several times by some rule.
    is_counted: Vec<bool>,
    /// Where its literals are among those of the group.
    first: usize,
}

impl Group {
    /// Each entry whose clauses are satisfied by the text (in lower case), once.
    fn each(&self, text: &[u8], marks: &mut Marks, take: &mut impl FnMut(&Entry)) {
        marks.text += 1;
        if marks.seen.len() < self.entries.len() {
            marks.seen.resize(self.entries.len(), (0, Left::default()));
        }
        let [ascii, wide] = &self.automata;
        let wide = wide.as_ref().filter(|_| !text.is_ascii());
        for automaton in ascii.iter().chain(wide) {
            self.run(automaton, text, marks, take);
        }
    }

    fn run(
        &self,
        automaton: &Automaton,
        text: &[u8],
        marks: &mut Marks,
        take: &mut impl FnMut(&Entry),
    ) {
        let end = automaton.first + automaton.owners.len();
        if marks.last_seen.len() < end {
            marks.last_seen.resize(end, 0);
        }
        let (seen, now) = (&mut marks.seen, marks.text);
        let Some(last_seen) = marks.last_seen.get_mut(automaton.first..) else {
            return;
        };
        let literal_stands = |literal: usize, is_longest: bool| {
            let (Some(owners), Some(last_seen)) =
                (automaton.owners.get(literal), last_seen.get_mut(literal))
            else {
                return true;
            };
            let is_first = std::mem::replace(last_seen, now) != now;
            // The longest literal that ends at a place tells which others end there.
            if is_longest
                && !is_first
                && !automaton
                    .is_counted
                    .get(literal)
                    .is_some_and(|is_counted| *is_counted)
            {
                return false;
            }
            let once = if is_first {
                owners.once.as_slice()
            } else {
                &[]
            };
            once.iter()
                .chain(&owners.repeated)
                .for_each(|owner| self.count(*owner, seen, now, take));
            true
        };
        match &automaton.literals {
            Literals::Fast(literals) => walk(literals, text, literal_stands),
            Literals::Small(literals) => walk(literals, text, literal_stands),
        }
    }

    /// Notes that a literal of an owner is in the text.
    fn count(
        &self,
        owner: Owner,
        seen: &mut [(u64, Left)],
        now: u64,
        take: &mut impl FnMut(&Entry),
    ) {
        let Some(seen) = seen.get_mut(owner.entry as usize) else {
            return;
        };
        let Some(entry) = self.entries.get(owner.entry as usize) else {
            return;
        };
        if seen.0 != now {
            *seen = (now, entry.clauses);
        }
        let Some(left) = seen
            .1
            .get_mut(owner.clause as usize)
            .filter(|left| **left > 0)
        else {
            return;
        };
        *left -= 1;
        if seen.1 == Left::default() {
            take(entry);
        }
    }
}

/// A group while it is put together.
#[derive(Default)]
struct Gathered<'f> {
    entries: Vec<Entry>,
    owners: BTreeMap<&'f [u8], Owners>,
}

impl<'f> Gathered<'f> {
    fn add(&mut self, mut entry: Entry, clauses: &'f [Clause]) {
        let at = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        for ((index, clause), left) in (0..).zip(clauses).zip(&mut entry.clauses) {
            *left = clause.times;
            let owner = Owner {
                entry: at,
                clause: index,
            };
            for literal in &clause.literals {
                let owners = self
                    .owners
                    .entry(literal.get(..LONGEST).unwrap_or(literal))
                    .or_default();
                let owners = if clause.times > 1 {
                    &mut owners.repeated
                } else {
                    &mut owners.once
                };
                // Two literals may begin alike: what is at one place counts once.
                if owners.last() != Some(&owner) {
                    owners.push(owner);
                }
            }
        }
        self.entries.push(entry);
    }

    /// The group; entries that it cannot look for are put to the others.
    fn group(mut self, others: &mut Vec<Entry>) -> Group {
        let automata = if self.entries.len() < FEWEST {
            None
        } else {
            self.automata()
        };
        let Some(automata) = automata else {
            others.append(&mut self.entries);
            return Group::default();
        };
        Group {
            entries: self.entries,
            automata,
        }
    }

    /// `None` where one cannot be built, which takes more literals than our limits let in.
    fn automata(&mut self) -> Option<[Option<Automaton>; 2]> {
        let (ascii, wide): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut self.owners)
            .into_iter()
            .partition(|(literal, _)| literal.is_ascii());
        let first = ascii.len();
        let build = |owners: BTreeMap<&[u8], Owners>, first: usize| {
            if owners.is_empty() {
                return Some(None);
            }
            let literals = Literals::new(owners.keys().copied())?;
            let repeated: Vec<bool> = owners
                .values()
                .map(|owners| !owners.repeated.is_empty())
                .collect();
            let is_repeated =
                |literal: usize| repeated.get(literal).is_some_and(|repeated| *repeated);
            let is_counted = owners
                .keys()
                .map(|literal| literals.any_in(literal, &is_repeated))
                .collect();
            Some(Some(Automaton {
                literals,
                is_counted,
                owners: owners.into_values().collect(),
                first,
            }))
        };
        Some([build(ascii, 0)?, build(wide, first)?])
    }
}

/// An automaton over literals.
#[derive(Debug)]
enum Literals {
    Fast(dfa::DFA),
    Small(contiguous::NFA),
}

/// Tells of each literal that is in the text where it ends, the longest that end at a place
/// first, and whether it is that one. With the answer `false` the others at that place are skipped.
fn walk(automaton: &impl Walk, text: &[u8], mut found: impl FnMut(usize, bool) -> bool) {
    let Ok(mut state) = automaton.start_state(Anchored::No) else {
        return;
    };
    for byte in text {
        state = automaton.next_state(Anchored::No, state, *byte);
        if automaton.is_special(state) && automaton.is_match(state) {
            for at in 0..automaton.match_len(state) {
                if !found(automaton.match_pattern(state, at).as_usize(), at == 0) {
                    break;
                }
            }
        }
    }
}

impl Literals {
    fn new<'l>(literals: impl Iterator<Item = &'l [u8]> + Clone) -> Option<Self> {
        let bytes: usize = literals.clone().map(<[u8]>::len).sum();
        // Building fails only beyond the size of an automaton that our limits do not reach; then
        // every rule is tried.
        if bytes <= FAST_AUTOMATON {
            let mut builder = dfa::Builder::new();
            builder
                .match_kind(MatchKind::Standard)
                .start_kind(StartKind::Unanchored)
                .prefilter(false);
            return builder.build(literals).ok().map(Self::Fast);
        }
        let mut builder = contiguous::Builder::new();
        builder
            .match_kind(MatchKind::Standard)
            .prefilter(false)
            .build(literals)
            .ok()
            .map(Self::Small)
    }

    /// Whether the condition holds for one of the literals that are in the text.
    fn any_in(&self, text: &[u8], condition: &impl Fn(usize) -> bool) -> bool {
        let mut holds = false;
        let each = |literal: usize, _: bool| {
            holds |= condition(literal);
            true
        };
        match self {
            Self::Fast(automaton) => walk(automaton, text, each),
            Self::Small(automaton) => walk(automaton, text, each),
        }
        holds
    }
}
