//! The in-file tests: `test NAME ok|fail TEXT` lines, run for `gatepost rules check`.

use std::sync::Arc;

use super::test_message::test_message;
use crate::matcher::scanner::Scanner;
use crate::ruleset::rule::{Rule, Test, TestLine};
use crate::ruleset::ruleset::Ruleset;
use crate::views::header_request::{HeaderRequest, Part};
use crate::views::key::ViewKey;
use gatepost_mail::{Limits, Specimen};
use gatepost_words::diagnostic::Diagnostic;
use gatepost_words::verdict::RuleName;

/// How one `test` line went.
#[derive(Clone, Debug)]
pub struct TestResult {
    /// Whose line.
    pub rule: RuleName,
    /// Whether the rule did what the line says. True for lines that cannot be run.
    pub ok: bool,
    /// Why the line was not run, if so.
    pub not_run: Option<&'static str>,
    /// File, line and column; line and column from 1.
    pub position: (String, usize, usize),
    /// The line.
    pub test: TestLine,
}

/// What a test line that went wrong, or could not be run, is reported as.
pub(crate) fn test_diagnostic(result: &TestResult) -> Option<Diagnostic> {
    let (source, span) = (&result.test.source, result.test.span.clone());
    let name = &result.rule;
    if let Some(why) = result.not_run {
        return Some(
            Diagnostic::warning("R0407", format!("this test of {name} is not run: {why}"))
                .at(source, span, ""),
        );
    }
    let message = if result.test.must_hit {
        "does not hit, but should"
    } else {
        "hits, but should not"
    };
    (!result.ok).then(|| {
        Diagnostic::error("R0405", format!("{name} {message}")).at(source, span, "on this text")
    })
}

/// Runs all test lines, in the order of the rules.
pub fn run_tests(ruleset: &Ruleset) -> Vec<TestResult> {
    let mut scanner = Scanner::new(ruleset);
    let lines = ruleset
        .rules()
        .iter()
        .flat_map(|rule| rule.tests.iter().map(move |test| (rule, test)));
    lines
        .map(|(rule, test)| run(ruleset, &mut scanner, rule, test))
        .collect()
}

fn run(ruleset: &Ruleset, scanner: &mut Scanner, rule: &Rule, test: &TestLine) -> TestResult {
    let outcome = match (&rule.test, rule.disabled.is_some()) {
        (_, true) => Err("the rule is disabled"),
        (Test::Meta(_) | Test::Eval(..) | Test::Template(_) | Test::UriDetail(_), _) => {
            Ok(hits_mail(ruleset, scanner, rule, &test.text))
        }
        _ => hits(rule, &test.text),
    };
    let (line, column) = test.source.position(test.span.start);
    TestResult {
        rule: Arc::clone(&rule.name),
        ok: outcome.map_or(true, |hits| hits == test.must_hit),
        not_run: outcome.err(),
        position: (test.source.name.clone(), line, column),
        test: test.clone(),
    }
}

/// Whether a rule hits a text; an error says why that cannot be decided.
fn hits(rule: &Rule, text: &str) -> Result<bool, &'static str> {
    match &rule.test {
        Test::Exists(request) => Ok(text
            .split_once(':')
            .map_or(text, |(name, _)| name)
            .trim()
            .eq_ignore_ascii_case(&request.name)),
        Test::Pattern {
            view,
            pattern,
            negated,
            ..
        } => {
            let text = match view {
                ViewKey::Header(request) | ViewKey::Mime(request) => header_text(request, text),
                ViewKey::MimeParts(parts) => header_text(&parts.request, text),
                ViewKey::Body | ViewKey::RawBody | ViewKey::Uri | ViewKey::Full => text.to_owned(),
            };
            Ok(pattern.matches(text.as_bytes()) != *negated)
        }
        Test::Meta(_) | Test::Eval(..) | Test::Template(_) | Test::UriDetail(_) | Test::Never => {
            Err("the rule cannot be decided")
        }
    }
}

/// Whether a rule that needs more than one text hits the small message that its test line stands for.
fn hits_mail(ruleset: &Ruleset, scanner: &mut Scanner, rule: &Rule, text: &str) -> bool {
    let specimen = Specimen::stored(test_message(text));
    let message = specimen.message(&Limits::default());
    scanner.scan(ruleset, &specimen.case(&message), &|| false);
    scanner
        .values(ruleset)
        .any(|(hit, _)| hit.name == rule.name)
}

/// The value that a test line means: `Header: value` or the value alone; of address parts the part
/// itself.
fn header_text(request: &HeaderRequest, text: &str) -> String {
    let value = match text.split_once(':') {
        Some((name, value))
            if request.name != "ALL" && name.eq_ignore_ascii_case(&request.name) =>
        {
            value.trim_start()
        }
        _ => text,
    };
    if request.part == Part::Whole {
        format!("{value}\n")
    } else {
        value.to_owned()
    }
}
