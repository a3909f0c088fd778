//! What `run` needs of the machine: sockets, files and directories, with the rights of the user
//! under whom this thread works. One list, read by `run` before it starts anything and by `check`.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::generation::learning_settings;
use super::server_settings::server_settings;
use crate::config::Config;
use crate::server::{Address, Obstacle, Probe, Wanted, obstacle, probe};
use gatepost_learn::learning::LearningSettings;
use gatepost_words::diagnostic::Diagnostic;

/// What a service manager brings: it need not be there, or be ours to make, before the daemon runs.
#[derive(Clone, Debug, Default)]
pub struct Provided {
    /// Directories that are made at the start (`RuntimeDirectory=`, `StateDirectory=`).
    pub directories: Vec<PathBuf>,
    /// Sockets that are passed, as the configuration writes them: `unix:/path`,
    /// `inet:PORT@ADDRESS`.
    pub sockets: Vec<String>,
}

impl Provided {
    fn makes(&self, obstacle: &Obstacle) -> bool {
        obstacle.is_missing && self.directories.contains(&obstacle.path)
    }

    fn passes(&self, address: &Address) -> bool {
        self.sockets.contains(&address.to_string())
    }
}

/// How one socket of the daemon is found.
#[derive(Debug)]
pub struct SocketState {
    /// The listener, or `control`.
    pub name: String,
    /// Where.
    pub address: Address,
    /// What was found there; the error of what is in the way.
    pub found: Result<SocketFound, Box<Diagnostic>>,
}

/// A socket that can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketFound {
    /// It was looked at.
    Probed(Probe),
    /// The service manager passes it.
    Passed,
}

/// The sockets of the daemon, that of control commands last.
pub fn sockets(config: &Config, provided: &Provided) -> Vec<SocketState> {
    let settings = server_settings(config);
    let mut wanted: Vec<(String, String, Address)> = Vec::new();
    for listener in settings.listeners {
        let name = listener.name.to_string();
        wanted.push((format!("listener {name}"), name, listener.address));
    }
    if let Some(path) = settings.control {
        let address = Address::Unix {
            path,
            mode: 0o600,
            group: None,
        };
        wanted.push(("server.control".to_owned(), "control".to_owned(), address));
    }
    let mut states = Vec::new();
    for (key, name, address) in wanted {
        let found = socket(&key, &address, provided);
        states.push(SocketState {
            name,
            address,
            found,
        });
    }
    states
}

fn socket(
    key: &str,
    address: &Address,
    provided: &Provided,
) -> Result<SocketFound, Box<Diagnostic>> {
    if provided.passes(address) {
        return Ok(SocketFound::Passed);
    }
    let in_the_way = match address {
        Address::Unix { path, .. } => socket_obstacle(path),
        Address::Inet(_) => None,
    };
    if in_the_way.as_ref().is_some_and(|it| provided.makes(it)) {
        return Ok(SocketFound::Probed(Probe::Free));
    }
    let error = |text: String| Diagnostic::error("C0113", format!("{key}: {address}: {text}"));
    match probe(address) {
        Ok(found) => Ok(SocketFound::Probed(found)),
        Err(error_found) => {
            let diagnostic = match in_the_way {
                Some(it) => error(it.to_string()).help(it.fix()),
                None => Diagnostic::error("C0113", format!("{key}: {error_found}")),
            };
            Err(Box::new(diagnostic))
        }
    }
}

/// What stops us from making a socket there. The last directory may be missing where we may make it:
/// then nothing does.
fn socket_obstacle(path: &Path) -> Option<Obstacle> {
    let directory = directory_of(path);
    let found = obstacle(directory, Wanted::Make)?;
    if !found.is_missing || found.path != directory {
        return Some(found);
    }
    // Missing, and its parent is closed to us: creating it is what has to be done.
    obstacle(directory_of(directory), Wanted::Make).map(|_| found)
}

fn directory_of(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// What stops the daemon from starting: errors of its sockets. Empty where nothing does.
pub(super) fn unusable_sockets(config: &Config, provided: &Provided) -> Vec<Diagnostic> {
    let states = sockets(config, provided).into_iter();
    states
        .filter_map(|state| state.found.err().map(|error| *error))
        .collect()
}

/// What the daemon cannot read or write, and runs without: warnings.
pub fn missing_files(config: &Config, provided: &Provided) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    found.extend(records(config, provided));
    if let Some(settings) = learning_settings(config) {
        found.extend(learner(&settings));
    }
    found
}

/// Why records cannot be written: the directory must let us rename the full file.
fn records(config: &Config, provided: &Provided) -> Option<Diagnostic> {
    let path = config.records.path.as_ref()?;
    let file = path.symlink_metadata().ok();
    if file.as_ref().is_some_and(|file| !file.is_file()) {
        let text = format!("records.path: {} is not a regular file", path.display());
        return Some(Diagnostic::warning("C0114", text).help("remove it, or name another path"));
    }
    let in_file = || file.and_then(|_| obstacle(path, Wanted::Write));
    let found = obstacle(directory_of(path), Wanted::Make).or_else(in_file)?;
    if provided.makes(&found) {
        return None;
    }
    let shown = path.display();
    let text = format!("records.path: {shown} cannot be written: {found}");
    Some(Diagnostic::warning("C0114", text).help(found.fix()))
}

/// Files of the learner that the daemon may not read, or that belong to another user than their
/// directory does.
fn learner(settings: &LearningSettings) -> Vec<Diagnostic> {
    let directory = &settings.directory;
    match obstacle(directory, Wanted::List) {
        // A new site starts without it; `learn` makes it.
        Some(found) if found.is_missing => return Vec::new(),
        Some(found) => {
            let text = format!("learner.path: the labels cannot be read: {found}");
            return vec![Diagnostic::warning("L0101", text).help(found.fix())];
        }
        None => {}
    }
    let mut problems = Vec::new();
    let owner = std::fs::metadata(directory).map(|found| found.uid()).ok();
    for path in settings.files() {
        let Ok(metadata) = std::fs::symlink_metadata(&path) else {
            continue;
        };
        let shown = path.display();
        if let Some(found) = obstacle(&path, Wanted::Read) {
            let text = format!("learner.path: {shown} cannot be read: {found}");
            problems.push(Diagnostic::warning("L0101", text).help(found.fix()));
        } else if owner.is_some_and(|owner| owner != metadata.uid()) {
            let text = format!("{shown} has another owner than its directory");
            let fix = format!(
                "`chown --reference={} {shown}`: otherwise the next label of that user fails",
                directory.display()
            );
            problems.push(Diagnostic::warning("L0104", text).help(fix));
        }
    }
    problems
}
