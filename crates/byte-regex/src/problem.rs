//! Errors in patterns.

use std::ops::Range;

/// An error in a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Code, such as `R0302`, in Gatepost's table of diagnostics.
    pub code: &'static str,
    /// What is wrong, in words.
    pub message: String,
    /// The byte range in the text that was compiled.
    pub span: Range<usize>,
    /// Whether the pattern is valid but not supported, so that a rule is disabled instead of refused.
    pub disables: bool,
}

impl Problem {
    /// An invalid pattern.
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

    /// A valid pattern that is not supported.
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
