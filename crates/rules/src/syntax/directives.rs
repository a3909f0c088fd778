//! The directives that begin with the name of a rule: its definition, and what is said of it.

use gatepost_words::bytes;
use std::ops::Range;
use std::sync::Arc;

use super::define::define;
use super::lines::{Line, first_word};
use super::loader::Reader;
use super::scores::{SETS, ScoreLine};
use super::{flags, settings};
use crate::limits::{NAME_LIMIT, RULES_LIMIT};
use crate::ruleset::definition::{At, Defined};
use crate::ruleset::kind::RuleKind;
use crate::ruleset::rule::{Test, TestLine};
use crate::ruleset::shortcircuit::Class;
use gatepost_words::diagnostic::Diagnostic;

/// Priorities that can be written.
const PRIORITIES: std::ops::RangeInclusive<i32> = -1_000_000..=1_000_000;

/// The pieces of a line after the name of the rule.
struct Said<'l, 's> {
    line: &'l Line<'s>,
    /// The directive.
    key: &'l str,
    name: &'l str,
    /// Where the name is in the source.
    name_span: Range<usize>,
    /// Where the text begins in the line.
    at: usize,
    text: &'l str,
}

impl Said<'_, '_> {
    /// Where a stretch of the text is in the source.
    fn span(&self, range: Range<usize>) -> Range<usize> {
        self.line.span(self.at + range.start..self.at + range.end)
    }

    /// Where the text is.
    fn whole(&self) -> Range<usize> {
        self.span(0..self.text.len())
    }
}

