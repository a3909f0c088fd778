//! One diagnostic.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::Source;
use super::escape::escaped;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// What was read cannot be used.
    Error,
    /// It can be used, but probably does not do what its author thinks.
    Warning,
}

impl Severity {
    /// The name that people see.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A stretch of a source, with a word on why it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which source.
    pub source: Arc<Source>,
    /// Byte offsets in its text.
    pub span: Range<usize>,
    /// The text next to the caret; may be empty.
    pub label: String,
}

/// One diagnostic: what, where, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// Which kind: an entry of [`super::CODES`].
    pub code: &'static str,
    /// What is wrong, in one sentence without full stop.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
    /// Other places that matter, such as the first definition of a thing defined twice.
    pub secondary: Vec<Place>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error of that kind.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message.into())
    }

    /// A warning of that kind.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message.into())
    }

    fn new(severity: Severity, code: &'static str, message: String) -> Self {
        Self {
            severity,
            code,
            message,
            place: None,
            secondary: Vec::new(),
            help: None,
        }
    }

    /// Adds the place.
    #[must_use]
    pub fn at(
        mut self,
        source: &Arc<Source>,
        span: Range<usize>,
        label: impl Into<String>,
    ) -> Self {
        self.place = Some(Place {
            source: Arc::clone(source),
            span,
            label: label.into(),
        });
        self
    }

    /// Shows another place too.
    #[must_use]
    pub fn also(
        mut self,
        source: &Arc<Source>,
        span: Range<usize>,
        label: impl Into<String>,
    ) -> Self {
        self.secondary.push(Place {
            source: Arc::clone(source),
            span,
            label: label.into(),
        });
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Line and column of the place, both from 1, the column in characters.
    pub fn position(&self) -> Option<(usize, usize)> {
        self.place
            .as_ref()
            .map(|place| place.source.position(place.span.start))
    }
}

impl fmt::Display for Diagnostic {
    /// In one line: `FILE:LINE:COLUMN: error[R0102]: message (label); help: …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(place), Some((line, column))) = (&self.place, self.position()) {
            write!(f, "{}:{line}:{column}: ", escaped(&place.source.name))?;
        }
        write!(
            f,
            "{}[{}]: {}",
            self.severity.name(),
            self.code,
            escaped(&self.message)
        )?;
        if let Some(place) = self.place.as_ref().filter(|place| !place.label.is_empty()) {
            write!(f, " ({})", escaped(&place.label))?;
        }
        if let Some(help) = &self.help {
            write!(f, "; help: {}", escaped(help))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, Diagnostic, Source};

    #[test]
    fn one_line_says_everything() {
        let source = Arc::new(Source::new("local.cf", "# x\nscroe A 1\n"));
        let diagnostic = Diagnostic::error("R0102", "no such key")
            .at(&source, 4..9, "here")
            .help("write `score`");
        assert_eq!(
            diagnostic.to_string(),
            "local.cf:2:1: error[R0102]: no such key (here); help: write `score`"
        );
        assert_eq!(
            Diagnostic::warning("R0102", "a\x1b").to_string(),
            "warning[R0102]: a\\u{1b}"
        );
    }
}
