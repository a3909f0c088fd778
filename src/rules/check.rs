//! Lint and in-file tests, for `gatepost rules check`.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::header_request::{HeaderRequest, Part};
use super::rule::{Rule, Test, TestLine, ViewKey};
use super::ruleset::Ruleset;
use super::scanner::Scanner;
use crate::diagnostic::{Diagnostic, Source};
use crate::facts::{Case, Facts, Stage};
use crate::mail::{Limits, Message, Transaction};
use crate::verdict::RuleName;

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

/// Loads and tells everything: what loading complains of, what the lint finds, and the test lines that fail.
pub fn check(sources: &[Arc<Source>]) -> Vec<Diagnostic> {
    let (ruleset, mut diagnostics) = Ruleset::load(sources);
    if let Some(ruleset) = ruleset {
        diagnostics.extend(lint(&ruleset));
    }
    diagnostics
}

/// What is doubtful about rules that do load, in the order of the rules.
pub fn lint(ruleset: &Ruleset) -> Vec<Diagnostic> {
    let mut results = run_tests(ruleset).into_iter().peekable();
    let mut found = Vec::new();
    for rule in ruleset.rules() {
        found.extend(lint_rule(rule));
        while let Some(result) = results.next_if(|result| result.rule == rule.name) {
            found.extend(complaint(&result));
        }
    }
    found
}

fn lint_rule(rule: &Rule) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let warn = |code, message: String| Diagnostic::warning(code, message).at(&rule.source, rule.span.clone(), "");
    let name = &rule.name;
    if let Some((source, span)) = &rule.earlier {
        found.push(warn("R0403", format!("{name} is defined twice; this one counts")).also(
            source,
            span.clone(),
            "first defined here",
        ));
    }
    if let Test::Pattern { pattern, negated: false, .. } = &rule.test
        && pattern.always_matches
    {
        found.push(warn("R0406", format!("{name} always hits")));
    }
    if rule.disabled.is_some() || rule.is_subrule() {
        return found;
    }
    if rule.description.is_empty() {
        found.push(warn("R0401", format!("{name} has no description")).help(format!("add `describe {name} …`")));
    }
    if !rule.has_score {
        found.push(
            warn("R0402", format!("{name} has no score and counts {}", rule.score))
                .help(format!("add `score {name} {}`", rule.score)),
        );
    }
    let can_be_tested = !matches!(rule.test, Test::Meta(_) | Test::Eval(..) | Test::Exists(_) | Test::Never);
    if can_be_tested && rule.tests.is_empty() {
        found.push(
            warn("R0404", format!("{name} has no test line"))
                .help(format!("add `test {name} ok …` and `test {name} fail …`")),
        );
    }
    found
}

fn complaint(result: &TestResult) -> Option<Diagnostic> {
    let (source, span) = (&result.test.source, result.test.span.clone());
    let name = &result.rule;
    if let Some(why) = result.not_run {
        return Some(
            Diagnostic::warning("R0407", format!("this test of {name} is not run: {why}")).at(source, span, ""),
        );
    }
    let message = if result.test.must_hit { "does not hit, but should" } else { "hits, but should not" };
    (!result.ok).then(|| Diagnostic::error("R0405", format!("{name} {message}")).at(source, span, "on this text"))
}

/// Runs all test lines, in the order of the rules.
pub fn run_tests(ruleset: &Ruleset) -> Vec<TestResult> {
    let mut scanner = Scanner::new(ruleset);
    let lines = ruleset.rules().iter().flat_map(|rule| rule.tests.iter().map(move |test| (rule, test)));
    lines.map(|(rule, test)| run(ruleset, &mut scanner, rule, test)).collect()
}

fn run(ruleset: &Ruleset, scanner: &mut Scanner, rule: &Rule, test: &TestLine) -> TestResult {
    let outcome = match (&rule.test, rule.disabled.is_some()) {
        (_, true) => Err("the rule is disabled"),
        (Test::Meta(_) | Test::Eval(..), _) => Ok(hits_mail(ruleset, scanner, rule, &test.text)),
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

/// Whether a rule hits a text; an error says why that cannot be told.
fn hits(rule: &Rule, text: &str) -> Result<bool, &'static str> {
    match &rule.test {
        Test::Exists(request) => {
            Ok(text.split_once(':').map_or(text, |(name, _)| name).trim().eq_ignore_ascii_case(&request.name))
        }
        Test::Pattern { view, pattern, negated, .. } => {
            let text = match view {
                ViewKey::Header(request) | ViewKey::Mime(request) => header_text(request, text),
                ViewKey::Body | ViewKey::RawBody | ViewKey::Uri | ViewKey::Full => text.to_owned(),
            };
            Ok(pattern.matches(text.as_bytes()) != *negated)
        }
        Test::Meta(_) | Test::Eval(..) | Test::Never => Err("the rule cannot be decided"),
    }
}

/// Whether a meta or a function hits the small mail that its test line stands for: `\n` is a line end, and what comes before
/// the first empty line is the header; a line without one is the body of a plain mail.
fn hits_mail(ruleset: &Ruleset, scanner: &mut Scanner, rule: &Rule, text: &str) -> bool {
    let text = text.replace("\\n", "\r\n");
    let raw = if text.contains("\r\n\r\n") { text } else { format!("{PLAIN_HEADER}\r\n{text}\r\n") };
    let message = Message::parse(raw.as_bytes(), &Limits::default());
    let transaction = Transaction::new("test".into(), UNIX_EPOCH);
    let facts = Facts::default();
    let case = Case { stage: Stage::EndOfMessage, transaction: &transaction, message: &message, facts: &facts };
    scanner.scan(ruleset, &case, &|| false);
    scanner.values(ruleset).any(|(hit, _)| hit.name == rule.name)
}

/// The header of a test line that has none.
const PLAIN_HEADER: &str = "From: Test <test@example.net>\r\nTo: reader@example.com\r\nSubject: test\r\n\
    Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <test@example.net>\r\n";

/// The value that a test line means: `Header: value` or the value alone; of address parts the part itself.
fn header_text(request: &HeaderRequest, text: &str) -> String {
    let value = match text.split_once(':') {
        Some((name, value)) if request.name != "ALL" && name.eq_ignore_ascii_case(&request.name) => value.trim_start(),
        _ => text,
    };
    if request.part == Part::Whole { format!("{value}\n") } else { value.to_owned() }
}
