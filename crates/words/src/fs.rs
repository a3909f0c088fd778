//! Replacing a file so that readers see the old one or the new one, never half of either.
#![expect(
    clippy::disallowed_methods,
    reason = "the one place that replaces files"
)]

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown, lchown,
};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Names tried before giving up; more than one is needed only where another process cleans up at
/// the same moment.
const ATTEMPTS_MAX: usize = 16;

/// The user that may give files away.
const ROOT: u32 = 0;

/// A new file next to the one that it will replace. Dropped before [`Replacement::commit`], it is
/// removed again and the old file stays.
#[derive(Debug)]
pub struct Replacement {
    file: File,
    temporary: PathBuf,
    target: PathBuf,
    is_committed: bool,
}

impl Replacement {
    /// Begins to replace `target`. The new file gets owner, group and permission bits of the old
    /// one. Where there is none yet it gets `mode` less the umask, and, made by root, the owner and
    /// group of its directory. A symbolic link is replaced, not followed.
    ///
    /// Without the right to keep the owner (a member of the group replaces the daemon's file), the
    /// new file belongs to this process; where the group cannot be kept either, the group's
    /// permission bits are dropped, for they would be granted to another group.
    pub fn create(target: &Path, mode: u32) -> io::Result<Self> {
        remove_leftovers(target);
        let old = match fs::symlink_metadata(target) {
            Ok(old) => Some(old).filter(fs::Metadata::is_file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        // With an old file's bits to come, no other user may read before they are set.
        let initial_mode = if old.is_some() { 0o600 } else { mode };
        let (file, temporary) = create_temporary(target, initial_mode)?;
        let replacement = Self {
            file,
            temporary,
            target: target.to_owned(),
            is_committed: false,
        };
        if let Some(old) = old {
            keep_owner_and_mode(&replacement.file, &old)?;
        } else {
            give_to_directory_owner(&replacement.file, target)?;
        }
        Ok(replacement)
    }

    /// The new file, to be written.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Puts the new file in the place of the old one. When this returns, both its bytes and its
    /// name are on the disk.
    pub fn commit(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.temporary, &self.target)?;
        self.is_committed = true;
        // The new name is on the disk only when the directory is.
        File::open(directory_of(&self.target))?.sync_all()
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.is_committed {
            // Half a file is of no use, and where the disk is full others need the room.
            fs::remove_file(&self.temporary).unwrap_or_default();
        }
    }
}

/// Replaces `target` by a file of these bytes. See [`Replacement::create`] for owner and mode.
pub fn replace(target: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut replacement = Replacement::create(target, mode)?;
    replacement.file().write_all(bytes)?;
    replacement.commit()
}

/// Opens `path` with those options, and makes the file with that mode where there is none. A file
/// that root makes gets the owner and group of its directory: a command that an admin runs must not
/// leave files that the daemon cannot use.
pub fn open_or_create(path: &Path, options: &OpenOptions, mode: u32) -> io::Result<File> {
    for _ in 0..ATTEMPTS_MAX {
        let created = options.clone().create_new(true).mode(mode).open(path);
        match created {
            Ok(file) => {
                give_to_directory_owner(&file, path)?;
                return Ok(file);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        match options.open(path) {
            // Removed in between.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => return result,
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

/// Makes a directory, and those above it, with that mode. Made by root, it gets the owner and group
/// of the directory that it is in.
pub fn create_directory(path: &Path, mode: u32) -> io::Result<()> {
    let is_new = fs::symlink_metadata(path).is_err();
    fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)?;
    if is_new && let Some((user, group)) = owner_to_give_to(&fs::symlink_metadata(path)?, path)? {
        // Not through a link that the owner of the outer directory has put there meanwhile.
        lchown(path, Some(user), Some(group))?;
    }
    Ok(())
}

/// Where root has just made `file`, it is given to the owner and group of the directory it is in.
fn give_to_directory_owner(file: &File, path: &Path) -> io::Result<()> {
    if let Some((user, group)) = owner_to_give_to(&file.metadata()?, path)? {
        fchown(file, Some(user), Some(group))?;
    }
    Ok(())
}

/// The owner and group of the directory, where root has made something in the directory of another
/// user, who could replace it anyway.
fn owner_to_give_to(new: &fs::Metadata, path: &Path) -> io::Result<Option<(u32, u32)>> {
    if new.uid() != ROOT {
        return Ok(None);
    }
    let directory = fs::metadata(directory_of(path))?;
    let owner = (directory.uid(), directory.gid());
    Ok((directory.uid() != ROOT).then_some(owner))
}

fn directory_of(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// A file that no one had before (`O_EXCL` follows no link that another user has placed there),
/// locked for as long as it is open: that is how [`remove_leftovers`] knows it is in use.
fn create_temporary(target: &Path, mode: u32) -> io::Result<(File, PathBuf)> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let name = target
        .file_name()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    for _ in 0..ATTEMPTS_MAX {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut temporary = OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{}-{number}.new", std::process::id()));
        let path = directory_of(target).join(temporary);
        let mut options = OpenOptions::new();
        let opened = options.write(true).create_new(true).mode(mode).open(&path);
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error),
        };
        // Between creating and locking another process may have taken it for a leftover.
        let is_ours = match file.try_lock() {
            Ok(()) => file.metadata()?.nlink() > 0,
            Err(TryLockError::WouldBlock) => false,
            // A file system without locks: then leftovers are not removed either.
            Err(TryLockError::Error(_)) => true,
        };
        if is_ours {
            return Ok((file, path));
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Removes what a killed process left of earlier replacements of the same file.
fn remove_leftovers(target: &Path) {
    let Some(name) = target.file_name() else {
        return;
    };
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    let Ok(entries) = fs::read_dir(directory_of(target)) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !is_temporary(name.as_encoded_bytes(), prefix.as_encoded_bytes()) {
            continue;
        }
        let path = entry.path();
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        let is_unused = || File::open(&path).is_ok_and(|file| file.try_lock().is_ok());
        if is_file && is_unused() {
            fs::remove_file(&path).unwrap_or_default();
        }
    }
}

/// Whether a name is `PREFIXpid-number.new`.
fn is_temporary(name: &[u8], prefix: &[u8]) -> bool {
    name.strip_prefix(prefix)
        .and_then(|rest| rest.strip_suffix(b".new"))
        .is_some_and(|rest| {
            !rest.is_empty() && rest.iter().all(|b| b.is_ascii_digit() || *b == b'-')
        })
}

fn keep_owner_and_mode(file: &File, old: &fs::Metadata) -> io::Result<()> {
    let new = file.metadata()?;
    let mut mode = old.mode() & 0o777;
    let is_same = (new.uid(), new.gid()) == (old.uid(), old.gid());
    if !is_same && fchown(file, Some(old.uid()), Some(old.gid())).is_err() {
        let has_group = new.gid() == old.gid() || fchown(file, None, Some(old.gid())).is_ok();
        if !has_group {
            mode &= !0o070;
        }
    }
    file.set_permissions(Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<OsString> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_file_is_made_and_replaced_and_keeps_its_mode() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        replace(&path, b"one", 0o640).unwrap();
        assert_eq!(mode(&path) & !0o640, 0);
        fs::set_permissions(&path, Permissions::from_mode(0o604)).unwrap();
        replace(&path, b"two", 0o640).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(mode(&path), 0o604);
        assert_eq!(names(directory.path()), ["file"]);
    }

    #[test]
    fn the_owner_is_kept_where_this_process_may_give_files_away() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "one").unwrap();
        if std::os::unix::fs::chown(&path, Some(12_345), Some(23_456)).is_err() {
            return; // not root
        }
        replace(&path, b"two", 0o600).unwrap();
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (12_345, 23_456));
    }

    #[test]
    fn what_root_makes_belongs_to_the_owner_of_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let owner = |path: &Path| {
            let metadata = fs::metadata(path).unwrap();
            (metadata.uid(), metadata.gid())
        };
        let own = owner(directory.path());
        let mut expected = own;
        if std::os::unix::fs::chown(directory.path(), Some(12_345), Some(23_456)).is_ok() {
            expected = (12_345, 23_456);
        }
        let [new, opened, inner] =
            ["new", "opened", "inner"].map(|name| directory.path().join(name));
        replace(&new, b"one", 0o600).unwrap();
        let options = OpenOptions::new().append(true).clone();
        for text in [b"a", b"b"] {
            let mut file = open_or_create(&opened, &options, 0o640).unwrap();
            file.write_all(text).unwrap();
        }
        create_directory(&inner, 0o750).unwrap();
        assert_eq!(fs::read(&opened).unwrap(), b"ab");
        for path in [&new, &opened, &inner] {
            assert_eq!(owner(path), expected, "{}", path.display());
        }
        // What is there keeps its owner.
        if expected != own {
            std::os::unix::fs::chown(&opened, Some(7), Some(8)).unwrap();
            open_or_create(&opened, &options, 0o640).unwrap();
            create_directory(&inner, 0o750).unwrap();
            assert_eq!(owner(&opened), (7, 8));
        }
    }

    #[test]
    fn what_is_not_committed_leaves_the_old_file_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "one").unwrap();
        let mut replacement = Replacement::create(&path, 0o600).unwrap();
        replacement.file().write_all(b"tw").unwrap();
        assert_eq!(names(directory.path()).len(), 2);
        drop(replacement);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(names(directory.path()), ["file"]);
    }

    #[test]
    fn leftovers_of_a_killed_process_go_and_files_in_use_stay() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for name in [
            ".file.999999-0.new",
            ".file.x-0.new",
            ".file.new",
            ".other.9-0.new",
        ] {
            fs::write(directory.path().join(name), "half").unwrap();
        }
        let first = Replacement::create(&path, 0o600).unwrap();
        let second = Replacement::create(&path, 0o600).unwrap();
        assert!(!directory.path().join(".file.999999-0.new").exists());
        second.commit().unwrap();
        first.commit().unwrap();
        let left = [".file.new", ".file.x-0.new", ".other.9-0.new", "file"];
        assert_eq!(names(directory.path()), left);
    }

    #[test]
    fn a_link_is_replaced_and_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let [path, other] = ["file", "other"].map(|name| directory.path().join(name));
        fs::write(&other, "other").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        replace(&path, b"new", 0o600).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read(&other).unwrap(), b"other");
    }

    #[test]
    fn a_target_without_a_name_or_directory_is_an_error() {
        assert!(replace(Path::new("/"), b"", 0o600).is_err());
        assert!(replace(Path::new("/nowhere/at/all"), b"", 0o600).is_err());
    }
}
