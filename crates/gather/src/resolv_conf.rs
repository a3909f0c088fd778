//! The system's resolvers, as `/etc/resolv.conf` names them.
#![expect(
    clippy::disallowed_methods,
    reason = "reads the system's list of resolvers at start"
)]

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

const PATH: &str = "/etc/resolv.conf";
/// As resolv.conf(5): further ones are ignored.
const SERVERS_MAX: usize = 3;
const PORT: u16 = 53;
/// The file is read up to here.
const BYTES_MAX: usize = 64 << 10;

/// The resolvers that `/etc/resolv.conf` names; without the file, or without a name server in it,
/// the one on this machine (resolv.conf(5)).
pub fn system_servers() -> io::Result<Vec<SocketAddr>> {
    match std::fs::read(Path::new(PATH)) {
        Ok(bytes) => Ok(servers_of(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(servers_of(b"")),
        Err(error) => Err(error),
    }
}

fn servers_of(bytes: &[u8]) -> Vec<SocketAddr> {
    let (bytes, _) = bytes.split_at(bytes.len().min(BYTES_MAX));
    let text = String::from_utf8_lossy(bytes);
    let mut servers = Vec::new();
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        if words.next() != Some("nameserver") {
            continue;
        }
        // An address with a zone (`fe80::1%eth0`) is passed over.
        let address = words.next().and_then(|word| word.parse::<IpAddr>().ok());
        servers.extend(address.map(|address| SocketAddr::new(address, PORT)));
    }
    servers.truncate(SERVERS_MAX);
    if servers.is_empty() {
        servers.push((Ipv4Addr::LOCALHOST, PORT).into());
    }
    servers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let servers = servers_of(text.as_bytes());
        servers.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn name_servers_are_read_in_order_and_three_at_most() {
        let text = "# local\nsearch example.org\nnameserver 192.0.2.53\n  nameserver\t2001:db8::53 \n\
            options edns0\nnameserver fe80::1%eth0\nnameserver 192.0.2.54\nnameserver 192.0.2.55\n";
        let expected = ["192.0.2.53:53", "[2001:db8::53]:53", "192.0.2.54:53"];
        assert_eq!(read(text), expected);
    }

    #[test]
    fn without_any_it_is_this_machine() {
        assert_eq!(read(""), ["127.0.0.1:53"]);
        assert_eq!(
            read("nameserver\nnameserver nonsense\n;nameserver 192.0.2.1"),
            ["127.0.0.1:53"]
        );
    }
}
