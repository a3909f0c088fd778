//! Lines that `gatepost learn` prints.

use serde::Serialize;

use crate::cli::arguments::Format;
use crate::cli::terminal::escaped;
use gatepost_learn::learning::{LabelEntry, Outcome};
use gatepost_words::{CivilTime, Class, MessageDigest};

/// The outcome of one message, or why it could not be learned.
pub(super) type LearnResult = Result<(MessageDigest, Outcome), String>;

/// The outcome of one message; the form of a line of `--format json`.
#[derive(Serialize)]
struct LearnLine<'a> {
    file: &'a str,
    outcome: &'static str,
    label: &'static str,
    digest: Option<String>,
    error: Option<&'a str>,
}

/// The line for one message that was to be learned as `class`.
pub(super) fn learn_line(file: &str, result: &LearnResult, class: Class, format: Format) -> String {
    match format {
        Format::Json => learn_json(file, result, class),
        Format::Text => learn_text(file, result, class),
    }
}

fn learn_json(file: &str, result: &LearnResult, class: Class) -> String {
    let (outcome, digest, error) = match result {
        Ok((digest, outcome)) => (outcome.name(), Some(digest.short()), None),
        Err(error) => ("failed", None, Some(error.as_str())),
    };
    let line = LearnLine {
        file,
        outcome,
        label: class.name(),
        digest,
        error,
    };
    serde_json::to_string(&line).unwrap_or_default()
}

fn learn_text(file: &str, result: &LearnResult, class: Class) -> String {
    let file = escaped(file);
    let (digest, outcome) = match result {
        Ok((digest, outcome)) => (digest.short(), outcome),
        Err(error) => return format!("{file}: not learned: {}", escaped(error)),
    };
    let what = match outcome {
        Outcome::Learned => format!("learned as {class}"),
        Outcome::Already => format!("already learned as {class}; nothing to do"),
        Outcome::Relearned(other) => {
            format!("learned as {class}; the label {other} was retracted")
        }
        Outcome::Unlearned => format!("the label {class} was retracted"),
        Outcome::Unknown => "no label is known; nothing to retract".to_owned(),
        Outcome::OtherLabel(other) => {
            format!("learned as {other}, not as {class}; left as it is")
        }
    };
    format!("{file}: {what}  {digest}")
}

/// One label, as a line of `--format json`.
#[derive(Serialize)]
struct EntryLine<'a> {
    sequence: u64,
    time: u64,
    label: &'static str,
    digest: String,
    source: &'a str,
    kind: &'static str,
    trust: u8,
    supersedes: Option<u64>,
    active: bool,
    /// The name of `active` in 0.1.0, kept for one release.
    in_force: bool,
}

/// The line for one label.
pub(super) fn entry_line(entry: &LabelEntry, format: Format) -> String {
    match format {
        Format::Json => entry_json(entry),
        Format::Text => entry_text(entry),
    }
}

fn entry_json(entry: &LabelEntry) -> String {
    let label = &entry.label;
    let line = EntryLine {
        sequence: entry.sequence,
        time: label.time,
        label: label.class.name(),
        digest: label.message.short(),
        source: &label.source,
        kind: label.kind.name(),
        trust: label.trust,
        supersedes: label.supersedes,
        active: entry.active,
        in_force: entry.active,
    };
    serde_json::to_string(&line).unwrap_or_default()
}

fn entry_text(entry: &LabelEntry) -> String {
    let label = &entry.label;
    let time = CivilTime::from_unix(i64::try_from(label.time).unwrap_or(i64::MAX));
    let class = label.class.name();
    let digest = label.message.short();
    let kind = label.kind.name();
    let source = escaped(&label.source);
    let state = if entry.active { "" } else { "  (retracted)" };
    format!("{time}  {class:<8}  {digest}  {kind:<12}  {source}{state}")
}

/// The line for a rollback that retracted that many labels.
pub(super) fn rollback_line(count: usize, format: Format) -> String {
    match format {
        // `taken_back` is the name of 0.1.0, kept for one release.
        Format::Json => serde_json::json!({ "retracted": count, "taken_back": count }).to_string(),
        Format::Text => format!("{count} labels retracted"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_a_line_of_its_own() {
        let digest = MessageDigest([0xab; 32]);
        let line = |outcome| {
            learn_line(
                "a\u{1b}.eml",
                &Ok((digest, outcome)),
                Class::Spam,
                Format::Text,
            )
        };
        assert_eq!(
            line(Outcome::Learned),
            format!(
                "{}: learned as spam  abababababababab",
                escaped("a\u{1b}.eml")
            )
        );
        let all = [
            Outcome::Learned,
            Outcome::Already,
            Outcome::Relearned(Class::Ham),
            Outcome::Relearned(Class::Phish),
            Outcome::Unlearned,
            Outcome::Unknown,
            Outcome::OtherLabel(Class::Ham),
        ];
        let mut lines: Vec<String> = all.map(line).into();
        let failed: LearnResult = Err("too large".to_owned());
        lines.push(learn_line("a", &failed, Class::Spam, Format::Text));
        lines.sort();
        lines.dedup();
        assert_eq!(lines.len(), 8, "{lines:?}");
        let json = learn_line("a", &failed, Class::Ham, Format::Json);
        assert!(json.contains("\"outcome\":\"failed\""));
    }
}
