//! The same pattern on the same text in every way that we have: all must agree. For tests and
//! fuzzing.

use super::budget::Budget;
use super::form::Form;
use super::literals::Clause;
use super::parse::{Flags, parse};
use super::pattern::{Cache, Pattern, bytes_of};
use super::{ByteSet, Skeletons, is_plain};

/// What does not agree, if anything. A pattern that does not compile must say where in its text it
/// is wrong. Where a limit is reached nothing is said.
pub fn disagreement(text_of_pattern: &str, text: &[u8]) -> Option<String> {
    let pattern = match Pattern::compile(text_of_pattern) {
        Ok(pattern) => pattern,
        Err(problem) => {
            let fits = text_of_pattern.get(problem.span.clone()).is_some();
            return (!fits).then(|| format!("{problem:?} points outside of the pattern"));
        }
    };
    let (mut cache, mut budget) = (Cache::default(), Budget::default());
    let scanned = pattern.is_match(&mut cache, &mut budget, text);
    let whole = pattern.count_whole(&mut cache, &mut budget, text, 1) > 0;
    let counted = pattern.count(&mut cache, &mut budget, text, 2) > 0;
    let asked = pattern.matches_within(&mut budget, text);
    if budget.was_reached() {
        return None;
    }
    if [whole, counted, asked] != [scanned; 3] {
        return Some(format!(
            "scanned {scanned}, whole {whole}, counted {counted}, asked {asked}"
        ));
    }
    let slowly = slowly(text_of_pattern, text).filter(|found| *found != scanned);
    if let Some(found) = slowly {
        return Some(format!("scanned {scanned}, by backtracking {found}"));
    }
    let filtered = if is_plain(text) {
        pattern
            .for_plain()
            .is_some_and(|form| may_match(form, text))
    } else {
        true
    };
    let filtered = filtered && may_match(pattern.whole(), text);
    (scanned && !filtered).then(|| "it matches a text that the filters exclude".to_owned())
}

/// By the backtracking engine alone; `None` where that gives up. Modifiers are not looked at: only
/// for patterns without.
fn slowly(text_of_pattern: &str, text: &[u8]) -> Option<bool> {
    let inside = text_of_pattern.strip_prefix('/')?.strip_suffix('/')?;
    let node = parse(&bytes_of(inside), Flags::default()).ok()?.node;
    let program = super::program::Program::new(&node).ok()?;
    let mut steps = Budget::default().for_text(text);
    let found = program.find(
        &mut super::backtrack::Machine::default(),
        &mut steps,
        text,
        0,
        None,
    );
    found.ok().map(|found| found.is_some())
}

/// What the filters of a view say of a text.
fn may_match(form: &Form, text: &[u8]) -> bool {
    let bytes = ByteSet::of_text(text);
    let mut skeleton = Vec::new();
    Skeletons::new().write(text, &mut skeleton);
    let (in_text, in_skeleton) = (has(text, &form.clauses), has(&skeleton, &form.skeleton));
    text.len() >= form.least
        && form.needs.iter().all(|set| set.meets(bytes))
        && in_text
        && in_skeleton
}

/// Whether the literals of all clauses are in a text.
fn has(text: &[u8], clauses: &[Clause]) -> bool {
    let places = |literal: &Vec<u8>| {
        text.windows(literal.len())
            .filter(|part| part.eq_ignore_ascii_case(literal))
            .count()
    };
    clauses.iter().all(|clause| {
        clause.literals.iter().map(places).sum::<usize>() >= usize::from(clause.times)
    })
}
