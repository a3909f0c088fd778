//! `gatepost check`: everything that `run` does short of serving.

use super::failure::Failure;
use super::generation::{assemble, compile, load_model};
use super::run::server_settings;
use super::terminal::{Output, complain, say};
use super::{Exit, rule_files};
use crate::config::{Config, Place};
use crate::diagnostic::Diagnostic;
use crate::server::{Probe, probe};

/// Checks all, tells all at once.
pub(super) fn check(place: &Place) -> Result<Exit, Failure> {
    let loaded = Config::load(place)?;
    let config = &loaded.config;
    let mut told = loaded.warnings.clone();
    let mut out = Output::new();

    let files = loaded.files.iter().map(|source| source.name.as_str()).collect::<Vec<_>>().join(", ");
    out.line(format_args!("configuration  {}", if files.is_empty() { "built-in defaults" } else { &files }))?;

    let rules = rule_files::configured(&config.rules).and_then(|sources| compile(&sources));
    let ruleset = keep(rules, &mut told).map(|(ruleset, warnings)| {
        told.extend(warnings);
        ruleset
    });
    if let Some(ruleset) = &ruleset {
        out.line(format_args!("rules          {}", ruleset.rules().len()))?;
    }
    let model = keep(load_model(&config.model), &mut told);
    if let Some(model) = &model {
        let id = model.as_ref().map_or("none", |model| model.manifest().id.as_str());
        out.line(format_args!("model          {id}"))?;
    }
    if let (Some(ruleset), Some(model)) = (ruleset, model)
        && let Some(generation) = keep(assemble(config, ruleset, model), &mut told)
    {
        out.line(format_args!("generation     {}", generation.id()))?;
    }
    let sockets = sockets(config, &mut out)?;
    out.finish()?;
    complain(&told);
    Ok(if told.iter().any(Diagnostic::is_error) { Exit::BadConfig } else { sockets })
}

fn keep<T>(result: Result<T, Vec<Diagnostic>>, told: &mut Vec<Diagnostic>) -> Option<T> {
    result.map_err(|wrong| told.extend(wrong)).ok()
}

/// Whether the sockets can be opened. One that is in use is fine: most often by the daemon that is running.
fn sockets(config: &Config, out: &mut Output) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    for listener in &server_settings(config)?.listeners {
        let state = match probe(&listener.address) {
            Ok(Probe::Free) => "free",
            Ok(Probe::Stale) => "left over from an earlier run; will be replaced",
            Ok(Probe::Live) => "in use, by the running daemon or by another program",
            Err(error) => {
                say(format_args!("gatepost: listener {}: {error}", listener.name));
                exit = Exit::Unavailable;
                continue;
            }
        };
        out.line(format_args!("listener       {}  {}  {state}", listener.name, listener.address))?;
    }
    Ok(exit)
}
