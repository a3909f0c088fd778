//! Projections of the table of keys: sample file, manual, schema, `explain KEY`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::keys::{Applies, Key, Kind};
use super::layers::DEFAULT_LISTENER;
use super::lookup::find;
use super::table::KEYS;

/// Width of the comments in the sample file.
const WIDTH: usize = 100;

/// The sample configuration: every key with its default, commented out, so that an unchanged copy
/// changes nothing.
pub fn sample() -> String {
    let mut text = String::from(
        "# Gatepost's configuration: /etc/gatepost/gatepost.toml\n\
         #\n\
         # Every key is shown with its default, commented out. Files conf.d/*.toml next to this one are read after it, in\n\
         # name order; environment variables such as GATEPOST__POLICY__REQUIRED=6.0 come last. Later values win.\n\
         # `gatepost check` tests the result, `gatepost config show --changed` prints what differs from the defaults.\n",
    );
    let mut section = "";
    for key in KEYS {
        if key.section() != section {
            section = key.section();
            let header = if section == "listener" {
                "[[listener]]".to_owned()
            } else {
                format!("[{section}]")
            };
            writeln!(text, "\n#{}\n#{header}", "-".repeat(WIDTH - 1)).unwrap_or_default();
        }
        text.push('\n');
        for line in wrap(key.doc, WIDTH - 2) {
            writeln!(text, "# {line}").unwrap_or_default();
        }
        let default = match (key.default, key.path) {
            (Some(default), _) => default.to_owned(),
            (None, path) => default_of_listener(path),
        };
        if key.applies == Applies::Restart {
            text.push_str("# A change needs a restart.\n");
        }
        writeln!(text, "#{} = {default}", key.name()).unwrap_or_default();
    }
    text
}

/// The value in the default listener of a key that has no default of its own.
fn default_of_listener(path: &str) -> String {
    let name = path.rsplit('.').next().unwrap_or_default();
    let line = DEFAULT_LISTENER
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
    line.unwrap_or("\"\"").to_owned()
}

/// The section of the manual on the keys, in Markdown.
pub fn manual() -> String {
    let mut text = String::new();
    let mut section = "";
    for key in KEYS {
        if key.section() != section {
            section = key.section();
            writeln!(text, "## [{section}]\n").unwrap_or_default();
        }
        writeln!(
            text,
            "### {}\n\n{}\n\nValue: {}. Default: {}. Takes effect: {}. Since {}.\n",
            key.path,
            key.doc,
            key.kind.describe(),
            key.default
                .map_or("none, has to be given".to_owned(), |default| format!(
                    "`{default}`"
                )),
            key.applies.name(),
            key.since
        )
        .unwrap_or_default();
    }
    text
}

/// `explain KEY`: what it is, what it may be, what it is by default.
pub fn explain(path: &str) -> Option<String> {
    let key = find(path)?;
    let mut text = format!("{path}\n\n");
    for line in wrap(key.doc, 78) {
        writeln!(text, "  {line}").unwrap_or_default();
    }
    let example = key.example;
    writeln!(text, "\n  value    {}", key.kind.describe()).unwrap_or_default();
    writeln!(
        text,
        "  default  {}",
        key.default.unwrap_or("none, has to be given")
    )
    .unwrap_or_default();
    writeln!(text, "  example  {} = {example}", key.name()).unwrap_or_default();
    if let Some(variable) = key.variable().filter(|_| path == key.path) {
        writeln!(text, "  from environment  {variable}").unwrap_or_default();
    }
    writeln!(text, "  applies  at a {}", key.applies.name()).unwrap_or_default();
    writeln!(text, "  since    {}", key.since).unwrap_or_default();
    Some(text)
}

/// The JSON schema of the configuration file, for editors.
pub fn schema() -> Value {
    let mut root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Gatepost's configuration",
        "type": "object",
        "additionalProperties": false,
        "properties": {},
    });
    for key in KEYS {
        insert(&mut root, key.path, &property(key));
    }
    // A listener may have the keys of [policy] as its own.
    let policy = root.pointer("/properties/policy").cloned();
    let listener = root
        .pointer_mut("/properties/listener/properties")
        .and_then(Value::as_object_mut);
    if let (Some(policy), Some(listener)) = (policy, listener) {
        listener.insert("policy".to_owned(), policy);
    }
    if let Some(listener) = root.pointer_mut("/properties/listener") {
        let items = listener.take();
        *listener = json!({ "type": "array", "minItems": 1, "items": items });
    }
    root
}

