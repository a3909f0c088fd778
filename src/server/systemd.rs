//! Reports to the service manager how far we are (sd_notify(3)): `READY=1`, `RELOADING=1`,
//! `STOPPING=1`, `WATCHDOG=1`.
//!
//! Without `$NOTIFY_SOCKET` nothing happens; a failure is logged and otherwise ignored.
//! `RELOADING=1` comes with `MONOTONIC_USEC`, as `Type=notify-reload` wants it.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Sends one state to the service manager, if there is one.
pub(super) fn notify(state: &str) {
    let Some(target) = std::env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    if let Err(error) = send(target.as_bytes(), state) {
        log::warn!("cannot tell the service manager {state}: {error}");
    }
}

/// A number that the service manager has put into the environment.
pub(super) fn number(name: &str) -> Option<u64> {
    std::env::var_os(name)?.to_str()?.parse().ok()
}

/// Sends that a reload begins now: a service manager that asked for one by SIGHUP waits for a later
/// time than that of its signal.
pub(super) fn notify_reloading() {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let microseconds = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
    notify(&format!("RELOADING=1\nMONOTONIC_USEC={microseconds}"));
}

/// `target` is a path, or `@name` in the abstract namespace.
fn send(target: &[u8], state: &str) -> io::Result<()> {
    let address = match target.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => {
            SocketAddr::from_pathname(std::path::Path::new(std::ffi::OsStr::from_bytes(target)))?
        }
    };
    let socket = UnixDatagram::unbound()?;
    // A full queue of the manager must not hold up the mail.
    socket.set_nonblocking(true)?;
    socket.send_to_addr(state.as_bytes(), &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::{UnixDatagram, send};
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::SocketAddr;

    #[test]
    fn the_manager_hears_us_by_path_and_by_abstract_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        send(path.as_os_str().as_bytes(), "READY=1").unwrap();
        let mut buffer = [0; 32];
        let length = manager.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"READY=1");

        let name = format!("gatepost-test-{}", std::process::id());
        let manager =
            UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        send(format!("@{name}").as_bytes(), "STOPPING=1").unwrap();
        let length = manager.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"STOPPING=1");
    }

    #[test]
    fn no_listener_is_an_error_not_a_panic() {
        assert!(send(b"/nonexistent/notify", "READY=1").is_err());
        assert!(send(&[b'@'; 200], "READY=1").is_err());
    }
}
