//! Under a service manager: passed sockets, readiness, reloads and signs of life. A shell stands in
//! for the manager.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::daemon::binary;
use super::postfix::{PATIENCE, wait_until};

/// What an MTA sends first: version 6, all actions, all steps.
const GREETING: &[u8] = b"\0\0\0\x0dO\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff";

struct Manager {
    directory: tempfile::TempDir,
    listener: UnixListener,
    notes: UnixDatagram,
}

impl Manager {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        let listener = UnixListener::bind(path("s")).expect("a socket");
        let notes = UnixDatagram::bind(path("notify")).expect("a socket");
        notes.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        let config = format!(
            "[[listener]]\nname = \"inbound\"\nsocket = \"unix:{}\"\n[server]\ncontrol = \"{}\"\n\
             [records]\npath = \"\"\n[learner]\nenabled = false\n",
            path("s").display(),
            path("control").display(),
        );
        std::fs::write(path("gatepost.toml"), config).expect("a file");
        Self {
            directory,
            listener,
            notes,
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    /// Starts the daemon with the socket as descriptor 3.
    fn start(&self) -> Child {
        let listener = self.listener.try_clone().expect("a descriptor");
        let script = "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" --config \"$1\" run 3<&0 </dev/null";
        let daemon = Command::new("sh")
            .args(["-c", script])
            .arg(binary())
            .arg(self.path("gatepost.toml"))
            .env("NOTIFY_SOCKET", self.path("notify"))
            .env("WATCHDOG_USEC", "200000")
            .stdin(OwnedFd::from(listener))
            .stderr(Stdio::null())
            .spawn();
        let daemon = daemon.expect("the daemon starts");
        self.wait_for("READY=1");
        daemon
    }

    /// Reads what the daemon reports until it begins so.
    fn wait_for(&self, beginning: &str) -> String {
        let mut buffer = [0; 200];
        loop {
            let length = self.notes.recv(&mut buffer).expect(beginning);
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if text.starts_with(beginning) {
                return text;
            }
        }
    }
}

fn signal(daemon: &Child, signal: &str) {
    let sent = Command::new("kill")
        .args([signal, &daemon.id().to_string()])
        .status();
    assert!(sent.expect("kill runs").success());
}

fn connect(path: &Path) -> UnixStream {
    let mut stream = UnixStream::connect(path).expect("the socket is open");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    stream.write_all(GREETING).expect("bytes");
    stream
}

/// The daemon's greeting.
fn is_greeted(stream: &mut UnixStream) -> bool {
    let mut answer = [0; 17];
    stream.read_exact(&mut answer).is_ok() && answer[4] == b'O'
}

fn ended(daemon: &mut Child) -> bool {
    let mut status = None;
    wait_until(PATIENCE, || {
        status = daemon.try_wait().ok().flatten();
        status.is_some()
    });
    status.is_some_and(|status| status.success())
}

#[test]
fn a_restart_with_a_passed_socket_refuses_no_client() {
    let manager = Manager::new();
    let mut daemon = manager.start();
    let socket = manager.path("s");
    let mut session = connect(&socket);
    assert!(is_greeted(&mut session));
    signal(&daemon, "-TERM");
    manager.wait_for("STOPPING=1");
    // A client that comes now waits for the next daemon.
    let mut waiting = connect(&socket);
    // A session that is open may still begin a message.
    session
        .write_all(b"\0\0\0\x04M<>\0")
        .expect("the session is open");
    let mut length = [0; 4];
    assert!(session.read_exact(&mut length).is_ok(), "it is answered");
    drop(session);
    assert!(ended(&mut daemon));
    assert!(socket.exists(), "the socket is the service manager's");
    let mut next = manager.start();
    assert!(is_greeted(&mut waiting));
    drop(waiting);
    signal(&next, "-TERM");
    assert!(ended(&mut next));
}

#[test]
fn a_reload_and_signs_of_life_are_reported() {
    let manager = Manager::new();
    let mut daemon = manager.start();
    manager.wait_for("WATCHDOG=1");
    manager.wait_for("WATCHDOG=1");
    signal(&daemon, "-HUP");
    let text = manager.wait_for("RELOADING=1");
    let time = text.strip_prefix("RELOADING=1\nMONOTONIC_USEC=");
    assert!(
        time.is_some_and(|time| time.parse::<u64>().is_ok()),
        "{text}"
    );
    manager.wait_for("READY=1");
    signal(&daemon, "-TERM");
    assert!(ended(&mut daemon));
}
