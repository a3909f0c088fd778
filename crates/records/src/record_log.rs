//! The record log: a bounded file of JSON lines, one message each, and the file before it.

use std::fs::{File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::MailRecord;
use super::index::{Index, index_path};

/// Where records are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSettings {
    /// The file; `None` means no records.
    pub path: Option<PathBuf>,
    /// Bytes after which a new file begins; the old one is kept as `*.1`.
    pub size: usize,
}

/// The file that is written. One process writes it; others may read it meanwhile.
#[derive(Debug)]
pub struct RecordLog {
    path: PathBuf,
    limit: u64,
    open: Option<OpenLog>,
}

#[derive(Debug)]
struct OpenLog {
    file: File,
    length: u64,
    /// `None` where it cannot be written: records are then found by reading the log.
    index: Option<Index>,
}

impl RecordLog {
    /// The log at `path`, which begins a new file after `limit` bytes. Opens nothing yet.
    pub fn new(path: PathBuf, limit: usize) -> Self {
        Self {
            path,
            limit: limit as u64,
            open: None,
        }
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file if it is not open.
    pub fn open(&mut self) -> io::Result<()> {
        if self.open.is_none() {
            self.open = Some(OpenLog::open(&self.path)?);
        }
        Ok(())
    }

    /// The file that is written.
    pub(super) fn file(&mut self) -> io::Result<File> {
        match &self.open {
            Some(open) => open.file.try_clone(),
            None => Ok(OpenLog::open(&self.path)?.file),
        }
    }

    /// Appends one record in one write. After an error the file is opened again the next time.
    pub fn append(&mut self, record: &MailRecord) -> io::Result<()> {
        let line = record.to_line();
        let mut open = match self.open.take().filter(|open| open.is_at(&self.path)) {
            Some(open) => open,
            None => OpenLog::open(&self.path)?,
        };
        if open.length > 0 && open.length + line.len() as u64 > self.limit {
            open = self.rotate(&open)?;
        }
        open.append(record, &line)?;
        self.open = Some(open);
        Ok(())
    }

    /// Begins a new file. What is durable stays so: the old one is on the disk when it is renamed.
    fn rotate(&self, full: &OpenLog) -> io::Result<OpenLog> {
        full.file.sync_data()?;
        let old = previous(&self.path);
        std::fs::rename(&self.path, &old)?;
        match std::fs::rename(index_path(&self.path), index_path(&old)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        OpenLog::open(&self.path)
    }
}

impl OpenLog {
    fn open(path: &Path) -> io::Result<Self> {
        let (file, length) = open(path)?;
        let index = Index::open_for_writing(&index_path(path), &file).ok();
        Ok(Self {
            file,
            length,
            index,
        })
    }

    /// Whether the file is still the one at that path: what is written to one that was removed or
    /// moved away is not kept.
    fn is_at(&self, path: &Path) -> bool {
        let place = |metadata: &Metadata| (metadata.dev(), metadata.ino());
        match (self.file.metadata(), std::fs::symlink_metadata(path)) {
            (Ok(open), Ok(named)) => place(&open) == place(&named),
            _ => false,
        }
    }

    fn append(&mut self, record: &MailRecord, line: &str) -> io::Result<()> {
        self.file.write_all(line.as_bytes())?;
        let offset = self.length;
        self.length += line.len() as u64;
        if let Some(index) = &mut self.index {
            let indexed = index.insert(record, offset);
            let covered = indexed.and_then(|()| index.cover(self.length));
            if covered.is_err() {
                // Records are found without it, and the next start makes it again.
                index.discard();
                self.index = None;
            }
        }
        Ok(())
    }
}

/// Opens for appending; readable by the owner and its group only, since records name who wrote to
/// whom. A FIFO without a reader does not block here: only a regular file is accepted.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let flags = OFlags::RDWR
        | OFlags::CREATE
        | OFlags::APPEND
        | OFlags::NONBLOCK
        | OFlags::NOFOLLOW
        | OFlags::CLOEXEC;
    // What is not a regular file is not even opened for reading: a FIFO would count us as a writer.
    if std::fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(not_a_regular_file());
    }
    let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP;
    let mut file = match rustix::fs::open(path, flags, mode) {
        Ok(descriptor) => File::from(descriptor),
        // What the kernel answers for a socket and for a symbolic link.
        Err(Errno::NXIO | Errno::LOOP) => return Err(not_a_regular_file()),
        Err(errno) => return Err(errno.into()),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(not_a_regular_file());
    }
    let mut length = metadata.len();
    if is_torn(&file, length)? {
        // A crash or a full disk left a part of a line: it must not swallow the next record.
        file.write_all(b"\n")?;
        length += 1;
    }
    Ok((file, length))
}

