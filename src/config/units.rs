//! The little languages of values: sizes, durations, permission bits, sockets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

/// Where a listener listens, as configured.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Socket {
    /// `unix:/PATH` (also `local:/PATH`, as Sendmail writes it).
    Unix(PathBuf),
    /// `inet:PORT@ADDRESS` or `inet6:PORT@[ADDRESS]`; `localhost` is the only name that is known.
    Inet(SocketAddr),
}

impl std::fmt::Display for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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

/// Bytes of the longest path of a UNIX socket: `sun_path` holds 108 with its NUL.
pub(super) const SOCKET_PATH_MAX: usize = 107;

/// Reads `50MiB`, `64KiB`, `2GiB`, `512B` or `512`. The error is a help text.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let factor: u64 = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => {
            let guess = unit
                .chars()
                .next()
                .map(|c| c.to_ascii_uppercase())
                .filter(|c| "KMG".contains(*c));
            return Err(match guess {
                Some(letter) if !number.is_empty() => format!("write \"{number}{letter}iB\""),
                _ => "write a whole number and B, KiB, MiB or GiB, such as \"50MiB\"".to_owned(),
            });
        }
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| "write a whole number and B, KiB, MiB or GiB, such as \"50MiB\"".to_owned())
}

/// Reads `500ms`, `20s`, `5m`, `2h` into milliseconds. The error is a help text.
pub(super) fn duration(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let factor: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "" if !number.is_empty() => {
            return Err(format!(
                "a duration has a unit: write \"{number}s\" for seconds"
            ));
        }
        _ => return Err("write a whole number and ms, s, m or h, such as \"20s\"".to_owned()),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| "write a whole number and ms, s, m or h, such as \"20s\"".to_owned())
}

/// Reads octal permission bits, `0660` or `660`.
pub(super) fn mode(text: &str) -> Option<u32> {
    let digits =
        (3..=4).contains(&text.len()) && text.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    if !digits {
        return None;
    }
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|bits| *bits <= 0o777)
}

/// Reads a socket. The error is a help text.
pub(super) fn socket(text: &str) -> Result<Socket, String> {
    let Some((family, rest)) = text.split_once(':') else {
        return Err(if text.starts_with('/') {
            format!("write \"unix:{text}\"")
        } else {
            "a socket begins with its family: \"unix:/PATH\" or \"inet:PORT@ADDRESS\"".to_owned()
        });
    };
    match family {
        "unix" | "local" => unix_socket(rest),
        "inet" | "inet6" => inet_socket(family, rest),
        _ => Err("the family of a socket is `unix` or `inet`".to_owned()),
    }
}

fn unix_socket(path: &str) -> Result<Socket, String> {
    if !path.starts_with('/') {
        return Err("the path of a UNIX socket begins with `/`".to_owned());
    }
    if path.len() > SOCKET_PATH_MAX {
        return Err(format!(
            "the path of a UNIX socket has at most {SOCKET_PATH_MAX} bytes"
        ));
    }
    if path.contains('\0') || path.ends_with('/') {
        return Err("the path of a UNIX socket names a file".to_owned());
    }
    Ok(Socket::Unix(PathBuf::from(path)))
}

fn inet_socket(family: &str, rest: &str) -> Result<Socket, String> {
    let Some((port, host)) = rest.split_once('@') else {
        return Err(match rest.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => {
                format!("write \"inet:{port}@{host}\"")
            }
            _ if rest.parse::<u16>().is_ok() => {
                format!("say on which address to listen: \"inet:{rest}@127.0.0.1\"")
            }
            _ => "write \"inet:PORT@ADDRESS\"".to_owned(),
        });
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
        Some(address) => Ok(Socket::Inet(SocketAddr::new(address, port))),
        None => Err(
            "name an address of this machine, such as 127.0.0.1; host names are not looked up"
                .to_owned(),
        ),
    }
}

fn split(text: &str) -> (&str, &str) {
    let end = text
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at_checked(end)
        .map_or((text, ""), |(number, unit)| (number, unit.trim_start()))
}

/// Bytes as people write them: the largest unit that divides them.
pub(super) fn show_size(bytes: u64) -> String {
    for (unit, factor) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes >= factor && bytes.is_multiple_of(factor) {
            return format!("{}{unit}", bytes / factor);
        }
    }
    format!("{bytes}B")
}

