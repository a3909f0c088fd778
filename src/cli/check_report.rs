//! What `gatepost check` reports, for people and as JSON.

use std::fmt::Display;

use serde_json::{Map, Value};

/// What was found, in both forms.
#[derive(Default)]
pub(super) struct CheckReport {
    pub(super) lines: Vec<String>,
    pub(super) fields: Map<String, Value>,
}

impl CheckReport {
    /// Notes one thing: a line for people, and a field.
    pub(super) fn note(&mut self, name: &str, text: impl Display, value: Value) {
        self.line(name, text);
        self.field(name, value);
    }

    /// A field only.
    pub(super) fn field(&mut self, name: &str, value: Value) {
        self.fields.insert(name.to_owned(), value);
    }

    /// A line for people only.
    pub(super) fn line(&mut self, name: &str, text: impl Display) {
        self.lines.push(format!("{name:<14} {text}"));
    }
}
