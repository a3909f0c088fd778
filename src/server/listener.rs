//! Opening the sockets that MTAs connect to: stale files, permissions, groups, and removing what is
//! ours at the end.
#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "tests write files"))]

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use mio::net::{TcpListener, UnixListener};
use mio::{Interest, Registry, Token, event::Source};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use thiserror::Error;

use super::Address;
use super::accounts::group_number;
use super::passed_sockets::{PassedListener, PassedSockets};
use super::stream::Stream;

/// Connections that the kernel keeps for us before we accept them.
const BACKLOG: i32 = 1024;

/// Why a socket cannot be opened. Each says what to do.
#[derive(Debug, Error)]
pub enum BindError {
    /// The directory of the socket is missing.
    #[error(
        "the directory {0} does not exist; create it (systemd: RuntimeDirectory=) or name another path"
    )]
    NoDirectory(PathBuf),
    /// A process answers there.
    #[error("another process already listens on {0}; stop it or name another address")]
    Live(Address),
    /// The path is something else than a socket.
    #[error("{0} exists and is not a socket; remove it or name another path")]
    Obstructed(PathBuf),
    /// The group is unknown.
    #[error("there is no group `{0}` in /etc/group; groups from elsewhere can be given by number")]
    Group(String),
    /// The system said no.
    #[error("cannot {action} {address}: {error}")]
    System {
        /// What was tried.
        action: &'static str,
        /// Where.
        address: Address,
        /// What the system said.
        error: io::Error,
    },
}

/// What [`probe`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Nothing is there; it can be bound.
    Free,
    /// A socket file that no process answers on; it will be replaced.
    Stale,
    /// A process listens: the running daemon, or another program.
    Live,
}

/// Looks whether `address` could be bound, for `gatepost check`; leaves nothing behind.
pub fn probe(address: &Address) -> Result<Probe, BindError> {
    match address {
        Address::Unix { path, group, .. } => {
            if let Some(group) = group {
                group_id(group)?;
            }
            let found = probe_path(path, address)?;
            let directory = directory_of(path);
            let directory = if directory.is_dir() {
                directory
            } else {
                directory_of(directory)
            };
            if found != Probe::Live
                && let Err(error) = rustix::fs::access(
                    directory,
                    rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK,
                )
            {
                return Err(system("create", address)(error.into()));
            }
            Ok(found)
        }
        Address::Inet(inet) => match TcpListener::bind(*inet) {
            Ok(_) => Ok(Probe::Free),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(Probe::Live),
            Err(error) => Err(system("bind", address)(error)),
        },
    }
}

fn probe_path(path: &Path, address: &Address) -> Result<Probe, BindError> {
    let directory = directory_of(path);
    if !directory.is_dir() {
        // One missing level is made when the socket is: see `make_directory`.
        return match directory.parent() {
            Some(parent) if parent.is_dir() => Ok(Probe::Free),
            _ => Err(BindError::NoDirectory(directory.to_owned())),
        };
    }
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Probe::Free),
        Err(error) => return Err(system("look at", address)(error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(BindError::Obstructed(path.to_owned()));
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => Ok(Probe::Live),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(Probe::Stale),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Probe::Free),
        // Its queue is full, so a process is there.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Probe::Live),
        Err(error) => Err(system("connect to", address)(error)),
    }
}

/// Makes the socket's directory where just that one level is missing: `/run/gatepost` after a boot,
/// on a machine without a service manager that would do it.
fn make_directory(path: &Path, address: &Address) -> Result<(), BindError> {
    let directory = directory_of(path);
    if directory.is_dir() {
        return Ok(());
    }
    match fs::create_dir(directory) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(BindError::NoDirectory(directory.to_owned()))
        }
        Err(error) => Err(system("make the directory of", address)(error)),
    }
}

fn directory_of(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn system(action: &'static str, address: &Address) -> impl FnOnce(io::Error) -> BindError {
    let address = address.clone();
    move |error| BindError::System {
        action,
        address,
        error,
    }
}

/// A socket file that we made; removed when it goes out of use, unless another process has put
/// another in its place.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl SocketFile {
    /// Takes note of the file at `path` as ours.
    pub(super) fn claim(path: &Path) -> io::Result<Self> {
        let found = fs::symlink_metadata(path)?;
        Ok(Self {
            path: path.to_owned(),
            identity: (found.dev(), found.ino()),
        })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == self.identity);
        if ours && let Err(error) = fs::remove_file(&self.path) {
            log::warn!("cannot remove the socket {}: {error}", self.path.display());
        }
    }
}

