//! `gatepost check`: everything that `run` does short of serving.

use serde_json::{Value, json};

use super::arguments::Format;
use super::check_report::CheckReport;
use super::failure::Failure;
use super::terminal::{Output, eprint_line, print_diagnostics};
use super::{Exit, check_dns, check_learner, rules};
use crate::config::{Config, Paths};
use crate::daemon::{
    assemble, compile, configured_rules, load_model, server_settings, use_public_suffix_list,
};
use crate::server::{Probe, probe};
use gatepost_words::diagnostic::Diagnostic;

/// Checks everything and reports all problems together: 78 where something does not load, 69 where a socket cannot be
/// had, 1 where what was learned is damaged or cannot be read.
pub(super) fn check(paths: &Paths, format: Format) -> Result<Exit, Failure> {
    let loaded = Config::load(paths)?;
    let config = &loaded.config;
    let mut problems = loaded.warnings.clone();
    keep(use_public_suffix_list(config), &mut problems);
    let mut report = CheckReport::default();
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
    report.note("configuration", names, json!(files));
    generation(config, &mut report, &mut problems);
    problems.extend(check_dns::dns(config, &mut report));
    let about_learner = check_learner::learner(config, &mut report);
    let sockets = sockets(config, &mut report);
    let exit = match (
        problems.iter().any(Diagnostic::is_error),
        sockets,
        about_learner.is_empty(),
    ) {
        (true, ..) => Exit::BadConfig,
        (false, Exit::Done, false) => Exit::Finding,
        (false, sockets, _) => sockets,
    };
    problems.extend(about_learner);
    print(report, &problems, format)?;
    Ok(exit)
}

fn print(report: CheckReport, problems: &[Diagnostic], format: Format) -> Result<(), Failure> {
    let CheckReport { lines, mut fields } = report;
    let mut out = Output::new();
    if format == Format::Json {
        fields.insert(
            "problems".to_owned(),
            problems.iter().map(rules::diagnostic_json).collect(),
        );
        out.line(Value::Object(fields))?;
        return out.finish();
    }
    for line in lines {
        out.line(line)?;
    }
    out.finish()?;
    print_diagnostics(problems);
    Ok(())
}

/// Rules, model, and what they make together.
fn generation(config: &Config, report: &mut CheckReport, problems: &mut Vec<Diagnostic>) {
    let rules = configured_rules(&config.rules).and_then(|sources| compile(&sources));
    let ruleset = keep(rules, problems).map(|(ruleset, warnings)| {
        problems.extend(warnings);
        ruleset
    });
    if let Some(ruleset) = &ruleset {
        let count = ruleset.rules().len();
        report.note("rules", count, json!(count));
    }
    let model = keep(load_model(&config.model), problems);
    if let Some(model) = &model {
        let id = model.as_ref().map(|model| model.manifest().id.as_str());
        report.note("model", id.unwrap_or("none"), json!(id));
    }
    if let (Some(ruleset), Some(model)) = (ruleset, model)
        && let Some(generation) = keep(assemble(config, ruleset, model), problems)
    {
        report.note(
            "generation",
            generation.id(),
            json!(generation.id().as_str()),
        );
    }
}

fn keep<T>(result: Result<T, Vec<Diagnostic>>, problems: &mut Vec<Diagnostic>) -> Option<T> {
    result.map_err(|errors| problems.extend(errors)).ok()
}

/// Whether the sockets can be opened. One that is in use is fine: most often by the daemon that is
/// running.
fn sockets(config: &Config, report: &mut CheckReport) -> Exit {
    let settings = server_settings(config);
    let mut exit = Exit::Done;
    let mut found = Vec::new();
    for listener in &settings.listeners {
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
                eprint_line(format_args!(
                    "gatepost: listener {}: {error}",
                    listener.name
                ));
                exit = Exit::Unavailable;
                ("unusable", error.to_string())
            }
        };
        if state != "unusable" {
            report.line(
                "listener",
                format_args!("{}  {}  {text}", listener.name, listener.address),
            );
        }
        let (name, socket) = (&*listener.name, listener.address.to_string());
        found.push(json!({ "name": name, "socket": socket, "state": state, "text": text }));
    }
    report.field("listeners", Value::Array(found));
    exit
}
