//! The writer of the label log.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use super::entry::Record;
use super::frame::put_framed_record;
use super::label_log::{HEADER, LogReport, MAGIC, Position, header_of};
use gatepost_words::fs::open_or_create;

/// Appends to a log. The caller holds the lock.
#[derive(Debug)]
pub struct Appender {
    file: File,
    length: u64,
    buffer: Vec<u8>,
}

impl Appender {
    /// Opens the log, or begins it. `report` is what reading it just said: a torn end is removed, so
    /// that what is appended is not taken for a part of it. A log of the version before this one is
    /// marked as one of this version first, so that an older program refuses it as a whole instead
    /// of counting the new records as damage.
    pub fn open(path: &Path, schema: u32, report: &LogReport) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true);
        let mut file = open_or_create(path, &options, 0o660)?;
        let mut length = file.metadata()?.len();
        if report.torn > 0 {
            length = report.position.offset;
            file.set_len(length)?;
        }
        if length == 0 {
            file.write_all(&header_of(schema))?;
            length = HEADER as u64;
        } else if report.is_previous_version {
            mark_as_current(path)?;
        }
        Ok(Self {
            file,
            length,
            buffer: Vec::new(),
        })
    }

    /// Appends one record with one write.
    pub fn append(&mut self, record: &Record) -> io::Result<()> {
        self.buffer.clear();
        put_framed_record(record, &mut self.buffer);
        if let Err(error) = self.file.write_all(&self.buffer) {
            // Half a record must not precede the next one. If even this fails, readers pass over
            // it.
            self.file.set_len(self.length).unwrap_or_default();
            return Err(error);
        }
        self.length += self.buffer.len() as u64;
        Ok(())
    }

    /// Bytes of the log.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Where the next record will begin.
    pub fn position(&self) -> io::Result<Position> {
        Ok(Position {
            file: self.file.metadata()?.ino(),
            offset: self.length,
        })
    }

    /// Whether there is no record in it.
    pub fn is_empty(&self) -> bool {
        self.length <= HEADER as u64
    }

    /// Syncs all that was appended to the disk.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// Writes this version into the header of a log of the version before. The records of both are read
/// alike, so nothing else changes. It is one byte: a machine that stops in between leaves a log of
/// either version, and both are whole.
fn mark_as_current(path: &Path) -> io::Result<()> {
    // A file that is open for appending ignores the place of a write.
    let file = OpenOptions::new().write(true).open(path)?;
    file.write_all_at(MAGIC, 0)?;
    file.sync_data()
}
