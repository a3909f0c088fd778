//! `gatepost explain WHAT`: a verdict id, a rule, an error code, a configuration key.

use serde_json::Value;

use super::Exit;
use super::failure::Failure;
use super::loading::load;
use super::terminal::{Output, escaped};
use crate::config::{self, Loaded, Paths};
use crate::daemon::{compile, configured_rules};
use gatepost_words::diagnostic::{Code, did_you_mean, explain_code};

/// Tells what it is, why, and what to do. Tries in turn what can be told without any file, then
/// rules, then records.
pub(super) fn explain(paths: &Paths, what: &str) -> Result<Exit, Failure> {
    let text = match (explain_code(what), config::explain(what)) {
        (Some(code), _) => explain_entry(code),
        (None, Some(text)) => text,
        (None, None) => with_files(&load(paths)?, what)?,
    };
    let mut out = Output::new();
    out.text(&text)?;
    out.finish()?;
    Ok(Exit::Done)
}

fn explain_entry(code: &Code) -> String {
    format!(
        "{}: {}\n\n{}\n",
        code.code,
        code.title,
        wrapped(code.explanation)
    )
}

fn with_files(loaded: &Loaded, what: &str) -> Result<String, Failure> {
    let (ruleset, _) =
        configured_rules(&loaded.config.rules).and_then(|sources| compile(&sources))?;
    if let Some(text) = super::rules::explain(&ruleset, what) {
        return Ok(text);
    }
    let mut looked = "; records are off (`records.path`)".to_owned();
    if let Some(path) = loaded
        .config
        .records
        .path
        .as_deref()
        .filter(|_| is_id(what))
    {
        let id = what.to_ascii_lowercase();
        match gatepost_telemetry::find(path, &id) {
            Ok(Some(record)) => return Ok(verdict(&record)),
            Ok(None) => looked = format!("; no such verdict in {}", path.display()),
            Err(error) => looked = format!("; cannot read {}: {error}", path.display()),
        }
    } else if !is_id(what) {
        looked.clear();
    }
    let rules = ruleset.rules();
    let names = config::KEYS
        .iter()
        .map(|key| key.path)
        .chain(rules.iter().map(|rule| &**rule.name()));
    let meant = did_you_mean(what, names)
        .map(|name| format!("; did you mean `{name}`?"))
        .unwrap_or_default();
    let message = format!(
        "`{what}` is no verdict id, rule, error code or configuration key that I know{looked}{meant}"
    );
    Err(Failure::new(Exit::Unavailable, message))
}

/// The form of a verdict id: 13 characters of Crockford's base 32.
fn is_id(what: &str) -> bool {
    what.len() == 13 && what.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A record, as people read it.
fn verdict(record: &Value) -> String {
    let text = |pointer: &str| match record.pointer(pointer) {
        Some(Value::String(text)) => escaped(text),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    };
    let mut lines = Vec::new();
    let head = match record.get("fault") {
        Some(_) => format!(
            "could not be judged: {} ({})",
            text("/fault"),
            text("/action")
        ),
        None => format!(
            "{}  {} of {}",
            text("/verdict"),
            text("/score"),
            text("/required")
        ),
    };
    lines.push(format!(
        "{head}    id {}    generation {}",
        text("/id"),
        text("/generation")
    ));
    for hit in record
        .get("hits")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let part = |name: &str| {
            hit.get(name)
                .and_then(Value::as_str)
                .map(escaped)
                .unwrap_or_default()
        };
        let score = hit.get("score").and_then(Value::as_f64).unwrap_or_default();
        lines.push(
            format!("  {score:>+7.3}  {}  {}", part("rule"), part("description"))
                .trim_end()
                .to_owned(),
        );
    }
    if record.get("model").is_some() {
        let score = record
            .pointer("/model/score")
            .and_then(Value::as_f64)
            .unwrap_or_default();
        let probability = record
            .pointer("/model/probability")
            .and_then(Value::as_f64)
            .unwrap_or_default();
        lines.push(format!(
            "  {score:>+7.3}  classifier: probability {probability:.4}, model {}",
            text("/model/id")
        ));
    }
    if record.get("refused").is_some() {
        lines.push(format!(
            "  refused by policy.refuse.{}: {}",
            text("/refused/list"),
            text("/refused/entry")
        ));
    }
    if record.get("beyond_limits").is_some() {
        lines.push(format!(
            "  beyond the limits of reading: {}",
            text("/beyond_limits")
        ));
    }
    let list = |name: &str| {
        let entries = record
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let entries: Vec<String> = entries.filter_map(Value::as_str).map(escaped).collect();
        if entries.is_empty() {
            "none".to_owned()
        } else {
            entries.join(", ")
        }
    };
    lines.push(format!("  anomalies   {}", list("anomalies")));
    lines.push(format!(
        "  queue id    {}   listener {}   stage {}",
        text("/queue_id"),
        text("/listener"),
        text("/stage")
    ));
    lines.push(format!(
        "  client      {}[{}]   helo {}",
        text("/client/host"),
        text("/client/address"),
        text("/helo")
    ));
    lines.push(format!("  from        {}", text("/from")));
    lines.push(format!("  to          {}", list("recipients")));
    lines.push(format!(
        "  size        {} bytes, judged in {} us",
        text("/size"),
        text("/elapsed_us")
    ));
    lines.join("\n") + "\n"
}

fn wrapped(paragraph: &str) -> String {
    let mut text = String::new();
    let mut width = 0;
    for word in paragraph.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > 80 {
            text.push('\n');
            width = 0;
        } else if width > 0 {
            text.push(' ');
            width += 1;
        }
        text.push_str(word);
        width += length;
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{is_id, verdict, wrapped};

    #[test]
    fn a_record_is_shown_without_control_characters() {
        let text = verdict(&json!({
            "id": "0123456789abc", "verdict": "reject", "score": 15.5, "required": 5.0, "generation": "g",
            "hits": [{ "rule": "A", "score": 15.5, "description": "x\u{1b}[2J" }],
            "from": "<a@example.net>\n", "recipients": ["b@example.com"], "anomalies": [],
        }));
        assert!(
            text.starts_with("reject  15.5 of 5.0    id 0123456789abc    generation g\n"),
            "{text}"
        );
        assert!(text.contains("+15.500  A  x"), "{text}");
        assert!(
            !text.contains('\u{1b}') && text.contains("from        <a@example.net> \n"),
            "{text}"
        );
    }

    #[test]
    fn ids_and_lines() {
        assert!(is_id("0123456789abc") && !is_id("limits.message") && !is_id("0123456789ab"));
        assert!(
            wrapped(&"word ".repeat(100))
                .lines()
                .all(|line| line.len() <= 80)
        );
    }
}
