//! How a set of messages does, for people and as JSON lines.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::expectations::Expectation;
use super::judge::Set;
use super::messages::{Comparison, Difference};
use crate::cli::arguments::Format;
use crate::cli::failure::Failure;
use crate::cli::terminal::{Output, escaped};
use gatepost_words::percent;

/// Prints it.
pub(super) fn print(
    comparison: &Comparison,
    set: &Set,
    expected: &[Expectation],
    format: Format,
    out: &mut Output,
) -> Result<(), Failure> {
    match format {
        Format::Text => text(comparison, set, expected)
            .iter()
            .try_for_each(|line| out.line(line)),
        Format::Json => lines(comparison, set, expected)
            .iter()
            .try_for_each(|line| out.line(line)),
    }
}

/// The kind of a rule; of eval rules with that word.
fn kind(set: &Set, name: &str) -> String {
    match set.get(name) {
        None => "not there".to_owned(),
        Some(rule) if rule.definition().starts_with("eval:") => {
            format!("{} eval", rule.kind().name())
        }
        Some(rule) => rule.kind().name().to_owned(),
    }
}

/// The sums over the rules of each kind, and over all.
fn kinds(comparison: &Comparison, set: &Set) -> (BTreeMap<String, Difference>, Difference) {
    let mut kinds: BTreeMap<String, Difference> = BTreeMap::new();
    let mut all = Difference::default();
    for (name, difference) in &comparison.rules {
        for sum in [kinds.entry(kind(set, name)).or_default(), &mut all] {
            sum.expected += difference.expected;
            sum.missing += difference.missing;
            sum.extra += difference.extra;
            sum.score += difference.score;
        }
    }
    (kinds, all)
}

/// The rules that differ, worst first.
fn worst(comparison: &Comparison) -> Vec<(&str, &Difference)> {
    let weight = |difference: &Difference| difference.missing + difference.extra + difference.score;
    let rules = comparison
        .rules
        .iter()
        .map(|(name, difference)| (name.as_str(), difference));
    let mut rules: Vec<_> = rules
        .filter(|(_, difference)| weight(difference) > 0)
        .collect();
    rules.sort_by_key(|(_, difference)| std::cmp::Reverse(weight(difference)));
    rules
}

fn first<'e>(difference: &Difference, expected: &'e [Expectation]) -> Option<&'e str> {
    difference
        .first
        .and_then(|number| expected.get(number))
        .map(|expectation| expectation.path.as_str())
}

fn text(comparison: &Comparison, set: &Set, expected: &[Expectation]) -> Vec<String> {
    let (kinds, all) = kinds(comparison, set);
    let row = |name: &str, sum: &Difference| {
        format!(
            "  {name:<16} {:>9} {:>9} {:>9} {:>9}",
            sum.expected, sum.missing, sum.extra, sum.score
        )
    };
    let mut lines = vec![
        format!(
            "{} of {} messages compared, {} identical ({:.2} %)",
            comparison.compared,
            expected.len(),
            comparison.identical,
            percent::of(comparison.identical, expected.len())
        ),
        format!(
            "{} hits expected, {} missing, {} extra, {} with other points ({:.3} % as expected)",
            all.expected,
            all.missing,
            all.extra,
            all.score,
            percent::of(
                all.expected - all.missing - all.score,
                all.expected + all.extra
            )
        ),
        String::new(),
        format!(
            "  {:<16} {:>9} {:>9} {:>9} {:>9}",
            "kind of rule", "expected", "missing", "extra", "points"
        ),
    ];
    lines.extend(kinds.iter().map(|(kind, sum)| row(kind, sum)));
    let worst = worst(comparison);
    if !worst.is_empty() {
        lines.push(String::new());
        lines.push(format!(
            "  {:>9} {:>9} {:>9}  rule",
            "missing", "extra", "points"
        ));
    }
    for (name, difference) in worst {
        let off = set
            .get(name)
            .and_then(|rule| rule.disabled())
            .map(|why| format!("; disabled: {}", escaped(why)));
        let example = first(difference, expected).map(escaped).unwrap_or_default();
        lines.push(format!(
            "  {:>9} {:>9} {:>9}  {} ({}{})  {example}",
            difference.missing,
            difference.extra,
            difference.score,
            escaped(name),
            kind(set, name),
            off.unwrap_or_default()
        ));
    }
    lines
}

/// One line on the set, then one for each kind of rule, then one for each rule that differs.
fn lines(comparison: &Comparison, set: &Set, expected: &[Expectation]) -> Vec<Value> {
    let (kinds, all) = kinds(comparison, set);
    let counts = |sum: &Difference| json!({ "expected": sum.expected, "missing": sum.missing, "extra": sum.extra, "points": sum.score });
    let mut lines = vec![json!({
        "messages": expected.len(), "compared": comparison.compared, "identical": comparison.identical,
        "identical_percent": percent::of(comparison.identical, expected.len()), "hits": counts(&all),
    })];
    lines.extend(
        kinds
            .iter()
            .map(|(kind, sum)| json!({ "kind": kind, "hits": counts(sum) })),
    );
    lines.extend(worst(comparison).into_iter().map(|(name, difference)| {
        json!({
            "rule": name, "kind": kind(set, name), "hits": counts(difference), "example": first(difference, expected),
            "disabled": set.get(name).and_then(|rule| rule.disabled()),
        })
    }));
    lines
}
