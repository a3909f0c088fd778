//! `gatepost rules check`: everything that is wrong or doubtful, at once.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::cli::Exit;
use crate::cli::arguments::Format;
use crate::cli::failure::Failure;
use crate::cli::terminal::{Output, print_diagnostics};
use gatepost_words::diagnostic::{Diagnostic, Place, Source};

/// Loading, lint and test lines, all diagnostics together: 78 where the rules do not load, 1 where
/// something is doubtful.
pub(super) fn check(sources: &[Arc<Source>], format: Format) -> Result<Exit, Failure> {
    let (ruleset, reported) = gatepost_rules::check(sources);
    let errors = reported
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .count();
    let mut out = Output::new();
    match format {
        Format::Text => {
            out.line(format_args!(
                "{} files: {errors} errors, {} warnings",
                sources.len(),
                reported.len() - errors
            ))?;
        }
        Format::Json => {
            for diagnostic in &reported {
                out.line(as_json(diagnostic))?;
            }
        }
    }
    out.finish()?;
    if format == Format::Text {
        print_diagnostics(&reported);
    }
    Ok(match (ruleset, reported.is_empty()) {
        (None, _) => Exit::BadConfig,
        (Some(_), false) => Exit::Finding,
        (Some(_), true) => Exit::Done,
    })
}

pub(in crate::cli) fn as_json(diagnostic: &Diagnostic) -> Value {
    let (line, column) = diagnostic.position().unzip();
    json!({
        "severity": diagnostic.severity.name(),
        "code": diagnostic.code,
        "message": diagnostic.message,
        "file": diagnostic.place.as_ref().map(|place| &place.source.name),
        "line": line,
        "column": column,
        "label": diagnostic.place.as_ref().map(|place| &place.label),
        "also": diagnostic.secondary.iter().map(also).collect::<Vec<_>>(),
        "help": diagnostic.help,
    })
}

/// Another place that matters.
fn also(place: &Place) -> Value {
    let (line, column) = place.source.position(place.span.start);
    json!({ "file": place.source.name, "line": line, "column": column, "label": place.label })
}
