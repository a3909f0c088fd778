//! Reads the corpora as they are published: `NAME.tar.zst` with a list `NAME.tsv`, streamed, never
//! unpacked to the disk.
#![expect(
    clippy::disallowed_methods,
    reason = "training is an edge room: it reads the corpora"
)]

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use super::error::TrainError;
use super::settings::Progress;
use super::tar::Tar;
use gatepost_learn::features::is_mark;
use gatepost_words::Class;
use gatepost_words::bytes::{self, Cursor};

/// The window of the published archives (`zstd --long=27`).
const WINDOW_LOG: u32 = 27;
/// Lines of a list, at most.
const LINES: usize = 5_000_000;
/// Share of a corpus without `split=` that is for training.
const EARLIER_PERCENT: usize = 70;
/// How often progress is reported, in messages.
pub(super) const PROGRESS_EVERY: usize = 64;

/// Which part of a corpus: by `split=` in the note column of its list, where there is any; else by
/// time, for each label the first 70 % by the day it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// `split=train`, or the earlier part.
    Train,
    /// `split=test`, or the later part.
    Test,
}

/// One corpus, or one part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corpus {
    /// Where the files are.
    pub directory: PathBuf,
    /// `NAME` of `NAME.tar.zst` and `NAME.tsv`; else a directory, Maildir or mailbox of that name.
    pub name: String,
    /// Which part; `None` is all of it.
    pub split: Option<Split>,
}

/// One message of a corpus, cleaned.
pub(super) struct Sample {
    /// The path in the archive.
    pub(super) path: String,
    /// As a milter would have got it.
    pub(super) raw: Vec<u8>,
    /// As it is in the corpus.
    pub(super) stored: Vec<u8>,
    /// Its class; `None` where the list does not say.
    pub(super) class: Option<Class>,
    /// Digest as in the list.
    pub(super) sha256: String,
    /// When it was received, or else written, as the list says: sorts by time.
    pub(super) when: String,
}

/// One line of a list.
struct Entry {
    class: Option<Class>,
    sha256: String,
    when: String,
}

impl Corpus {
    /// The corpus and part in words.
    pub(super) fn describe(&self) -> String {
        let split = match self.split {
            None => "",
            Some(Split::Train) => " train",
            Some(Split::Test) => " test",
        };
        format!("{}{split}", self.name)
    }

    /// Gives each selected message to `take`, in the order of the archive.
    pub(super) fn read(
        &self,
        progress: &mut dyn FnMut(Progress),
        mut take: impl FnMut(Sample),
    ) -> Result<(), TrainError> {
        if let Some(path) = self.stored() {
            return self.read_stored(&path, progress, take);
        }
        let list = self.list()?;
        let path = self.directory.join(format!("{}.tar.zst", self.name));
        let failed = |source: io::Error| TrainError::Read {
            path: path.clone(),
            source,
        };
        let mut tar = Tar::new(decoder(&path).map_err(failed)?);
        let mut done = 0;
        while let Some((path, raw)) = tar.next_file().map_err(failed)? {
            let Some(Entry {
                class,
                sha256,
                when,
            }) = list.get(&path)
            else {
                continue;
            };
            let (sha256, when) = (sha256.clone(), when.clone());
            take(Sample {
                path,
                raw: clean(&raw),
                stored: raw,
                class: *class,
                sha256,
                when,
            });
            done += 1;
            if done % PROGRESS_EVERY == 0 || done == list.len() {
                progress(Progress::Reading {
                    corpus: self.describe(),
                    done,
                    total: list.len(),
                });
            }
        }
        Ok(())
    }

    /// The first messages of the selection, as a milter would have got them, without their labels:
    /// for benchmarks and differential tests.
    pub fn messages(&self, most: usize) -> Result<Vec<Vec<u8>>, TrainError> {
        let mut messages = Vec::new();
        self.read(&mut |_| (), |sample| {
            if messages.len() < most {
                messages.push(sample.raw);
            }
        })?;
        Ok(messages)
    }

    /// Whether the parts of this corpus are cut by time, as its list does not name them.
    pub(super) fn is_cut_by_time(&self) -> Result<bool, TrainError> {
        if self.stored().is_some() {
            return Ok(false);
        }
        Ok(!self.list_text()?.1.contains("split="))
    }

    /// The path and the text of the list.
    fn list_text(&self) -> Result<(PathBuf, String), TrainError> {
        let path = self.directory.join(format!("{}.tsv", self.name));
        let text = std::fs::read_to_string(&path).map_err(|source| TrainError::Read {
            path: path.clone(),
            source,
        })?;
        Ok((path, text))
    }

