//! Files, directories and Maildirs that are named.
//!
//! A FIFO or a device is never opened: a reader would wait for ever.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::content::{self, Source};
use super::item::{Item, Unread};
use gatepost_words::open_regular;

/// How deep directories may nest.
const DEPTH_MAX: usize = 64;
/// Suffixes of compressed files; the one before says what the file is.
const COMPRESSED: &[&str] = &["gz", "bz2", "zst"];

/// Hands what is named to `take`, in order, until that returns false. `limit` is `limits.message`;
/// `-` is standard input.
pub fn read_all(paths: &[PathBuf], limit: usize, take: &mut dyn FnMut(Item) -> bool) {
    for path in paths {
        let go_on = if path.as_os_str() == "-" {
            let source = Source {
                name: "-",
                limit,
                may_be_mailbox: true,
            };
            content::read(source, &mut io::stdin().lock(), take)
        } else if path.is_dir() {
            root(path, limit, take)
        } else {
            file(path, limit, may_be_mailbox(path), take)
        };
        if !go_on {
            return;
        }
    }
}

/// Reads a file that holds one message, whatever its name.
pub fn read_one(path: &Path, limit: usize) -> Item {
    let why = Unread::NotAMessage("the message is empty".to_owned());
    let mut one = Item::unread(path.display().to_string(), why);
    file(path, limit, false, &mut |item| {
        one = item;
        true
    });
    one
}

/// One message is what `.eml` says, even where a From_ line was left in front of it.
fn may_be_mailbox(path: &Path) -> bool {
    let suffix = |path: &Path| path.extension().map(OsStr::to_ascii_lowercase);
    let outer = suffix(path);
    let is_compressed = COMPRESSED
        .iter()
        .any(|known| outer.as_deref() == Some((*known).as_ref()));
    let inner = if is_compressed {
        path.file_stem().and_then(|stem| suffix(Path::new(stem)))
    } else {
        outer
    };
    inner.as_deref() != Some("eml".as_ref())
}

/// A directory that is named: one without any message is reported.
fn root(path: &Path, limit: usize, take: &mut dyn FnMut(Item) -> bool) -> bool {
    let mut is_empty = true;
    let go_on = directory(path, limit, &mut |item| {
        is_empty &= matches!(item.raw, Err(Unread::PassedOver(_)));
        take(item)
    });
    if go_on && is_empty {
        let why = Unread::Nothing("there is no message in this directory".to_owned());
        return take(Item::unread(path.display().to_string(), why));
    }
    go_on
}

/// What is still to be visited.
enum Visit {
    /// A directory, at a depth.
    Directory(PathBuf, usize),
    /// A file, and whether it may be a mailbox.
    File(PathBuf, bool),
    /// Something that is not read, and why.
    Unread(PathBuf, Unread),
}

/// All files below a directory, each directory in name order.
fn directory(root: &Path, limit: usize, take: &mut dyn FnMut(Item) -> bool) -> bool {
    let mut waiting = vec![Visit::Directory(root.to_owned(), 0)];
    while let Some(visit) = waiting.pop() {
        let go_on = match visit {
            Visit::File(path, may_be_mailbox) => file(&path, limit, may_be_mailbox, take),
            Visit::Unread(path, why) => take(Item::unread(path.display().to_string(), why)),
            Visit::Directory(path, depth) => match visits(&path, depth) {
                Ok(visits) => {
                    waiting.extend(visits.into_iter().rev());
                    true
                }
                Err(error) => {
                    let name = path.display().to_string();
                    take(Item::unread(name, Unread::of_io(&error)))
                }
            },
        };
        if !go_on {
            return false;
        }
    }
    true
}

/// What is in a directory, in name order.
fn visits(path: &Path, depth: usize) -> io::Result<Vec<Visit>> {
    if depth >= DEPTH_MAX {
        let message = format!("directories nest deeper than {DEPTH_MAX}");
        return Err(io::Error::other(message));
    }
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path)? {
        entries.push(entry?.path());
    }
    entries.sort();
    if is_maildir(path) {
        return Ok(maildir(entries, depth));
    }
    // In a folder of a Maildir that was named without its Maildir each file is one message.
    let is_folder = is_folder_of_maildir(path);
    Ok(entries
        .into_iter()
        .map(|entry| {
            let may_be_mailbox = !is_folder && may_be_mailbox(&entry);
            visit(entry, depth, may_be_mailbox)
        })
        .collect())
}

fn visit(entry: PathBuf, depth: usize, may_be_mailbox: bool) -> Visit {
    let is_directory = entry.is_dir();
    if is_hidden(&entry) {
        let what = if is_directory { "folder" } else { "file" };
        let why = format!("a hidden {what}, not read; name it to read it");
        return Visit::Unread(entry, Unread::PassedOver(why));
    }
    if is_directory && entry.is_symlink() {
        // It may lead round in a circle.
        let why = "a link to a directory, not followed; name it to read it".to_owned();
        return Visit::Unread(entry, Unread::PassedOver(why));
    }
    if is_directory {
        Visit::Directory(entry, depth + 1)
    } else {
        Visit::File(entry, may_be_mailbox)
    }
}

/// Of a Maildir, `cur/` and `new/` hold its messages. Next to them are folders of their own, index
/// files of the mail server, and in `tmp/` what is not delivered yet.
fn maildir(entries: Vec<PathBuf>, depth: usize) -> Vec<Visit> {
    let mut visits = Vec::new();
    for entry in entries {
        let name = entry.file_name().unwrap_or_default();
        if name == "cur" || name == "new" {
            visits.push(Visit::Directory(entry, depth + 1));
        } else if name == "tmp" && entry.is_dir() {
            let why = "not a message: not delivered yet (tmp/ of a Maildir)";
            let unfinished = std::fs::read_dir(&entry).into_iter().flatten().flatten();
            let mut unfinished: Vec<PathBuf> = unfinished.map(|entry| entry.path()).collect();
            unfinished.sort();
            let unread = |path| Visit::Unread(path, Unread::NotAMessage(why.to_owned()));
            visits.extend(unfinished.into_iter().map(unread));
        } else if entry.is_dir() {
            let why = "a folder next to this one, not read; name it to read it".to_owned();
            visits.push(Visit::Unread(entry, Unread::PassedOver(why)));
        } else {
            let why = Unread::is("a file of the mail server next to cur/ and new/");
            visits.push(Visit::Unread(entry, why));
        }
    }
    visits
}

fn is_maildir(path: &Path) -> bool {
    path.join("cur").is_dir() && path.join("new").is_dir()
}

fn is_folder_of_maildir(path: &Path) -> bool {
    let is_named = path
        .file_name()
        .is_some_and(|name| name == "cur" || name == "new");
    is_named && path.parent().is_some_and(is_maildir)
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn file(
    path: &Path,
    limit: usize,
    may_be_mailbox: bool,
    take: &mut dyn FnMut(Item) -> bool,
) -> bool {
    let name = path.display().to_string();
    let mut file = match open_regular(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            return take(Item::unread(name, Unread::is(&error.to_string())));
        }
        Err(error) => return take(Item::unread(name, Unread::of_io(&error))),
    };
    let source = Source {
        name: &name,
        limit,
        may_be_mailbox,
    };
    content::read(source, &mut file, take)
}
