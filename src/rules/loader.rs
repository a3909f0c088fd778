//! Reads rule files line by line into tables; later lines win.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::conditions::{self, Blocks, Plugins};
use super::define::define;
use super::limits::{CONDITION_DEPTH, FILE_LIMIT, LINE_LIMIT, NAME_LIMIT, RULES_LIMIT};
use super::lines::{Line, first_word, lines};
use super::lists::Lists;
use super::rule::{RuleFlags, RuleKind, Test, TestLine};
use super::settings;
use crate::diagnostic::{Diagnostic, Source, did_you_mean};

/// The version that `require_version` is compared with.
const VERSION: &str = "4.000001";
/// Complaints kept of one load: a file of another kind would drown the reader.
const DIAGNOSTICS_LIMIT: usize = 1_000;

/// Where something was said.
pub(super) type At = (Arc<Source>, Range<usize>);

/// A rule as defined last.
pub(super) struct Defined {
    pub(super) name: String,
    pub(super) kind: RuleKind,
    pub(super) definition: String,
    /// Where the name stands.
    pub(super) at: At,
    /// Where the definition stands.
    pub(super) definition_at: Range<usize>,
    pub(super) earlier: Option<At>,
    pub(super) test: Test,
    pub(super) disabled: Option<String>,
}

/// The tables.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) rules: Vec<Defined>,
    pub(super) index: BTreeMap<String, usize>,
    pub(super) scores: BTreeMap<String, (f64, At)>,
    pub(super) descriptions: BTreeMap<String, (String, At)>,
    pub(super) flags: BTreeMap<String, (RuleFlags, At)>,
    pub(super) tests: BTreeMap<String, Vec<TestLine>>,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) lists: Lists,
    plugins: Plugins,
    mentioned: BTreeSet<String>,
}

/// Reads all sources, in order.
pub(super) fn read(sources: &[Arc<Source>]) -> Tables {
    let mut tables = Tables::default();
    // What is loaded is known before any rule asks: `*.pre` first, as SpamAssassin reads them.
    let is_early =
        |source: &&Arc<Source>| std::path::Path::new(&source.name).extension().is_some_and(|end| end == "pre");
    for source in sources.iter().filter(is_early).chain(sources.iter().filter(|source| !is_early(source))) {
        if source.text.len() > FILE_LIMIT {
            let message = format!("the file has more than {} MiB", FILE_LIMIT >> 20);
            tables.complain(Diagnostic::error("R0101", message).at(source, 0..0, ""));
            continue;
        }
        Reader { tables: &mut tables, source, blocks: Blocks::default(), stopped: false }.read();
    }
    tables.replace_tags();
    tables.finish();
    tables
}