/// Removes a stale socket file so that the path can be bound; a live one is an error.
pub(super) fn clear_path(path: &Path, address: &Address) -> Result<(), BindError> {
    match probe_path(path, address)? {
        Probe::Free => Ok(()),
        Probe::Live => Err(BindError::Live(address.clone())),
        Probe::Stale => {
            log::info!("removing the stale socket {}", path.display());
            fs::remove_file(path).map_err(system("remove", address))
        }
    }
}

/// Gives a socket file its permission bits and group.
pub(super) fn set_access(
    path: &Path,
    mode: u32,
    group: Option<&str>,
    address: &Address,
) -> Result<(), BindError> {
    if let Some(group) = group {
        chown(path, None, Some(group_id(group)?)).map_err(system("set the group of", address))?;
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o777))
        .map_err(system("set the mode of", address))
}

/// Opens a listening UNIX-domain socket. Mode and group are set between bind and listen, when
/// no client can connect yet: no moment with looser permissions, and no change of the process-wide
/// umask.
pub(super) fn bind_unix(
    path: &Path,
    mode: u32,
    group: Option<&str>,
) -> Result<(std::os::unix::net::UnixListener, SocketFile), BindError> {
    let address = Address::Unix {
        path: path.to_owned(),
        mode,
        group: group.map(str::to_owned),
    };
    make_directory(path, &address)?;
    clear_path(path, &address)?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket: OwnedFd =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
            .map_err(|error| system("create", &address)(error.into()))?;
    let name = SocketAddrUnix::new(path).map_err(|error| system("bind", &address)(error.into()))?;
    rustix::net::bind(&socket, &name).map_err(|error| match error {
        rustix::io::Errno::ADDRINUSE => BindError::Live(address.clone()),
        error => system("bind", &address)(error.into()),
    })?;
    let file = SocketFile::claim(path).map_err(system("look at", &address))?;
    set_access(path, mode, group, &address)?;
    rustix::net::listen(&socket, BACKLOG)
        .map_err(|error| system("listen on", &address)(error.into()))?;
    Ok((socket.into(), file))
}

fn group_id(group: &str) -> Result<u32, BindError> {
    group_number(group).ok_or_else(|| BindError::Group(group.to_owned()))
}

/// A bound listener of the native front-end.
#[derive(Debug)]
pub(super) struct Bound {
    socket: Socket,
    /// The address in use; the port is filled in where 0 was asked for.
    pub(super) address: Address,
    /// Removes the file when the listener is dropped.
    _file: Option<SocketFile>,
}

#[derive(Debug)]
enum Socket {
    Unix(UnixListener),
    Tcp(TcpListener),
}

impl Bound {
    /// Opens the socket, or uses the one that was passed, and registers it for the event loop.
    pub(super) fn open(
        address: &Address,
        passed: &PassedSockets,
        registry: &Registry,
        token: Token,
    ) -> Result<Self, BindError> {
        let passed = passed.find(address).map_err(system("use", address))?;
        let mut bound = match passed {
            Some(listener) => Self::of_passed(listener, address),
            None => Self::bind(address)?,
        };
        let registered = match &mut bound.socket {
            Socket::Unix(socket) => socket.register(registry, token, Interest::READABLE),
            Socket::Tcp(socket) => socket.register(registry, token, Interest::READABLE),
        };
        registered.map_err(system("watch", address))?;
        Ok(bound)
    }

    /// Its file, mode and group are the service manager's.
    fn of_passed(listener: PassedListener, address: &Address) -> Self {
        let socket = match listener {
            PassedListener::Unix(listener) => Socket::Unix(UnixListener::from_std(listener)),
            PassedListener::Tcp(listener) => Socket::Tcp(TcpListener::from_std(listener)),
        };
        Self {
            socket,
            address: address.clone(),
            _file: None,
        }
    }

