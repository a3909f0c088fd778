//! The payload of each command. Reading is tolerant: a missing NUL, port, value or address is an
//! empty or unknown one, for the bytes of one client must not end the sessions of all others that
//! share the connection.

use std::net::IpAddr;

use super::macros::Macros;
use super::{Event, Peer};

/// How many ESMTP parameters of one MAIL or RCPT are kept; the rest is dropped.
pub(super) const PARAMETERS_MAX: usize = 64;

/// The command bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `O`: option negotiation.
    Negotiate,
    /// `D`: macros of a stage that comes.
    Macros,
    /// `C`.
    Connect,
    /// `H`.
    Helo,
    /// `M`.
    Mail,
    /// `R`.
    Rcpt,
    /// `T`.
    Data,
    /// `L`.
    Header,
    /// `N`.
    EndOfHeaders,
    /// `B`.
    Body,
    /// `E`.
    EndOfMessage,
    /// `U`: an SMTP command that the MTA does not know.
    Unknown,
    /// `A`.
    Abort,
    /// `Q`.
    Quit,
    /// `K`: this SMTP session is over, another one follows on the same connection.
    QuitNewConnection,
}

impl Kind {
    pub(super) fn of(command: u8) -> Option<Self> {
        Some(match command {
            b'O' => Self::Negotiate,
            b'D' => Self::Macros,
            b'C' => Self::Connect,
            b'H' => Self::Helo,
            b'M' => Self::Mail,
            b'R' => Self::Rcpt,
            b'T' => Self::Data,
            b'L' => Self::Header,
            b'N' => Self::EndOfHeaders,
            b'B' => Self::Body,
            b'E' => Self::EndOfMessage,
            b'U' => Self::Unknown,
            b'A' => Self::Abort,
            b'Q' => Self::Quit,
            b'K' => Self::QuitNewConnection,
            _ => return None,
        })
    }

    /// Whether the command makes no sense before OPTNEG.
    pub(super) fn needs_negotiation(self) -> bool {
        !matches!(
            self,
            Self::Negotiate | Self::Macros | Self::Abort | Self::Quit | Self::QuitNewConnection
        )
    }
}

/// The payload of one command, split; borrowed from the decoder.
#[derive(Debug)]
pub(super) enum Command<'a> {
    Connect {
        host: &'a [u8],
        peer: Peer,
    },
    Helo {
        name: &'a [u8],
    },
    Mail {
        path: &'a [u8],
        parameters: Vec<&'a [u8]>,
    },
    Rcpt {
        path: &'a [u8],
        parameters: Vec<&'a [u8]>,
    },
    Data,
    Header {
        name: &'a [u8],
        value: &'a [u8],
    },
    EndOfHeaders,
    Body {
        chunk: &'a [u8],
    },
    EndOfMessage,
    Unknown {
        command: &'a [u8],
    },
    Abort,
    Close,
}

impl<'a> Command<'a> {
    /// Splits a payload. `O` and `D` are read elsewhere and never come here.
    pub(super) fn read(kind: Kind, payload: &'a [u8]) -> Self {
        match kind {
            Kind::Connect => {
                let (host, rest) = split(payload);
                Self::Connect {
                    host,
                    peer: peer(rest),
                }
            }
            Kind::Helo => Self::Helo {
                name: split(payload).0,
            },
            Kind::Mail => {
                let (path, parameters) = split(payload);
                Self::Mail {
                    path,
                    parameters: list(parameters),
                }
            }
            Kind::Rcpt => {
                let (path, parameters) = split(payload);
                Self::Rcpt {
                    path,
                    parameters: list(parameters),
                }
            }
            Kind::Data => Self::Data,
            Kind::Header => {
                let (name, value) = split(payload);
                Self::Header {
                    name,
                    value: ended(value),
                }
            }
            Kind::EndOfHeaders => Self::EndOfHeaders,
            Kind::Body => Self::Body { chunk: payload },
            Kind::EndOfMessage => Self::EndOfMessage,
            Kind::Unknown => Self::Unknown {
                command: ended(payload),
            },
            Kind::Abort | Kind::Negotiate | Kind::Macros => Self::Abort,
            Kind::Quit | Kind::QuitNewConnection => Self::Close,
        }
    }

