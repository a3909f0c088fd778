//! Reading what was named: files, directories, mailboxes, standard input.
#![expect(clippy::disallowed_methods, reason = "messages are files")]

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::mbox;

/// How deep directories may nest.
const DEPTH_MAX: usize = 64;

/// One mail to judge.
pub(in crate::cli) struct Item {
    /// As the user named it, with the number of the message in a mailbox.
    pub(in crate::cli) name: String,
    /// Its bytes, or why they cannot be read.
    pub(in crate::cli) raw: Result<Vec<u8>, String>,
}

/// Hands every mail to `take`, in order, until that returns false.
pub(in crate::cli) fn read_all(
    paths: &[PathBuf],
    limit: usize,
    take: &mut dyn FnMut(Item) -> bool,
) {
    for path in paths {
        let go_on = if path.as_os_str() == "-" {
            from_reader("-", io::stdin().lock(), limit, true, take)
        } else if path.is_dir() {
            directory(path, limit, take)
        } else {
            // One message is what that suffix says, even where a From_ line was left in front of
            // it.
            let is_one = path.extension().is_some_and(|extension| extension == "eml");
            file(path, limit, !is_one, take)
        };
        if !go_on {
            return;
        }
    }
}

/// Reads a file that holds one mail, whatever its name.
pub(in crate::cli) fn read_one(path: &Path, limit: usize) -> Item {
    let mut one = Item {
        name: path.display().to_string(),
        raw: Err("empty".to_owned()),
    };
    file(path, limit, false, &mut |item| {
        one = item;
        true
    });
    one
}

/// All files below a directory, each directory in name order.
fn directory(root: &Path, limit: usize, take: &mut dyn FnMut(Item) -> bool) -> bool {
    let mut waiting = vec![(root.to_owned(), 0)];
    while let Some((path, depth)) = waiting.pop() {
        // Links to directories are not followed: they may lead round in a circle.
        let is_directory = depth == 0 || (path.is_dir() && !path.is_symlink());
        if !is_directory {
            if path.is_dir() {
                continue;
            }
            let may_be_mailbox = path
                .extension()
                .is_some_and(|extension| extension == "mbox");
            if !file(&path, limit, may_be_mailbox, take) {
                return false;
            }
            continue;
        }
        match entries(&path, depth) {
            Ok(entries) => {
                waiting.extend(entries.into_iter().rev().map(|entry| (entry, depth + 1)));
            }
            Err(error) => {
                if !take(Item {
                    name: path.display().to_string(),
                    raw: Err(error.to_string()),
                }) {
                    return false;
                }
            }
        }
    }
    true
}

/// What is in a directory, in name order, hidden files left out.
fn entries(path: &Path, depth: usize) -> io::Result<Vec<PathBuf>> {
    if depth >= DEPTH_MAX {
        return Err(io::Error::other(format!(
            "directories nest deeper than {DEPTH_MAX}"
        )));
    }
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            entries.push(entry.path());
        }
    }
    entries.sort();
    Ok(entries)
}

fn file(
    path: &Path,
    limit: usize,
    may_be_mailbox: bool,
    take: &mut dyn FnMut(Item) -> bool,
) -> bool {
    let name = path.display().to_string();
    match File::open(path) {
        Ok(file) => from_reader(
            &name,
            BufReader::with_capacity(1 << 16, file),
            limit,
            may_be_mailbox,
            take,
        ),
        Err(error) => take(Item {
            name,
            raw: Err(error.to_string()),
        }),
    }
}

/// What begins with a From_ line is a mailbox, and each of its messages is read when it is needed.
fn from_reader(
    name: &str,
    mut reader: impl BufRead,
    limit: usize,
    may_be_mailbox: bool,
    take: &mut dyn FnMut(Item) -> bool,
) -> bool {
    let failed = |error: io::Error| Item {
        name: name.to_owned(),
        raw: Err(error.to_string()),
    };
    match reader.fill_buf() {
        Ok(start) if start.starts_with(b"From ") => {}
        Ok(_) => return take(single(name, reader, limit)),
        Err(error) => return take(failed(error)),
    }
    if may_be_mailbox {
        return mbox::split(name, reader, limit, take);
    }
    // A mail that was saved with its From_ line, which no MTA would hand over.
    let mut line = Vec::new();
    match reader
        .by_ref()
        .take(limit as u64)
        .read_until(b'\n', &mut line)
    {
        Ok(_) => take(single(name, reader, limit)),
        Err(error) => take(failed(error)),
    }
}

fn single(name: &str, reader: impl Read, limit: usize) -> Item {
    let mut raw = Vec::new();
    let raw = match reader.take(limit as u64 + 1).read_to_end(&mut raw) {
        Ok(_) if raw.len() > limit => Err(too_large(limit)),
        Ok(_) => Ok(raw),
        Err(error) => Err(error.to_string()),
    };
    Item {
        name: name.to_owned(),
        raw,
    }
}

/// What is said of a mail beyond `limits.message`.
pub(super) fn too_large(limit: usize) -> String {
    format!("larger than {limit} bytes (limits.message)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: &[PathBuf], limit: usize) -> Vec<(String, Result<usize, String>)> {
        let mut seen = Vec::new();
        read_all(paths, limit, &mut |item| {
            seen.push((
                item.name.rsplit('/').next().unwrap().to_owned(),
                item.raw.map(|raw| raw.len()),
            ));
            true
        });
        seen
    }

    #[test]
    fn directories_are_read_in_name_order() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("b")).unwrap();
        for (name, text) in [
            ("c", "x"),
            ("b/2", "xx"),
            ("b/1", "x"),
            ("a", "From x\nab"),
            (".hidden", "x"),
        ] {
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        let seen = names(&[directory.path().to_owned()], 10);
        let expected = [("a", 2), ("1", 1), ("2", 2), ("c", 1)];
        assert_eq!(
            seen,
            expected.map(|(name, length)| (name.to_owned(), Ok(length)))
        );
    }

    #[test]
    fn a_mail_has_its_limit_at_n_and_n_plus_one() {
        let directory = tempfile::tempdir().unwrap();
        for (length, fits) in [(10, true), (11, false)] {
            let path = directory.path().join(length.to_string());
            std::fs::write(&path, "x".repeat(length)).unwrap();
            assert_eq!(names(&[path], 10)[0].1.is_ok(), fits);
        }
    }

    #[test]
    fn a_named_file_may_be_a_mailbox_unless_it_is_called_one_mail() {
        let directory = tempfile::tempdir().unwrap();
        let text = "From x Mon Jan  1 00:00:00 2024\nA: 1\n\n>From y\n\nFrom x Mon Jan  1 00:00:00 2024\nB: 1\n\n";
        for (name, count) in [("a.eml", 1), ("a.mbox", 2), ("a", 2)] {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            assert_eq!(
                names(std::slice::from_ref(&path), 1000).len(),
                count,
                "{name}"
            );
            let one = read_one(&path, 1000).raw.unwrap();
            assert!(
                one.starts_with(b"A: 1\n\n>From y\n"),
                "{name}: nothing is unquoted in a single mail"
            );
        }
        assert!(
            read_one(&directory.path().join("missing"), 1000)
                .raw
                .is_err()
        );
    }

    #[test]
    fn what_is_not_there_is_reported_and_the_rest_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let there = directory.path().join("there");
        std::fs::write(&there, "x").unwrap();
        let seen = names(&[directory.path().join("missing"), there], 10);
        assert!(seen[0].1.is_err() && seen[1].1.is_ok());
    }
}