    fn bind(address: &Address) -> Result<Self, BindError> {
        match address {
            Address::Unix { path, mode, group } => {
                let (socket, file) = bind_unix(path, *mode, group.as_deref())?;
                Ok(Self {
                    socket: Socket::Unix(UnixListener::from_std(socket)),
                    address: address.clone(),
                    _file: Some(file),
                })
            }
            Address::Inet(inet) => {
                // mio sets SO_REUSEADDR: a restart does not wait for old connections in TIME_WAIT.
                let socket = TcpListener::bind(*inet).map_err(|error| match error.kind() {
                    io::ErrorKind::AddrInUse => BindError::Live(address.clone()),
                    _ => system("bind", address)(error),
                })?;
                let local: SocketAddr = socket.local_addr().map_err(system("look at", address))?;
                Ok(Self {
                    socket: Socket::Tcp(socket),
                    address: Address::Inet(local),
                    _file: None,
                })
            }
        }
    }

    /// Takes one waiting connection, without Nagle's delay: header change and verdict must not wait
    /// 40 ms for an ACK.
    pub(super) fn accept(&self) -> io::Result<Stream> {
        match &self.socket {
            Socket::Unix(socket) => socket.accept().map(|(stream, _)| Stream::Unix(stream)),
            Socket::Tcp(socket) => {
                let (stream, _) = socket.accept()?;
                // Fails only when the peer is already gone; reading will tell.
                stream.set_nodelay(true).unwrap_or_default();
                Ok(Stream::Tcp(stream))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, BindError, Probe, bind_unix, probe};
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    fn address(path: &Path) -> Address {
        Address::Unix {
            path: path.to_owned(),
            mode: 0o660,
            group: None,
        }
    }

    #[test]
    fn a_stale_socket_is_replaced_and_ours_is_removed_at_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        assert_eq!(probe(&address(&path)).unwrap(), Probe::Free);
        // Dropping a std listener leaves its file behind: stale.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert_eq!(probe(&address(&path)).unwrap(), Probe::Stale);
        let bound = bind_unix(&path, 0o660, None).unwrap();
        assert_eq!(probe(&address(&path)).unwrap(), Probe::Live);
        drop(bound);
        assert!(!path.exists());
    }

    #[test]
    fn a_live_socket_is_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let _live = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let error = bind_unix(&path, 0o660, None).unwrap_err();
        assert!(matches!(error, BindError::Live(_)), "{error}");
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
        assert!(path.exists());
    }

    #[test]
    fn a_file_that_another_process_put_there_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let bound = bind_unix(&path, 0o660, None).unwrap();
        std::fs::remove_file(&path).unwrap();
        let _other = std::os::unix::net::UnixListener::bind(&path).unwrap();
        drop(bound);
        assert!(path.exists());
    }

    #[test]
    fn mode_bits_are_as_asked_whatever_the_umask() {
        let directory = tempfile::tempdir().unwrap();
        for mode in [0o600, 0o660, 0o666, 0o777] {
            let path = directory.path().join(format!("{mode:o}"));
            let _bound = bind_unix(&path, mode, None).unwrap();
            assert_eq!(
                std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                mode
            );
        }
    }

    #[test]
    fn the_group_is_set_by_number_and_by_name() {
        use std::os::unix::fs::MetadataExt;
        let directory = tempfile::tempdir().unwrap();
        // Our own group: to that one everybody may change.
        let own = std::fs::metadata(directory.path()).unwrap().gid();
        let path = directory.path().join("s");
        let _bound = bind_unix(&path, 0o660, Some(&own.to_string())).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().gid(), own);
        if own == 0 {
            let named = directory.path().join("named");
            let _bound = bind_unix(&named, 0o660, Some("root")).unwrap();
            assert_eq!(std::fs::metadata(&named).unwrap().gid(), 0);
        }
    }

    #[test]
    fn what_is_in_the_way_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert!(matches!(
            bind_unix(&file, 0o660, None),
            Err(BindError::Obstructed(_))
        ));
        assert!(file.exists());
        let lost = directory.path().join("missing/twice/s");
        assert!(matches!(
            bind_unix(&lost, 0o660, None),
            Err(BindError::NoDirectory(_))
        ));
        let path = directory.path().join("s");
        assert!(matches!(
            bind_unix(&path, 0o660, Some("no such group")),
            Err(BindError::Group(_))
        ));
        assert!(!path.exists(), "a half-made socket is taken away again");
    }

    #[test]
    fn a_port_in_use_is_live() {
        let listener = mio::net::TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let taken = Address::Inet(listener.local_addr().unwrap());
        assert_eq!(probe(&taken).unwrap(), Probe::Live);
        drop(listener);
        assert_eq!(probe(&taken).unwrap(), Probe::Free);
    }
}
