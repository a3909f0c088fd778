//! What can be set, and what is wrong with what was set.

use std::fmt;

use gatepost_words::verdict::Disposition;

/// The settings of one policy profile. Scores are in points.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// From this score on a message is marked as spam.
    pub required: f64,
    /// From this score on a message is held.
    pub quarantine: f64,
    /// From this score on a message is refused.
    pub reject: f64,
    /// The most that the classifier may add; below `reject`, so that it never refuses a
    /// message alone.
    pub classifier_cap: f64,
    /// The most that the classifier may take off.
    pub classifier_floor: f64,
    /// What is done, at least, with a message that has more of something than the limits of reading
    /// allow: part of it was not seen, so it is never called clean.
    pub beyond_limits: Disposition,
    /// What is refused before the message is seen.
    pub refuse: AdminLists,
    /// What is deferred before the message is seen; what is refused as well is refused.
    pub defer: AdminLists,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            required: 5.0,
            quarantine: 8.0,
            reject: 15.0,
            classifier_cap: 10.0,
            classifier_floor: 2.0,
            beyond_limits: Disposition::Quarantine,
            refuse: AdminLists::default(),
            defer: AdminLists::default(),
        }
    }
}

/// The admin's own lists. Patterns match the whole text, in any case; `*` stands for any
/// characters, `?` for one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdminLists {
    /// IP addresses and networks (`192.0.2.0/24`, `2001:db8::/32`), or patterns of verified host
    /// names (`*.example.net`).
    pub clients: Vec<String>,
    /// Patterns of HELO names.
    pub helo: Vec<String>,
    /// Patterns of envelope senders; `<>` is the null sender.
    pub senders: Vec<String>,
    /// Patterns of envelope recipients.
    pub recipients: Vec<String>,
}

/// One setting that is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError {
    /// The key within the policy section, such as `reject` or `refuse.clients`.
    pub key: &'static str,
    /// The value, as text.
    pub value: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}: {}", self.key, self.value, self.message)
    }
}

impl std::error::Error for SettingError {}
