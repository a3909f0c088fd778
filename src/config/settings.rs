//! The configuration as types: what the rest of the program is given.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gatepost_words::SocketAddress;

/// The whole configuration, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// At least one; names and sockets are all different.
    pub listeners: Vec<Listener>,
    /// The profile of `[policy]`: for offline scans, and what listeners without a profile of their
    /// own have.
    pub policy: gatepost_policy::Settings,
    /// The outcome for mail that cannot be judged, unless the listener says otherwise.
    pub on_fault: gatepost_words::FailurePolicy,
    /// `[rules]`
    pub rules: Rules,
    /// `[model]`
    pub model: Model,
    /// `[learner]`
    pub learner: Learner,
    /// `[dns]`
    pub dns: Dns,
    /// `limits.connections`: milter connections at the same time.
    pub connections: usize,
    /// `[limits]` of reading: judging depends on them, so they are part of a generation.
    pub limits: gatepost_mail::Limits,
    /// `[workers]`, and the deadline of `[limits]`.
    pub engine: gatepost_engine::Settings,
    /// `[server]`
    pub server: Server,
    /// `[log]`
    pub log: gatepost_telemetry::LogSettings,
    /// `[records]`
    pub records: gatepost_records::RecordSettings,
    /// `records.durable`: which records must be on the disk before the answer.
    pub durable: gatepost_engine::Durable,
}

/// One `[[listener]]`.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Its name, and that of its policy profile.
    pub name: Arc<str>,
    /// Where it listens.
    pub socket: SocketAddress,
    /// Permission bits of a UNIX socket.
    pub mode: u32,
    /// The group of a UNIX socket, by name or number.
    pub group: Option<String>,
    /// Who speaks the protocol.
    pub front_end: FrontEnd,
    /// `[policy]` with the listener's own `[listener.policy]` over it.
    pub policy: gatepost_policy::Settings,
    /// The outcome for mail that cannot be judged.
    pub on_fault: gatepost_words::FailurePolicy,
}

/// Who speaks the milter protocol on a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrontEnd {
    /// Our own event loop.
    Native,
    /// Sendmail's libmilter (cargo feature `libmilter`).
    Libmilter,
}

/// `[rules]`
#[derive(Clone, Debug)]
pub struct Rules {
    /// Whether the shipped rules are loaded first.
    pub shipped: bool,
    /// Files and directories with rules, in order.
    pub paths: Vec<PathBuf>,
    /// Whether `paths` is the default, whose directory may be missing.
    pub may_be_missing: bool,
    /// The public suffix list; `None` means the built-in one.
    pub public_suffix_list: Option<PathBuf>,
}

/// `[model]`
#[derive(Clone, Debug)]
pub struct Model {
    /// Whether the classifier is asked.
    pub enabled: bool,
    /// The file; `None` means the built-in model.
    pub path: Option<PathBuf>,
}

/// `[learner]`
#[derive(Clone, Debug)]
pub struct Learner {
    /// Whether what was learned takes part in judging.
    pub enabled: bool,
    /// The directory; `None` means that nothing can be learned.
    pub path: Option<PathBuf>,
    /// Bytes of the label log.
    pub log_size: usize,
    /// Recipient domains that learn for themselves, in lower case.
    pub domains: Vec<String>,
    /// Whose word on authentication is taken.
    pub trusted_authservs: Vec<String>,
}

/// `[dns]`
#[derive(Clone, Debug)]
pub struct Dns {
    /// The resolvers to ask; empty means those of the system.
    pub servers: Vec<SocketAddr>,
    /// What is asked, and for how long it is waited.
    pub gather: gatepost_engine::GatherSettings,
}

/// `[server]`
#[derive(Clone, Debug)]
pub struct Server {
    /// After how long a silence a connection is closed.
    pub idle_timeout: Duration,
    /// How long a drain may take.
    pub drain_timeout: Duration,
    /// The control socket; `None` means none.
    pub control: Option<PathBuf>,
}
