//! Queue files of Postfix (`/var/spool/postfix/{hold,deferred,…}`): records of a type, a length and
//! data, as `src/global/rec_type.h` of Postfix has them. Bytes of a stranger are in them.

use std::io::Read;
use std::path::Path;

use gatepost_words::bytes::Cursor;

use super::item::{Envelope, Item, Unread, clean};

/// Bytes of a queue file next to three times `limits.message`: a line costs up to two bytes more
/// than in the message, and the envelope is small.
const ENVELOPE_MAX: usize = 1 << 20;

/// Reads the message and its envelope.
pub(crate) fn read(name: &str, reader: impl Read, limit: usize) -> Item {
    let most = limit.saturating_mul(3).saturating_add(ENVELOPE_MAX);
    let mut data = Vec::new();
    match reader.take(most as u64 + 1).read_to_end(&mut data) {
        Ok(_) if data.len() > most => return Item::unread(name, Unread::too_large(limit)),
        Ok(_) => {}
        Err(error) => return Item::unread(name, Unread::of_io(&error)),
    }
    let mut records = Records::new(limit);
    if let Err(why) = records.read(&data) {
        return Item::unread(name, why);
    }
    let mut envelope = records.envelope;
    envelope.queue_id = queue_id(name);
    Item {
        name: name.to_owned(),
        raw: Ok(records.message),
        envelope: Some(Box::new(envelope)),
    }
}

/// A queue file is named after its queue id.
fn queue_id(name: &str) -> Option<String> {
    let name = Path::new(name).file_name()?.to_str()?;
    let is_id = name.len() >= 6 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_id.then(|| name.to_owned())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    /// Before the message.
    Envelope,
    /// The message.
    Content,
    /// What was extracted from the message, after it.
    Extracted,
}

struct Records {
    limit: usize,
    section: Section,
    message: Vec<u8>,
    envelope: Envelope,
}

impl Records {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            section: Section::Envelope,
            message: Vec::new(),
            envelope: Envelope::default(),
        }
    }

    /// Follows the records to the end. Pointers (what a milter changed) may lead round in a circle:
    /// a file has no more records than half its bytes.
    fn read(&mut self, data: &[u8]) -> Result<(), Unread> {
        let mut cursor = Cursor::new(data);
        for _ in 0..=data.len() / 2 {
            let (kind, record) = record(&mut cursor).ok_or_else(damaged)?;
            if kind == b'p' {
                let to = number(record).ok_or_else(damaged)?;
                if to > data.len() {
                    return Err(damaged());
                }
                if to > 0 {
                    cursor.seek(to);
                }
                continue;
            }
            if self.take(kind, record)? {
                return Ok(());
            }
        }
        Err(damaged())
    }

    /// Takes one record; whether it was the last one.
    fn take(&mut self, kind: u8, record: &[u8]) -> Result<bool, Unread> {
        match (self.section, kind) {
            (Section::Envelope, b'S') => self.envelope.sender = clean(record),
            (Section::Envelope | Section::Extracted, b'R') => self.envelope.recipient(record),
            (Section::Envelope | Section::Extracted, b'A') => {
                let mut cursor = Cursor::new(record);
                let name = String::from_utf8_lossy(cursor.take_until(b'=')).into_owned();
                cursor.skip(1);
                self.envelope.attribute(&name, cursor.rest());
            }
            (Section::Envelope, b'M') => self.section = Section::Content,
            (Section::Content, b'N') => {
                self.message.extend_from_slice(record);
                self.message.push(b'\n');
            }
            (Section::Content, b'L') => self.message.extend_from_slice(record),
            (Section::Content, b'X') => self.section = Section::Extracted,
            // A file without this record was not finished.
            (Section::Extracted, b'E') => return Ok(true),
            (Section::Content | Section::Envelope, b'E') => return Err(damaged()),
            // Times, flags and what was deleted are not part of the message.
            _ => {}
        }
        if self.message.len() > self.limit {
            return Err(Unread::too_large(self.limit));
        }
        Ok(false)
    }
}

fn damaged() -> Unread {
    Unread::is("a queue file of Postfix that is damaged or not finished")
}

