//! `gatepost explain WHAT`: a rule, an error code, a configuration key, or the id of a message.

use super::Exit;
use super::failure::Failure;
use super::loading::load;
use super::record_text::record_text;
use super::terminal::Output;
use crate::config::{self, Loaded, Paths};
use crate::daemon::{compile, configured_rules};
use gatepost_words::diagnostic::{Code, did_you_mean, explain_code};

/// Prints what it is, why, and what to do. Tries what needs no file first, then rules, then
/// records.
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
    let looked = match &loaded.config.records.path {
        None => "records are off (`records.path`)".to_owned(),
        Some(path) => match gatepost_records::find(path, what) {
            Ok(Some(record)) => return Ok(record_text(&record)),
            Ok(None) => format!("no such record in {}", path.display()),
            Err(error) => format!("cannot read {}: {error}", path.display()),
        },
    };
    let rules = ruleset.rules();
    let names = config::KEYS
        .iter()
        .map(|key| key.path)
        .chain(rules.iter().map(|rule| &**rule.name()));
    let meant = did_you_mean(what, names)
        .map(|name| format!("; did you mean `{name}`?"))
        .unwrap_or_default();
    let message = format!(
        "`{what}` is not a rule, error code, configuration key, verdict id, queue id or \
         Message-ID: {looked}{meant}"
    );
    Err(Failure::new(Exit::Unavailable, message))
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
    use super::wrapped;

    #[test]
    fn lines_are_wrapped() {
        assert!(
            wrapped(&"word ".repeat(100))
                .lines()
                .all(|line| line.len() <= 80)
        );
    }
}