impl Tables {
    pub(super) fn complain(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < DIAGNOSTICS_LIMIT
            || (diagnostic.is_error() && !self.diagnostics.iter().any(Diagnostic::is_error))
        {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Defines the rules anew in which tags stand for stretches of a regular expression.
    fn replace_tags(&mut self) {
        let mut complaints = Vec::new();
        for name in &self.lists.replaced_rules {
            let Some(rule) = self.index.get(name).and_then(|at| self.rules.get_mut(*at)) else { continue };
            let expanded = self.lists.expanded(&rule.definition);
            if expanded == rule.definition {
                continue;
            }
            rule.disabled = None;
            rule.test = define(rule.kind, &expanded).unwrap_or_else(|complaint| {
                rule.disabled = complaint.disables.map(str::to_owned);
                complaints.push(complaint.placed(&rule.at.0, |_| rule.definition_at.clone()));
                Test::Never
            });
        }
        for complaint in complaints {
            self.complain(complaint);
        }
    }

    /// Says which scores and the like belong to no rule.
    fn finish(&mut self) {
        let scores = self.scores.iter().map(|(name, (_, at))| ("score", name, at));
        let descriptions = self.descriptions.iter().map(|(name, (_, at))| ("description", name, at));
        let flags = self.flags.iter().map(|(name, (_, at))| ("flag", name, at));
        let tests = self.tests.iter().filter_map(|(name, lines)| Some((name, lines.first()?)));
        let tests: Vec<_> =
            tests.map(|(name, line)| (name.clone(), (Arc::clone(&line.source), line.span.clone()))).collect();
        let tests = tests.iter().map(|(name, at)| ("test", name, at));
        let mut found = Vec::new();
        for (what, name, at) in scores.chain(descriptions).chain(flags).chain(tests) {
            if !self.index.contains_key(name) {
                let diagnostic =
                    Diagnostic::warning("R0206", format!("a {what} for the rule {name}, which does not exist"));
                let diagnostic = diagnostic.at(&at.0, at.1.clone(), "");
                found.push(match did_you_mean(name, self.index.keys().map(String::as_str)) {
                    Some(guess) => diagnostic.help(format!("did you mean {guess}?")),
                    None => diagnostic,
                });
            }
        }
        for diagnostic in found {
            self.complain(diagnostic);
        }
    }
}

struct Reader<'t> {
    tables: &'t mut Tables,
    source: &'t Arc<Source>,
    blocks: Blocks<Range<usize>>,
    /// `require_version` did not fit: the rest of the file is skipped.
    stopped: bool,
}

impl Reader<'_> {
    fn read(&mut self) {
        let source = Arc::clone(self.source);
        for line in lines(&source.text) {
            if self.stopped {
                return;
            }
            if line.text.len() > LINE_LIMIT {
                let message = format!("the line has more than {LINE_LIMIT} bytes");
                self.tables.complain(Diagnostic::error("R0109", message).at(&source, line.span(0..0), ""));
                continue;
            }
            self.line(&line, 0);
        }
        for place in self.blocks.unclosed() {
            let diagnostic =
                Diagnostic::error("R0108", "this block is not closed in its file").at(&source, place, "opened here");
            self.tables.complain(diagnostic.help("add `endif`"));
        }
    }

    fn error(&mut self, code: &'static str, message: impl Into<String>, span: Range<usize>, label: &str) {
        self.tables.complain(Diagnostic::error(code, message).at(self.source, span, label));
    }

    fn warning(&mut self, code: &'static str, message: impl Into<String>, span: Range<usize>, label: &str) {
        self.tables.complain(Diagnostic::warning(code, message).at(self.source, span, label));
    }

    /// One line from `from` on.
    fn line(&mut self, line: &Line<'_>, from: usize) {
        let text = line.text.get(from..).unwrap_or_default();
        let (word, offset, value) = first_word(text);
        let key = word.to_ascii_lowercase().replace('-', "_");
        let key_span = line.span(from..from + word.len());
        let at = from + offset;
        match key.as_str() {
            "if" => self.condition(line, &key_span, value, at),
            "ifplugin" => self.open(&key_span, self.tables.plugins.has(value)),
            "else" if !self.blocks.turn() => self.error("R0108", "`else` without `if`, or a second one", key_span, ""),
            "endif" if !self.blocks.close() => self.error("R0108", "`endif` without `if`", key_span, ""),
            "else" | "endif" => {}
            _ if !self.blocks.active() => {}
            "lang" => {
                // The texts that we show are English; SpamAssassin does the same under the C locale.
                let (language, offset, _) = first_word(value);
                if "en_us".starts_with(&language.to_ascii_lowercase()) && from == 0 {
                    self.line(line, at + offset);
                }
            }
            "require_version" => self.stopped = !matches!(value.trim_matches('"'), VERSION | "4.0.1" | "@@VERSION@@"),
            _ => self.directive(line, &key, &key_span, at, value),
        }
    }

    fn condition(&mut self, line: &Line<'_>, key_span: &Range<usize>, value: &str, at: usize) {
        if !self.blocks.active() {
            return self.open(key_span, false);
        }
        match conditions::holds(value, &self.tables.plugins) {
            Ok(holds) => self.open(key_span, holds),
            Err(problem) => {
                let span = line.span(at + problem.span.start..at + problem.span.end);
                self.error("R0107", problem.message, span, "");
                self.open(key_span, false);
            }
        }
    }

    fn open(&mut self, span: &Range<usize>, holds: bool) {
        if self.blocks.depth() == CONDITION_DEPTH {
            self.error("R0110", format!("blocks are nested more than {CONDITION_DEPTH} deep"), span.clone(), "");
            self.stopped = true;
        } else {
            self.blocks.open(span.clone(), holds);
        }
    }

