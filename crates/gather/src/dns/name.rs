//! A domain name (RFC 1035 §3.1): read with its compression, written without, shown escaped.

use std::fmt::{self, Write as _};
use std::net::IpAddr;

use thiserror::Error;

use super::Malformed;
use super::reader::Reader;

/// A name on the wire has at most so many bytes (RFC 1035 §2.3.4).
const BYTES_MAX: usize = 255;
/// And a label so many.
const LABEL_MAX: usize = 63;
/// And at most so many labels, so that no name needs more compression pointers.
const POINTERS_MAX: usize = 127;

/// A domain name in lower case: names are equal without regard to case (RFC 4343).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// Labels with their lengths, without compression, with the empty label at the end.
    wire: Box<[u8]>,
}

/// Why a text is not a domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidName {
    /// Two dots in a row, or one at the beginning.
    #[error("a label is empty")]
    EmptyLabel,
    /// A label has more than 63 bytes.
    #[error("a label has more than 63 bytes")]
    LongLabel,
    /// The name has more than 255 bytes.
    #[error("the name has more than 255 bytes")]
    LongName,
}

impl Name {
    /// Reads a name as people write it, with or without the final dot. There are no escapes.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let text = text.strip_suffix('.').unwrap_or(text);
        let mut wire = Vec::with_capacity(text.len() + 2);
        if !text.is_empty() {
            for label in text.split('.') {
                push_label(&mut wire, label.as_bytes())?;
            }
        }
        Self::finished(wire)
    }

    /// The name under which the reverse DNS knows `address` (RFC 1035 §3.5, RFC 3596 §2.5). An
    /// IPv4-mapped address is the IPv4 address.
    pub fn reverse(address: IpAddr) -> Self {
        let mut wire = Vec::with_capacity(76);
        let mut push = |label: &str| {
            wire.push(u8::try_from(label.len()).unwrap_or(0));
            wire.extend_from_slice(label.as_bytes());
        };
        match address.to_canonical() {
            IpAddr::V4(address) => {
                for octet in address.octets().iter().rev() {
                    push(&octet.to_string());
                }
                push("in-addr");
            }
            IpAddr::V6(address) => {
                for octet in address.octets().iter().rev() {
                    push(&format!("{:x}", octet & 15));
                    push(&format!("{:x}", octet >> 4));
                }
                push("ip6");
            }
        }
        push("arpa");
        wire.push(0);
        Self { wire: wire.into() }
    }

    fn finished(mut wire: Vec<u8>) -> Result<Self, InvalidName> {
        wire.push(0);
        if wire.len() > BYTES_MAX {
            return Err(InvalidName::LongName);
        }
        // Lengths are below 64, so no length is taken for a letter.
        wire.make_ascii_lowercase();
        Ok(Self { wire: wire.into() })
    }

    /// Reads a name and leaves `reader` after it. A pointer must go to an earlier place than the
    /// part of the name that it ends (RFC 1035 §4.1.4: "a prior occurrence"), so that following
    /// them ends; pointers and bytes are counted too.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut wire = Vec::new();
        let mut part_begins = reader.position();
        let mut pointers = 0;
        // After the first pointer reading goes on in a copy: `reader` itself stays after it.
        let mut elsewhere: Option<Reader<'_>> = None;
        loop {
            let current = elsewhere.as_mut().unwrap_or(&mut *reader);
            let length = current.u8()?;
            match length >> 6 {
                0 if length == 0 => break,
                0 => {
                    let label = current.take(usize::from(length))?;
                    wire.push(length);
                    wire.extend_from_slice(label);
                }
                0b11 => {
                    let low = current.u8()?;
                    let target = usize::from(u16::from_be_bytes([length & 0x3f, low]));
                    pointers += 1;
                    if target >= part_begins || pointers > POINTERS_MAX {
                        return Err(Malformed::Pointer);
                    }
                    part_begins = target;
                    let next = current.at(target);
                    elsewhere = Some(next);
                }
                _ => return Err(Malformed::LabelType),
            }
            if wire.len() >= BYTES_MAX {
                return Err(Malformed::LongName);
            }
        }
        Self::finished(wire).map_err(|_| Malformed::LongName)
    }

    /// The name as it is sent, in lower case.
    pub(crate) fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// The name as it is sent, with each letter in upper case where `flip` says so: an answer must
    /// repeat it, which a forger has to guess.
    pub(crate) fn wire_in_case(&self, mut flip: impl FnMut() -> bool) -> Vec<u8> {
        let mut wire = self.wire.to_vec();
        for byte in wire.iter_mut().filter(|byte| byte.is_ascii_lowercase()) {
            if flip() {
                byte.make_ascii_uppercase();
            }
        }
        wire
    }

    /// The labels, without the empty one at the end.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &*self.wire;
        std::iter::from_fn(move || {
            let (&length, after) = rest.split_first()?;
            let (label, after) = after.split_at_checked(usize::from(length))?;
            rest = after;
            (!label.is_empty()).then_some(label)
        })
    }

    /// Whether this is `zone` or a name in it.
    pub fn is_in(&self, zone: &Self) -> bool {
        let own: Vec<&[u8]> = self.labels().collect();
        let zone: Vec<&[u8]> = zone.labels().collect();
        own.ends_with(&zone)
    }

    /// Bytes that it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.wire.len()
    }
}

