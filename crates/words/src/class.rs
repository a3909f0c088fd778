//! What a message is, in the words of the people who label it.

use std::fmt;

/// The class of a message. Training has a binary projection of it ([`Class::is_spam`]); everything
/// else keeps the class that a person gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Wanted mail.
    Ham,
    /// Unsolicited bulk mail that advertises or defrauds.
    Spam,
    /// Wants credentials, payments or other secrets by posing as another person or organization.
    Phish,
    /// Carries or links to harmful software.
    Malware,
    /// Bulk mail that was asked for once: newsletters, notifications.
    Bulk,
    /// Not harmful, not spam, and still not wanted by this recipient.
    Unwanted,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 6] = [
        Self::Ham,
        Self::Spam,
        Self::Phish,
        Self::Malware,
        Self::Bulk,
        Self::Unwanted,
    ];

    /// The name used on the command line, in records and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ham => "ham",
            Self::Spam => "spam",
            Self::Phish => "phish",
            Self::Malware => "malware",
            Self::Bulk => "bulk",
            Self::Unwanted => "unwanted",
        }
    }

    /// The class of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// The binary projection that training and the site learner use: whether a filter should keep
    /// the message out of the inbox. Bulk mail that was asked for belongs there.
    pub fn is_spam(self) -> bool {
        match self {
            Self::Ham | Self::Bulk => false,
            Self::Spam | Self::Phish | Self::Malware | Self::Unwanted => true,
        }
    }

    /// [`Class::Spam`] or [`Class::Ham`]: for sources that know no finer classes.
    pub fn from_is_spam(is_spam: bool) -> Self {
        if is_spam { Self::Spam } else { Self::Ham }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Class;

    #[test]
    fn names_are_read_back() {
        for class in Class::ALL {
            assert_eq!(Class::from_name(class.name()), Some(class));
        }
        assert_eq!(Class::from_name("junk"), None);
    }

    #[test]
    fn the_binary_projection_keeps_what_was_asked_for() {
        let spam = Class::ALL.into_iter().filter(|class| class.is_spam());
        let names: Vec<&str> = spam.map(Class::name).collect();
        assert_eq!(names, ["spam", "phish", "malware", "unwanted"]);
    }
}
