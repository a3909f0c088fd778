//! One configuration file: its keys and values with their places, checked against the table of
//! keys.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::keys::Kind;
use super::lookup::{find, is_section, names_in};
use super::origin::Origin;
use super::renamed::{Renamed, renamed};
use super::value::{Problem, check};
use gatepost_words::diagnostic::{Diagnostic, Source, did_you_mean};

/// How deep tables may nest; deeper ones name no key anyway.
const DEPTH_MAX: usize = 16;

/// One value that a file sets.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its path with the number of its listener, such as `listener.0.name`.
    pub path: String,
    /// Where it stands.
    pub place: Origin,
}

/// What a file sets.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// Every value, in the order of the file.
    pub entries: Vec<Entry>,
    /// The values under an old name; their entries have the new one.
    pub old_names: Vec<OldName>,
}

/// A value under an old name.
#[derive(Debug)]
pub(super) struct OldName {
    /// What it is called now.
    pub renamed: &'static Renamed,
    /// Where it was set.
    pub origin: Origin,
    /// Its path under the new name.
    pub path: String,
}

/// Reads a file: every value that it sets. All that is wrong with it is added to
/// `errors`.
pub(super) fn read(source: &Arc<Source>, errors: &mut Vec<Diagnostic>) -> Document {
    let table = match DeTable::parse(&source.text) {
        Ok(table) => table,
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            errors.push(
                Diagnostic::error(
                    "C0102",
                    format!("not valid TOML: {}", error.message().trim()),
                )
                .at(source, span, ""),
            );
            return Document::default();
        }
    };
    let mut reader = Reader {
        source,
        errors,
        document: Document::default(),
    };
    reader.tables(table.get_ref());
    reader.check_old_names();
    let mut document = reader.document;
    document.entries.sort_by_key(|entry| match &entry.place {
        Origin::File(_, span) => span.start,
        Origin::Variable(_) => 0,
    });
    errors.sort_by_key(|diagnostic| {
        diagnostic
            .place
            .as_ref()
            .map_or(0, |place| place.span.start)
    });
    document
}

/// A table that waits to be read: its section, the same with the listener's number, and what is in
/// it.
struct Pending<'t, 'i> {
    section: String,
    path: String,
    table: &'t DeTable<'i>,
}

struct Reader<'r> {
    source: &'r Arc<Source>,
    errors: &'r mut Vec<Diagnostic>,
    document: Document,
}

impl Reader<'_> {
    fn tables(&mut self, root: &DeTable<'_>) {
        let mut pending = vec![Pending {
            section: String::new(),
            path: String::new(),
            table: root,
        }];
        while let Some(here) = pending.pop() {
            for (name, value) in here.table {
                let section = join(&here.section, name.get_ref());
                let path = join(&here.path, name.get_ref());
                if section.split('.').count() > DEPTH_MAX {
                    continue;
                }
                if section == "listener" {
                    self.listeners(value.get_ref(), &name.span(), &value.span(), &mut pending);
                } else if let Some(key) = find(&section) {
                    self.value(key.kind, &section, path, value);
                } else if let Some(renamed) = renamed(&section) {
                    self.old_name(renamed, &section, &path, value);
                } else if is_section(&section) {
                    match value.get_ref() {
                        DeValue::Table(table) => pending.push(Pending {
                            section,
                            path,
                            table,
                        }),
                        _ => self.not_a_table(&section, &value.span()),
                    }
                } else {
                    self.errors.push(unknown(&here.section, name.get_ref()).at(
                        self.source,
                        name.span(),
                        "no such key",
                    ));
                }
            }
        }
    }

    fn listeners<'t, 'i>(
        &mut self,
        value: &'t DeValue<'i>,
        name: &Range<usize>,
        span: &Range<usize>,
        pending: &mut Vec<Pending<'t, 'i>>,
    ) {
        let DeValue::Array(listeners) = value else {
            self.errors.push(
                Diagnostic::error("C0104", "`listener` is a list of tables")
                    .at(self.source, name.clone(), "one table only")
                    .help("write [[listener]] with two brackets, once for each listener"),
            );
            return;
        };
        if listeners.is_empty() {
            self.errors
                .push(Diagnostic::error("C0105", "there is no listener").at(
                    self.source,
                    span.clone(),
                    "empty list",
                ));
        }
        for (number, listener) in listeners.iter().enumerate() {
            let path = format!("listener.{number}");
            let DeValue::Table(table) = listener.get_ref() else {
                self.not_a_table("listener", &listener.span());
                continue;
            };
            self.document.entries.push(Entry {
                path: path.clone(),
                place: Origin::File(Arc::clone(self.source), listener.span()),
            });
            pending.push(Pending {
                section: "listener".to_owned(),
                path,
                table,
            });
        }
    }

    fn value(
        &mut self,
        kind: Kind,
        section: &str,
        path: String,
        value: &toml::Spanned<DeValue<'_>>,
    ) {
        let place = Origin::File(Arc::clone(self.source), value.span());
        let json = to_json(value.get_ref());
        match json.map_or(
            Err(Problem::Type("a date or a number that is too large")),
            |json| check(kind, &json),
        ) {
            Ok(()) => self.document.entries.push(Entry { path, place }),
            Err(problem) => self
                .errors
                .push(invalid_value(section, kind, &problem, &place)),
        }
    }

    fn old_name(
        &mut self,
        renamed: &'static Renamed,
        section: &str,
        path: &str,
        value: &toml::Spanned<DeValue<'_>>,
    ) {
        let Some(key) = find(renamed.new) else {
            return;
        };
        let path = renamed.new_path(path);
        self.value(key.kind, section, path.clone(), value);
        self.document.old_names.push(OldName {
            renamed,
            origin: Origin::File(Arc::clone(self.source), value.span()),
            path,
        });
    }

    /// Reports each key that is set under both of its names.
    fn check_old_names(&mut self) {
        for old in &self.document.old_names {
            let entries = self.document.entries.iter();
            if entries.filter(|entry| entry.path == old.path).count() > 1 {
                self.errors.push(old.renamed.both(&old.origin));
            }
        }
    }

    fn not_a_table(&mut self, section: &str, span: &Range<usize>) {
        let diagnostic = Diagnostic::error(
            "C0104",
            format!("expected a table for `{section}`, found a value"),
        );
        self.errors.push(
            diagnostic
                .at(self.source, span.clone(), "not a table")
                .help(format!("write [{section}]")),
        );
    }
}