/// One record: a type, a length in groups of seven bits, the lowest first, and data.
fn record<'a>(cursor: &mut Cursor<'a>) -> Option<(u8, &'a [u8])> {
    let kind = cursor.next_byte()?;
    let mut length = 0_usize;
    for shift in [0, 7, 14, 21, 28] {
        let byte = cursor.next_byte()?;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((kind, cursor.take_exactly(length)?));
        }
    }
    None
}

fn number(record: &[u8]) -> Option<usize> {
    std::str::from_utf8(record).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(file: &mut Vec<u8>, kind: u8, data: &str) {
        file.push(kind);
        let mut length = data.len();
        while length >= 0x80 {
            file.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        file.push(u8::try_from(length).unwrap());
        file.extend_from_slice(data.as_bytes());
    }

    fn file(content: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut file = Vec::new();
        let size = format!(
            "{:>15} {:>15} {:>15} {:>15} {:>15} {:>15}",
            100, 600, 1, 0, 100, 0
        );
        add(&mut file, b'C', &size);
        add(&mut file, b'T', "1764000000 123456");
        add(&mut file, b'A', "client_name=mail.example.net");
        add(&mut file, b'A', "client_address=192.0.2.7");
        add(&mut file, b'A', "helo_name=mail.example.net");
        add(&mut file, b'S', "anna@example.net");
        add(&mut file, b'R', "bert@example.com");
        add(&mut file, b'M', "");
        content(&mut file);
        add(&mut file, b'X', "");
        add(&mut file, b'E', "");
        file
    }

    #[test]
    fn message_and_envelope_are_read() {
        let long = "x".repeat(300);
        let data = file(|file| {
            add(file, b'N', "Subject: x");
            add(file, b'w', "deleted");
            add(file, b'p', "              0");
            add(file, b'N', "");
            add(file, b'L', &long);
            add(file, b'N', "y");
        });
        assert_eq!(crate::sniff::kind(&data), crate::sniff::Kind::QueueFile);
        let item = read("hold/4Y1abcDEF2z", data.as_slice(), 1000);
        let expected = format!("Subject: x\n\n{long}y\n");
        assert_eq!(item.raw.as_deref(), Ok(expected.as_bytes()));
        let envelope = item.envelope.clone().unwrap();
        assert_eq!(envelope.sender, "anna@example.net");
        assert_eq!(envelope.recipients, ["bert@example.com"]);
        assert_eq!(envelope.client_address.as_deref(), Some("192.0.2.7"));
        assert_eq!(envelope.queue_id.as_deref(), Some("4Y1abcDEF2z"));
        let delivered = String::from_utf8(item.as_delivered().unwrap()).unwrap();
        let fields =
            "Return-Path: <anna@example.net>\nDelivered-To: bert@example.com\nSubject: x\n";
        assert!(delivered.starts_with(fields), "{delivered}");
        for (limit, fits) in [(expected.len(), true), (expected.len() - 1, false)] {
            assert_eq!(read("q", data.as_slice(), limit).raw.is_ok(), fits);
        }
    }

    #[test]
    fn what_a_milter_changed_is_followed_and_a_circle_ends() {
        let data = file(|file| {
            let at = file.len();
            add(file, b'p', &format!("{:>15}", at + 17 + 9));
            add(file, b'N', "Old: 1\n");
            add(file, b'N', "New: 2");
        });
        let item = read("q", data.as_slice(), 1000);
        assert_eq!(item.raw.as_deref(), Ok(&b"New: 2\n"[..]));
        for to in [0_usize, 1 << 30] {
            let circle = file(|file| {
                let at = file.len();
                add(
                    file,
                    b'p',
                    &format!("{:>15}", if to == 0 { at } else { to }),
                );
            });
            let raw = read("q", circle.as_slice(), 1000).raw;
            assert!(matches!(raw, Err(Unread::NotAMessage(_))));
        }
    }

    #[test]
    fn a_file_that_is_cut_off_anywhere_is_no_message() {
        let data = file(|file| add(file, b'N', "Subject: x"));
        for length in 0..data.len() {
            assert!(read("q", &data[..length], 1000).raw.is_err(), "{length}");
        }
    }
}
