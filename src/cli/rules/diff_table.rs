//! What changes, for people and as JSON lines.

use serde_json::{Value, json};

use super::diff::{Change, Changes, Example};
use super::judge::Set;
use super::label::Label;
use super::tally::ByLabel;
use crate::cli::arguments::Format;
use crate::cli::failure::Failure;
use crate::cli::terminal::{Output, escaped};
use gatepost_words::verdict::RuleName;

/// Prints it.
pub(super) fn print(
    changes: &Changes,
    sets: &[Set; 2],
    skipped: usize,
    format: Format,
    out: &mut Output,
) -> Result<(), Failure> {
    let rows = rows(changes, sets);
    match format {
        Format::Text => text(changes, &rows, skipped)
            .iter()
            .try_for_each(|line| out.line(line)),
        Format::Json => lines(changes, &rows, skipped)
            .iter()
            .try_for_each(|line| out.line(line)),
    }
}

/// A rule whose hits or points changed.
struct Row<'a> {
    name: &'a RuleName,
    change: &'a Change,
    /// Its points in each set; none where it is not in there, or is off.
    scores: [Option<f64>; 2],
}

fn sum(counts: &ByLabel) -> usize {
    counts.iter().sum()
}

/// Most changes first.
fn rows<'a>(changes: &'a Changes, sets: &[Set; 2]) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'_>> = changes
        .rules
        .iter()
        .map(|(name, change)| {
            let scores = sets.each_ref().map(|set| {
                let rule = set.get(name).filter(|rule| rule.disabled().is_none());
                rule.map(|rule| rule.score().points())
            });
            Row {
                name,
                change,
                scores,
            }
        })
        .filter(|row| {
            sum(&row.change.gained) + sum(&row.change.lost) > 0 || row.scores[0] != row.scores[1]
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(sum(&row.change.gained) + sum(&row.change.lost)));
    rows
}

fn words(counts: &ByLabel) -> String {
    let words = counts
        .iter()
        .zip(Label::ALL)
        .filter(|(count, _)| **count > 0);
    let words: Vec<String> = words
        .map(|(count, label)| format!("{count} {}", label.name()))
        .collect();
    if words.is_empty() {
        "0".to_owned()
    } else {
        words.join(", ")
    }
}

fn shown(example: &Example) -> String {
    let [before, now] = example.scores;
    format!(
        "      {}  ({}, {before} -> {now})",
        escaped(&example.name),
        example.label.name()
    )
}

fn text(changes: &Changes, rows: &[Row<'_>], skipped: usize) -> Vec<String> {
    let skipped = if skipped > 0 {
        format!("; {skipped} skipped")
    } else {
        String::new()
    };
    let (all, differ) = (sum(&changes.messages), sum(&changes.differ));
    let which = if differ > 0 {
        format!(" ({})", words(&changes.differ))
    } else {
        String::new()
    };
    let mut lines = vec![format!(
        "{all} messages: {}{skipped}; {differ} differ{which}",
        words(&changes.messages)
    )];
    if !changes.moves.is_empty() {
        lines.push(String::new());
        lines.push("verdicts by rules alone".to_owned());
    }
    for ([before, now], moved) in &changes.moves {
        lines.push(format!(
            "  {} -> {}: {}",
            before.name(),
            now.name(),
            words(&moved.messages)
        ));
        lines.extend(moved.examples.iter().map(shown));
    }
    if !rows.is_empty() {
        lines.push(String::new());
        lines.push("rules".to_owned());
    }
    for row in rows {
        let points = |score: Option<f64>| {
            score.map_or_else(|| "-".to_owned(), |score| format!("{score:+.3}"))
        };
        let scores = match row.scores {
            [before, now] if before != now => {
                format!("  points {} -> {}", points(before), points(now))
            }
            _ => String::new(),
        };
        let change = row.change;
        let mut parts = Vec::new();
        for (what, counts) in [
            ("gains", &change.gained),
            ("loses", &change.lost),
            ("keeps", &change.kept),
        ] {
            if sum(counts) > 0 {
                parts.push(format!("{what} {}", words(counts)));
            }
        }
        lines.push(format!(
            "  {}  {}{scores}",
            escaped(row.name),
            parts.join("; ")
        ));
        lines.extend(change.examples.iter().map(shown));
    }
    lines
}

/// One line on the messages, then one for each change of verdict, then one for each rule.
fn lines(changes: &Changes, rows: &[Row<'_>], skipped: usize) -> Vec<Value> {
    let by_label = |counts: &ByLabel| {
        let [spam, ham, unlabelled] = counts;
        json!({ "spam": spam, "ham": ham, "unlabelled": unlabelled })
    };
    let examples = |examples: &[Example]| {
        let shown = examples.iter().map(|example| {
            let scores = example.scores.map(gatepost_words::verdict::Score::points);
            json!({ "file": example.name, "label": example.label.name(), "scores": scores })
        });
        Value::Array(shown.collect())
    };
    let mut lines = vec![json!({
        "messages": by_label(&changes.messages), "differ": by_label(&changes.differ), "skipped": skipped,
    })];
    lines.extend(changes.moves.iter().map(|([before, now], moved)| {
        json!({
            "verdict": [before.name(), now.name()], "messages": by_label(&moved.messages),
            "examples": examples(&moved.examples),
        })
    }));
    lines.extend(rows.iter().map(|row| {
        json!({
            "rule": &**row.name, "scores": row.scores, "gained": by_label(&row.change.gained),
            "lost": by_label(&row.change.lost), "kept": by_label(&row.change.kept),
            "examples": examples(&row.change.examples),
        })
    }));
    lines
}
