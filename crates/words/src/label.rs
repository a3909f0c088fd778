//! One label of one message: who gave which class, when, and how far it can be trusted.

use std::fmt;

use crate::{Class, MessageDigest};

/// One label of one message: a record of its own. What a learner derives from it is stored next to
/// it and is not part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Which message.
    pub message: MessageDigest,
    /// What it is.
    pub class: Class,
    /// Who says so; at most [`Label::SOURCE_MAX`] bytes.
    pub source: String,
    /// On what occasion.
    pub kind: LabelKind,
    /// How far the source is trusted, in percent: at most [`Label::FULL_TRUST`].
    pub trust: u8,
    /// When it was given, in seconds since 1970.
    pub time: u64,
    /// The sequence number of the label that this one replaces: that one is retracted.
    pub supersedes: Option<u64>,
}

impl Label {
    /// Longest source, in bytes.
    pub const SOURCE_MAX: usize = 64;
    /// Trust in a source of which nothing else is known.
    pub const FULL_TRUST: u8 = 100;

    /// As much of a source as fits into a label.
    pub fn truncated_source(source: &str) -> &str {
        let (kept, _) = source.split_at(source.floor_char_boundary(Self::SOURCE_MAX));
        kept
    }
}

/// On what occasion a label was given. A correction says that a filter was wrong, and nothing of
/// how often; a sample says how often; an import says neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LabelKind {
    /// A person moved or reported a message.
    #[default]
    Correction,
    /// A message that was drawn at random was labelled.
    AuditSample,
    /// A whole archive was labelled.
    BulkImport,
}

impl LabelKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Correction, Self::AuditSample, Self::BulkImport];

    /// The name used on the command line, in records and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Correction => "correction",
            Self::AuditSample => "audit-sample",
            Self::BulkImport => "bulk-import",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

impl fmt::Display for LabelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::{Label, LabelKind};

    #[test]
    fn names_are_read_back() {
        for kind in LabelKind::ALL {
            assert_eq!(LabelKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(LabelKind::from_name("rumour"), None);
    }

    #[test]
    fn sources_have_their_limit_at_n_and_n_plus_one() {
        let fits = "s".repeat(Label::SOURCE_MAX);
        assert_eq!(Label::truncated_source(&fits), fits);
        assert_eq!(Label::truncated_source(&format!("{fits}s")), fits);
        let wide = format!("{}ä", "s".repeat(Label::SOURCE_MAX - 1));
        assert_eq!(Label::truncated_source(&wide).len(), Label::SOURCE_MAX - 1);
    }
}
