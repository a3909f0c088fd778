//! `gatepost rules test`: the test lines in the rule files.

use serde_json::json;

use crate::cli::Exit;
use crate::cli::arguments::Format;
use crate::cli::failure::Failure;
use crate::cli::terminal::{Output, escaped};
use gatepost_rules::{self, Ruleset};

/// The test lines only.
pub(super) fn test(ruleset: &Ruleset, format: Format) -> Result<Exit, Failure> {
    let results = gatepost_rules::run_tests(ruleset);
    let mut out = Output::new();
    let (mut run, mut failed) = (0_usize, 0_usize);
    for result in &results {
        run += usize::from(result.not_run.is_none());
        failed += usize::from(!result.ok);
        let (file, line, column) = &result.position;
        if format == Format::Json {
            out.line(json!({
                "rule": &*result.rule, "ok": result.ok, "not_run": result.not_run,
                "file": file, "line": line, "column": column,
            }))?;
        } else if !result.ok {
            let wanted = if result.test.must_hit {
                "should hit"
            } else {
                "should not hit"
            };
            let text = escaped(&result.test.text);
            out.line(format_args!(
                "{}:{line}:{column}: {} {wanted}: {text}",
                escaped(file),
                escaped(&result.rule)
            ))?;
        }
    }
    if format == Format::Text {
        out.line(format_args!(
            "{run} test lines run, {failed} failed, {} cannot be run here",
            results.len() - run
        ))?;
    }
    out.finish()?;
    Ok(if failed > 0 {
        Exit::Finding
    } else {
        Exit::Done
    })
}
