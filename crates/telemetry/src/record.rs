//! Verdict records: a bounded file of JSON lines, written as mail is judged and read by `gatepost
//! explain`.
#![expect(clippy::disallowed_methods, reason = "records live in a file")]

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use serde_json::Value;

/// Where records are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSettings {
    /// The file; `None` means no records.
    pub path: Option<PathBuf>,
    /// Bytes after which a new file begins; the old one is kept as `*.1`.
    pub size: usize,
}

/// Bytes of one record that are read at most.
const LINE_MAX: u64 = 4 << 20;

/// The file that is written.
#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    limit: u64,
    file: Option<(File, u64)>,
}

impl Writer {
    pub(super) fn new(path: PathBuf, limit: usize) -> Self {
        Self {
            path,
            limit: limit as u64,
            file: None,
        }
    }

    /// The file's path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file if it is not open.
    pub(super) fn open(&mut self) -> io::Result<()> {
        if self.file.is_none() {
            self.file = Some(open(&self.path)?);
        }
        Ok(())
    }

    /// Appends one record, a line with its line feed, in one write. After an error the file is
    /// opened again the next time.
    pub(super) fn append(&mut self, line: &str) -> io::Result<()> {
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
    let flags = OFlags::WRONLY
        | OFlags::CREATE
        | OFlags::APPEND
        | OFlags::NONBLOCK
        | OFlags::NOFOLLOW
        | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP;
    let file = match rustix::fs::open(path, flags, mode) {
        Ok(descriptor) => File::from(descriptor),
        // What the kernel answers for a FIFO without a reader or a socket, and for a symbolic link.
        Err(Errno::NXIO | Errno::LOOP) => return Err(not_a_regular_file()),
        Err(errno) => return Err(errno.into()),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(not_a_regular_file());
    }
    Ok((file, metadata.len()))
}

fn not_a_regular_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")
}

fn previous(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    PathBuf::from(name)
}

/// The newest record of that verdict id, out of the file or the one before it. Lines that cannot be
/// read are passed over.
pub fn find(path: &Path, id: &str) -> io::Result<Option<Value>> {
    match find_in(path, id) {
        Ok(Some(record)) => return Ok(Some(record)),
        Err(error) if error.kind() != io::ErrorKind::NotFound || !previous(path).exists() => {
            return Err(error);
        }
        // Not in this file, or the rotation is just going on.
        Ok(None) | Err(_) => {}
    }
    match find_in(&previous(path), id) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found,
    }
}

fn find_in(path: &Path, id: &str) -> io::Result<Option<Value>> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut found = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader
            .by_ref()
            .take(LINE_MAX)
            .read_until(b'\n', &mut line)?
            == 0
        {
            return Ok(found);
        }
        // Most lines are not the one: parse only what can be.
        if memchr::memmem::find(&line, id.as_bytes()).is_none() {
            continue;
        }
        let record: Option<Value> = serde_json::from_slice(&line).ok();
        found = record
            .filter(|record| record.get("id").and_then(Value::as_str) == Some(id))
            .or(found);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(id: &str) -> String {
        json!({ "id": id, "n": 1 }).to_string() + "\n"
    }

    #[test]
    fn records_are_found_again_also_after_a_rotation() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("records.jsonl");
        let line = record("a1").len();
        let mut writer = Writer::new(path.clone(), 2 * line);
        for id in ["a1", "a2"] {
            writer.append(&record(id)).unwrap();
        }
        assert!(!previous(&path).exists(), "the limit itself still fits");
        writer.append(&record("a3")).unwrap();
        assert!(previous(&path).exists());
        for id in ["a1", "a2", "a3"] {
            assert_eq!(find(&path, id).unwrap().unwrap()["id"], json!(id));
        }
        assert_eq!(find(&path, "a4").unwrap(), None);
        assert!(find(&directory.path().join("none"), "a1").is_err());
    }

    #[test]
    fn a_damaged_line_hides_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("r");
        std::fs::write(
            &path,
            "{\"id\":\"x\nnonsense x\n{\"id\":\"x\",\"n\":1}\n{\"id\":\"x\",\"n\":2}\n",
        )
        .unwrap();
        assert_eq!(find(&path, "x").unwrap().unwrap()["n"], json!(2));
    }

    #[test]
    fn an_error_is_returned_and_the_next_try_opens_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("missing").join("r");
        let mut writer = Writer::new(path.clone(), 100);
        assert!(writer.append("{}\n").is_err());
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        assert!(writer.append("{}\n").is_ok());
    }

    #[test]
    fn only_a_regular_file_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let (target, link) = (directory.path().join("r"), directory.path().join("link"));
        std::fs::write(&target, "").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        for path in [link.as_path(), Path::new("/dev/full")] {
            let error = Writer::new(path.to_owned(), 9).open().unwrap_err();
            assert_eq!(
                error.to_string(),
                "not a regular file",
                "{}",
                path.display()
            );
        }
        assert!(Writer::new(target, 9).open().is_ok());
    }
}
