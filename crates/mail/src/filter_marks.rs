//! The fields that only a filter may write: readers would take a sender's copy for ours.

/// Forged marks that are taken out of one message. An MTA walks the message for each of them; a
/// message with more is held ([`crate::AnomalyKind::MarksLimit`]). A real one that passed
/// through several filters has about thirty.
pub const FILTER_MARKS_MAX: usize = 100;

/// What we write, and what mail programs sort by: taken out before all others.
const READ_BY_PROGRAMS: [&str; 8] = [
    "X-Gatepost",
    "X-Spam-Flag",
    "X-Spam-Status",
    "X-Spam-Level",
    "X-Spam-Score",
    "X-Spam-Bar",
    "X-Spam-Report",
    "X-Spam-Checker-Version",
];

/// A name of a header field that only a filter may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterMark {
    /// Mail programs sort by it.
    ReadByPrograms,
    /// Any other with the prefix of filters.
    Other,
}

impl FilterMark {
    /// What kind of mark a field of that name is; `None` where it is none.
    pub fn of(name: &[u8]) -> Option<Self> {
        let is_name = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if READ_BY_PROGRAMS.iter().any(|known| is_name(known)) {
            return Some(Self::ReadByPrograms);
        }
        let has_prefix = |prefix: &[u8]| {
            name.get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        (has_prefix(b"X-Spam-") || has_prefix(b"X-Gatepost")).then_some(Self::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AnomalyKind, Limits, Message};

    #[test]
    fn marks_are_known_in_any_case() {
        for (name, mark) in [
            ("X-SPAM-flag", Some(FilterMark::ReadByPrograms)),
            ("x-gatepost", Some(FilterMark::ReadByPrograms)),
            ("X-Gatepost-Old", Some(FilterMark::Other)),
            ("x-spam-", Some(FilterMark::Other)),
            ("X-Spam", None),
            ("Subject", None),
        ] {
            assert_eq!(FilterMark::of(name.as_bytes()), mark, "{name}");
        }
    }

    #[test]
    fn marks_are_counted_at_n_and_n_plus_one() {
        for (count, is_over) in [(FILTER_MARKS_MAX, false), (FILTER_MARKS_MAX + 1, true)] {
            let header = "X-Spam-Flag: NO\n".repeat(count);
            let message = format!("From: a@example.com\n{header}\nhello\n");
            let is_noted = Message::parse(message.as_bytes(), &Limits::default())
                .anomalies
                .iter()
                .any(|odd| odd.kind == AnomalyKind::MarksLimit);
            assert_eq!(is_noted, is_over, "{count}");
        }
    }
}
