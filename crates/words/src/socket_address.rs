//! Addresses of sockets as Postfix, Sendmail and libmilter write them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// Where a socket is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SocketAddress {
    /// `unix:/PATH` (also `local:/PATH`, as Sendmail writes it).
    Unix(PathBuf),
    /// `inet:PORT@ADDRESS` or `inet6:PORT@[ADDRESS]`; `localhost` is the only name that is known.
    Inet(SocketAddr),
}

impl SocketAddress {
    /// Bytes of the longest path of a UNIX socket: `sun_path` holds 108 with its NUL (unix(7)).
    pub const PATH_MAX: usize = 107;
}

/// Why a text is not the address of a socket. What it prints is a help text: what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSocketAddress(String);

impl fmt::Display for InvalidSocketAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidSocketAddress {}

impl FromStr for SocketAddress {
    type Err = InvalidSocketAddress;

    fn from_str(text: &str) -> Result<Self, InvalidSocketAddress> {
        read(text).map_err(InvalidSocketAddress)
    }
}

impl fmt::Display for SocketAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Inet(SocketAddr::V4(address)) => {
                write!(f, "inet:{}@{}", address.port(), address.ip())
            }
            Self::Inet(SocketAddr::V6(address)) => {
                write!(f, "inet6:{}@[{}]", address.port(), address.ip())
            }
        }
    }
}

fn read(text: &str) -> Result<SocketAddress, String> {
    let Some((family, rest)) = text.split_once(':') else {
        return Err(if text.starts_with('/') {
            format!("write \"unix:{text}\"")
        } else {
            "a socket begins with its family: \"unix:/PATH\" or \"inet:PORT@ADDRESS\"".to_owned()
        });
    };
    match family {
        "unix" | "local" => unix(rest),
        "inet" | "inet6" => inet(family, rest),
        _ => Err("the family of a socket is `unix` or `inet`".to_owned()),
    }
}

fn unix(path: &str) -> Result<SocketAddress, String> {
    if !path.starts_with('/') {
        return Err("the path of a UNIX socket begins with `/`".to_owned());
    }
    if path.len() > SocketAddress::PATH_MAX {
        return Err(format!(
            "the path of a UNIX socket has at most {} bytes",
            SocketAddress::PATH_MAX
        ));
    }
    if path.contains('\0') || path.ends_with('/') {
        return Err("the path of a UNIX socket names a file".to_owned());
    }
    Ok(SocketAddress::Unix(PathBuf::from(path)))
}

fn inet(family: &str, rest: &str) -> Result<SocketAddress, String> {
    let Some((port, host)) = rest.split_once('@') else {
        return Err(without_host(rest));
    };
    let Some(port) = port.parse::<u16>().ok().filter(|port| *port > 0) else {
        return Err("the port is a number from 1 to 65535".to_owned());
    };
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let address = match (family, host) {
        ("inet6", "localhost") => Some(IpAddr::from(Ipv6Addr::LOCALHOST)),
        (_, "localhost") => Some(IpAddr::from(Ipv4Addr::LOCALHOST)),
        _ => host.parse().ok(),
    };
    match address {
        Some(address) if family == "inet" && address.is_ipv6() => {
            Err(format!("write \"inet6:{port}@[{address}]\""))
        }
        Some(address) if family == "inet6" && address.is_ipv4() => {
            Err(format!("write \"inet:{port}@{address}\""))
        }
        Some(address) => Ok(SocketAddress::Inet(SocketAddr::new(address, port))),
        None => Err(
            "name an address of this machine, such as 127.0.0.1; host names are not looked up"
                .to_owned(),
        ),
    }
}

/// The help for `inet:` without an `@`: most write host and port the other way round.
fn without_host(rest: &str) -> String {
    match rest.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => {
            format!("write \"inet:{port}@{host}\"")
        }
        _ if rest.parse::<u16>().is_ok() => {
            format!("add the address to listen on: \"inet:{rest}@127.0.0.1\"")
        }
        _ => "write \"inet:PORT@ADDRESS\"".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SocketAddress, String> {
        text.parse()
            .map_err(|error: InvalidSocketAddress| error.to_string())
    }

    #[test]
    fn addresses_are_read_and_written_as_postfix_does() {
        for (text, written) in [
            ("unix:/run/a.sock", "unix:/run/a.sock"),
            ("local:/run/a.sock", "unix:/run/a.sock"),
            ("inet:8891@127.0.0.1", "inet:8891@127.0.0.1"),
            ("inet6:8891@[::1]", "inet6:8891@[::1]"),
            ("inet6:8891@2001:db8::1", "inet6:8891@[2001:db8::1]"),
            ("inet:1@localhost", "inet:1@127.0.0.1"),
            ("inet6:1@localhost", "inet6:1@[::1]"),
        ] {
            let address = read(text).unwrap();
            assert_eq!(address.to_string(), written);
            assert_eq!(read(written), Ok(address));
        }
    }

    #[test]
    fn what_is_not_an_address_gets_a_help_text() {
        for (text, help) in [
            ("", "begins with its family"),
            ("/run/a.sock", "\"unix:/run/a.sock\""),
            ("unix:", "begins with `/`"),
            ("unix:a.sock", "begins with `/`"),
            ("unix:/run/", "names a file"),
            ("unix:/run/\0", "names a file"),
            ("inet:", "\"inet:PORT@ADDRESS\""),
            ("inet:8891", "\"inet:8891@127.0.0.1\""),
            ("inet:127.0.0.1:8891", "\"inet:8891@127.0.0.1\""),
            ("inet:0@127.0.0.1", "1 to 65535"),
            ("inet:65536@127.0.0.1", "1 to 65535"),
            ("inet:1@", "an address"),
            ("inet:1@mail.example.com", "not looked up"),
            ("inet:1@::1", "\"inet6:1@[::1]\""),
            ("inet6:1@192.0.2.1", "\"inet:1@192.0.2.1\""),
            ("tcp:1@127.0.0.1", "family"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(help), "{text}: {error}");
        }
    }

    #[test]
    fn the_path_is_bounded_at_n_and_n_plus_one() {
        let path = |length: usize| read(&format!("unix:/{}", "x".repeat(length - 1)));
        assert!(path(SocketAddress::PATH_MAX).is_ok());
        assert!(path(SocketAddress::PATH_MAX + 1).is_err());
    }
}
