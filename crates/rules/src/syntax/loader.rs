//! Reads rule files line by line into the tables: blocks, includes, and which directive a line is.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::conditions::{Blocks, Plugins};
use super::include::{includes, target};
use super::lines::{Line, first_word, lines};
use super::settings;
use super::settings::SettingSupport;
use super::tables::Tables;
use crate::limits::{CONDITION_DEPTH, FILE_LIMIT, INCLUDE_DEPTH, LINE_LIMIT};
use crate::ruleset::ignored_setting::IgnoredSetting;
use crate::ruleset::kind::RuleKind;
use gatepost_words::bytes;
use gatepost_words::diagnostic::{Diagnostic, Source, did_you_mean};

/// The version that `require_version` is compared with.
const VERSION: &str = "4.000001";

/// Reads all sources, in order; one that another includes is read where it is included.
pub(crate) fn read(sources: &[Arc<Source>]) -> Tables {
    let mut tables = Tables::default();
    let included: BTreeSet<String> = sources
        .iter()
        .flat_map(|source| includes(source))
        .map(|one| one.path)
        .collect();
    let files = Files {
        by_name: sources
            .iter()
            .map(|source| (source.name.as_str(), source))
            .collect(),
    };
    // What is loaded is known before any rule asks: `*.pre` first, as SpamAssassin reads them.
    let is_early = |source: &&Arc<Source>| {
        std::path::Path::new(&source.name)
            .extension()
            .is_some_and(|end| end == "pre")
    };
    for source in sources
        .iter()
        .filter(is_early)
        .chain(sources.iter().filter(|source| !is_early(source)))
    {
        if !included.contains(&source.name) {
            let blocks = Blocks::default();
            Reader {
                tables: &mut tables,
                source,
                files: &files,
                open: &[],
                blocks,
                stopped: false,
            }
            .read();
        }
    }
    tables.finish();
    tables
}

/// The sources by name.
struct Files<'s> {
    by_name: BTreeMap<&'s str, &'s Arc<Source>>,
}

/// Reads one source.
pub(crate) struct Reader<'t> {
    pub(crate) tables: &'t mut Tables,
    pub(crate) source: &'t Arc<Source>,
    files: &'t Files<'t>,
    /// The files that include this one.
    open: &'t [&'t str],
    blocks: Blocks<Range<usize>>,
    /// `require_version` did not fit: the rest of the file is skipped.
    stopped: bool,
}

