//! The record log: a bounded file of JSON lines, one message each, and the file before it.
#![expect(clippy::disallowed_methods, reason = "records are kept in a file")]

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

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
    file: Option<(File, u64)>,
}

impl RecordLog {
    /// The log at `path`, which begins a new file after `limit` bytes. Opens nothing yet.
    pub fn new(path: PathBuf, limit: usize) -> Self {
        Self {
            path,
            limit: limit as u64,
            file: None,
        }
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file if it is not open.
    pub fn open(&mut self) -> io::Result<()> {
        if self.file.is_none() {
            self.file = Some(open(&self.path)?);
        }
        Ok(())
    }

    /// Appends one record, a line with its line feed, in one write. After an error the file is
    /// opened again the next time.
    pub fn append(&mut self, line: &str) -> io::Result<()> {
        let result = self.write(line.as_bytes());
        if result.is_err() {
            self.file = None;
        }
        result
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let (mut file, mut length) = match self.file.take() {
            Some(open) => open,
            None => open(&self.path)?,
        };
        if length > 0 && length + line.len() as u64 > self.limit {
            std::fs::rename(&self.path, previous(&self.path))?;
            (file, length) = open(&self.path)?;
        }
        file.write_all(line)?;
        self.file = Some((file, length + line.len() as u64));
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
mod tests {
    use super::*;

    #[test]
    fn a_new_file_begins_after_the_limit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("records.jsonl");
        let mut log = RecordLog::new(path.clone(), 4);
        log.append("1\n").unwrap();
        log.append("2\n").unwrap();
        assert!(!previous(&path).exists(), "the limit itself still fits");
        log.append("3\n").unwrap();
        assert_eq!(std::fs::read(previous(&path)).unwrap(), b"1\n2\n");
        assert_eq!(std::fs::read(&path).unwrap(), b"3\n");
    }

    #[test]
    fn a_torn_line_does_not_swallow_the_next_record() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("r");
        std::fs::write(&path, "1\n{\"version\"").unwrap();
        RecordLog::new(path.clone(), 100).append("2\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"1\n{\"version\"\n2\n");
    }

    #[test]
    fn an_error_is_returned_and_the_next_try_opens_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("missing").join("r");
        let mut log = RecordLog::new(path.clone(), 100);
        assert!(log.append("{}\n").is_err());
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        assert!(log.append("{}\n").is_ok());
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
