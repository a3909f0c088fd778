//! The digest that identifies a message to the learner.

use std::fmt;

/// What identifies a message to the learner: the SHA-256 of what the learner reads of it. Two
/// messages with the same digest are the same to the learner; what a mail server adds on delivery
/// does not change it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageDigest(pub [u8; 32]);

impl MessageDigest {
    /// Characters of the short form: what people are shown and may type.
    pub const SHORT: usize = 16;

    /// The first [`MessageDigest::SHORT`] characters.
    pub fn short(&self) -> String {
        self.to_string().chars().take(Self::SHORT).collect()
    }

    /// Whether it begins with these hexadecimal digits; any case.
    pub fn starts_with(&self, prefix: &str) -> bool {
        self.to_string().starts_with(&prefix.to_ascii_lowercase())
    }
}

impl fmt::Display for MessageDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::MessageDigest;

    #[test]
    fn digests_are_shown_and_found_in_hexadecimal() {
        let mut digest = MessageDigest::default();
        digest.0[0] = 0xab;
        assert!(digest.to_string().starts_with("ab00") && digest.to_string().len() == 64);
        assert_eq!(digest.short().len(), MessageDigest::SHORT);
        assert!(digest.starts_with("AB0") && digest.starts_with("") && !digest.starts_with("ac"));
        assert!(!digest.starts_with(&"ab".repeat(40)));
    }
}
