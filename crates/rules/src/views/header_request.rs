//! What a header test asks for: a field or pseudo header, and a part of its value.

use std::fmt;

/// Which part of the value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// All of it.
    #[default]
    Whole,
    /// The addresses, one a line.
    Address,
    /// The display names, one a line.
    Name,
    /// What is after the @ of the addresses.
    Host,
    /// The registered domains of the addresses.
    Domain,
}

/// Which of several fields of that name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pick {
    #[default]
    All,
    First,
    Last,
}

/// A request such as `From:addr` or `Received:raw:last`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HeaderRequest {
    /// The name, as written.
    pub(crate) name: String,
    /// Which part.
    pub(crate) part: Part,
    /// Encoded words stay as they are.
    pub(crate) raw: bool,
    /// Which field.
    pub(crate) pick: Pick,
}

/// The modifiers.
pub(crate) const MODIFIERS: &[&str] = &["raw", "addr", "name", "first", "last", "host", "domain"];

impl HeaderRequest {
    /// Reads a request. An error is the stretch of the modifier that is not known (empty name: all
    /// of it).
    pub(crate) fn parse(text: &str) -> Result<Self, std::ops::Range<usize>> {
        let mut pieces = text.split(':');
        let name = pieces.next().unwrap_or_default();
        let mut request = Self {
            name: name.to_owned(),
            part: Part::Whole,
            raw: false,
            pick: Pick::All,
        };
        let mut at = name.len();
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(0..text.len());
        }
        for modifier in pieces {
            match modifier {
                "raw" => request.raw = true,
                "addr" => {
                    request.part = if request.part == Part::Whole {
                        Part::Address
                    } else {
                        request.part
                    }
                }
                "name" => request.part = Part::Name,
                "host" => request.part = Part::Host,
                "domain" => request.part = Part::Domain,
                "first" => request.pick = Pick::First,
                "last" => request.pick = Pick::Last,
                _ => return Err(at + 1..at + 1 + modifier.len()),
            }
            at += 1 + modifier.len();
        }
        Ok(request)
    }
}

impl fmt::Display for HeaderRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        let part = match self.part {
            Part::Whole => "",
            Part::Address => ":addr",
            Part::Name => ":name",
            Part::Host => ":host",
            Part::Domain => ":domain",
        };
        let pick = match self.pick {
            Pick::All => "",
            Pick::First => ":first",
            Pick::Last => ":last",
        };
        write!(f, "{part}{}{pick}", if self.raw { ":raw" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::HeaderRequest;

    #[test]
    fn requests() {
        for text in [
            "Subject",
            "From:addr",
            "ALL:raw",
            "Received:raw:last",
            "To:name:first",
            "From:domain",
        ] {
            assert_eq!(HeaderRequest::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(
            HeaderRequest::parse("From:addr:domain")
                .unwrap()
                .to_string(),
            "From:domain"
        );
        for (text, span) in [
            ("From:adr", 5..8),
            ("From:raw:x", 9..10),
            ("", 0..0),
            (":addr", 0..5),
            ("From:", 5..5),
        ] {
            assert_eq!(HeaderRequest::parse(text), Err(span), "{text}");
        }
    }
}
