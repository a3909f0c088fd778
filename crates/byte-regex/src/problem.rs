//! What is wrong with a pattern.

use std::ops::Range;

/// One problem, at a stretch of the pattern's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Code in the table of `diagnostic`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where, in the text that was given.
    pub span: Range<usize>,
    /// Whether the rule is merely disabled (we lack something) instead of wrong.
    pub disables: bool,
}

impl Problem {
    /// The pattern is wrong.
    pub(super) fn wrong(
        code: &'static str,
        message: impl Into<String>,
        span: Range<usize>,
    ) -> Self {
        Self {
            code,
            message: message.into(),
            span,
            disables: false,
        }
    }

    /// The pattern is fine, but we cannot run it.
    pub(super) fn unsupported(
        code: &'static str,
        message: impl Into<String>,
        span: Range<usize>,
    ) -> Self {
        Self {
            code,
            message: message.into(),
            span,
            disables: true,
        }
    }
}
