//! One stream of bytes, whatever is in it: a message, a mailbox, a queue file, compressed or not.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use gatepost_words::bytes::head;

use super::item::{Item, Unread};
use super::sniff::{self, Kind};
use super::{compressed, mbox, postcat, queue_file};

/// Bytes that decide what a stream is.
const PREFIX: usize = 64 << 10;
/// Bytes that are read at a time until then.
const CHUNK: usize = 8 << 10;

/// What is known of a stream before it is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    /// As the user named it.
    pub(crate) name: &'a str,
    /// Bytes of one message (`limits.message`).
    pub(crate) limit: usize,
    /// Whether it may be a mailbox; else what follows a From_ line is one message.
    pub(crate) may_be_mailbox: bool,
}

/// Hands over what is in the stream, until `take` returns false.
pub(crate) fn read(
    source: Source<'_>,
    reader: &mut dyn Read,
    take: &mut dyn FnMut(Item) -> bool,
) -> bool {
    let (kind, prefix) = match first_bytes(reader) {
        Ok(first) => first,
        Err(error) => return take(Item::unread(source.name, error)),
    };
    let whole = Cursor::new(prefix).chain(reader);
    let Kind::Compressed(compression) = kind else {
        return plain(source, kind, BufReader::new(whole), take);
    };
    let mut decoder = match compressed::decompress(compression, whole) {
        Ok(decoder) => decoder,
        Err(error) => return take(Item::unread(source.name, Unread::of_io(&error))),
    };
    let (kind, prefix) = match first_bytes(&mut decoder) {
        Ok(first) => first,
        Err(error) => return take(Item::unread(source.name, error)),
    };
    plain(
        source,
        kind,
        BufReader::new(Cursor::new(prefix).chain(decoder)),
        take,
    )
}

/// The first bytes, to the end of a header if there is one: a program that sends a mailbox through a
/// pipe, message by message, must not have to send more before its first message is read.
fn first_bytes(reader: &mut dyn Read) -> Result<(Kind, Vec<u8>), Unread> {
    let mut prefix = Vec::new();
    let mut chunk = [0; CHUNK];
    while prefix.len() < PREFIX && !has_empty_line(&prefix) {
        match reader.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => prefix.extend_from_slice(head(&chunk, length)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Unread::of_io(&error)),
        }
    }
    Ok((sniff::kind(&prefix), prefix))
}

fn has_empty_line(prefix: &[u8]) -> bool {
    let text = prefix.trim_ascii_start();
    let find = |line_ends| memchr::memmem::find(text, line_ends).is_some();
    find(b"\n\n".as_slice()) || find(b"\n\r\n".as_slice())
}

fn plain(
    source: Source<'_>,
    kind: Kind,
    mut reader: impl BufRead,
    take: &mut dyn FnMut(Item) -> bool,
) -> bool {
    let Source {
        name,
        limit,
        may_be_mailbox,
    } = source;
    match kind {
        Kind::Message => take(single(name, reader, limit)),
        Kind::Mailbox if may_be_mailbox => mbox::split(name, reader, limit, take),
        Kind::Mailbox => {
            // A message that was saved with its From_ line, which no MTA would hand over.
            let mut line = Vec::new();
            match reader
                .by_ref()
                .take(PREFIX as u64)
                .read_until(b'\n', &mut line)
            {
                Ok(_) => take(single(name, reader, limit)),
                Err(error) => take(Item::unread(name, Unread::of_io(&error))),
            }
        }
        Kind::QueueFile => take(queue_file::read(name, reader, limit)),
        Kind::Postcat => take(postcat::read(name, reader, limit)),
        Kind::Compressed(_) => take(Item::unread(name, Unread::is("it is compressed twice"))),
        Kind::Empty => {
            let why = Unread::NotAMessage("the message is empty".to_owned());
            take(Item::unread(name, why))
        }
        Kind::Other(what) => take(Item::unread(name, Unread::is(what))),
    }
}

fn single(name: &str, reader: impl Read, limit: usize) -> Item {
    let mut raw = Vec::new();
    match reader.take(limit as u64 + 1).read_to_end(&mut raw) {
        Ok(_) if raw.len() > limit => Item::unread(name, Unread::too_large(limit)),
        Ok(_) => Item::message(name, raw),
        Err(error) => Item::unread(name, Unread::of_io(&error)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const MESSAGE: &[u8] = b"From: a@example.net\nSubject: x\n\nHello\n";

    fn items(bytes: &[u8], limit: usize) -> Vec<Item> {
        let mut seen = Vec::new();
        let source = Source {
            name: "m",
            limit,
            may_be_mailbox: true,
        };
        read(source, &mut &bytes[..], &mut |item| {
            seen.push(item);
            true
        });
        seen
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn bzip2(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn compressed_messages_and_mailboxes_are_read() {
        let from = b"From a@example.net Mon Jan  1 00:00:00 2024\n";
        let mailbox = [from, MESSAGE, from, MESSAGE].concat();
        for compress in [gzip, bzip2, |bytes: &[u8]| {
            zstd::encode_all(bytes, 1).unwrap()
        }] {
            let seen = items(&compress(MESSAGE), 1000);
            assert_eq!((seen.len(), seen[0].raw.as_deref()), (1, Ok(MESSAGE)));
            assert_eq!(items(&compress(&mailbox), 1000).len(), 2);
            let mut short = compress(MESSAGE);
            short.truncate(short.len() / 2);
            assert!(matches!(items(&short, 1000)[0].raw, Err(Unread::Failed(_))));
            let twice = compress(&compress(MESSAGE));
            assert!(matches!(
                items(&twice, 1000)[0].raw,
                Err(Unread::NotAMessage(_))
            ));
        }
    }

    #[test]
    fn a_bomb_is_read_to_the_limit_and_no_further() {
        let mut bomb = MESSAGE.to_vec();
        bomb.resize(50 << 20, b'x');
        for (bytes, fits) in [
            (&bomb[..1000], true),
            (&bomb[..1001], false),
            (&bomb[..], false),
        ] {
            let seen = items(&gzip(bytes), 1000);
            assert_eq!(seen[0].raw.is_ok(), fits, "{}", bytes.len());
        }
    }
}
