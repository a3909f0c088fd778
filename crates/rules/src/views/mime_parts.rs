//! `mimeheader` rules that do not look at each value on its own: with `tflags range=` or `concat`,
//! at some of the entities or at all values as one text; with `[if-unset: …]`, at entities that
//! lack the field, too.

use super::header_request::HeaderRequest;
use super::header_text::mime;
use crate::limits::HEADER_VALUE_LIMIT;
use gatepost_mail::Message;

/// Which entities, counted from 1 (the message itself); both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartRange {
    /// The first.
    pub first: u32,
    /// The last.
    pub last: u32,
}

impl Default for PartRange {
    fn default() -> Self {
        Self {
            first: 1,
            last: u32::MAX,
        }
    }
}

impl PartRange {
    /// Reads `2`, `2-`, `-3` or `2-3`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let whole = Self::default();
        let number = |text: &str, missing| {
            if text.is_empty() {
                Some(missing)
            } else {
                text.parse::<u32>().ok()
            }
        };
        let (first, last) = match text.split_once('-') {
            Some(("", "")) => return None,
            Some((first, last)) => (number(first, whole.first)?, number(last, whole.last)?),
            None => (text.parse().ok()?, text.parse().ok()?),
        };
        (first >= 1 && last >= first).then_some(Self { first, last })
    }
}

/// The view.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MimeParts {
    /// Which field.
    pub(crate) request: HeaderRequest,
    /// Of which entities.
    pub(crate) range: PartRange,
    /// All as one text.
    pub(crate) concat: bool,
    /// The value of an entity that lacks the field; `None` passes it over.
    pub(crate) if_unset: Option<String>,
}

impl MimeParts {
    /// The texts, in the order of the entities.
    pub(crate) fn texts(&self, message: &Message<'_>) -> Vec<Vec<u8>> {
        let skipped = usize::try_from(self.range.first.saturating_sub(1)).unwrap_or(usize::MAX);
        let count = usize::try_from(self.range.last - self.range.first)
            .unwrap_or(usize::MAX)
            .saturating_add(1);
        let chosen = message.entities.iter().skip(skipped).take(count);
        let unset = || self.if_unset.as_ref().map(|text| text.as_bytes().to_vec());
        let values = chosen.filter_map(|entity| mime(entity, &self.request).or_else(unset));
        if !self.concat {
            return values.collect();
        }
        let mut whole = Vec::new();
        for value in values {
            whole.extend(value);
            if !whole.ends_with(b"\n") {
                whole.push(b'\n');
            }
            if whole.len() > HEADER_VALUE_LIMIT {
                whole.truncate(HEADER_VALUE_LIMIT);
                break;
            }
        }
        if whole.is_empty() {
            Vec::new()
        } else {
            vec![whole]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PartRange;

    #[test]
    fn ranges() {
        let max = u32::MAX;
        for (text, wanted) in [
            ("1", Some((1, 1))),
            ("2-", Some((2, max))),
            ("-3", Some((1, 3))),
            ("2-3", Some((2, 3))),
            ("3-2", None),
            ("0", None),
            ("-", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(
                PartRange::parse(text),
                wanted.map(|(first, last)| PartRange { first, last }),
                "{text}"
            );
        }
    }
}
