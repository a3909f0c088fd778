//! Reading the record log: the file before the current one first, each from its beginning.
#![expect(clippy::disallowed_methods, reason = "records are kept in a file")]

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::MailRecord;
use super::index::{Index, index_path};
use super::message_summary::bare_message_id;
use super::record_log::previous;

/// Bytes of one line that are read at most.
pub(super) const LINE_MAX: u64 = 4 << 20;

/// All records, in the order in which they were written. Lines that are not records are skipped
/// and counted.
#[derive(Debug)]
pub struct RecordReader {
    waiting: Vec<PathBuf>,
    current: Option<BufReader<File>>,
    line: Vec<u8>,
    skipped: u64,
}

impl RecordReader {
    /// Opens the log at `path`; an error where neither it nor the file before it can be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let before = previous(path);
        let mut waiting = vec![path.to_owned()];
        if before.exists() {
            waiting.push(before);
        }
        let mut reader = Self {
            waiting,
            current: None,
            line: Vec::new(),
            skipped: 0,
        };
        reader.open_next()?;
        if reader.current.is_none() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(reader)
    }

    /// Lines that could not be read as records so far: torn by a crash, or of a newer version.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Opens the next file that is there: a rotation may just have renamed one.
    fn open_next(&mut self) -> io::Result<()> {
        while let Some(path) = self.waiting.pop() {
            match File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                opened => {
                    self.current = Some(BufReader::new(opened?));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The next line into `self.line`, without its line feed; false at the end of all files.
    fn read_line(&mut self) -> io::Result<bool> {
        while let Some(reader) = &mut self.current {
            self.line.clear();
            let mut limited = reader.by_ref().take(LINE_MAX);
            if limited.read_until(b'\n', &mut self.line)? > 0 {
                return Ok(true);
            }
            self.current = None;
            self.open_next()?;
        }
        Ok(false)
    }
}

impl Iterator for RecordReader {
    type Item = io::Result<MailRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.read_line() {
                Err(error) => return Some(Err(error)),
                Ok(false) => return None,
                Ok(true) => {}
            }
            match MailRecord::from_line(&self.line) {
                Ok(record) => return Some(Ok(record)),
                Err(_) => self.skipped += 1,
            }
        }
    }
}

/// The newest record with that verdict id, queue id or Message-ID. The indexes say where to read;
/// all of the log is read only where they do not know the id, which may be one that a crash kept
/// out of them.
pub fn find(path: &Path, id: &str) -> io::Result<Option<MailRecord>> {
    for path in [path, &previous(path)] {
        if let Some(found) = find_by_index(path, id)? {
            return Ok(Some(found));
        }
    }
    let mut found = None;
    for record in RecordReader::open(path)? {
        let record = record?;
        if record.has_id(id) {
            found = Some(record);
        }
    }
    Ok(found)
}

fn find_by_index(path: &Path, id: &str) -> io::Result<Option<MailRecord>> {
    let log = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let Some(index) = Index::open_for_reading(&index_path(path), &log)? else {
        return Ok(None);
    };
    let mut reader = BufReader::new(log);
    // What was written after the index was brought up to date is the newest.
    reader.seek(SeekFrom::Start(index.covered()))?;
    let mut newest = None;
    while let Some(line) = next_line(&mut reader)? {
        newest = record_with_id(&line, id).or(newest);
    }
    if newest.is_some() {
        return Ok(newest);
    }
    let mut places = Vec::new();
    for name in [id, &id.to_ascii_lowercase(), bare_message_id(id)] {
        places.extend(index.places(name)?);
    }
    places.sort_unstable();
    for place in places.into_iter().rev() {
        reader.seek(SeekFrom::Start(place))?;
        let line = next_line(&mut reader)?.unwrap_or_default();
        if let Some(record) = record_with_id(&line, id) {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

fn next_line(reader: &mut BufReader<File>) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = reader.take(LINE_MAX).read_until(b'\n', &mut line)?;
    Ok((read > 0).then_some(line))
}

fn record_with_id(line: &[u8], id: &str) -> Option<MailRecord> {
    let record = MailRecord::from_line(line).ok()?;
    record.has_id(id).then_some(record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RecordLog;

    const OLD: &str = include_str!("../fixtures/version-1.jsonl");

    #[test]
    fn a_damaged_line_hides_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("r");
        let (torn, _) = OLD.split_at(40);
        std::fs::write(&path, format!("{torn}\nnonsense\n{OLD}{torn}")).unwrap();
        let mut reader = RecordReader::open(&path).unwrap();
        let records: io::Result<Vec<MailRecord>> = reader.by_ref().collect();
        assert_eq!(records.unwrap().len(), 3);
        assert_eq!(reader.skipped(), 3);
    }

    #[test]
    fn records_are_found_also_after_a_rotation() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("r");
        assert!(RecordReader::open(&path).is_err());
        let mut log = RecordLog::new(path.clone(), 2_000);
        for line in OLD.lines() {
            log.append(&MailRecord::from_line(line.as_bytes()).unwrap())
                .unwrap();
        }
        assert!(previous(&path).exists());
        for id in ["000000000002D", "4bXyz", "000000000002f"] {
            assert!(find(&path, id).unwrap().is_some(), "{id}");
        }
        assert_eq!(find(&path, "4bxyz").unwrap(), None);
        let index = index_path(&previous(&path));
        std::fs::remove_file(index).unwrap();
        assert!(find(&path, "4bXyz").unwrap().is_some(), "without an index");
        std::fs::remove_file(&path).unwrap();
        assert!(find(&path, "4bXyz").unwrap().is_some(), "mid-rotation");
    }
}
