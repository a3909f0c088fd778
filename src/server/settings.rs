//! What the server is given: where to listen, how many to serve, how long to wait.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::passed_sockets::PassedSockets;
use gatepost_words::SocketAddress;

/// The settings of [`super::serve`].
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where MTAs connect; at least one.
    pub listeners: Vec<Listener>,
    /// Connections served at once. [`Settings::REFUSED_MAX`] more are answered with a deferral at
    /// CONNECT, the rest is closed at once (the MTA then does what its `milter_default_action`
    /// says).
    pub connections_max: usize,
    /// A connection on which nothing moves for so long is closed.
    pub idle_timeout: Duration,
    /// How long a drain waits for transactions that have begun.
    pub drain_timeout: Duration,
    /// How often an MTA that waits for the answer to the end of a message is sent word that it is still
    /// coming.
    pub progress_interval: Duration,
    /// Path of the control socket (mode 0600); none, no control socket.
    pub control: Option<PathBuf>,
    /// Sockets that a service manager has opened; a listener with the address of one uses it.
    pub passed: PassedSockets,
}

impl Settings {
    /// Connections over the limit that are still answered, with a deferral.
    pub const REFUSED_MAX: usize = 64;

    /// For how long a drain leaves a session open on which nothing moves. With passed sockets the
    /// next daemon is about to come, and a session that was cut off would be answered 451 by its MTA:
    /// it may go on. Without them nothing is gained by waiting.
    pub(super) fn drain_quiet(&self) -> Duration {
        if self.passed.is_empty() {
            Duration::ZERO
        } else {
            Duration::from_secs(5)
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listeners: Vec::new(),
            connections_max: 5000,
            // Above Postfix's milter_content_timeout of 300 s: it is the MTA that should lose its
            // patience first.
            idle_timeout: Duration::from_secs(330),
            drain_timeout: Duration::from_secs(25),
            progress_interval: Duration::from_secs(10),
            control: None,
            passed: PassedSockets::default(),
        }
    }
}

/// One socket that MTAs connect to.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Name of its policy profile, for logs.
    pub name: Arc<str>,
    /// Where it is.
    pub address: Address,
    /// What reads the wire.
    pub front_end: FrontEnd,
}

/// What reads the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FrontEnd {
    /// Our own codec and event loop.
    #[default]
    Native,
    /// Sendmail's library; only in builds with the feature `libmilter`, and for one listener only.
    Libmilter,
}

/// Where a listener is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A UNIX-domain socket.
    Unix {
        /// Its path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// The group that owns it, by name or number; none, that of the process.
        group: Option<String>,
    },
    /// TCP.
    Inet(SocketAddr),
}

impl Address {
    /// Permission bits where none are given: owner and group. Postfix' user joins the group.
    pub const MODE: u32 = 0o660;
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix { path, .. } => write!(f, "unix:{}", path.display()),
            Self::Inet(address) => SocketAddress::Inet(*address).fmt(f),
        }
    }
}
