//! `gatepost rules check`: everything that is wrong or doubtful, at once.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::cli::arguments::Format;
use crate::cli::failure::Failure;
use crate::cli::generation::compile;
use crate::cli::terminal::{Output, complain};
use crate::cli::{Exit, rules_bench};
use crate::diagnostic::{Diagnostic, Place, Source};
use crate::rules;

/// Loading, lint and test lines, all complaints at once: 78 where the rules do not load, 1 where something is doubtful.
pub(super) fn check(sources: &[Arc<Source>], format: Format) -> Result<Exit, Failure> {
    let loads = compile(sources).is_ok();
    let told = rules::check_with_costs(sources, rules_bench::slow);
    let errors = told.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let mut out = Output::new();
    match format {
        Format::Text => {
            out.line(format_args!("{} files: {errors} errors, {} warnings", sources.len(), told.len() - errors))?;
        }
        Format::Json => {
            for diagnostic in &told {
                out.line(as_json(diagnostic))?;
            }
        }
    }
    out.finish()?;
    if format == Format::Text {
        complain(&told);
    }
    Ok(match (loads, told.is_empty()) {
        (false, _) => Exit::BadConfig,
        (true, false) => Exit::Finding,
        (true, true) => Exit::Done,
    })
}

fn as_json(diagnostic: &Diagnostic) -> Value {
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
