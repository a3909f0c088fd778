//! The label log: a file of records that is only appended to.
//!
//! The file begins with 16 bytes: a magic text with the version of the log, and the schema of the
//! slots. Framed records follow ([`super::frame`]). A reader goes from record to record; where one
//! is not whole it looks for the next marker with a whole one after it, and counts the bytes
//! between. So a torn write at the end costs the record that was being written, and a damaged sector
//! those that were stored in it.
//!
//! A log of the version before this one is read too.
#![expect(clippy::disallowed_methods, reason = "the log is a file")]

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::entry::Record;
use super::frame::{BODY_MAX, FRAME, MARKER, put_framed, put_framed_record, whole_record};
use gatepost_words::bytes;

pub(super) const MAGIC: &[u8; 12] = b"gatepost-lb3";
/// The version before: labels had two classes only. Its records are read like those of this one.
const MAGIC_OF_PREVIOUS_VERSION: &[u8; 12] = b"gatepost-lb2";
pub(super) const HEADER: usize = 16;
/// Bytes that are read at once.
const CHUNK: usize = 256 << 10;

/// How far a log was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Which file: its inode.
    pub(super) file: u64,
    /// Bytes.
    pub(super) offset: u64,
}

impl Position {
    /// Whether it is one within the file at `path`.
    pub fn is_in(&self, path: &Path) -> bool {
        std::fs::metadata(path)
            .is_ok_and(|file| file.ino() == self.file && self.offset <= file.len())
    }
}

/// The result of reading a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogReport {
    /// Where to go on: after the last whole record.
    pub position: Position,
    /// Bytes passed over between whole records: damage.
    pub damaged: u64,
    /// Bytes after the last whole record: a write that is going on, or was interrupted.
    pub torn: u64,
    /// Whether the log is one of the version before this one.
    pub is_previous_version: bool,
}

/// Passes every whole record after `from` (the beginning where it is `None` or another file) to
/// `take`. A file that is missing is an empty log.
pub fn read_log(
    path: &Path,
    schema: u32,
    from: Option<Position>,
    take: &mut dyn FnMut(Record),
) -> io::Result<LogReport> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LogReport::default()),
        Err(error) => return Err(error),
    };
    let inode = file.metadata()?.ino();
    let length = file.metadata()?.len();
    let known =
        from.filter(|from| from.file == inode && (HEADER as u64..=length).contains(&from.offset));
    match known {
        Some(from) => {
            file.seek(SeekFrom::Start(from.offset))?;
            scan(file, from, take)
        }
        None => read_whole(file, inode, schema, take),
    }
}

/// As [`read_log`], of a log that is in memory.
pub fn read_bytes(log: &[u8], schema: u32, take: &mut dyn FnMut(Record)) -> io::Result<LogReport> {
    read_whole(log, 0, schema, take)
}

/// A whole log with these records, as [`read_bytes`] reads it.
pub fn bytes_of(records: &[Record], schema: u32) -> Vec<u8> {
    let mut log = header_of(schema);
    for record in records {
        put_framed_record(record, &mut log);
    }
    log
}

/// A log with one record of that body, its checksum right; public for fuzzing, which would never
/// guess it.
pub fn bytes_around(body: &[u8], schema: u32) -> Vec<u8> {
    let mut log = header_of(schema);
    put_framed(body, &mut log);
    log
}

fn read_whole(
    mut log: impl Read,
    inode: u64,
    schema: u32,
    take: &mut dyn FnMut(Record),
) -> io::Result<LogReport> {
    let mut header = Vec::new();
    log.by_ref().take(HEADER as u64).read_to_end(&mut header)?;
    let Some(version) = version_of(&header, schema)? else {
        return Ok(LogReport {
            torn: header.len() as u64,
            ..LogReport::default()
        });
    };
    let first = Position {
        file: inode,
        offset: HEADER as u64,
    };
    let report = scan(log, first, take)?;
    Ok(LogReport {
        is_previous_version: version == Version::Previous,
        ..report
    })
}

/// Reads on from `position`.
fn scan(log: impl Read, position: Position, take: &mut dyn FnMut(Record)) -> io::Result<LogReport> {
    let mut scanner = Scanner {
        log,
        buffer: Vec::new(),
        start: 0,
        read: 0,
        ended: false,
    };
    let (mut good, mut damaged) = (0, 0);
    while let Some((passed, record, size)) = scanner.next()? {
        // What was passed over is known to be damage only when a whole record follows.
        damaged += passed;
        good += passed + size;
        take(record);
    }
    let position = Position {
        offset: position.offset + good,
        ..position
    };
    Ok(LogReport {
        position,
        damaged,
        torn: scanner.read.saturating_sub(good),
        is_previous_version: false,
    })
}

/// Which version of the log a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    Current,
    Previous,
}

/// The version that a header names; `None` where the header is not whole, an error where the file
/// is something else.
fn version_of(header: &[u8], schema: u32) -> io::Result<Option<Version>> {
    let current = header_of(schema);
    let previous = [&MAGIC_OF_PREVIOUS_VERSION[..], &schema.to_le_bytes()].concat();
    if header == current {
        return Ok(Some(Version::Current));
    }
    if header == previous {
        return Ok(Some(Version::Previous));
    }
    if current.starts_with(header) || previous.starts_with(header) {
        return Ok(None);
    }
    let is_ours = header.starts_with(MAGIC) || header.starts_with(MAGIC_OF_PREVIOUS_VERSION);
    let what = if is_ours {
        "the label log was written for another schema of the learner; move its directory away to start again"
    } else {
        "this is not a label log"
    };
    Err(io::Error::new(io::ErrorKind::InvalidData, what))
}

/// The header of a log of this version.
pub(super) fn header_of(schema: u32) -> Vec<u8> {
    [&MAGIC[..], &schema.to_le_bytes()].concat()
}

/// Goes from record to record through a log, holding little of it.
struct Scanner<R> {
    log: R,
    buffer: Vec<u8>,
    start: usize,
    /// Bytes read so far.
    read: u64,
    ended: bool,
}

impl<R: Read> Scanner<R> {
    /// The next whole record, with the bytes passed over before it and its own.
    fn next(&mut self) -> io::Result<Option<(u64, Record, u64)>> {
        let mut passed = 0_u64;
        loop {
            self.fill()?;
            let rest = bytes::skip(&self.buffer, self.start);
            if let Some((record, size)) = whole_record(rest) {
                self.start += size;
                return Ok(Some((passed, record, size as u64)));
            }
            // Nothing whole begins here: on to the next marker, or to where one may begin in what
            // is not read yet.
            let found = memchr::memmem::find(bytes::skip(rest, 1), MARKER);
            let step = match found {
                Some(at) => at + 1,
                None if self.ended => return Ok(None),
                None => rest.len().saturating_sub(MARKER.len() - 1).max(1),
            };
            self.start += step;
            passed += step as u64;
        }
    }

    /// Makes sure that the longest record is in the buffer, or all that there is.
    fn fill(&mut self) -> io::Result<()> {
        while !self.ended && self.buffer.len() - self.start < FRAME + BODY_MAX {
            self.buffer.drain(..self.start);
            self.start = 0;
            let before = self.buffer.len();
            self.buffer.resize(before + CHUNK, 0);
            let count = loop {
                match self
                    .log
                    .read(self.buffer.get_mut(before..).unwrap_or_default())
                {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    result => break result?,
                }
            };
            self.buffer.truncate(before + count);
            self.read += count as u64;
            self.ended = count == 0;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "label_log_tests.rs"]
mod tests;
