//! What a message is known to be.

use gatepost_words::Class;

/// What a message is known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Label {
    /// Spam or phishing.
    Spam,
    /// Wanted messages.
    Ham,
    /// Not known.
    Unlabelled,
}

impl Label {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Spam, Self::Ham, Self::Unlabelled];

    /// The word that people see.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Spam => "spam",
            Self::Ham => "ham",
            Self::Unlabelled => "unlabelled",
        }
    }

    pub(super) fn of(spam: Option<bool>) -> Self {
        match spam {
            Some(true) => Self::Spam,
            Some(false) => Self::Ham,
            None => Self::Unlabelled,
        }
    }

    /// By the innermost directory of a path whose name has the word `ham`, `spam` or `phish` in it:
    /// `corpus/easy_ham/1.eml`.
    pub(super) fn by_path(path: &str) -> Self {
        Self::of(gatepost_reader::folder_class(path).map(Class::is_spam))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_by_path() {
        for (path, wanted) in [
            ("corpus/ham/1.eml", Label::Ham),
            ("corpus/spam/easy_ham_2/1", Label::Ham),
            ("phishing_pot/phish/1", Label::Spam),
            ("Spam-2/1", Label::Spam),
            ("spamassassin/1.eml", Label::Unlabelled),
            ("hamburg/spam", Label::Unlabelled),
            ("spam", Label::Unlabelled),
        ] {
            assert_eq!(Label::by_path(path), wanted, "{path}");
        }
    }
}