fn insert(root: &mut Value, path: &str, property: &Value) {
    let mut here = root;
    let mut parts = path.split('.').peekable();
    while let Some(part) = parts.next() {
        let Some(properties) = here
            .pointer_mut("/properties")
            .and_then(Value::as_object_mut)
        else {
            return;
        };
        let last = parts.peek().is_none();
        here = properties.entry(part).or_insert_with(|| {
            if last {
                property.clone()
            } else {
                json!({ "type": "object", "additionalProperties": false, "properties": {} })
            }
        });
    }
}

fn property(key: &Key) -> Value {
    let mut property = match key.kind {
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Integer(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Points(min, max) => json!({ "type": "number", "minimum": min, "maximum": max }),
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::List | Kind::Servers => {
            json!({ "type": "array", "items": { "type": "string", "minLength": 1 } })
        }
        Kind::Size(min, max) => json!({ "anyOf": [
            { "type": "integer", "minimum": min, "maximum": max },
            { "type": "string", "pattern": "^[0-9]+ ?(B|KiB|MiB|GiB)?$" },
        ] }),
        Kind::Duration(..) => json!({ "type": "string", "pattern": "^[0-9]+ ?(ms|s|m|h)$" }),
        Kind::Name => json!({ "type": "string", "pattern": "^[a-z0-9_-]{1,32}$" }),
        Kind::Socket => json!({ "type": "string", "pattern": "^(unix|local|inet|inet6):" }),
        Kind::Mode => json!({ "type": "string", "pattern": "^0?[0-7]{3}$" }),
        Kind::Text | Kind::Path => json!({ "type": "string" }),
    };
    if let Some(property) = property.as_object_mut() {
        property.insert("description".to_owned(), Value::from(key.doc));
    }
    property
}

/// Breaks a paragraph into lines of at most `width` characters.
pub(super) fn wrap(paragraph: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in paragraph.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::config::Config;
    use gatepost_words::diagnostic::Source;

    #[test]
    fn the_sample_changes_nothing_and_its_lines_are_all_valid() {
        let load = |text: String| {
            Config::from_sources(vec![Arc::new(Source::new("s", text))], &BTreeMap::new())
        };
        let plain = load(String::new()).unwrap();
        let sample = sample();
        assert_eq!(load(sample.clone()).unwrap().merged.tree, plain.merged.tree);
        let uncommented: String = sample
            .lines()
            .map(|line| {
                line.strip_prefix('#')
                    .filter(|rest| !rest.starts_with([' ', '-', '#']))
                    .unwrap_or("")
            })
            .fold(String::new(), |text, line| text + line + "\n");
        let loaded = load(uncommented).unwrap();
        assert_eq!(loaded.config.policy, plain.config.policy);
        assert_eq!(
            loaded.config.listeners[0].socket,
            plain.config.listeners[0].socket
        );
        for key in KEYS {
            assert!(
                sample.contains(&format!("#{} = ", key.name())),
                "{}",
                key.path
            );
            assert!(manual().contains(key.path) && explain(key.path).is_some());
        }
    }

    #[test]
    fn the_schema_has_every_key() {
        let schema = schema();
        for key in KEYS {
            let path = key
                .path
                .replace("listener.", "listener.items.")
                .replace(".items.", "/items/properties/");
            let path = match path.split_once('/') {
                Some((_, rest)) => format!("/properties/listener/{rest}"),
                None => format!("/properties/{}", path.replace('.', "/properties/")),
            };
            assert!(schema.pointer(&path).is_some(), "{path}");
        }
        assert!(
            schema
                .pointer("/properties/listener/items/properties/policy/properties/required")
                .is_some()
        );
    }

    #[test]
    fn lines_are_wrapped_at_the_width() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("aa bb cc", 4), ["aa", "bb", "cc"]);
        assert_eq!(wrap("", 4), Vec::<String>::new());
    }
}
