//! Header fields (RFC 5322 §2.2): unfolding, decoding, and the addresses and parameters in
//! structured ones.

use gatepost_words::bytes;

use std::borrow::Cow;

use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, Address, HeaderValue};

use super::decode::to_utf8;
use super::encoded_word::{self, decode_words};

/// Bytes of one structured field that are read; the rest is ignored.
const STRUCTURED_BYTES: usize = 100 << 10;
/// Addresses read from one field.
const ADDRESSES: usize = 10_000;
/// Parameters read from one Content-Type or Content-Disposition.
const PARAMETERS: usize = 1_000;
/// Broken encoded words (`=?` without an end) that are tolerated in one structured field. The
/// parser behind tries each of them to the end of the field, so that their number is a factor of
/// its work.
const BROKEN_WORDS: usize = 64;

/// One header field, as received. It owns its bytes only inside an entity that had to be decoded
/// first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderField<'a> {
    /// Before the colon, without trailing white space.
    pub name: Cow<'a, [u8]>,
    /// After the colon, as on the wire: leading space, folding and line ends included, the last
    /// line end excluded.
    pub raw: Cow<'a, [u8]>,
}

/// One address of a structured header field (RFC 5322 §3.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HeaderAddress {
    /// The display name, or the comment where there is none; encoded words decoded.
    pub display_name: Option<String>,
    /// The addr-spec as given; empty where there was only a name.
    pub address: String,
}

/// A structured value with parameters (RFC 2045 §5.1, RFC 2183, RFC 2231).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameterized {
    /// Before the slash, or all of it, in lower case.
    pub(super) main: String,
    /// After the slash, in lower case.
    pub(super) sub: Option<String>,
    /// Names in lower case, values decoded; in order.
    pub(super) parameters: Vec<(String, String)>,
    /// Whether the field was longer than what is read of it.
    pub(super) cut: bool,
}

impl Parameterized {
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

impl<'a> HeaderField<'a> {
    /// A field that borrows its bytes.
    pub fn new(name: &'a [u8], raw: &'a [u8]) -> Self {
        Self {
            name: Cow::Borrowed(name),
            raw: Cow::Borrowed(raw),
        }
    }

    /// Whether the field has that name, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value without line ends and without white space around it; encoded words stay as they
    /// are.
    pub fn unfolded(&self) -> Vec<u8> {
        let value = self.raw.trim_ascii();
        value
            .iter()
            .copied()
            .filter(|byte| !matches!(byte, b'\r' | b'\n'))
            .collect()
    }

    /// The unfolded value as text, encoded words (RFC 2047) decoded.
    pub fn decoded(&self) -> String {
        decode_words(&self.unfolded())
    }

    /// The addresses of the field, groups flattened; at most 10,000, from the first 100 KiB.
    pub fn addresses(&self) -> Vec<HeaderAddress> {
        let value = structured(&self.unfolded(), BROKEN_WORDS);
        let mut found = Vec::new();
        match MessageStream::new(value.as_bytes()).parse_address() {
            HeaderValue::Address(Address::List(list)) => {
                found.extend(list.iter().take(ADDRESSES).map(address));
            }
            HeaderValue::Address(Address::Group(groups)) => {
                found.extend(
                    groups
                        .iter()
                        .flat_map(|group| &group.addresses)
                        .take(ADDRESSES)
                        .map(address),
                );
            }
            _ => {}
        }
        found
    }

    /// The value and its parameters; at most 1,000, from the first 100 KiB.
    pub(super) fn parameterized(&self) -> Parameterized {
        let unfolded = self.unfolded();
        let end = memchr::memchr_iter(b';', &unfolded)
            .nth(PARAMETERS)
            .unwrap_or(unfolded.len());
        let joined = encoded_word::joined(bytes::head(&unfolded, end));
        let value = structured(&joined, BROKEN_WORDS);
        let mut result = Parameterized {
            cut: end < unfolded.len() || unfolded.len() > STRUCTURED_BYTES,
            ..<_>::default()
        };
        if let HeaderValue::ContentType(parsed) =
            MessageStream::new(value.as_bytes()).parse_content_type()
        {
            result.main = parsed.c_type.trim().to_ascii_lowercase();
            result.sub = parsed.c_subtype.map(|sub| sub.trim().to_ascii_lowercase());
            let parameters = parsed
                .attributes
                .unwrap_or_default()
                .into_iter()
                .take(PARAMETERS);
            result
                .parameters
                .extend(parameters.map(|p| (p.name.to_ascii_lowercase(), p.value.into_owned())));
        }
        result
    }

