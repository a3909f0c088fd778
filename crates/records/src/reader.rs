//! Reading the record log: the file before the current one first, each from its beginning.
#![expect(clippy::disallowed_methods, reason = "records are kept in a file")]

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::MailRecord;
use super::record_log::previous;

/// Bytes of one line that are read at most.
const LINE_MAX: u64 = 4 << 20;

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
        Ok(reader)
    }

    /// Lines that could not be read as records so far: torn by a crash, or of a newer version.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Opens the next file; one that a rotation has just renamed is passed over.
    fn open_next(&mut self) -> io::Result<()> {
        while let Some(path) = self.waiting.pop() {
            match File::open(&path) {
                Ok(file) => {
                    self.current = Some(BufReader::new(file));
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound && !self.is_last() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn is_last(&self) -> bool {
        self.waiting.is_empty()
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

/// The newest record with that verdict id, queue id or Message-ID.
pub fn find(path: &Path, id: &str) -> io::Result<Option<MailRecord>> {
    let mut found = None;
    for record in RecordReader::open(path)? {
        let record = record?;
        if record.has_id(id) {
            found = Some(record);
        }
    }
    Ok(found)
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
        let torn = &OLD[..40];
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
        let mut log = RecordLog::new(path.clone(), OLD.len() - 1);
        for line in OLD.lines() {
            log.append(&format!("{line}\n")).unwrap();
        }
        assert!(previous(&path).exists());
        for id in ["000000000002D", "4bXyz", "000000000002f"] {
            assert!(find(&path, id).unwrap().is_some(), "{id}");
        }
        assert_eq!(find(&path, "4bxyz").unwrap(), None);
        std::fs::remove_file(&path).unwrap();
        assert!(find(&path, "4bXyz").unwrap().is_some(), "mid-rotation");
    }
}
