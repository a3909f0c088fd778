//! The SMTP transaction as the MTA reported it (RFC 5321 §3.3): who connects, how it greets, who sends
//! to whom.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use gatepost_words::Direction;

use super::Mailbox;

/// The SMTP client, as the MTA sees it at CONNECT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// The host name that the MTA verified, or the address literal (`[192.0.2.9]`) or `unknown`
    /// where there is none.
    pub host: String,
    /// The network address.
    pub address: ClientAddress,
    /// The TCP port of the client, when the MTA sent it.
    pub port: Option<u16>,
}

/// Where a client connects from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAddress {
    /// IPv4 or IPv6.
    Ip(IpAddr),
    /// A UNIX-domain socket: the local machine.
    Local,
    /// The MTA did not say.
    #[default]
    Unknown,
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Local => f.write_str("local"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// The reverse-path of MAIL FROM (RFC 5321 §4.1.1.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ReversePath {
    /// `<>`: delivery reports and other mail that must not be answered.
    #[default]
    Null,
    /// An address to which delivery reports go.
    Mailbox(Mailbox),
}

impl ReversePath {
    /// Reads the argument of MAIL FROM, with or without angle brackets.
    pub fn parse(argument: &[u8]) -> Self {
        let mailbox = Mailbox::parse(argument);
        if mailbox.is_empty() {
            Self::Null
        } else {
            Self::Mailbox(mailbox)
        }
    }

    /// The mailbox, if the path is not null.
    pub fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            Self::Null => None,
            Self::Mailbox(mailbox) => Some(mailbox),
        }
    }
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("<>"),
            Self::Mailbox(mailbox) => write!(f, "<{mailbox}>"),
        }
    }
}

/// Who sends to whom (RFC 5321 §2.3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// MAIL FROM.
    pub reverse_path: ReversePath,
    /// The accepted RCPT TOs, in order.
    pub forward_paths: Vec<Mailbox>,
}

/// All that is known about the mail transaction in addition to the message itself.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// Name of the listener (and so of its policy profile) that the MTA asked.
    pub listener: Arc<str>,
    /// The SMTP client.
    pub client: Client,
    /// The argument of HELO or EHLO.
    pub helo: Option<String>,
    /// The login name under which the client authenticated (`{auth_authen}`), if it did.
    pub authenticated: Option<String>,
    /// The TLS version of the session (`{tls_version}`), if it is encrypted.
    pub tls: Option<String>,
    /// Sender and recipients.
    pub envelope: Envelope,
    /// The MTA's queue id (macro `i`), once there is one.
    pub queue_id: Option<String>,
    /// When the transaction began: the only time that judging may know.
    pub arrived: SystemTime,
}

impl Transaction {
    /// An empty transaction on `listener` that began at `arrived`.
    pub fn new(listener: Arc<str>, arrived: SystemTime) -> Self {
        Self {
            listener,
            client: Client::default(),
            helo: None,
            authenticated: None,
            tls: None,
            envelope: Envelope::default(),
            queue_id: None,
            arrived,
        }
    }

    /// Which way the message goes: an authenticated client submits, the machine itself is internal,
    /// everything else comes in.
    pub fn direction(&self) -> Direction {
        if self.authenticated.is_some() {
            return Direction::Submission;
        }
        match self.client.address {
            ClientAddress::Local => Direction::Internal,
            ClientAddress::Ip(address) if address.to_canonical().is_loopback() => {
                Direction::Internal
            }
            ClientAddress::Ip(_) | ClientAddress::Unknown => Direction::Inbound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_direction_follows_from_login_and_address() {
        let ip = |text: &str| ClientAddress::Ip(text.parse().unwrap());
        for (address, login, direction) in [
            (ip("192.0.2.1"), None, Direction::Inbound),
            (ip("192.0.2.1"), Some("ben"), Direction::Submission),
            (ip("127.0.0.2"), None, Direction::Internal),
            (ip("::1"), None, Direction::Internal),
            (ip("::ffff:127.0.0.1"), None, Direction::Internal),
            (ClientAddress::Local, None, Direction::Internal),
            (ClientAddress::Local, Some("ben"), Direction::Submission),
            (ClientAddress::Unknown, None, Direction::Inbound),
        ] {
            let mut transaction = Transaction::new("x".into(), SystemTime::UNIX_EPOCH);
            transaction.client.address = address;
            transaction.authenticated = login.map(str::to_owned);
            assert_eq!(transaction.direction(), direction, "{address} {login:?}");
        }
    }
}