    fn directive(&mut self, line: &Line<'_>, key: &str, key_span: &Range<usize>, at: usize, value: &str) {
        let kind = match key {
            "header" => Some(RuleKind::Header),
            "body" => Some(RuleKind::Body),
            "rawbody" => Some(RuleKind::RawBody),
            "uri" => Some(RuleKind::Uri),
            "full" => Some(RuleKind::Full),
            "meta" => Some(RuleKind::Meta),
            "mimeheader" => Some(RuleKind::MimeHeader),
            _ if settings::UNSUPPORTED_RULES.contains(&key) => Some(RuleKind::Unsupported),
            _ => None,
        };
        let is_ours = kind.is_some() || matches!(key, "score" | "describe" | "test" | "tflags");
        if !is_ours {
            return self.setting(key, key_span, value);
        }
        let (name, offset, rest) = first_word(value);
        if rest.is_empty() && (key != "describe" || name.is_empty()) {
            let wanted = if name.is_empty() { "the name of a rule" } else { "something behind the name" };
            let end = line.span(line.text.len()..line.text.len());
            return self.error("R0104", format!("`{key}` needs {wanted}"), end, "here");
        }
        let name_span = line.span(at..at + name.len());
        if !self.name_fits(name, &name_span) {
            return;
        }
        let rest_at = at + offset;
        let whole = (Arc::clone(self.source), name_span.clone());
        match (key, kind) {
            (_, Some(kind)) => self.rule(line, kind, key, name, name_span, rest_at, rest),
            ("score", _) => self.score(line, name, whole, rest_at, rest),
            ("tflags", _) => self.flags(line, name, whole, rest_at, rest),
            ("test", _) => self.test(line, name, rest_at, rest),
            _ => drop(self.tables.descriptions.insert(name.to_owned(), (rest.to_owned(), whole))),
        }
    }

    fn name_fits(&mut self, name: &str, span: &Range<usize>) -> bool {
        let fits = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !name.starts_with(|c: char| c.is_ascii_digit());
        if !fits {
            self.error(
                "R0105",
                "a rule's name has letters, digits and underscores only, and no digit first",
                span.clone(),
                "",
            );
        } else if name.len() > NAME_LIMIT {
            self.error("R0105", format!("a rule's name has at most {NAME_LIMIT} characters"), span.clone(), "");
        }
        fits && name.len() <= NAME_LIMIT
    }

    fn setting(&mut self, key: &str, span: &Range<usize>, value: &str) {
        match key {
            "loadplugin" | "tryplugin" => return self.tables.plugins.load(value),
            "enable_compat" => return self.tables.plugins.enable(value),
            _ if self.tables.lists.set(key, value) => return,
            _ => {}
        }
        if settings::SILENT.contains(&key) || key.starts_with("bayes_stopword_") {
            return;
        }
        if settings::SETTINGS.contains(&key) {
            if self.tables.mentioned.insert(key.to_owned()) {
                self.warning(
                    "R0103",
                    format!("`{key}` is accepted, but changes nothing yet"),
                    span.clone(),
                    "not implemented",
                );
            }
            return;
        }
        let diagnostic =
            Diagnostic::error("R0102", format!("there is no directive `{key}`")).at(self.source, span.clone(), "");
        self.tables.complain(match did_you_mean(key, settings::all()) {
            Some(guess) => diagnostic.help(format!("did you mean `{guess}`?")),
            None => diagnostic,
        });
    }

