//! The daemon under test as a process of its own, with its files in a temporary directory.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use super::postfix::{PATIENCE, wait_until};
use crate::support::mta::{MtaConnection, Options};

/// Rules that the tests know. Their scores are far from the thresholds of [`POLICY`], so that
/// whatever the shipped rules and the classifier think of a test mail does not change the verdict.
pub const RULES: &str = "\
header   TEST_REFUSE_HEADER  exists:X-Test-Refuse-Header
describe TEST_REFUSE_HEADER  The test asked to be refused at the end of the header
score    TEST_REFUSE_HEADER  100
body     TEST_HOLD           /gatepost-test-hold-me/
describe TEST_HOLD           The test asked to be held
score    TEST_HOLD           40
";

/// Thresholds with room for the opinions of others on both sides.
const POLICY: &str = "[policy]\nrequired = 20.0\nquarantine = 25.0\nreject = 75.0\n";

/// A running daemon; dropping it kills it and removes its files.
#[derive(Debug)]
pub struct Daemon {
    dir: tempfile::TempDir,
    child: Option<Child>,
}

/// The binary: `GATEPOST` in the environment, or the one that cargo built for these tests.
pub fn binary() -> PathBuf {
    std::env::var_os("GATEPOST")
        .or_else(|| option_env!("CARGO_BIN_EXE_gatepost").map(Into::into))
        .expect("GATEPOST names no binary and cargo built none")
        .into()
}

impl Daemon {
    /// Starts with one listener on a unix socket, the test's rules and thresholds; `policy` is
    /// appended to the `[policy]` section, where it may open sections of its own.
    pub fn start(policy: &str) -> Self {
        Self::start_with("", policy)
    }

    /// The same, with further keys for the listener.
    pub fn start_with(listener: &str, policy: &str) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("gatepost-daemon-")
            .tempdir()
            .expect("a directory");
        // Postfix connects as the user postfix.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("its mode");
        fs::create_dir(dir.path().join("rules")).expect("a directory for rules");
        let mut daemon = Self { dir, child: None };
        daemon.write_rules("10_test.cf", RULES);
        let config = format!(
            "[[listener]]\nname = \"inbound\"\nsocket = \"{socket}\"\nmode = \"0666\"\n{listener}\n\
             [server]\ncontrol = \"{control}\"\n\
             [records]\npath = \"{records}\"\n\
             [rules]\npaths = [\"{rules}\"]\n\
             {POLICY}{policy}\n",
            socket = daemon.milter(),
            control = daemon.path("control.sock").display(),
            records = daemon.path("records.jsonl").display(),
            rules = daemon.path("rules").display(),
        );
        fs::write(daemon.path("gatepost.toml"), config).expect("the configuration");
        daemon.start_again();
        daemon
    }

    /// A file of this daemon.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The socket, as Postfix names it.
    pub fn milter(&self) -> String {
        format!("unix:{}", self.path("milter.sock").display())
    }

    /// Writes or replaces one of the admin's rule files.
    pub fn write_rules(&self, name: &str, text: &str) {
        fs::write(self.path("rules").join(name), text).expect("a rule file");
    }

    /// Starts the daemon again after [`Self::kill`] or [`Self::terminate`], on the same files.
    pub fn start_again(&mut self) {
        self.spawn(Command::new(binary()));
    }

    /// The same, under a limit as prlimit(1) writes it.
    pub fn start_again_under(&mut self, limit: &str) {
        let mut command = Command::new("prlimit");
        command.arg(limit).arg(binary());
        self.spawn(command);
    }

    fn spawn(&mut self, mut command: Command) {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .expect("a log file");
        let child = command
            .arg("run")
            .arg("--config")
            .arg(self.path("gatepost.toml"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the same log"))
            .stderr(log)
            .spawn()
            .expect("the daemon starts");
        self.child = Some(child);
        let socket = self.path("milter.sock");
        let mut ended = None;
        let up = wait_until(PATIENCE, || {
            ended = self
                .child
                .as_mut()
                .and_then(|child| child.try_wait().ok().flatten());
            ended.is_some() || UnixStream::connect(&socket).is_ok()
        });
        assert!(
            up && ended.is_none(),
            "the daemon does not serve ({ended:?}):\n{}",
            self.log()
        );
    }

    /// A connection of an MTA, negotiated and no further.
    pub fn connect(&self) -> MtaConnection<UnixStream> {
        let stream = UnixStream::connect(self.path("milter.sock")).expect("the daemon");
        let mut mta = MtaConnection::new(stream, Options::postfix());
        mta.set_timeout(PATIENCE).expect("a time-out");
        mta.negotiate().expect("an answer to the offer");
        mta
    }

    /// The same after CONNECT and HELO of a client.
    pub fn greet(&self) -> MtaConnection<UnixStream> {
        let mut mta = self.connect();
        mta.connect("mail.example.net", "192.0.2.7", 40_000)
            .expect("an answer to CONNECT");
        mta.helo("mail.example.net").expect("an answer to HELO");
        mta
    }

    /// What the daemon printed.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Asserts that this is printed soon: lines are written after the answer.
    pub fn expect_log(&self, text: &str) {
        let is_there = wait_until(PATIENCE, || self.log().contains(text));
        assert!(is_there, "no `{text}` in the log:\n{}", self.log());
    }

    /// The verdict records, one JSON object a line.
    pub fn records(&self) -> String {
        fs::read_to_string(self.path("records.jsonl")).unwrap_or_default()
    }

    /// The process id of the running daemon.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("a running daemon").id()
    }

    /// Whether the process is there.
    pub fn is_running(&mut self) -> bool {
        self.child
            .as_mut()
            .is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// SIGKILL: no chance to say anything.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("our own child");
            child.wait().expect("our own child");
        }
    }

    /// SIGTERM, and waits for the drain to end.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait()
    }

    /// Waits for the process to end by itself.
    pub fn wait(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("a running daemon");
        let mut status = None;
        wait_until(PATIENCE * 2, || {
            status = child.try_wait().expect("our own child");
            status.is_some()
        });
        if status.is_none() {
            child.kill().expect("our own child");
        }
        status.unwrap_or_else(|| panic!("the daemon does not end:\n{}", self.log()))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            println!("--- the daemon's log\n{}", self.log());
        }
    }
}

/// Sends a signal through the shell: std has no call for it, and the tests need no crate for one.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("sh")
        .arg("-c")
        .arg(format!("kill -{name} {pid}"))
        .status()
        .expect("sh");
    assert!(status.success(), "kill -{name} {pid}");
}

/// Descriptors that a process has open.
pub fn open_files(pid: u32) -> usize {
    fs::read_dir(Path::new("/proc").join(pid.to_string()).join("fd")).map_or(0, Iterator::count)
}
