//! A stream of labelled mail in the order in which it came: the index of the TREC spam track, with
//! its messages as files or in one archive.
#![expect(
    clippy::disallowed_methods,
    reason = "training is an edge room: it reads the corpora"
)]

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::corpus::decoder;
use super::error::TrainError;
use super::tar::Tar;
use gatepost_words::Class;

/// Lines of an index, at most.
const LINES: usize = 5_000_000;
/// Bytes read of one message.
const MESSAGE: u64 = 64 << 20;
/// Messages of an archive that may come before their turn.
const AHEAD: usize = 2_000;

/// One line of the index.
pub(super) struct Line {
    /// Where the message is, as written.
    pub(super) path: String,
    /// The label.
    pub(super) class: Class,
    /// Whether the learner receives the label. The TREC track writes `Spam` and `Ham` where it
    /// is not.
    pub(super) feedback: bool,
}

/// An index and the place of its messages.
pub(super) struct Stream {
    index: PathBuf,
    lines: Vec<Line>,
}

impl Stream {
    /// Reads an index: one `LABEL PATH` a line, the path relative to the index.
    pub(super) fn open(index: &Path) -> Result<Self, TrainError> {
        let failed = |source| TrainError::Read {
            path: index.to_owned(),
            source,
        };
        let text = std::fs::read_to_string(index).map_err(failed)?;
        let mut lines = Vec::new();
        for (number, line) in (1..=LINES).zip(text.lines()) {
            if line.trim().is_empty() {
                continue;
            }
            let parts = line
                .split_once([' ', '\t'])
                .map(|(label, path)| (label, path.trim()));
            let (label, path) = parts
                .filter(|(_, path)| !path.is_empty())
                .ok_or_else(|| bad(index, number, line))?;
            let (class, feedback) = match label {
                "spam" => (Class::Spam, true),
                "ham" => (Class::Ham, true),
                "Spam" | "SPAM" => (Class::Spam, false),
                "Ham" | "HAM" => (Class::Ham, false),
                _ => return Err(bad(index, number, line)),
            };
            lines.push(Line {
                path: path.to_owned(),
                class,
                feedback,
            });
        }
        Ok(Self {
            index: index.to_owned(),
            lines,
        })
    }

    /// How many messages there are.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Gives each message to `take`, in the order of the index.
    pub(super) fn read(&self, mut take: impl FnMut(&Line, &[u8])) -> Result<(), TrainError> {
        let directory = self.index.parent().unwrap_or(Path::new(""));
        let archive_path = self.index.with_extension("tar.zst");
        let mut archive: Option<Archive> = None;
        for line in &self.lines {
            let path = directory.join(&line.path);
            let raw = match File::open(&path) {
                Ok(file) if archive.is_none() => read(file),
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                Err(missing) if archive.is_none() && !archive_path.is_file() => Err(missing),
                _ => {
                    let failed = |source| TrainError::Read {
                        path: archive_path.clone(),
                        source,
                    };
                    if archive.is_none() {
                        archive = Some(Archive::open(&archive_path).map_err(failed)?);
                    }
                    archive
                        .as_mut()
                        .map_or(Ok(Vec::new()), |archive| archive.find(&line.path))
                        .map_err(failed)
                        .map(Ok)?
                }
            };
            let raw = raw.map_err(|source| TrainError::Read { path, source })?;
            take(line, &raw);
        }
        Ok(())
    }
}

fn bad(index: &Path, line: usize, text: &str) -> TrainError {
    let shown: String = text.chars().take(60).collect();
    TrainError::List {
        path: index.to_owned(),
        line,
        cause: format!("{shown:?} is not `spam PATH` or `ham PATH`"),
    }
}

fn read(file: File) -> io::Result<Vec<u8>> {
    let mut raw = Vec::new();
    file.take(MESSAGE).read_to_end(&mut raw)?;
    Ok(raw)
}

/// The archive next to an index, read once from front to back.
struct Archive {
    tar: Tar<zstd::Decoder<'static, BufReader<File>>>,
    ahead: HashMap<String, Vec<u8>>,
}

impl Archive {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            tar: Tar::new(decoder(path)?),
            ahead: HashMap::new(),
        })
    }

    fn find(&mut self, path: &str) -> io::Result<Vec<u8>> {
        if let Some(raw) = self.ahead.remove(path) {
            return Ok(raw);
        }
        while let Some((found, mut raw)) = self.tar.next_file()? {
            raw.truncate(usize::try_from(MESSAGE).unwrap_or(usize::MAX));
            if found == path {
                return Ok(raw);
            }
            if self.ahead.len() >= AHEAD {
                return Err(io::Error::other(format!(
                    "its order is too far from that of the index, at {path}"
                )));
            }
            self.ahead.insert(found, raw);
        }
        Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("it does not hold {path}"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(index: &Path) -> Result<Vec<(bool, bool, Vec<u8>)>, TrainError> {
        let mut all = Vec::new();
        Stream::open(index)?
            .read(|line, raw| all.push((line.class.is_spam(), line.feedback, raw.to_vec())))?;
        Ok(all)
    }

    #[test]
    fn files_next_to_the_index() {
        let directory = tempfile::tempdir().unwrap();
        let index = directory.path().join("index");
        std::fs::create_dir(directory.path().join("data")).unwrap();
        std::fs::write(directory.path().join("data/inmail.1"), "one").unwrap();
        std::fs::write(directory.path().join("data/inmail.2"), "two").unwrap();
        std::fs::write(
            &index,
            "spam data/inmail.1\n\nHam data/inmail.2\nham ./data/inmail.1\n",
        )
        .unwrap();
        let expected = [
            (true, true, b"one".to_vec()),
            (false, false, b"two".to_vec()),
            (false, true, b"one".to_vec()),
        ];
        assert_eq!(read_all(&index).unwrap(), expected);
        std::fs::write(&index, "spam data/inmail.9\n").unwrap();
        assert!(
            read_all(&index)
                .unwrap_err()
                .to_string()
                .contains("inmail.9")
        );
    }

    #[test]
    fn an_archive_next_to_the_index_in_another_order() {
        let directory = tempfile::tempdir().unwrap();
        let index = directory.path().join("made.index");
        let mut tar = Vec::new();
        for (name, data) in [("b", b"two"), ("unused", b"xxx"), ("a", b"one")] {
            tar.extend(super::super::tests::member(name, data));
        }
        let archive = zstd::encode_all(tar.as_slice(), 1).unwrap();
        std::fs::write(directory.path().join("made.tar.zst"), archive).unwrap();
        std::fs::write(&index, "spam a\nham b\n").unwrap();
        assert_eq!(
            read_all(&index).unwrap(),
            [
                (true, true, b"one".to_vec()),
                (false, true, b"two".to_vec())
            ]
        );
        std::fs::write(&index, "spam c\n").unwrap();
        assert!(
            read_all(&index)
                .unwrap_err()
                .to_string()
                .contains("does not hold c")
        );
    }

    #[test]
    fn bad_lines_name_their_place() {
        let directory = tempfile::tempdir().unwrap();
        let index = directory.path().join("index");
        for text in ["spam a\nmaybe b\n", "spam a\nspam\n", "ham a\nspam  \n"] {
            std::fs::write(&index, text).unwrap();
            let error = Stream::open(&index).err().unwrap().to_string();
            assert!(error.contains("index:2:"), "{error}");
        }
        assert!(Stream::open(&directory.path().join("missing")).is_err());
    }
}