impl Reader<'_> {
    fn read(&mut self) {
        let source = Arc::clone(self.source);
        if source.text.len() > FILE_LIMIT {
            let message = format!("the file has more than {} MiB", FILE_LIMIT >> 20);
            return self.error("R0101", message, 0..0, "");
        }
        for line in lines(&source.text) {
            if self.stopped {
                return;
            }
            if line.text.len() > LINE_LIMIT {
                let message = format!("the line has more than {LINE_LIMIT} bytes");
                self.error("R0109", message, line.span(0..0), "");
                continue;
            }
            self.line(&line, 0);
        }
        for place in self.blocks.unclosed() {
            let diagnostic = Diagnostic::error("R0108", "this block is not closed in its file").at(
                &source,
                place,
                "opened here",
            );
            self.tables.report(diagnostic.help("add `endif`"));
        }
    }

    pub(crate) fn error(
        &mut self,
        code: &'static str,
        message: impl Into<String>,
        span: Range<usize>,
        label: &str,
    ) {
        self.tables
            .report(Diagnostic::error(code, message).at(self.source, span, label));
    }

    pub(crate) fn warning(
        &mut self,
        code: &'static str,
        message: impl Into<String>,
        span: Range<usize>,
        label: &str,
    ) {
        self.tables
            .report(Diagnostic::warning(code, message).at(self.source, span, label));
    }

    /// Reports a word, with the known one that it is most like, or `help` where there is none.
    pub(crate) fn unknown<'w>(
        &mut self,
        diagnostic: Diagnostic,
        span: Range<usize>,
        word: &str,
        known: impl Iterator<Item = &'w str>,
        help: Option<String>,
    ) {
        let diagnostic = diagnostic.at(self.source, span, "");
        let help = did_you_mean(word, known)
            .map(|guess| format!("did you mean `{guess}`?"))
            .or(help);
        self.tables.report(match help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
    }

    /// One line from `from` on.
    fn line(&mut self, line: &Line<'_>, from: usize) {
        let text = bytes::skip_str(&line.text, from);
        let (word, offset, value) = first_word(text);
        let key = word.to_ascii_lowercase().replace('-', "_");
        let key_span = line.span(from..from + word.len());
        let at = from + offset;
        match key.as_str() {
            "if" => self.condition(line, &key_span, value, at),
            "ifplugin" => {
                if self.blocks.active() {
                    self.note_foreign(value, line.span(at..line.text.len()));
                }
                self.open(&key_span, self.tables.plugins.has(value));
            }
            "else" if !self.blocks.turn() => self.error(
                "R0108",
                "`else` without `if`, or a second one",
                key_span,
                "",
            ),
            "endif" if !self.blocks.close() => {
                self.error("R0108", "`endif` without `if`", key_span, "");
            }
            "else" | "endif" => {}
            _ if !self.blocks.active() => {}
            "lang" => {
                // The texts that we show are English; SpamAssassin does the same under the C
                // locale.
                let (language, offset, _) = first_word(value);
                if "en_us".starts_with(&language.to_ascii_lowercase()) && from == 0 {
                    self.line(line, at + offset);
                }
            }
            "include" => self.include(value, line.span(at..line.text.len())),
            "require_version" => self.require_version(value, line.span(at..line.text.len())),
            _ => self.directive(line, &key, &key_span, at, value),
        }
    }

    fn require_version(&mut self, value: &str, span: Range<usize>) {
        self.stopped = !matches!(value.trim_matches('"'), VERSION | "4.0.1" | "@@VERSION@@");
        if self.stopped {
            let message =
                format!("require_version {value} does not match {VERSION}: rest of file skipped");
            self.warning("R0111", message, span, "skipped from here on");
        }
    }

    /// Reads another file here.
    fn include(&mut self, value: &str, span: Range<usize>) {
        let path = target(&self.source.name, value);
        let Some(source) = self.files.by_name.get(path.as_str()).copied() else {
            return self.warning(
                "R0113",
                format!("cannot find or read {path}"),
                span,
                "included here",
            );
        };
        if self.open.contains(&path.as_str()) || self.source.name == path {
            return self.error(
                "R0114",
                format!("{path} includes itself"),
                span,
                "in a circle",
            );
        }
        if self.open.len() == INCLUDE_DEPTH {
            return self.error(
                "R0114",
                format!("files may be included {INCLUDE_DEPTH} deep"),
                span,
                "not read",
            );
        }
        let open: Vec<&str> = self
            .open
            .iter()
            .copied()
            .chain([self.source.name.as_str()])
            .collect();
        let blocks = Blocks::default();
        Reader {
            tables: &mut *self.tables,
            source,
            files: self.files,
            open: &open,
            blocks,
            stopped: false,
        }
        .read();
    }

    fn condition(&mut self, line: &Line<'_>, key_span: &Range<usize>, value: &str, at: usize) {
        if !self.blocks.active() {
            return self.open(key_span, false);
        }
        match self.tables.plugins.holds(value) {
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
            self.error(
                "R0110",
                format!("blocks are nested more than {CONDITION_DEPTH} deep"),
                span.clone(),
                "",
            );
            self.stopped = true;
        } else {
            self.blocks.open(span.clone(), holds);
        }
    }

    fn directive(
        &mut self,
        line: &Line<'_>,
        key: &str,
        key_span: &Range<usize>,
        at: usize,
        value: &str,
    ) {
        let kind = match key {
            "header" => Some(RuleKind::Header),
            "body" => Some(RuleKind::Body),
            "rawbody" => Some(RuleKind::RawBody),
            "uri" => Some(RuleKind::Uri),
            "full" => Some(RuleKind::Full),
            "meta" => Some(RuleKind::Meta),
            "mimeheader" => Some(RuleKind::MimeHeader),
            "uri_detail" => Some(RuleKind::UriDetail),
            _ if settings::lacking(key).is_some() => Some(RuleKind::Unsupported),
            _ => None,
        };
        match kind {
            _ if matches!(
                key,
                "score"
                    | "describe"
                    | "test"
                    | "tflags"
                    | "priority"
                    | "shortcircuit"
                    | "subjprefix"
            ) =>
            {
                self.about_rule(line, key, None, at, value);
            }
            Some(kind) => self.about_rule(line, key, Some(kind), at, value),
            None => self.setting(line, key, key_span, at, value),
        }
    }

    fn setting(&mut self, line: &Line<'_>, key: &str, span: &Range<usize>, at: usize, value: &str) {
        let value_span = line.span(at..line.text.len());
        match key {
            "loadplugin" | "tryplugin" => {
                self.note_foreign(value, value_span);
                return self.tables.plugins.load(value);
            }
            "enable_compat" => return self.tables.plugins.enable(value),
            // Says only that other installations had the same rule.
            "reuse" => return,
            "capture_templates" => {
                return self.tables.extras.runs_templates = Some(value.trim() != "0");
            }
            "score_set" => return self.score_set(value, value_span),
            _ if self.tables.lists.set(key, value) => return,
            _ => {}
        }
        match self.tables.extras.reports.set(key, value) {
            Ok(true) => return,
            Ok(false) => {}
            Err(message) => return self.error("R0220", message, value_span, ""),
        }
        match self.tables.extras.shortcircuits.set(key, value) {
            Ok(true) => return,
            Ok(false) => {}
            Err(()) => {
                return self.error("R0205", format!("invalid score `{value}`"), value_span, "");
            }
        }
        match settings::setting_support(key, value) {
            Some(SettingSupport::Taken | SettingSupport::Idle) => {}
            Some(SettingSupport::Elsewhere(reason)) => self.ignored(key, span, reason, true),
            Some(SettingSupport::Missing(reason)) => self.ignored(key, span, reason, false),
            None => self.unknown_setting(key, span),
        }
    }

    /// An error, unless a plugin that we do not know was to be loaded: it may be a setting of it.
    fn unknown_setting(&mut self, key: &str, span: &Range<usize>) {
        let message = format!("unknown directive `{key}`");
        let plugins: Vec<_> = self.tables.plugins.foreign_loaded().collect();
        if plugins.is_empty() {
            let diagnostic = Diagnostic::error("R0102", message);
            return self.unknown(diagnostic, span.clone(), key, settings::all(), None);
        }
        let help = format!(
            "if it is a setting of {}, ignore this",
            plugins.join(" or ")
        );
        if self.tables.mentioned.insert(key.to_owned()) {
            let diagnostic = Diagnostic::warning("R0102", message);
            self.unknown(diagnostic, span.clone(), key, settings::all(), Some(help));
        }
    }

    /// Reports, once, a plugin that does not come with SpamAssassin.
    fn note_foreign(&mut self, value: &str, span: Range<usize>) {
        let Some(name) = Plugins::foreign(value) else {
            return;
        };
        let message = format!("plugin `{name}` is not available here");
        if self.tables.mentioned.insert(format!("plugin {name}")) {
            self.warning("R0115", message, span, "its `ifplugin` blocks are skipped");
        }
    }

    /// A setting that is known, but changes nothing: reported once.
    fn ignored(
        &mut self,
        key: &str,
        span: &Range<usize>,
        reason: &'static str,
        is_elsewhere: bool,
    ) {
        if !self.tables.mentioned.insert(key.to_owned()) {
            return;
        }
        let source = Arc::clone(self.source);
        let setting = IgnoredSetting {
            name: key.to_owned(),
            reason,
            source: Arc::clone(&source),
            span: span.clone(),
        };
        self.tables.extras.ignored.push(setting);
        let diagnostic = if is_elsewhere {
            let message = format!("`{key}` is accepted, but changes nothing here");
            Diagnostic::warning("R0112", message)
                .at(&source, span.clone(), "decided elsewhere")
                .help(reason)
        } else {
            let message = format!("`{key}` is accepted, but changes nothing yet");
            let diagnostic =
                Diagnostic::warning("R0103", message).at(&source, span.clone(), "not implemented");
            diagnostic.help(format!("it belongs to {reason}"))
        };
        self.tables.report(diagnostic);
    }
}