fn push_label(wire: &mut Vec<u8>, label: &[u8]) -> Result<(), InvalidName> {
    if label.is_empty() {
        return Err(InvalidName::EmptyLabel);
    }
    let length = u8::try_from(label.len()).ok();
    let length = length.filter(|&length| usize::from(length) <= LABEL_MAX);
    wire.push(length.ok_or(InvalidName::LongLabel)?);
    wire.extend_from_slice(label);
    Ok(())
}

/// Without the final dot; the root is `.`. What is not a letter, digit, `-` or `_` is escaped as
/// in a zone file (RFC 1035 §5.1): names are a stranger's bytes.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut is_first = true;
        for label in self.labels() {
            if !is_first {
                f.write_char('.')?;
            }
            is_first = false;
            for &byte in label {
                if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
                    f.write_char(char::from(byte))?;
                } else {
                    write!(f, "\\{byte:03}")?;
                }
            }
        }
        if is_first { f.write_char('.') } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], position: usize) -> Result<(String, usize), Malformed> {
        let mut reader = Reader::new(bytes).at(position);
        let name = Name::read(&mut reader)?;
        Ok((name.to_string(), reader.position()))
    }

    #[test]
    fn names_are_read_with_their_compression() {
        let bytes = b"\x07Example\x03org\0\x04mail\xc0\x00\xc0\x0d";
        assert_eq!(read(bytes, 0).unwrap(), ("example.org".into(), 13));
        assert_eq!(read(bytes, 13).unwrap(), ("mail.example.org".into(), 20));
        assert_eq!(read(bytes, 20).unwrap(), ("mail.example.org".into(), 22));
    }

    #[test]
    fn a_pointer_that_goes_forward_or_to_itself_is_refused() {
        assert_eq!(read(b"\xc0\x00", 0), Err(Malformed::Pointer));
        assert_eq!(read(b"\xc0\x02\x01a\0", 0), Err(Malformed::Pointer));
        assert_eq!(
            read(b"\x01a\xc0\x04\x01b\xc0\x00", 4),
            Err(Malformed::Pointer)
        );
    }

    #[test]
    fn a_name_has_at_most_255_bytes() {
        // 127 labels of one letter: 254 bytes and the root.
        let most: String = "a.".repeat(127);
        assert!(Name::parse(&most).is_ok());
        assert_eq!(
            Name::parse(&format!("b.{most}")),
            Err(InvalidName::LongName)
        );
        let mut wire = b"\x01a".repeat(127);
        wire.push(0);
        assert!(read(&wire, 0).is_ok());
        wire.splice(0..0, *b"\x01b");
        assert_eq!(read(&wire, 0), Err(Malformed::LongName));
    }

    #[test]
    fn a_label_has_at_most_63_bytes() {
        assert!(Name::parse(&"a".repeat(63)).is_ok());
        assert_eq!(Name::parse(&"a".repeat(64)), Err(InvalidName::LongLabel));
        assert_eq!(Name::parse("a..example"), Err(InvalidName::EmptyLabel));
        assert_eq!(read(b"\x40aa\0", 0), Err(Malformed::LabelType));
    }

    #[test]
    fn reverse_names_are_those_of_the_standards() {
        let reverse = |text: &str| Name::reverse(text.parse().unwrap()).to_string();
        assert_eq!(reverse("192.0.2.10"), "10.2.0.192.in-addr.arpa");
        assert_eq!(reverse("::ffff:192.0.2.10"), "10.2.0.192.in-addr.arpa");
        assert_eq!(
            reverse("2001:db8::567:89ab"),
            "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
        );
    }

    #[test]
    fn strange_bytes_are_shown_escaped() {
        let name = read(b"\x04a.b\n\x02\xffc\0", 0).unwrap().0;
        assert_eq!(name, "a\\046b\\010.\\255c");
        assert_eq!(Name::parse(".").unwrap().to_string(), ".");
    }

    #[test]
    fn case_does_not_count_but_can_be_sent() {
        let name = Name::parse("Mail.Example.ORG").unwrap();
        assert_eq!(name, Name::parse("mail.example.org.").unwrap());
        assert_eq!(&name.wire_in_case(|| true)[..5], b"\x04MAIL");
    }

    #[test]
    fn a_zone_holds_whole_labels() {
        let name = |text: &str| Name::parse(text).unwrap();
        assert!(name("mail.example.org").is_in(&name("example.org")));
        assert!(name("example.org").is_in(&name(".")));
        assert!(!name("badexample.org").is_in(&name("example.org")));
    }
}