fn join(section: &str, name: &str) -> String {
    if section.is_empty() {
        name.to_owned()
    } else {
        format!("{section}.{name}")
    }
}

/// The error for a key that does not exist.
pub(super) fn unknown(section: &str, name: &str) -> Diagnostic {
    let place = if section.is_empty() {
        "at the top".to_owned()
    } else {
        format!("in [{section}]")
    };
    let diagnostic = Diagnostic::error("C0103", format!("unknown key `{name}` {place}"));
    let names = names_in(section);
    if let Some(meant) = did_you_mean(name, names.iter().copied()) {
        return diagnostic.help(format!("did you mean `{meant}`?"));
    }
    // A key that exists, but in another section, is the second most common slip.
    let elsewhere = super::table::KEYS
        .iter()
        .find(|key| key.name() == name || key.section() == name);
    match elsewhere {
        Some(key) if key.name() == name => {
            diagnostic.help(format!("there is `{name}` in [{}]", key.section()))
        }
        Some(key) => diagnostic.help(format!("there is a section [{}]", key.section())),
        None => diagnostic.help(format!("known here: {}", names.join(", "))),
    }
}

/// The error for a value that does not fit its key.
pub(super) fn invalid_value(
    path: &str,
    kind: Kind,
    problem: &Problem,
    place: &Origin,
) -> Diagnostic {
    let wants = kind.describe();
    match problem {
        Problem::Type(is) => place.mark(
            Diagnostic::error(
                "C0104",
                format!("invalid type for `{path}`: expected {wants}"),
            ),
            &format!("this is {is}"),
        ),
        Problem::Range => place.mark(
            Diagnostic::error("C0105", format!("`{path}` is out of range")),
            &format!("must be {wants}"),
        ),
        Problem::Form(help) => {
            let code = if kind == Kind::Socket {
                "C0108"
            } else {
                "C0105"
            };
            place
                .mark(
                    Diagnostic::error(code, format!("`{path}` is not well-formed")),
                    &format!("must be {wants}"),
                )
                .help(help)
        }
        Problem::Choice(words) => {
            let text = match place {
                Origin::File(source, span) => source.text.get(span.clone()).unwrap_or_default(),
                Origin::Variable(source) => source.text.as_str(),
            };
            let word = text.trim_matches(['"', '\'']);
            let diagnostic = place.mark(
                Diagnostic::error(
                    "C0105",
                    format!("invalid value for `{path}`: expected {wants}"),
                ),
                "",
            );
            match did_you_mean(word, words.iter().copied()) {
                Some(meant) => diagnostic.help(format!("did you mean \"{meant}\"?")),
                None => diagnostic,
            }
        }
    }
}

/// A TOML value as JSON; `None` for dates, tables and numbers that do not fit.
fn to_json(value: &DeValue<'_>) -> Option<Value> {
    match value {
        DeValue::String(text) => Some(Value::from(text.as_ref())),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .map(Value::from),
        // Infinities and not-a-number have no JSON form; null is then "of the wrong type", which
        // they are.
        DeValue::Float(number) => number.as_str().parse::<f64>().ok().map(Value::from),
        DeValue::Boolean(flag) => Some(Value::from(*flag)),
        // Lists of lists are no value of any key: what is in them does not matter.
        DeValue::Array(entries) => {
            let entry = |entry: &toml::Spanned<DeValue<'_>>| {
                entry.get_ref().as_str().map_or(Value::Null, Value::from)
            };
            Some(Value::Array(entries.iter().map(entry).collect()))
        }
        DeValue::Table(_) => Some(Value::Object(serde_json::Map::new())),
        DeValue::Datetime(_) => None,
    }
}