/// Milliseconds as people write them: the largest unit that divides them.
pub(super) fn show_duration(milliseconds: u64) -> String {
    for (unit, factor) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
        if milliseconds >= factor && milliseconds.is_multiple_of(factor) {
            return format!("{}{unit}", milliseconds / factor);
        }
    }
    if milliseconds == 0 {
        "0s".to_owned()
    } else {
        format!("{milliseconds}ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("50MiB", 50 << 20),
            ("1KiB", 1024),
            ("2GiB", 2 << 30),
            ("7B", 7),
            ("9", 9),
            ("3 MiB", 3 << 20),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for (text, help) in [
            ("50MB", "\"50MiB\""),
            ("5k", "\"5KiB\""),
            ("", "whole"),
            ("MiB", "whole"),
            ("-1", "whole"),
        ] {
            assert!(
                size(text).unwrap_err().contains(help),
                "{text}: {:?}",
                size(text)
            );
        }
        assert!(size("99999999999999999999").is_err());
        assert!(size("18014398509481984KiB").is_err(), "2^64 does not fit");
        assert_eq!(size("18014398509481983KiB"), Ok(u64::MAX - 1023));
    }

    #[test]
    fn durations() {
        for (text, ms) in [
            ("500ms", 500),
            ("20s", 20_000),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Ok(ms), "{text}");
        }
        for (text, help) in [
            ("20", "\"20s\""),
            ("20 sec", "ms, s, m or h"),
            ("", "ms, s"),
            ("s", "ms, s"),
        ] {
            assert!(
                duration(text).unwrap_err().contains(help),
                "{text}: {:?}",
                duration(text)
            );
        }
    }

    #[test]
    fn what_is_shown_can_be_read_back() {
        for bytes in [0, 1, 1023, 1024, 1025, 50 << 20, 3 << 30] {
            assert_eq!(size(&show_size(bytes)), Ok(bytes));
        }
        for ms in [0, 1, 999, 1000, 1500, 60_000, 61_000, 3_600_000] {
            assert_eq!(duration(&show_duration(ms)), Ok(ms));
        }
    }

    #[test]
    fn modes() {
        for (text, bits) in [
            ("0660", Some(0o660)),
            ("660", Some(0o660)),
            ("0777", Some(0o777)),
            ("1777", None),
        ] {
            assert_eq!(mode(text), bits, "{text}");
        }
        for text in ["", "66", "0o660", "888", "06600", "rw-"] {
            assert_eq!(mode(text), None, "{text}");
        }
    }

    #[test]
    fn sockets() {
        for (text, shown) in [
            ("unix:/run/a.sock", "unix:/run/a.sock"),
            ("local:/run/a.sock", "unix:/run/a.sock"),
            ("inet:8891@127.0.0.1", "inet:8891@127.0.0.1"),
            ("inet6:8891@[::1]", "inet6:8891@[::1]"),
            ("inet6:8891@::1", "inet6:8891@[::1]"),
            ("inet:1@localhost", "inet:1@127.0.0.1"),
        ] {
            assert_eq!(
                socket(text).map(|socket| socket.to_string()),
                Ok(shown.to_owned())
            );
        }
        for (text, help) in [
            ("/run/a.sock", "\"unix:/run/a.sock\""),
            ("unix:a.sock", "begins with `/`"),
            ("unix:/run/", "names a file"),
            ("inet:8891", "\"inet:8891@127.0.0.1\""),
            ("inet:127.0.0.1:8891", "\"inet:8891@127.0.0.1\""),
            ("inet:0@127.0.0.1", "1 to 65535"),
            ("inet:65536@127.0.0.1", "1 to 65535"),
            ("inet:1@", "an address"),
            ("inet:1@mail.example.com", "not looked up"),
            ("inet:1@::1", "\"inet6:1@[::1]\""),
            ("inet6:1@192.0.2.1", "\"inet:1@192.0.2.1\""),
            ("tcp:1@a", "family"),
        ] {
            assert!(
                socket(text).unwrap_err().contains(help),
                "{text}: {:?}",
                socket(text)
            );
        }
        let path = |length: usize| format!("unix:/{}", "x".repeat(length - 1));
        assert!(socket(&path(SOCKET_PATH_MAX)).is_ok());
        assert!(socket(&path(SOCKET_PATH_MAX + 1)).is_err());
    }
}