/// Whether the last line has no end.
fn is_torn(file: &File, length: u64) -> io::Result<bool> {
    let Some(last) = length.checked_sub(1) else {
        return Ok(false);
    };
    let mut byte = [0];
    file.read_exact_at(&mut byte, last)?;
    Ok(byte != *b"\n")
}

fn not_a_regular_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")
}

/// The file before the current one.
pub(super) fn previous(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    PathBuf::from(name)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write and read files")]
mod tests {
    use super::*;
    use crate::find;
    use crate::mail_record::IdKind;

    const OLD: &str = include_str!("../fixtures/version-1.jsonl");

    fn records() -> Vec<MailRecord> {
        let lines = OLD.lines();
        lines
            .map(|line| MailRecord::from_line(line.as_bytes()).unwrap())
            .collect()
    }

    #[test]
    fn a_new_file_begins_after_the_limit_and_the_index_goes_with_the_old_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("records.jsonl");
        let records = records();
        let lengths: Vec<usize> = records
            .iter()
            .map(|record| record.to_line().len())
            .collect();
        let mut log = RecordLog::new(path.clone(), lengths[0] + lengths[1]);
        log.append(&records[0]).unwrap();
        log.append(&records[1]).unwrap();
        assert!(!previous(&path).exists(), "the limit itself still fits");
        log.append(&records[2]).unwrap();
        assert!(index_path(&previous(&path)).exists());
        let old = File::open(previous(&path)).unwrap();
        let index = index_path(&previous(&path));
        let index = Index::open_for_reading(&index, &old).unwrap().unwrap();
        assert_eq!(
            index.places(IdKind::Verdict, &records[1].id).unwrap(),
            [lengths[0] as u64]
        );
        for record in &records {
            assert_eq!(find(&path, &record.id).unwrap().as_ref(), Some(record));
        }
    }

    #[test]
    fn a_torn_line_does_not_swallow_the_next_record() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("r");
        let record = &records()[0];
        let line = record.to_line();
        for length in [1, line.len() / 2, line.len() - 1] {
            std::fs::write(&path, format!("{line}{}", line.split_at(length).0)).unwrap();
            RecordLog::new(path.clone(), 1 << 20)
                .append(record)
                .unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.ends_with(&format!("\n{line}")), "torn at {length}");
            assert_eq!(find(&path, &record.id).unwrap().as_ref(), Some(record));
        }
    }

    #[test]
    fn an_error_is_returned_and_the_next_try_opens_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("missing").join("r");
        let record = &records()[0];
        let mut log = RecordLog::new(path.clone(), 100);
        assert!(log.append(record).is_err());
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        assert!(log.append(record).is_ok());
    }

    #[test]
    fn a_file_that_was_removed_or_moved_is_made_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("r");
        let records = records();
        let mut log = RecordLog::new(path.clone(), 1 << 20);
        log.append(&records[0]).unwrap();
        std::fs::remove_file(&path).unwrap();
        log.append(&records[1]).unwrap();
        assert!(find(&path, &records[1].id).unwrap().is_some());
        std::fs::rename(&path, directory.path().join("moved")).unwrap();
        log.append(&records[2]).unwrap();
        assert!(find(&path, &records[2].id).unwrap().is_some());
    }

    #[test]
    fn only_a_regular_file_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let (target, link) = (directory.path().join("r"), directory.path().join("link"));
        std::fs::write(&target, "").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        for path in [link.as_path(), Path::new("/dev/full")] {
            let error = RecordLog::new(path.to_owned(), 9).open().unwrap_err();
            let text = error.to_string();
            assert_eq!(text, "not a regular file", "{}", path.display());
        }
        assert!(RecordLog::new(target, 9).open().is_ok());
    }
}
