//! `gatepost check`: everything that `run` does short of serving.

use serde_json::{Value, json};

use super::arguments::Format;
use super::check_report::CheckReport;
use super::check_unit::Unit;
use super::check_user::CheckUser;
use super::failure::Failure;
use super::terminal::{Output, print_diagnostics};
use super::{Exit, check_dns, check_learner, rules};
use crate::config::{Config, Paths};
use crate::daemon::{
    Provided, SocketFound, SocketState, assemble, compile, configured_rules, load_model,
    missing_files, sockets, use_public_suffix_list,
};
use crate::server::Probe;
use gatepost_words::diagnostic::Diagnostic;

/// What was found, and how to exit.
#[derive(Default)]
struct Findings {
    report: CheckReport,
    problems: Vec<Diagnostic>,
    /// Of sockets that cannot be had.
    is_unavailable: bool,
    /// Of files that the daemon runs without.
    has_warnings: bool,
}

/// Checks everything with the rights of the daemon's user and reports all problems together: 78
/// where something does not load, 69 where a socket cannot be had, 1 where the daemon runs without
/// something that it should have.
pub(super) fn check(paths: &Paths, format: Format, user: Option<&str>) -> Result<Exit, Failure> {
    let unit = Unit::installed();
    let provided = unit.provided();
    let chosen = CheckUser::choose(user, unit.user.as_deref());
    let findings = chosen.and_then(|user| user.run(|| examine(paths, &user, &provided)));
    let findings = findings.unwrap_or_else(|error| Findings {
        problems: vec![*error],
        ..Findings::default()
    });
    let exit = if findings.problems.iter().any(is_fatal) {
        Exit::BadConfig
    } else if findings.is_unavailable {
        Exit::Unavailable
    } else if findings.has_warnings {
        Exit::Finding
    } else {
        Exit::Done
    };
    print(findings, format)?;
    Ok(exit)
}

/// Whether it is an error of something that does not load; those of sockets have a status of their
/// own.
fn is_fatal(problem: &Diagnostic) -> bool {
    problem.is_error() && problem.code != "C0113"
}

/// Everything, as the user of this thread.
fn examine(paths: &Paths, user: &CheckUser, provided: &Provided) -> Findings {
    let mut report = CheckReport::default();
    report.field("user", json!(user.name));
    let loaded = match Config::load(paths) {
        Ok(loaded) => loaded,
        Err(problems) => {
            return Findings {
                report,
                problems,
                ..Findings::default()
            };
        }
    };
    report.line("user", &user.text);
    let config = &loaded.config;
    let mut problems = loaded.warnings.clone();
    keep(use_public_suffix_list(config), &mut problems);
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
    let warnings = files_and_learner(config, provided, &mut report);
    let unusable = note_sockets(sockets(config, provided), &mut report);
    let (is_unavailable, has_warnings) = (!unusable.is_empty(), !warnings.is_empty());
    problems.extend(unusable);
    problems.extend(warnings);
    Findings {
        report,
        problems,
        is_unavailable,
        has_warnings,
    }
}

/// Records, and what was learned: the daemon runs without them.
fn files_and_learner(
    config: &Config,
    provided: &Provided,
    report: &mut CheckReport,
) -> Vec<Diagnostic> {
    let mut warnings = missing_files(config, provided);
    let about_learner = check_learner::learner(config, report);
    // The first names the file and whose it is, the second only that reading failed.
    let is_known = warnings.iter().any(|warning| warning.code == "L0101");
    let is_new = |warning: &Diagnostic| !is_known || warning.code != "L0101";
    warnings.extend(about_learner.into_iter().filter(is_new));
    let all_well = warnings.is_empty();
    let text = if all_well {
        "owners and rights fit"
    } else {
        "see below"
    };
    report.note("files", text, json!(all_well));
    warnings
}

fn print(findings: Findings, format: Format) -> Result<(), Failure> {
    let Findings {
        report, problems, ..
    } = findings;
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
    print_diagnostics(&problems);
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

/// Notes how the sockets are found; gives the errors. One that is in use is fine: most often by the
/// daemon that is running.
fn note_sockets(states: Vec<SocketState>, report: &mut CheckReport) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    let mut found = Vec::new();
    for state in states {
        let (word, text) = match state.found {
            Ok(SocketFound::Passed) => ("passed", "passed by gatepost.socket".to_owned()),
            Ok(SocketFound::Probed(Probe::Free)) => ("free", "free".to_owned()),
            Ok(SocketFound::Probed(Probe::Stale)) => (
                "stale",
                "left over from an earlier run; will be replaced".to_owned(),
            ),
            Ok(SocketFound::Probed(Probe::Live)) => (
                "live",
                "in use, by the running daemon or by another program".to_owned(),
            ),
            Err(error) => {
                let text = error.message.clone();
                errors.push(*error);
                ("unusable", text)
            }
        };
        let (name, socket) = (state.name, state.address.to_string());
        if word != "unusable" {
            report.line("listener", format_args!("{name}  {socket}  {text}"));
        }
        found.push(json!({ "name": name, "socket": socket, "state": word, "text": text }));
    }
    report.field("listeners", Value::Array(found));
    errors
}