    pub(super) fn event<'b>(&'b self, macros: &'b Macros) -> Event<'b>
    where
        'a: 'b,
    {
        match self {
            Self::Connect { host, peer } => Event::Connect {
                host,
                peer: *peer,
                macros,
            },
            Self::Helo { name } => Event::Helo { name, macros },
            Self::Mail { path, parameters } => Event::MailFrom {
                path,
                parameters,
                macros,
            },
            Self::Rcpt { path, parameters } => Event::RcptTo {
                path,
                parameters,
                macros,
            },
            Self::Data => Event::Data { macros },
            Self::Header { name, value } => Event::Header { name, value },
            Self::EndOfHeaders => Event::EndOfHeaders { macros },
            Self::Body { chunk } => Event::Body { chunk },
            Self::EndOfMessage => Event::EndOfMessage { macros },
            Self::Unknown { command } => Event::Unknown { command },
            Self::Abort => Event::Abort,
            Self::Close => Event::Close,
        }
    }
}

/// What comes before the first NUL, and what comes after it.
pub(super) fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let Some(at) = memchr::memchr(0, bytes) else {
        return (bytes, &[]);
    };
    let (head, rest) = bytes.split_at(at);
    (head, rest.strip_prefix(b"\0").unwrap_or(rest))
}

/// Without one closing NUL.
fn ended(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\0").unwrap_or(bytes)
}

/// ESMTP parameters; empty ones are dropped.
fn list(bytes: &[u8]) -> Vec<&[u8]> {
    bytes
        .split(|byte| *byte == 0)
        .filter(|parameter| !parameter.is_empty())
        .take(PARAMETERS_MAX)
        .collect()
}

/// Family, port, address. An IPv4-mapped IPv6 address becomes the IPv4 address that it is.
fn peer(bytes: &[u8]) -> Peer {
    let Some((family, rest)) = bytes.split_first() else {
        return Peer::Unknown;
    };
    if *family == b'L' {
        return Peer::Local;
    }
    let (b'4' | b'6', Some((port, address))) = (*family, rest.split_first_chunk::<2>()) else {
        return Peer::Unknown;
    };
    let address = split(address).0;
    // Sendmail writes `IPv6:2001:db8::1`, Postfix does not.
    let address = match address.split_first_chunk::<5>() {
        Some((prefix, bare)) if prefix.eq_ignore_ascii_case(b"IPv6:") => bare,
        _ => address,
    };
    // A zone (`fe80::1%eth0`) does not identify the client.
    let address = address
        .split(|byte| *byte == b'%')
        .next()
        .unwrap_or_default();
    match std::str::from_utf8(address)
        .ok()
        .and_then(|text| text.parse::<IpAddr>().ok())
    {
        Some(address) => Peer::Ip(address.to_canonical(), u16::from_be_bytes(*port)),
        None => Peer::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers() {
        let ip = |text: &str, port| Peer::Ip(text.parse().unwrap(), port);
        let cases: [(&[u8], Peer); 12] = [
            (b"4\0\x19192.0.2.9\0", ip("192.0.2.9", 25)),
            (b"4\xff\xff192.0.2.9", ip("192.0.2.9", 65535)),
            (b"6\0\x192001:db8::1\0", ip("2001:db8::1", 25)),
            (b"6\0\x19IPv6:2001:db8::1\0", ip("2001:db8::1", 25)),
            (b"6\0\x19ipv6:2001:db8::1\0junk", ip("2001:db8::1", 25)),
            (b"6\0\x19::ffff:192.0.2.9\0", ip("192.0.2.9", 25)),
            (b"6\0\x19fe80::1%eth0\0", ip("fe80::1", 25)),
            (b"4\0\x19192.0.2.256\0", Peer::Unknown),
            (b"4\0\x19", Peer::Unknown),
            (b"4\0", Peer::Unknown),
            (b"L\0\0/run/x\0", Peer::Local),
            (b"U", Peer::Unknown),
        ];
        for (bytes, expected) in cases {
            assert_eq!(peer(bytes), expected, "{bytes:?}");
        }
        assert_eq!(peer(b""), Peer::Unknown);
    }

    #[test]
    fn parameters_up_to_the_limit() {
        for (count, kept) in [
            (PARAMETERS_MAX, PARAMETERS_MAX),
            (PARAMETERS_MAX + 1, PARAMETERS_MAX),
        ] {
            let payload = [b"<a@example.com>\0".as_slice(), &b"X=1\0".repeat(count)].concat();
            let Command::Mail { path, parameters } = Command::read(Kind::Mail, &payload) else {
                panic!()
            };
            assert_eq!(
                (path, parameters.len()),
                (b"<a@example.com>".as_slice(), kept)
            );
        }
    }
}
