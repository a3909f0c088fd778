//! Verdict records: a bounded file of JSON lines, written as mail is judged and read by `gatepost
//! explain`.
#![expect(clippy::disallowed_methods, reason = "records live in a file")]

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

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

    /// Appends one record in one write. After an error the file is opened anew the next time.
    pub(super) fn append(&mut self, record: &Value) -> io::Result<()> {
        let mut line = record.to_string();
        line.push('\n');
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

/// Opens for appending; readable by the owner and its group only, since records tell who wrote to
/// whom.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o640)
        .open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
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

    #[test]
    fn records_are_found_again_also_after_a_rotation() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("records.jsonl");
        let line = json!({ "id": "a1", "n": 1 }).to_string().len() + 1;
        let mut writer = Writer::new(path.clone(), 2 * line);
        for id in ["a1", "a2"] {
            writer.append(&json!({ "id": id, "n": 1 })).unwrap();
        }
        assert!(!previous(&path).exists(), "the limit itself still fits");
        writer.append(&json!({ "id": "a3", "n": 1 })).unwrap();
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
    fn an_error_is_told_and_the_next_try_opens_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("missing").join("r");
        let mut writer = Writer::new(path.clone(), 100);
        assert!(writer.append(&json!({})).is_err());
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        assert!(writer.append(&json!({})).is_ok());
    }
}
