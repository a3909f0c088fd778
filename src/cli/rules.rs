//! `gatepost rules list|check|test`

use std::sync::Arc;

use serde_json::json;

use super::arguments::{Format, RulesArguments, RulesCommand};
use super::failure::Failure;
use super::generation::compile;
use super::terminal::{Output, complain, safe};
use super::{Exit, rule_files};
use crate::config::Loaded;
use crate::diagnostic::{Diagnostic, Source};
use crate::rules::{self, Rule, Ruleset};

/// Lists, checks or tests rules.
pub(super) fn rules(loaded: &Loaded, command: RulesCommand) -> Result<Exit, Failure> {
    match command {
        RulesCommand::List(arguments) => list(&compile(&sources(loaded, &arguments)?)?.0, arguments.format),
        RulesCommand::Check(arguments) => check(&sources(loaded, &arguments)?, arguments.format),
        RulesCommand::Test(arguments) => test(&compile(&sources(loaded, &arguments)?)?.0, arguments.format),
    }
}

fn sources(loaded: &Loaded, arguments: &RulesArguments) -> Result<Vec<Arc<Source>>, Failure> {
    Ok(match arguments.paths.as_slice() {
        [] => rule_files::configured(&loaded.config.rules)?,
        paths => rule_files::named(paths)?,
    })
}

fn list(ruleset: &Ruleset, format: Format) -> Result<Exit, Failure> {
    let mut out = Output::new();
    for rule in ruleset.rules() {
        match format {
            Format::Json => out.line(json!({
                "rule": &**rule.name(),
                "kind": rule.kind().name(),
                "score": rule.score().points(),
                "description": rule.description(),
                "stage": rule.stage().name(),
                "shadow": rule.flags().shadow,
                "disabled": rule.disabled(),
            }))?,
            Format::Text => out.line(row(rule))?,
        }
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn row(rule: &Rule) -> String {
    let note = match (rule.disabled(), rule.flags().shadow) {
        (Some(why), _) => format!("  (disabled: {})", safe(why)),
        (None, true) => "  (shadow)".to_owned(),
        (None, false) => String::new(),
    };
    let score = if rule.is_subrule() { String::new() } else { format!("{:+.3}", rule.score().points()) };
    let row = format!("{score:>8}  {:<10}  {}  {}", rule.kind().name(), safe(rule.name()), safe(rule.description()));
    row.trim_end().to_owned() + &note
}

/// Loading, lint and test lines, all complaints at once: 78 where the rules do not load, 1 where something is doubtful.
fn check(sources: &[Arc<Source>], format: Format) -> Result<Exit, Failure> {
    let loads = compile(sources).is_ok();
    let told = rules::check(sources);
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

fn as_json(diagnostic: &Diagnostic) -> serde_json::Value {
    let (line, column) = diagnostic.position().unzip();
    json!({
        "severity": diagnostic.severity.name(),
        "code": diagnostic.code,
        "message": diagnostic.message,
        "file": diagnostic.place.as_ref().map(|place| &place.source.name),
        "line": line,
        "column": column,
        "help": diagnostic.help,
    })
}

/// The test lines only.
fn test(ruleset: &Ruleset, format: Format) -> Result<Exit, Failure> {
    let results = rules::run_tests(ruleset);
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
            let wanted = if result.test.must_hit { "should hit" } else { "should not hit" };
            let text = safe(&result.test.text);
            out.line(format_args!("{}:{line}:{column}: {} {wanted}: {text}", safe(file), safe(&result.rule)))?;
        }
    }
    if format == Format::Text {
        out.line(format_args!("{run} test lines run, {failed} failed, {} cannot be run here", results.len() - run))?;
    }
    out.finish()?;
    Ok(if failed > 0 { Exit::Finding } else { Exit::Done })
}

/// What `explain` tells of a rule; `None` where there is none of that name.
pub(super) fn explain(ruleset: &Ruleset, name: &str) -> Option<String> {
    let rule = ruleset.get(name)?;
    let text = rules::explain(ruleset, rule);
    Some(text.lines().map(|line| safe(line) + "\n").collect())
}
