//! What systemd brings to the daemon, from the files of gatepost.service and gatepost.socket: its
//! user, directories that are made at the start, and sockets.
#![expect(
    clippy::disallowed_methods,
    reason = "reads unit files; commands may open files"
)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::daemon::Provided;
use gatepost_words::SocketAddress;

/// Where systemd looks for units, the strongest first.
const FOLDERS: &[&str] = &[
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
/// The link that `systemctl enable gatepost.socket` makes.
const SOCKET_ENABLED: &str = "/etc/systemd/system/sockets.target.wants/gatepost.socket";
/// Directories that a unit can have made, and where they are.
const DIRECTORIES: &[(&str, &str)] = &[
    ("RuntimeDirectory", "/run"),
    ("StateDirectory", "/var/lib"),
    ("CacheDirectory", "/var/cache"),
    ("LogsDirectory", "/var/log"),
];

/// What the unit says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Unit {
    /// `User=`
    pub(super) user: Option<String>,
    directories: Vec<PathBuf>,
    sockets: Vec<String>,
}

impl Unit {
    /// The installed one; an empty one where there is none.
    pub(super) fn installed() -> Self {
        let mut unit = Self::default();
        for text in texts("gatepost.service") {
            unit.read(&text);
        }
        if Path::new(SOCKET_ENABLED).exists() {
            for text in texts("gatepost.socket") {
                unit.read(&text);
            }
        }
        unit
    }

    /// What it brings.
    pub(super) fn provided(&self) -> Provided {
        Provided {
            directories: self.directories.clone(),
            sockets: self.sockets.clone(),
        }
    }

    /// Reads one file; later values win, an empty one clears the list (systemd.syntax(7)).
    fn read(&mut self, text: &str) {
        for line in text.lines() {
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            let (key, value) = (key.trim(), value.trim());
            if key == "User" {
                self.user = Some(value.to_owned()).filter(|value| !value.is_empty());
            } else if key == "ListenStream" {
                self.add_socket(value);
            } else if let Some((_, parent)) = DIRECTORIES.iter().find(|(name, _)| *name == key) {
                let names = value.split_ascii_whitespace();
                self.directories
                    .extend(names.map(|name| Path::new(parent).join(name)));
            }
        }
    }

    fn add_socket(&mut self, value: &str) {
        if value.is_empty() {
            self.sockets.clear();
        } else if value.starts_with('/') {
            self.sockets
                .push(SocketAddress::Unix(PathBuf::from(value)).to_string());
        } else if let Ok(address) = value.parse::<SocketAddr>() {
            self.sockets.push(SocketAddress::Inet(address).to_string());
        }
    }
}

/// The unit's file, and its drop-ins in name order.
fn texts(name: &str) -> Vec<String> {
    let files = FOLDERS.iter().map(|folder| Path::new(folder).join(name));
    let mut texts: Vec<String> = files
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .take(1)
        .collect();
    if texts.is_empty() {
        return texts;
    }
    let mut added = Vec::new();
    for folder in FOLDERS {
        let entries = std::fs::read_dir(Path::new(folder).join(format!("{name}.d")));
        added.extend(entries.into_iter().flatten().flatten());
    }
    added.sort_by_key(std::fs::DirEntry::file_name);
    for entry in added {
        let is_part = entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "conf");
        if is_part && let Ok(text) = std::fs::read_to_string(entry.path()) {
            texts.push(text);
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_values_win() {
        let mut unit = Unit::default();
        unit.read("[Service]\nUser=root\nRuntimeDirectory=gatepost gatepost/x\n# User=no\n");
        unit.read("[Service]\nUser = gatepost\nStateDirectory=gatepost\n");
        unit.read("[Socket]\nListenStream=/run/old\nListenStream=\nListenStream=/run/s\n");
        unit.read("ListenStream=127.0.0.1:8891\nListenStream=8891\n");
        assert_eq!(unit.user.as_deref(), Some("gatepost"));
        assert_eq!(unit.sockets, ["unix:/run/s", "inet:8891@127.0.0.1"]);
        let directories = ["/run/gatepost", "/run/gatepost/x", "/var/lib/gatepost"];
        assert_eq!(unit.directories, directories.map(PathBuf::from));
    }

    #[test]
    fn the_shipped_units_are_read() {
        let mut unit = Unit::default();
        unit.read(include_str!("../../contrib/systemd/gatepost.service"));
        unit.read(include_str!("../../contrib/systemd/gatepost.socket"));
        assert_eq!(unit.user.as_deref(), Some("gatepost"));
        assert!(unit.directories.contains(&PathBuf::from("/run/gatepost")));
        assert_eq!(unit.sockets.len(), 1);
    }
}
