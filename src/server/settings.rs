//! What the server is told: where to listen, how many to serve, how long to wait.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

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
    /// How often an MTA that waits for the answer to the end of a message is told that it is still
    /// coming.
    pub progress_interval: Duration,
    /// Path of the control socket (mode 0600); none, no control socket.
    pub control: Option<PathBuf>,
}

impl Settings {
    /// Connections over the limit that are still answered, with a deferral.
    pub const REFUSED_MAX: usize = 64;
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
    /// Bytes in the path of a UNIX-domain socket: `sun_path` without its closing NUL (unix(7)).
    pub const PATH_MAX: usize = 107;
}

/// Why an address cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// No known scheme.
    #[error("`{0}` is no socket address: write unix:/path, inet:port@host or inet6:port@[host]")]
    Scheme(String),
    /// The path is empty.
    #[error("the path of the socket is missing after `unix:`")]
    PathMissing,
    /// The path is too long for the kernel.
    #[error("the path of the socket has {0} bytes; the kernel allows {max}", max = Address::PATH_MAX)]
    PathTooLong(usize),
    /// No `@`.
    #[error(
        "`{0}` names no host: write port@host, such as 8891@127.0.0.1 (0.0.0.0 for every interface)"
    )]
    HostMissing(String),
    /// The port is no number in 0..=65535.
    #[error("`{0}` is no port number")]
    Port(String),
    /// The host is not an IP address of that family.
    #[error("`{0}` is no {1} address; host names other than localhost are not looked up")]
    Host(String, &'static str),
}

impl FromStr for Address {
    type Err = AddressError;

    /// Reads `unix:/path`, `local:/path`, `inet:port@host` and `inet6:port@[host]`, as Postfix and
    /// libmilter write them.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(AddressError::Scheme(text.to_owned()));
        };
        match scheme {
            "unix" | "local" if rest.is_empty() => Err(AddressError::PathMissing),
            "unix" | "local" if rest.len() > Self::PATH_MAX => {
                Err(AddressError::PathTooLong(rest.len()))
            }
            "unix" | "local" => Ok(Self::Unix {
                path: PathBuf::from(rest),
                mode: Self::MODE,
                group: None,
            }),
            "inet" => inet(rest, "IPv4", |host| match host {
                "localhost" => Some(Ipv4Addr::LOCALHOST.into()),
                _ => host.parse::<Ipv4Addr>().ok().map(IpAddr::from),
            }),
            "inet6" => inet(rest, "IPv6", |host| match host {
                "localhost" => Some(Ipv6Addr::LOCALHOST.into()),
                _ => host.parse::<Ipv6Addr>().ok().map(IpAddr::from),
            }),
            _ => Err(AddressError::Scheme(text.to_owned())),
        }
    }
}

fn inet(
    rest: &str,
    family: &'static str,
    host: impl Fn(&str) -> Option<IpAddr>,
) -> Result<Address, AddressError> {
    let Some((port, name)) = rest.split_once('@') else {
        return Err(AddressError::HostMissing(rest.to_owned()));
    };
    let port: u16 = port
        .parse()
        .map_err(|_| AddressError::Port(port.to_owned()))?;
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name);
    let address = host(bare).ok_or_else(|| AddressError::Host(name.to_owned(), family))?;
    Ok(Address::Inet(SocketAddr::new(address, port)))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix { path, .. } => write!(f, "unix:{}", path.display()),
            Self::Inet(SocketAddr::V4(address)) => {
                write!(f, "inet:{}@{}", address.port(), address.ip())
            }
            Self::Inet(SocketAddr::V6(address)) => {
                write!(f, "inet6:{}@[{}]", address.port(), address.ip())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, AddressError};

    #[test]
    fn addresses_are_read_and_written_as_postfix_does() {
        for (text, written) in [
            (
                "unix:/run/gatepost/milter.sock",
                "unix:/run/gatepost/milter.sock",
            ),
            ("local:/run/x", "unix:/run/x"),
            ("inet:8891@127.0.0.1", "inet:8891@127.0.0.1"),
            ("inet:0@localhost", "inet:0@127.0.0.1"),
            ("inet6:8891@[::1]", "inet6:8891@[::1]"),
            ("inet6:8891@2001:db8::1", "inet6:8891@[2001:db8::1]"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn what_is_no_address_says_why() {
        let scheme = |text: &str| AddressError::Scheme(text.to_owned());
        for (text, error) in [
            ("", scheme("")),
            ("/run/x", scheme("/run/x")),
            ("tcp:1@127.0.0.1", scheme("tcp:1@127.0.0.1")),
            ("unix:", AddressError::PathMissing),
            ("inet:8891", AddressError::HostMissing("8891".to_owned())),
            (
                "inet:65536@127.0.0.1",
                AddressError::Port("65536".to_owned()),
            ),
            ("inet:1@::1", AddressError::Host("::1".to_owned(), "IPv4")),
            (
                "inet6:1@[127.0.0.1]",
                AddressError::Host("[127.0.0.1]".to_owned(), "IPv6"),
            ),
            (
                "inet:1@mail.example.com",
                AddressError::Host("mail.example.com".to_owned(), "IPv4"),
            ),
        ] {
            assert_eq!(text.parse::<Address>(), Err(error), "{text}");
        }
    }

    #[test]
    fn the_path_is_bounded_at_n_and_n_plus_one() {
        let path = |length: usize| format!("unix:/{}", "x".repeat(length - 1)).parse::<Address>();
        assert!(path(Address::PATH_MAX).is_ok());
        assert_eq!(
            path(Address::PATH_MAX + 1),
            Err(AddressError::PathTooLong(Address::PATH_MAX + 1))
        );
    }
}