    /// The first token of the value, in lower case: such as `base64`. Comments in front of it are
    /// passed over (RFC 2045 §6.1 allows them): they must not hide an encoding.
    pub(super) fn token(&self) -> String {
        let value = self.unfolded();
        let value = after_comments(&value);
        let end = value
            .iter()
            .position(|byte| matches!(byte, b';' | b'(' | b' ' | b'\t'))
            .unwrap_or(value.len());
        String::from_utf8_lossy(bytes::head(value, end.min(256)))
            .trim_matches('"')
            .to_ascii_lowercase()
    }
}

/// What follows the white space and comments (RFC 5322 §3.2.2: nested, with quoted pairs) at the
/// start of a value.
fn after_comments(value: &[u8]) -> &[u8] {
    let (mut depth, mut is_quoted) = (0_usize, false);
    for (at, byte) in value.iter().enumerate() {
        match byte {
            _ if is_quoted => is_quoted = false,
            b'\\' if depth > 0 => is_quoted = true,
            b'(' => depth += 1,
            b')' if depth > 0 => depth -= 1,
            _ if depth > 0 || byte.is_ascii_whitespace() => {}
            _ => return bytes::skip(value, at),
        }
    }
    &[]
}

fn address(parsed: &Addr<'_>) -> HeaderAddress {
    HeaderAddress {
        display_name: parsed
            .name
            .as_deref()
            .map(str::to_owned)
            .filter(|name| !name.is_empty()),
        address: parsed.address.as_deref().unwrap_or_default().to_owned(),
    }
}

/// Prepares a value for the structured parsers: UTF-8, bounded, ended by a line feed, and with few
/// enough broken encoded words (the parser would try each to the end of the value).
fn structured(value: &[u8], broken_words: usize) -> String {
    let value = bytes::head(value, STRUCTURED_BYTES);
    let mut text = to_utf8(value, None).0.into_owned();
    if encoded_word::broken(text.as_bytes()) > broken_words {
        text = text.replace("=?", "= ?");
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(value: &str) -> Vec<(Option<String>, String)> {
        let field = HeaderField::new(b"To", value.as_bytes());
        field
            .addresses()
            .into_iter()
            .map(|found| (found.display_name, found.address))
            .collect()
    }

    #[test]
    fn values_are_unfolded_and_decoded() {
        for (raw, unfolded, decoded) in [
            ("", "", ""),
            (" \r\n ", "", ""),
            (" one\r\n two ", "one two", "one two"),
            (" one\n\ttwo", "one\ttwo", "one\ttwo"),
            (
                " =?utf-8?q?Gr=C3=BC=C3=9Fe?=",
                "=?utf-8?q?Gr=C3=BC=C3=9Fe?=",
                "Grüße",
            ),
        ] {
            let field = HeaderField::new(b"Subject", raw.as_bytes());
            assert_eq!(field.unfolded(), unfolded.as_bytes(), "{raw:?}");
            assert_eq!(field.decoded(), decoded, "{raw:?}");
        }
    }

    #[test]
    fn addresses_are_read() {
        let some = |name: &str| Some(name.to_owned());
        for (value, expected) in [
            ("", vec![]),
            (" a@example.com", vec![(None, "a@example.com")]),
            (" <a@example.com>", vec![(None, "a@example.com")]),
            (
                "\"Last, First\" <a@example.com>, b@example.net",
                vec![
                    (some("Last, First"), "a@example.com"),
                    (None, "b@example.net"),
                ],
            ),
            (
                "=?utf-8?b?w4Q=?= <a@example.com>",
                vec![(some("Ä"), "a@example.com")],
            ),
            (
                "a@example.com (A. Person)",
                vec![(some("A. Person"), "a@example.com")],
            ),
            (
                "Team: a@example.com, B <b@example.net>;",
                vec![(None, "a@example.com"), (some("B"), "b@example.net")],
            ),
            ("undisclosed-recipients:;", vec![]),
        ] {
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(name, address)| (name, address.to_owned()))
                .collect();
            assert_eq!(addresses(value), expected, "{value:?}");
        }
    }

    #[test]
    fn addresses_stop_at_the_limit() {
        for (count, expected) in [(ADDRESSES, ADDRESSES), (ADDRESSES + 1, ADDRESSES)] {
            assert_eq!(addresses(&"a@b.co,".repeat(count)).len(), expected);
        }
    }

    #[test]
    fn parameters_are_read() {
        let field = HeaderField::new(
            b"Content-Type",
            b" Text/Plain; CharSet=\"UTF-8\"; name*0*=utf-8''%C3%84; name*1=b.txt",
        );
        let read = field.parameterized();
        assert_eq!(
            (read.main.as_str(), read.sub.as_deref()),
            ("text", Some("plain"))
        );
        assert_eq!(read.parameter("charset"), Some("UTF-8"));
        assert_eq!(read.parameter("name"), Some("Äb.txt"));
        assert!(!read.cut);
    }

    #[test]
    fn parameters_stop_at_the_limit() {
        for (count, cut) in [(PARAMETERS, false), (PARAMETERS + 1, true)] {
            let value = format!("a/b{}", "; x=1".repeat(count));
            let read = HeaderField::new(b"Content-Type", value.as_bytes()).parameterized();
            assert_eq!((read.parameters.len(), read.cut), (PARAMETERS, cut));
        }
    }

    #[test]
    fn broken_words_do_not_hide_an_address() {
        let value = format!("{} <a@example.com>", "=?utf-8?q?x ".repeat(5_000));
        assert!(
            addresses(&value)
                .iter()
                .any(|(_, address)| address == "a@example.com")
        );
    }

    #[test]
    fn tokens_are_read() {
        for (raw, expected) in [
            (" Base64", "base64"),
            (" 7bit (plain)", "7bit"),
            ("", ""),
            (" \"8bit\"; x", "8bit"),
        ]
        .into_iter()
        .chain([
            (" (a (b) \\) c) base64", "base64"),
            ("(open base64", ""),
            (" ) base64", ")"),
        ]) {
            assert_eq!(
                HeaderField::new(b"Content-Transfer-Encoding", raw.as_bytes()).token(),
                expected
            );
        }
    }
}
