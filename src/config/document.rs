//! One configuration file: its keys and values with their places, checked against the table of
//! keys.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::keys::{Kind, find, is_section, names_in};
use super::value::{Problem, check};
use gatepost_words::diagnostic::{Diagnostic, Source, did_you_mean};

/// How deep tables may nest; deeper ones name no key anyway.
const DEPTH_MAX: usize = 16;

/// Where a value was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file; the span is that of the value.
    File(Arc<Source>, Range<usize>),
    /// By an environment variable of that name, as text that stands for a file.
    Variable(Arc<Source>),
}

impl Place {
    /// Attaches the place to a complaint.
    #[must_use]
    pub fn mark(&self, diagnostic: Diagnostic, label: &str) -> Diagnostic {
        match self {
            Self::File(source, span) => diagnostic.at(source, span.clone(), label),
            Self::Variable(source) => diagnostic.at(source, 0..source.text.len(), label),
        }
    }

    /// Attaches the place as a second one.
    #[must_use]
    pub fn also(&self, diagnostic: Diagnostic, label: &str) -> Diagnostic {
        match self {
            Self::File(source, span) => diagnostic.also(source, span.clone(), label),
            Self::Variable(source) => diagnostic.also(source, 0..source.text.len(), label),
        }
    }

    /// `FILE:LINE`, or `$VARIABLE`.
    pub fn show(&self) -> String {
        match self {
            Self::File(source, span) => {
                format!("{}:{}", source.name, source.position(span.start).0)
            }
            Self::Variable(source) => source.name.clone(),
        }
    }
}

/// One value that a file sets.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its path with the number of its listener, such as `listener.0.name`.
    pub path: String,
    /// Where it stands.
    pub place: Place,
}

/// Reads a file: every value that it sets. All that is wrong with it is added to `wrong`.
pub(super) fn read(source: &Arc<Source>, wrong: &mut Vec<Diagnostic>) -> Vec<Entry> {
    let table = match DeTable::parse(&source.text) {
        Ok(table) => table,
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            wrong.push(
                Diagnostic::error(
                    "C0102",
                    format!("not valid TOML: {}", error.message().trim()),
                )
                .at(source, span, ""),
            );
            return Vec::new();
        }
    };
    let mut reader = Reader {
        source,
        wrong,
        entries: Vec::new(),
    };
    reader.tables(table.get_ref());
    let mut entries = reader.entries;
    entries.sort_by_key(|entry| match &entry.place {
        Place::File(_, span) => span.start,
        Place::Variable(_) => 0,
    });
    wrong.sort_by_key(|diagnostic| {
        diagnostic
            .place
            .as_ref()
            .map_or(0, |place| place.span.start)
    });
    entries
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
    wrong: &'r mut Vec<Diagnostic>,
    entries: Vec<Entry>,
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
                    self.wrong.push(unknown(&here.section, name.get_ref()).at(
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
            self.wrong.push(
                Diagnostic::error("C0104", "`listener` is a list of tables")
                    .at(self.source, name.clone(), "one table only")
                    .help("write [[listener]] with two brackets, once for each listener"),
            );
            return;
        };
        if listeners.is_empty() {
            self.wrong
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
            self.entries.push(Entry {
                path: path.clone(),
                place: Place::File(Arc::clone(self.source), listener.span()),
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
        let place = Place::File(Arc::clone(self.source), value.span());
        let json = to_json(value.get_ref());
        match json.map_or(
            Err(Problem::Type("a date or a number that is too large")),
            |json| check(kind, &json),
        ) {
            Ok(()) => self.entries.push(Entry { path, place }),
            Err(problem) => self.wrong.push(complain(section, kind, &problem, &place)),
        }
    }

    fn not_a_table(&mut self, section: &str, span: &Range<usize>) {
        let diagnostic =
            Diagnostic::error("C0104", format!("`{section}` is a section with keys in it"));
        self.wrong.push(
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

/// The complaint about a key that does not exist.
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

/// The complaint about a value that does not fit its key.
pub(super) fn complain(path: &str, kind: Kind, problem: &Problem, place: &Place) -> Diagnostic {
    let wants = kind.describe();
    match problem {
        Problem::Type(is) => place.mark(
            Diagnostic::error("C0104", format!("`{path}` wants {wants}")),
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
                Place::File(source, span) => source.text.get(span.clone()).unwrap_or_default(),
                Place::Variable(source) => source.text.as_str(),
            };
            let word = text.trim_matches(['"', '\'']);
            let diagnostic = place.mark(
                Diagnostic::error("C0105", format!("`{path}` has no such choice")),
                &format!("must be {wants}"),
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