    /// The selected messages by their paths.
    fn list(&self) -> Result<HashMap<String, Entry>, TrainError> {
        let (path, text) = self.list_text()?;
        let noted = text.contains("split=");
        let mut by_time: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        let mut list = HashMap::new();
        for (line, row) in text.lines().enumerate().skip(1).take(LINES) {
            let columns: Vec<&str> = row.split('\t').collect();
            let [name, label, date, received, sha256, ..] = columns.as_slice() else {
                return Err(bad_line(&path, line, "fewer than five columns"));
            };
            let class = match (*label, Class::from_name(label)) {
                ("unlabelled", _) => None,
                (_, Some(class)) => Some(class),
                (other, None) => {
                    let what = format!("the label {other:?} is not known");
                    return Err(bad_line(&path, line, &what));
                }
            };
            let note = columns.get(6).copied().unwrap_or_default();
            let split = note
                .split([' ', ';'])
                .find_map(|word| word.strip_prefix("split="));
            let selected = match self.split {
                Some(Split::Train) if noted => split == Some("train"),
                Some(Split::Test) if noted => split == Some("test"),
                _ => true,
            };
            if selected {
                let when = if received.is_empty() { date } else { received };
                by_time
                    .entry((*label).to_owned())
                    .or_default()
                    .push(((*when).to_owned(), (*name).to_owned()));
                let entry = Entry {
                    class,
                    sha256: (*sha256).to_owned(),
                    when: (*when).to_owned(),
                };
                list.insert((*name).to_owned(), entry);
            }
        }
        if let Some(split) = self.split.filter(|_| !noted) {
            for rows in by_time.values_mut() {
                rows.sort();
                let cut = rows.len() * EARLIER_PERCENT / 100;
                let (earlier, later) = rows.split_at(cut);
                for (_, name) in if split == Split::Train {
                    later
                } else {
                    earlier
                } {
                    list.remove(name);
                }
            }
        }
        Ok(list)
    }
}

/// Opens a published archive.
pub(super) fn decoder(path: &Path) -> io::Result<zstd::Decoder<'static, BufReader<File>>> {
    let mut decoder = zstd::Decoder::new(File::open(path)?)?;
    decoder.window_log_max(WINDOW_LOG)?;
    Ok(decoder)
}

fn bad_line(path: &Path, line: usize, cause: &str) -> TrainError {
    TrainError::List {
        path: path.to_owned(),
        line: line + 1,
        cause: cause.to_owned(),
    }
}

/// A message as the MTA would hand it over: without the mbox line and without the marks that
/// receivers and collectors left (`corpora/leaky_headers.txt`), with CRLF line ends. The features
/// look at none of those marks; this is the second lock.
pub(super) fn clean(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 32);
    let mut in_header = true;
    let mut dropping = false;
    for (number, line) in raw.split(|&byte| byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if number == 0 && line.starts_with(b"From ") {
            continue;
        }
        if in_header {
            in_header = !line.is_empty();
            if !matches!(line.first(), Some(b' ' | b'\t')) {
                let name = Cursor::new(line).take_until(b':');
                let name = name.trim_ascii();
                dropping = is_mark(name) || name.eq_ignore_ascii_case(b"received");
            }
            if dropping && in_header {
                continue;
            }
        }
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
    // The split gives one empty piece after the last line end.
    if raw.ends_with(b"\n") {
        out.truncate(out.len().saturating_sub(2));
    }
    for (mark, instead) in [
        (&b"phishing@pot"[..], &b"user@example.com"[..]),
        (b"[removed]", b""),
    ] {
        out = replace(&out, mark, instead);
    }
    out
}

fn replace(data: &[u8], mark: &[u8], instead: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut rest = 0;
    for at in memchr::memmem::find_iter(data, mark) {
        out.extend_from_slice(bytes::slice(data, rest..at));
        out.extend_from_slice(instead);
        rest = at + mark.len();
    }
    out.extend_from_slice(bytes::skip(data, rest));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_taken_out() {
        let raw = b"From x Mon Jan 1\nX-Spam-Status: Yes\n\tscore=9\nSubject: a\nX-UUID: 1\nTo: phishing@pot\n\nX-Spam-Status: body\n[removed]end\n";
        let expected = "Subject: a\r\nTo: user@example.com\r\n\r\nX-Spam-Status: body\r\nend\r\n";
        assert_eq!(String::from_utf8(clean(raw)).unwrap(), expected);
        assert_eq!(clean(b"Lines: 3\r\n\r\nx"), b"\r\nx\r\n");
        assert_eq!(clean(b""), b"\r\n");
    }
}
