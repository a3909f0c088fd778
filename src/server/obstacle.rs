//! Why this process may not use a path: the first directory or file on the way that is missing or
//! closed to it, whose it is, and what to do.
#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "tests write files"))]

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::accounts::{group_name, user_name};

/// What is wanted of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// To read a file.
    Read,
    /// To read and write a file.
    Write,
    /// To list a directory and read what is in it.
    List,
    /// To make and remove files in a directory.
    Make,
}

impl Wanted {
    fn rights(self) -> Access {
        match self {
            Self::Read => Access::READ_OK,
            Self::Write => Access::READ_OK | Access::WRITE_OK,
            Self::List => Access::READ_OK | Access::EXEC_OK,
            Self::Make => Access::WRITE_OK | Access::EXEC_OK,
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Read | Self::List => "read it",
            Self::Write => "read and write it",
            Self::Make => "make files in it",
        }
    }
}

/// The first thing on the way to a path that stops this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// Where.
    pub path: PathBuf,
    /// Whether it is missing; otherwise it is closed to us.
    pub is_missing: bool,
    reason: String,
    fix: String,
}

impl Obstacle {
    /// What to do about it.
    pub fn fix(&self) -> &str {
        &self.fix
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// Looks for what stops this process on the way to `path`; `None` where nothing does.
pub fn obstacle(path: &Path, wanted: Wanted) -> Option<Obstacle> {
    let mut on_the_way: Vec<&Path> = path.ancestors().skip(1).collect();
    on_the_way.reverse();
    for directory in on_the_way {
        if directory.as_os_str() == OsStr::new("") {
            continue;
        }
        let found = match std::fs::metadata(directory) {
            Err(error) => return Some(unseen(directory, &error)),
            Ok(found) => found,
        };
        if !found.is_dir() {
            return Some(not_a_directory(directory));
        }
        if rustix::fs::access(directory, Access::EXEC_OK).is_err() {
            return Some(closed(directory, &found, "enter it"));
        }
    }
    let found = match std::fs::metadata(path) {
        Err(error) => return Some(unseen(path, &error)),
        Ok(found) => found,
    };
    let is_directory_wanted = matches!(wanted, Wanted::List | Wanted::Make);
    if is_directory_wanted && !found.is_dir() {
        return Some(not_a_directory(path));
    }
    rustix::fs::access(path, wanted.rights())
        .is_err()
        .then(|| closed(path, &found, wanted.verb()))
}

/// The user under whom this thread works, by name where it has one.
fn own_name() -> String {
    user_name(rustix::process::geteuid().as_raw())
}

fn unseen(path: &Path, error: &io::Error) -> Obstacle {
    let is_missing = error.kind() == io::ErrorKind::NotFound;
    let shown = path.display();
    let reason = if is_missing {
        format!("{shown} does not exist")
    } else {
        format!("{shown}: {error}")
    };
    let user = own_name();
    Obstacle {
        path: path.to_owned(),
        is_missing,
        reason,
        fix: format!(
            "create it: `install -d -o {user} -m 0750 {shown}` (systemd: StateDirectory=, \
             RuntimeDirectory=), or name another path"
        ),
    }
}

fn not_a_directory(path: &Path) -> Obstacle {
    Obstacle {
        path: path.to_owned(),
        is_missing: false,
        reason: format!("{} is not a directory", path.display()),
        fix: "name another path".to_owned(),
    }
}

fn closed(path: &Path, found: &std::fs::Metadata, verb: &str) -> Obstacle {
    let user = own_name();
    let owner = user_name(found.uid());
    let group = group_name(found.gid());
    let mode = found.mode() & 0o7777;
    let shown = path.display();
    Obstacle {
        path: path.to_owned(),
        is_missing: false,
        reason: format!(
            "permission denied: {shown} belongs to {owner}:{group} with mode {mode:04o}, and user \
             {user} may not {verb}"
        ),
        fix: format!(
            "`chown {user} {shown}`, or let the group of {user} in; `gatepost check --as USER` \
             checks for another user"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_thing_on_the_way_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let inside = directory.path().join("a/b/c");
        let found = obstacle(&inside, Wanted::Make).unwrap();
        assert_eq!(found.path, directory.path().join("a"));
        assert!(found.is_missing && found.fix().contains("install -d"));
        let file = directory.path().join("file");
        std::fs::write(&file, "x").unwrap();
        let found = obstacle(&file.join("x"), Wanted::Read).unwrap();
        assert!(found.to_string().ends_with("is not a directory"));
        assert!(obstacle(&file, Wanted::List).is_some());
        assert_eq!(obstacle(&file, Wanted::Write), None);
        assert_eq!(obstacle(directory.path(), Wanted::Make), None);
        assert_eq!(obstacle(Path::new("."), Wanted::List), None);
    }
}
