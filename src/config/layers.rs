//! Laying defaults, files and environment over one another, through the crate `config`, and knowing
//! of each value where it was set.
//!
//! A later layer wins key by key; lists, and so the list of listeners, are replaced as a whole.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use config::{Environment, FileFormat};
use serde_json::Value;

use super::document::{self, Document};
use super::keys::Key;
use super::lookup::{find, is_section};
use super::origin::Origin;
use super::renamed::{renamed, with_new_names};
use super::table::KEYS;
use super::value::{check, from_variable};
use gatepost_words::diagnostic::{Diagnostic, Source, did_you_mean};

/// The listener that there is when no file names one.
pub(super) const DEFAULT_LISTENER: &str =
    "[[listener]]\nname = \"inbound\"\nsocket = \"unix:/run/gatepost/milter.sock\"\n";
/// What every variable of ours begins with.
pub(super) const PREFIX: &str = "GATEPOST__";

/// The layers put together.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The values, as one tree.
    pub tree: Value,
    /// Where each value was set that is no default, by path with the listener's number.
    pub places: BTreeMap<String, Origin>,
    /// Keys under their old names.
    pub warnings: Vec<Diagnostic>,
}

/// The defaults as a TOML document.
pub(super) fn defaults() -> String {
    let mut text = String::new();
    for key in KEYS.iter().filter(|key| !key.path.starts_with("listener.")) {
        if let Some(default) = key.default {
            // Dotted keys: no table headers to keep in order.
            writeln!(text, "{} = {default}", key.path).unwrap_or_default();
        }
    }
    text.push_str(DEFAULT_LISTENER);
    text
}

/// Merges files (in order) and environment over the defaults.
pub(super) fn merge(
    files: &[Arc<Source>],
    environment: &BTreeMap<String, String>,
) -> Result<Merged, Vec<Diagnostic>> {
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    let mut places = BTreeMap::new();
    let mut builder =
        config::Config::builder().add_source(config::File::from_str(&defaults(), FileFormat::Toml));
    for source in files {
        let mut here = Vec::new();
        let Document { entries, old_names } = document::read(source, &mut here);
        errors.append(&mut here);
        if entries
            .iter()
            .any(|entry| entry.path.starts_with("listener."))
        {
            places.retain(|path: &String, _| !path.starts_with("listener."));
        }
        places.extend(entries.into_iter().map(|entry| (entry.path, entry.place)));
        let text = with_new_names(source, !old_names.is_empty());
        builder = builder.add_source(config::File::from_str(&text, FileFormat::Toml));
        for old in old_names {
            warnings.push(old.renamed.warning(&old.origin));
        }
    }
    let variables = variables(environment, &mut places, &mut warnings, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    builder = builder.add_source(
        Environment::with_prefix("GATEPOST")
            .prefix_separator("__")
            .separator("__")
            .source(Some(variables)),
    );
    let tree = builder
        .build()
        .and_then(config::Config::try_deserialize::<Value>);
    // Every file parsed and every value fits its key, so this would be a bug of Gatepost; it must be
    // reported all the same.
    let tree = tree.map_err(|error| {
        vec![Diagnostic::error(
            "C0102",
            format!("the layers cannot be merged: {error}"),
        )]
    })?;
    Ok(Merged {
        tree: typed(tree),
        places,
        warnings,
    })
}

/// The variables that name keys, checked.
fn variables(
    environment: &BTreeMap<String, String>,
    places: &mut BTreeMap<String, Origin>,
    warnings: &mut Vec<Diagnostic>,
    errors: &mut Vec<Diagnostic>,
) -> std::collections::HashMap<String, String> {
    let mut variables = std::collections::HashMap::new();
    for (name, text) in environment {
        let Some(rest) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let mut path = rest.to_ascii_lowercase().replace("__", ".");
        let mut name = name.clone();
        let place = Origin::Variable(Arc::new(Source::new(format!("${name}"), text.as_str())));
        if let Some(renamed) = renamed(&path).filter(|renamed| renamed.old == path) {
            renamed.new.clone_into(&mut path);
            let new = find(renamed.new)
                .and_then(Key::variable)
                .unwrap_or_default();
            if environment.contains_key(&new) {
                errors.push(renamed.both(&place));
                continue;
            }
            name = new;
            warnings.push(renamed.warning(&place));
        }
        match find(&path).filter(|_| !path.starts_with("listener.")) {
            None => errors.push(unknown_variable(&name, &path, &place)),
            Some(key) => match check(key.kind, &from_variable(key.kind, text)) {
                Ok(()) => {
                    places.insert(path, place);
                    variables.insert(name, text.clone());
                }
                Err(problem) => {
                    errors.push(document::invalid_value(&path, key.kind, &problem, &place));
                }
            },
        }
    }
    variables
}

fn unknown_variable(name: &str, path: &str, place: &Origin) -> Diagnostic {
    let diagnostic = place.mark(
        Diagnostic::error(
            "C0107",
            format!("the environment variable {name} sets no key"),
        ),
        "",
    );
    if path == "listener" || path.starts_with("listener.") {
        return diagnostic.help("listeners are set in a file only");
    }
    if is_section(path) {
        return diagnostic.help(format!("[{path}] is a section; name a key in it"));
    }
    match did_you_mean(path, KEYS.iter().map(|key| key.path))
        .and_then(find)
        .and_then(Key::variable)
    {
        Some(meant) => diagnostic.help(format!("did you mean {meant}?")),
        None => diagnostic,
    }
}

/// Values from the environment came as text: gives them the type of their key.
fn typed(mut tree: Value) -> Value {
    for key in KEYS.iter().filter(|key| !key.path.starts_with("listener.")) {
        let pointer = format!("/{}", key.path.replace('.', "/"));
        if let Some(value) = tree.pointer_mut(&pointer)
            && let Value::String(text) = value
        {
            *value = from_variable(key.kind, text);
        }
    }
    for listener in tree
        .pointer_mut("/listener")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        // A table header with nothing below it sets nothing.
        for (parent, name) in [("/policy", "refuse"), ("/policy", "defer"), ("", "policy")] {
            let parent = listener.pointer_mut(parent).and_then(Value::as_object_mut);
            if let Some(parent) =
                parent.filter(|parent| parent.get(name).is_some_and(is_empty_table))
            {
                parent.remove(name);
            }
        }
    }
    tree
}

fn is_empty_table(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
}
