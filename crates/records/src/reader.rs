//! Reading the record log: the file before the current one first, each from its beginning.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::MailRecord;
use super::index::{Index, identity, index_path};
use super::mail_record::IdKind;
use super::message_summary::bare_message_id;
use super::record_log::previous;

/// Bytes of one line that are read at most.
pub(super) const LINE_MAX: u64 = 4 << 20;

/// All records, in the order in which they were written. Lines that are not records are skipped
/// and counted.
#[derive(Debug)]
pub struct RecordReader {
    /// Opened at once: a rotation while one is read must not hide the other.
    waiting: Vec<File>,
    current: Option<BufReader<File>>,
    line: Vec<u8>,
    skipped: u64,
}

impl RecordReader {
    /// Opens the log at `path`; an error where neither it nor the file before it can be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut waiting = open_both(path)?;
        let first = waiting.pop().ok_or(io::ErrorKind::NotFound)?;
        Ok(Self {
            waiting,
            current: Some(BufReader::new(first)),
            line: Vec::new(),
            skipped: 0,
        })
    }

    /// Lines that could not be read as records so far: torn by a crash, or of a newer version.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The next line into `self.line`, without its line feed; false at the end of all files.
    fn read_line(&mut self) -> io::Result<bool> {
        while let Some(reader) = &mut self.current {
            self.line.clear();
            let mut limited = reader.by_ref().take(LINE_MAX);
            if limited.read_until(b'\n', &mut self.line)? > 0 {
                return Ok(true);
            }
            self.current = self.waiting.pop().map(BufReader::new);
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

/// The current file and then the one before it, as far as they are there.
fn open_both(path: &Path) -> io::Result<Vec<File>> {
    loop {
        let current = open_file(path)?;
        let before = open_file(&previous(path))?;
        if let (Some(current), Some(before)) = (&current, &before)
            && identity(current)? == identity(before)?
        {
            // It was renamed in between: there is a new current one.
            continue;
        }
        return Ok([current, before].into_iter().flatten().collect());
    }
}

fn open_file(path: &Path) -> io::Result<Option<File>> {
    match gatepost_words::open_regular(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}

/// The record with that verdict id; else the newest with that queue id; else with that Message-ID,
/// which a sender may choose as he likes. The indexes say where to read; all of the log is read
/// only where they do not know the id, which may be one that a crash kept out of them.
pub fn find(path: &Path, id: &str) -> io::Result<Option<MailRecord>> {
    let mut best = Best::default();
    let mut is_all_indexed = true;
    // The newest last.
    for path in [&previous(path), path] {
        is_all_indexed &= find_by_index(path, id, &mut best)?;
    }
    let is_sure = match &best.0 {
        Some((kind, _)) => is_all_indexed || *kind == IdKind::Verdict,
        None => false,
    };
    if !is_sure {
        for record in RecordReader::open(path)? {
            best.consider(record?, id);
        }
    }
    Ok(best.0.map(|(_, record)| record))
}

/// The record that an id means most likely, of those that were considered from old to new.
#[derive(Default)]
struct Best(Option<(IdKind, MailRecord)>);

impl Best {
    fn consider(&mut self, record: MailRecord, id: &str) {
        let Some(kind) = record.kind_of_id(id) else {
            return;
        };
        let is_better = self.0.as_ref().is_none_or(|(known, _)| kind <= *known);
        if is_better {
            self.0 = Some((kind, record));
        }
    }

    fn consider_line(&mut self, line: &[u8], id: &str) {
        if let Ok(record) = MailRecord::from_line(line) {
            self.consider(record, id);
        }
    }
}

/// Considers what the index knows, and what was written since. Returns whether that is all of the
/// file.
fn find_by_index(path: &Path, id: &str, best: &mut Best) -> io::Result<bool> {
    let Some(log) = open_file(path)? else {
        return Ok(true);
    };
    let Some(index) = Index::open_for_reading(&index_path(path), &log)? else {
        return Ok(false);
    };
    let mut reader = BufReader::new(log);
    let mut places = Vec::new();
    for name in [id, &id.to_ascii_lowercase(), bare_message_id(id)] {
        for kind in IdKind::ALL {
            places.extend(index.places(kind, name)?);
        }
    }
    places.sort_unstable();
    for place in places {
        reader.seek(SeekFrom::Start(place))?;
        let line = next_line(&mut reader)?.unwrap_or_default();
        best.consider_line(&line, id);
    }
    // What was written after the index was brought up to date is the newest.
    reader.seek(SeekFrom::Start(index.covered()))?;
    while let Some(line) = next_line(&mut reader)? {
        best.consider_line(&line, id);
    }
    Ok(index.is_whole())
}

fn next_line(reader: &mut BufReader<File>) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = reader.take(LINE_MAX).read_until(b'\n', &mut line)?;
    Ok((read > 0).then_some(line))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write and remove files")]
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

    #[test]
    fn a_message_id_hides_no_record_of_ours() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("r");
        let lines = OLD
            .lines()
            .map(|line| MailRecord::from_line(line.as_bytes()).unwrap());
        let records: Vec<MailRecord> = lines.collect();
        let mut log = RecordLog::new(path.clone(), 1 << 20);
        log.append(&records[0]).unwrap();
        for number in 0..20 {
            let mut forged = records[1].clone();
            forged.id = format!("other{number}");
            forged.message.message_id = Some(records[0].id.clone());
            log.append(&forged).unwrap();
        }
        let found = |name: &str| find(&path, name).unwrap().unwrap().id;
        assert_eq!(found(&records[0].id), records[0].id);
        std::fs::remove_file(index_path(&path)).unwrap();
        assert_eq!(found(&records[0].id), records[0].id, "without an index");
    }
}
