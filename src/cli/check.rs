//! `gatepost check`: everything that `run` does short of serving.

use std::fmt::Display;

use serde_json::{Map, Value, json};

use super::arguments::Format;
use super::failure::Failure;
use super::generation::{assemble, compile, load_model};
use super::run::server_settings;
use super::terminal::{Output, complain, say};
use super::{Exit, check_learner, rule_files, rules};
use crate::config::{Config, Place};
use crate::server::{Probe, probe};
use gatepost_words::diagnostic::Diagnostic;

/// What was found, in both forms.
#[derive(Default)]
pub(super) struct Sheet {
    lines: Vec<String>,
    fields: Map<String, Value>,
}

impl Sheet {
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

/// Checks all, tells all at once: 78 where something does not load, 69 where a socket cannot be
/// had, 1 where what was learned is damaged or cannot be read.
pub(super) fn check(place: &Place, format: Format) -> Result<Exit, Failure> {
    let loaded = Config::load(place)?;
    let config = &loaded.config;
    let mut told = loaded.warnings.clone();
    let mut sheet = Sheet::default();
    let files: Vec<&str> = loaded
        .files
        .iter()
        .map(|source| source.name.as_str())
        .collect();
    let names = if files.is_empty() {
        "built-in defaults".to_owned()
    } else {
        files.join(", ")
    };
    sheet.note("configuration", names, json!(files));
    generation(config, &mut sheet, &mut told);
    let about_learner = check_learner::learner(config, &mut sheet);
    let sockets = sockets(config, &mut sheet)?;
    let exit = match (
        told.iter().any(Diagnostic::is_error),
        sockets,
        about_learner.is_empty(),
    ) {
        (true, ..) => Exit::BadConfig,
        (false, Exit::Done, false) => Exit::Finding,
        (false, sockets, _) => sockets,
    };
    told.extend(about_learner);
    tell(sheet, &told, format)?;
    Ok(exit)
}

fn tell(sheet: Sheet, told: &[Diagnostic], format: Format) -> Result<(), Failure> {
    let Sheet { lines, mut fields } = sheet;
    let mut out = Output::new();
    if format == Format::Json {
        fields.insert(
            "problems".to_owned(),
            told.iter().map(rules::diagnostic_json).collect(),
        );
        out.line(Value::Object(fields))?;
        return out.finish();
    }
    for line in lines {
        out.line(line)?;
    }
    out.finish()?;
    complain(told);
    Ok(())
}

/// Rules, model, and what they make together.
fn generation(config: &Config, sheet: &mut Sheet, told: &mut Vec<Diagnostic>) {
    let rules = rule_files::configured(&config.rules).and_then(|sources| compile(&sources));
    let ruleset = keep(rules, told).map(|(ruleset, warnings)| {
        told.extend(warnings);
        ruleset
    });
    if let Some(ruleset) = &ruleset {
        let count = ruleset.rules().len();
        sheet.note("rules", count, json!(count));
    }
    let model = keep(load_model(&config.model), told);
    if let Some(model) = &model {
        let id = model.as_ref().map(|model| model.manifest().id.as_str());
        sheet.note("model", id.unwrap_or("none"), json!(id));
    }
    if let (Some(ruleset), Some(model)) = (ruleset, model)
        && let Some(generation) = keep(assemble(config, ruleset, model), told)
    {
        sheet.note(
            "generation",
            generation.id(),
            json!(generation.id().as_str()),
        );
    }
}

fn keep<T>(result: Result<T, Vec<Diagnostic>>, told: &mut Vec<Diagnostic>) -> Option<T> {
    result.map_err(|wrong| told.extend(wrong)).ok()
}

/// Whether the sockets can be opened. One that is in use is fine: most often by the daemon that is
/// running.
fn sockets(config: &Config, sheet: &mut Sheet) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    let mut found = Vec::new();
    for listener in &server_settings(config)?.listeners {
        let (state, text) = match probe(&listener.address) {
            Ok(Probe::Free) => ("free", "free".to_owned()),
            Ok(Probe::Stale) => (
                "stale",
                "left over from an earlier run; will be replaced".to_owned(),
            ),
            Ok(Probe::Live) => (
                "live",
                "in use, by the running daemon or by another program".to_owned(),
            ),
            Err(error) => {
                say(format_args!(
                    "gatepost: listener {}: {error}",
                    listener.name
                ));
                exit = Exit::Unavailable;
                ("unusable", error.to_string())
            }
        };
        if state != "unusable" {
            sheet.line(
                "listener",
                format_args!("{}  {}  {text}", listener.name, listener.address),
            );
        }
        let (name, socket) = (&*listener.name, listener.address.to_string());
        found.push(json!({ "name": name, "socket": socket, "state": state, "text": text }));
    }
    sheet.field("listeners", Value::Array(found));
    Ok(exit)
}
