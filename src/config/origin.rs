//! Where a value was set.

use std::ops::Range;
use std::sync::Arc;

use gatepost_words::diagnostic::{Diagnostic, Source};

/// Where a value was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In a file; the span is that of the value.
    File(Arc<Source>, Range<usize>),
    /// By an environment variable of that name, as text that stands for a file.
    Variable(Arc<Source>),
}

impl Origin {
    /// Attaches the place to a diagnostic.
    #[must_use]
    pub fn mark(&self, diagnostic: Diagnostic, label: &str) -> Diagnostic {
        match self {
            Self::File(source, span) => diagnostic.at(source, span.clone(), label),
            Self::Variable(source) => diagnostic.at(source, 0..source.text.len(), label),
        }
    }

    /// Attaches the place as a second one.
    #[must_use]
    pub fn also(&self, diagnostic: Diagnostic, label: &str) -> Diagnostic {
        match self {
            Self::File(source, span) => diagnostic.also(source, span.clone(), label),
            Self::Variable(source) => diagnostic.also(source, 0..source.text.len(), label),
        }
    }

    /// `FILE:LINE`, or `$VARIABLE`.
    pub fn show(&self) -> String {
        match self {
            Self::File(source, span) => {
                format!("{}:{}", source.name, source.position(span.start).0)
            }
            Self::Variable(source) => source.name.clone(),
        }
    }
}