impl Reader<'_> {
    /// A line whose second word is the name of a rule; `kind` for definitions.
    pub(crate) fn about_rule(
        &mut self,
        line: &Line<'_>,
        key: &str,
        kind: Option<RuleKind>,
        at: usize,
        value: &str,
    ) {
        let (name, offset, text) = first_word(value);
        if text.is_empty() && (!matches!(key, "describe" | "subjprefix") || name.is_empty()) {
            let wanted = if name.is_empty() {
                "the name of a rule"
            } else {
                "something behind the name"
            };
            let end = line.span(line.text.len()..line.text.len());
            return self.error("R0104", format!("`{key}` needs {wanted}"), end, "here");
        }
        let name_span = line.span(at..at + name.len());
        if !self.name_fits(name, &name_span) {
            return;
        }
        let said = Said {
            line,
            key,
            name,
            name_span,
            at: at + offset,
            text,
        };
        match (key, kind) {
            (_, Some(kind)) => self.rule(kind, &said),
            ("score", _) => self.score(&said),
            ("tflags", _) => self.flags(&said),
            ("test", _) => self.test(&said),
            ("priority", _) => self.priority(&said),
            ("shortcircuit", _) => self.shortcircuit(&said),
            ("subjprefix", _) => {
                let entry = (text.to_owned(), self.place(&said));
                self.tables
                    .extras
                    .reports
                    .subject_prefixes
                    .insert(name.to_owned(), entry);
            }
            _ => {
                let entry = (text.to_owned(), self.place(&said));
                self.tables.descriptions.insert(name.to_owned(), entry);
            }
        }
    }

    fn place(&self, said: &Said<'_, '_>) -> At {
        (Arc::clone(self.source), said.name_span.clone())
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
            self.error(
                "R0105",
                format!("a rule's name has at most {NAME_LIMIT} characters"),
                span.clone(),
                "",
            );
        }
        fits && name.len() <= NAME_LIMIT
    }

    fn rule(&mut self, kind: RuleKind, said: &Said<'_, '_>) {
        let mut disabled = None;
        let test = define(kind, said.text).unwrap_or_else(|error| {
            disabled = error.disables.map(str::to_owned);
            self.tables
                .report(error.placed(self.source, |span| said.span(span)));
            Test::Never
        });
        if kind == RuleKind::Unsupported {
            let (key, lacking) = (said.key, settings::lacking(said.key).unwrap_or_default());
            disabled = Some(format!("`{key}` needs {lacking}, which are not there yet"));
            let message = format!("rules of kind `{key}` are not supported yet");
            self.warning(
                "R0213",
                message,
                said.name_span.clone(),
                "the rule is disabled",
            );
        }
        let rule = Defined {
            name: said.name.to_owned(),
            kind,
            definition: said.text.to_owned(),
            at: self.place(said),
            definition_at: said.whole(),
            earlier: None,
            test,
            disabled,
        };
        if let Some(old) = self
            .tables
            .index
            .get(said.name)
            .and_then(|index| self.tables.rules.get_mut(*index))
        {
            let earlier = std::mem::replace(old, rule);
            old.earlier = Some(earlier.at);
        } else if self.tables.rules.len() == RULES_LIMIT {
            if self.tables.mentioned.insert("too many rules".to_owned()) {
                self.error(
                    "R0106",
                    format!("there are more than {RULES_LIMIT} rules"),
                    rule.at.1,
                    "",
                );
            }
        } else {
            self.tables
                .index
                .insert(said.name.to_owned(), self.tables.rules.len());
            self.tables.rules.push(rule);
        }
    }

    fn score(&mut self, said: &Said<'_, '_>) {
        let line = match ScoreLine::parse(said.text) {
            Ok(line) => line,
            Err(bad) => return self.error("R0205", bad.message, said.span(bad.span), ""),
        };
        let before = self
            .tables
            .all_scores
            .get(said.name)
            .map(|(scores, _)| *scores);
        let Some(scores) = line.over(before) else {
            let message = format!(
                "{} has no score yet to which this could be added",
                said.name
            );
            return self.warning("R0215", message, said.whole(), "not used");
        };
        let at = self.place(said);
        self.tables
            .all_scores
            .insert(said.name.to_owned(), (scores, at));
    }

    /// Which of the four scores counts: a setting of ours.
    pub(crate) fn score_set(&mut self, value: &str, span: Range<usize>) {
        match value.trim().parse::<usize>().ok().filter(|set| *set < SETS) {
            Some(set) => self.tables.score_set = set,
            None => self.error("R0205", "a score set is a number from 0 to 3", span, ""),
        }
    }

    fn flags(&mut self, said: &Said<'_, '_>) {
        let mut unknown = Vec::new();
        let parsed = flags::parse(said.text, |span| unknown.push(span));
        for span in unknown {
            let word = bytes::slice_str(said.text, span.clone());
            let diagnostic = Diagnostic::warning("R0207", format!("unknown flag `{word}`"));
            self.unknown(diagnostic, said.span(span), word, flags::all(), None);
        }
        let at = self.place(said);
        self.tables.flags.insert(said.name.to_owned(), (parsed, at));
    }

    fn priority(&mut self, said: &Said<'_, '_>) {
        let Some(priority) = said
            .text
            .parse::<i32>()
            .ok()
            .filter(|number| PRIORITIES.contains(number))
        else {
            return self.error(
                "R0216",
                format!("invalid priority `{}`", said.text),
                said.whole(),
                "",
            );
        };
        let at = self.place(said);
        self.tables
            .extras
            .declared_priorities
            .insert(said.name.to_owned(), (priority, at));
    }

    fn shortcircuit(&mut self, said: &Said<'_, '_>) {
        let Some(class) = Class::parse(said.text) else {
            let diagnostic =
                Diagnostic::error("R0217", format!("invalid shortcircuit `{}`", said.text));
            let help = Some("expected one of spam, ham, on, off".to_owned());
            return self.unknown(
                diagnostic,
                said.whole(),
                said.text,
                Class::NAMES.iter().copied(),
                help,
            );
        };
        let at = self.place(said);
        self.tables
            .extras
            .shortcircuits
            .classes
            .insert(said.name.to_owned(), (class, at));
    }

    fn test(&mut self, said: &Said<'_, '_>) {
        let (word, offset, string) = first_word(said.text);
        let must_hit = match word {
            "ok" => true,
            "fail" => false,
            _ => {
                return self.error(
                    "R0212",
                    "invalid test line: expected `ok` or `fail`",
                    said.span(0..word.len()),
                    "",
                );
            }
        };
        let span = said.span(offset..said.text.len());
        let test = TestLine {
            must_hit,
            text: string.to_owned(),
            span,
            source: Arc::clone(self.source),
        };
        self.tables
            .tests
            .entry(said.name.to_owned())
            .or_default()
            .push(test);
    }
}
