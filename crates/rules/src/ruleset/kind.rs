//! The kinds of rules, and where in a definition of each kind its regular expression is.

use gatepost_words::bytes;

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleKind {
    /// Header fields, or an eval function over the header.
    Header,
    /// The rendered text, paragraph by paragraph; the subject is the first.
    Body,
    /// The decoded text parts with their HTML.
    RawBody,
    /// The URLs.
    Uri,
    /// The message as received.
    Full,
    /// The header fields of the MIME entities.
    MimeHeader,
    /// What is known of each URL.
    UriDetail,
    /// Other rules.
    Meta,
    /// Something that Gatepost cannot look at yet.
    Unsupported,
}

impl RuleKind {
    /// The directive.
    pub fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Body => "body",
            Self::RawBody => "rawbody",
            Self::Uri => "uri",
            Self::Full => "full",
            Self::MimeHeader => "mimeheader",
            Self::UriDetail => "uri_detail",
            Self::Meta => "meta",
            Self::Unsupported => "unsupported",
        }
    }
}

/// The regular expression within a definition, with its delimiters.
pub(crate) fn regex_of(kind: RuleKind, text: &str) -> Option<&str> {
    match kind {
        RuleKind::Body | RuleKind::RawBody | RuleKind::Uri | RuleKind::Full => {
            Some(text).filter(|text| !text.starts_with("eval:"))
        }
        RuleKind::Header | RuleKind::MimeHeader => {
            let at = ["=~", "!~"]
                .into_iter()
                .filter_map(|sign| text.find(sign))
                .min()?;
            Some(without_default(text.get(at + 2..)?.trim_start()).0)
        }
        RuleKind::UriDetail | RuleKind::Meta | RuleKind::Unsupported => None,
    }
}

/// A regular expression, and the value that `[if-unset: …]` after it gives to a missing field.
pub(crate) fn without_default(rest: &str) -> (&str, Option<String>) {
    match rest.rfind("[if-unset:") {
        Some(at)
            if rest.ends_with(']')
                && !rest
                    .get(..at)
                    .is_some_and(|before| before.trim_end().is_empty()) =>
        {
            let value = bytes::slice_str(rest, at + 10..rest.len() - 1).trim_start();
            (bytes::head_str(rest, at).trim_end(), Some(value.to_owned()))
        }
        _ => (rest, None),
    }
}
