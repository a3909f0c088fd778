//! What `postcat -q QUEUE_ID` prints: envelope, message and extracted records as text.

use std::io::Read;

use gatepost_words::bytes::{Cursor, slice};

use super::item::{Envelope, Item, Unread, clean};

/// Bytes next to the message.
const ENVELOPE_MAX: usize = 1 << 20;

const ENVELOPE: &[u8] = b"*** ENVELOPE RECORDS ";
const CONTENTS: &[u8] = b"\n*** MESSAGE CONTENTS ";
const EXTRACTED: &[u8] = b"*** HEADER EXTRACTED ";

/// Reads the message and its envelope.
pub(crate) fn read(name: &str, reader: impl Read, limit: usize) -> Item {
    let most = limit.saturating_add(ENVELOPE_MAX);
    let mut text = Vec::new();
    match reader.take(most as u64 + 1).read_to_end(&mut text) {
        Ok(_) if text.len() > most => return Item::unread(name, Unread::too_large(limit)),
        Ok(_) => {}
        Err(error) => return Item::unread(name, Unread::of_io(&error)),
    }
    let Some((envelope, message)) = parts(&text) else {
        let why = Unread::is("output of postcat without a message; run `postcat -q QUEUE_ID`");
        return Item::unread(name, why);
    };
    if message.len() > limit {
        return Item::unread(name, Unread::too_large(limit));
    }
    Item {
        name: name.to_owned(),
        raw: Ok(message.to_vec()),
        envelope: Some(Box::new(envelope)),
    }
}

fn parts(text: &[u8]) -> Option<(Envelope, &[u8])> {
    let mut first = Cursor::new(text);
    first.eat_slice(ENVELOPE);
    // `hold/4Y1abcDEF2z ***`: the sender does not know it, and so cannot end the message early.
    let file = first.take_until(b'\n').trim_ascii_end();
    let contents = [CONTENTS, file, b"\n"].concat();
    let start = memchr::memmem::find(text, &contents)?;
    let envelope = envelope(slice(text, 0..start), file);
    let extracted = [EXTRACTED, file, b"\n"].concat();
    let begin = start + contents.len();
    // The last one: what is in the message comes before the one that `postcat` writes.
    let end = memchr::memmem::rfind(text, &extracted).filter(|end| *end >= begin)?;
    Some((envelope, slice(text, begin..end)))
}

fn envelope(text: &[u8], file: &[u8]) -> Envelope {
    let mut envelope = Envelope::default();
    for line in text.split(|byte| *byte == b'\n') {
        let mut cursor = Cursor::new(line);
        let name = cursor.take_until(b':');
        cursor.skip(1);
        let value = cursor.rest().trim_ascii();
        match name {
            b"sender" => envelope.sender = clean(value),
            b"recipient" => envelope.recipient(value),
            b"named_attribute" => {
                let mut cursor = Cursor::new(value);
                let name = String::from_utf8_lossy(cursor.take_until(b'=')).into_owned();
                cursor.skip(1);
                envelope.attribute(&name, cursor.rest());
            }
            _ => {}
        }
    }
    let file = clean(file.strip_suffix(b" ***").unwrap_or(file));
    envelope.queue_id = file.rsplit('/').next().map(str::to_owned);
    envelope
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "*** ENVELOPE RECORDS hold/4Y1abcDEF2z ***\nmessage_size:             100             600               1               0             100               0\nmessage_arrival_time: Mon Nov 23 10:40:00 2026\nnamed_attribute: client_name=mail.example.net\nnamed_attribute: client_address=192.0.2.7\nsender: anna@example.net\nrecipient: bert@example.com\n*** MESSAGE CONTENTS hold/4Y1abcDEF2z ***\nSubject: x\n\n*** HEADER EXTRACTED hold/other ***\nrecipient: c@example.com\n*** HEADER EXTRACTED hold/4Y1abcDEF2z ***\n*** MESSAGE FILE END hold/4Y1abcDEF2z ***\n";

    #[test]
    fn message_and_envelope_are_read() {
        let item = read("-", TEXT.as_bytes(), 1000);
        let message =
            "Subject: x\n\n*** HEADER EXTRACTED hold/other ***\nrecipient: c@example.com\n";
        assert_eq!(item.raw.as_deref(), Ok(message.as_bytes()));
        let envelope = item.envelope.unwrap();
        assert_eq!(envelope.sender, "anna@example.net");
        assert_eq!(envelope.recipients, ["bert@example.com"]);
        assert_eq!(envelope.client_name.as_deref(), Some("mail.example.net"));
        assert_eq!(envelope.queue_id.as_deref(), Some("4Y1abcDEF2z"));
        let short = read("-", &TEXT.as_bytes()[..300], 1000);
        assert!(matches!(short.raw, Err(Unread::NotAMessage(_))));
    }
}
