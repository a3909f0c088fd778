//! What a record of the label log says.

use std::fmt;

use super::PackedSlots;

/// What identifies a mail to the learner: the SHA-256 of its view. Two mails with the same digest
/// are the same to the learner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Characters of the short form: what people are shown and may type.
    pub const SHORT: usize = 16;
    /// Fewest characters by which a mail may be named.
    pub const PREFIX_MIN: usize = 8;

    /// The first [`Digest::SHORT`] characters.
    pub fn short(&self) -> String {
        self.to_string().chars().take(Self::SHORT).collect()
    }

    /// Whether it begins with these hexadecimal digits; any case.
    pub fn starts_with(&self, prefix: &str) -> bool {
        self.to_string().starts_with(&prefix.to_ascii_lowercase())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// One label of one mail.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Which mail.
    pub digest: Digest,
    /// Spam, or ham.
    pub spam: bool,
    /// Who says so; at most [`Label::SOURCE_MAX`] bytes.
    pub source: String,
    /// What the content model thought of the mail (log-odds), where it was asked.
    pub content: Option<f32>,
    /// The slots of the mail: ascending, each once, at most [`Label::SLOTS_MAX`].
    pub slots: PackedSlots,
}

impl Label {
    /// Bytes of a source.
    pub const SOURCE_MAX: usize = 64;
    /// Slots of a mail.
    pub const SLOTS_MAX: usize = 32_000;
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A label was given.
    Label(Label),
    /// The label of this mail was taken back: as if it had never been given.
    Retraction(Digest),
    /// All labels given at or after a time were taken back, of all sources or of one.
    Rollback {
        /// Seconds since 1970.
        since: u64,
        /// Of this source only.
        source: Option<String>,
    },
}

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its number: one more than that of the record before it; the first is 1.
    pub sequence: u64,
    /// When, in seconds since 1970.
    pub time: u64,
    /// What.
    pub entry: Entry,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_shown_and_found_in_hexadecimal() {
        let mut digest = Digest::default();
        digest.0[0] = 0xab;
        assert!(digest.to_string().starts_with("ab00") && digest.to_string().len() == 64);
        assert_eq!(digest.short().len(), Digest::SHORT);
        assert!(digest.starts_with("AB0") && digest.starts_with("") && !digest.starts_with("ac"));
        assert!(!digest.starts_with(&"ab".repeat(40)));
    }
}