    #[expect(clippy::too_many_arguments, reason = "the pieces of one line")]
    fn rule(
        &mut self,
        line: &Line<'_>,
        kind: RuleKind,
        key: &str,
        name: &str,
        span: Range<usize>,
        at: usize,
        definition: &str,
    ) {
        let mut disabled = None;
        let test = define(kind, definition).unwrap_or_else(|complaint| {
            disabled = complaint.disables.map(str::to_owned);
            self.tables.complain(complaint.placed(self.source, |span| line.span(at + span.start..at + span.end)));
            Test::Never
        });
        if kind == RuleKind::Unsupported {
            disabled = Some(format!("`{key}` is not supported yet"));
            self.warning(
                "R0213",
                format!("rules of kind `{key}` are not supported yet"),
                span.clone(),
                "the rule is disabled",
            );
        }
        let at = (Arc::clone(self.source), span);
        let definition_at = line.span(line.text.len() - definition.len()..line.text.len());
        let rule = Defined {
            name: name.to_owned(),
            kind,
            definition: definition.to_owned(),
            at,
            definition_at,
            earlier: None,
            test,
            disabled,
        };
        if let Some(old) = self.tables.index.get(name).and_then(|index| self.tables.rules.get_mut(*index)) {
            let earlier = std::mem::replace(old, rule);
            old.earlier = Some(earlier.at);
        } else if self.tables.rules.len() == RULES_LIMIT {
            if self.tables.mentioned.insert("too many rules".to_owned()) {
                self.error("R0106", format!("there are more than {RULES_LIMIT} rules"), rule.at.1, "");
            }
        } else {
            self.tables.index.insert(name.to_owned(), self.tables.rules.len());
            self.tables.rules.push(rule);
        }
    }

    fn score(&mut self, line: &Line<'_>, name: &str, at: At, from: usize, text: &str) {
        let mut first = None;
        let mut offset = 0;
        while let (word, next, _) = first_word(text.get(offset..).unwrap_or_default())
            && !word.is_empty()
        {
            let inner = word.strip_prefix('(').and_then(|word| word.strip_suffix(')'));
            let number = inner.unwrap_or(word).parse::<f64>().ok().filter(|number| number.is_finite());
            let Some(number) = number else {
                let span = line.span(from + offset..from + offset + word.len());
                return self.error("R0205", format!("`{word}` is no score"), span, "");
            };
            first.get_or_insert((number, inner.is_some()));
            offset += next;
        }
        let Some((number, relative)) = first else { return };
        let before = self.tables.scores.get(name).map_or(0.0, |(score, _)| *score);
        let score = if relative { before + number } else { number };
        self.tables.scores.insert(name.to_owned(), (score, at));
    }

    fn flags(&mut self, line: &Line<'_>, name: &str, at: At, from: usize, text: &str) {
        const ACCEPTED: &[&str] = &[
            "a",
            "autolearn_body",
            "autolearn_force",
            "concat",
            "domains_only",
            "ips_only",
            "learn",
            "net",
            "noautolearn",
            "noawl",
            "nolog",
            "notrim",
            "ns",
            "publish",
            "userconf",
        ];
        const OURS: &[&str] = &["shadow", "nice", "multiple", "nosubject"];
        let mut flags = RuleFlags::default();
        let mut offset = 0;
        while let (word, next, _) = first_word(text.get(offset..).unwrap_or_default())
            && !word.is_empty()
        {
            match word.split_once('=') {
                None if word == "shadow" => flags.shadow = true,
                None if word == "nice" => flags.nice = true,
                None if word == "multiple" => flags.multiple = true,
                None if word == "nosubject" => flags.no_subject = true,
                Some(("maxhits", number)) if number.parse::<u32>().is_ok_and(|n| n > 0) => {
                    flags.max_hits = number.parse().ok();
                }
                Some(("range", _)) => {}
                None if ACCEPTED.contains(&word) => {}
                _ => {
                    let span = line.span(from + offset..from + offset + word.len());
                    let diagnostic =
                        Diagnostic::warning("R0207", format!("there is no flag `{word}`")).at(self.source, span, "");
                    let known = OURS.iter().chain(ACCEPTED).copied().chain(["maxhits=1"]);
                    self.tables.complain(match did_you_mean(word, known) {
                        Some(guess) => diagnostic.help(format!("did you mean `{guess}`?")),
                        None => diagnostic,
                    });
                }
            }
            offset += next;
        }
        self.tables.flags.insert(name.to_owned(), (flags, at));
    }

    fn test(&mut self, line: &Line<'_>, name: &str, from: usize, value: &str) {
        let (word, offset, string) = first_word(value);
        let must_hit = match word {
            "ok" => true,
            "fail" => false,
            _ => {
                let span = line.span(from..from + word.len());
                return self.error("R0212", "a test says `ok` or `fail`", span, "");
            }
        };
        let span = line.span(from + offset..line.text.len());
        let test = TestLine { must_hit, text: string.to_owned(), span, source: Arc::clone(self.source) };
        self.tables.tests.entry(name.to_owned()).or_default().push(test);
    }
}
