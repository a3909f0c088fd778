//! Networks as settings write them: `192.0.2.0/24`, `192.0.2`, `[2001:db8::]/32`,
//! `192.0.2.1-192.0.2.9`, `!192.0.2.7`.

use std::net::{IpAddr, Ipv6Addr};

/// Networks of one list; what comes beyond is not kept.
pub(super) const NETWORKS_LIMIT: usize = 10_000;

/// A list of networks. The first that has an address decides, also when it excepts it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Networks(Vec<Network>);

/// A stretch of addresses; those of IPv4 as IPv6 writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    first: u128,
    last: u128,
    is_excepted: bool,
}

fn number(ip: IpAddr) -> u128 {
    let six: Ipv6Addr = match ip {
        IpAddr::V4(four) => four.to_ipv6_mapped(),
        IpAddr::V6(six) => six,
    };
    six.to_bits()
}

impl Networks {
    /// Adds the networks of a setting's value. `false` when one of them is none.
    pub(crate) fn add(&mut self, value: &str) -> bool {
        let mut all_fit = true;
        // A blank may part the exclamation mark from its network.
        for word in value.replace("! ", "!").split_whitespace() {
            match Network::read(word) {
                Some(network) if self.0.len() < NETWORKS_LIMIT => self.0.push(network),
                Some(_) => {}
                None => all_fit = false,
            }
        }
        all_fit
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the address is in the networks; what is no address lies nowhere.
    pub(crate) fn has(&self, ip: &str) -> bool {
        let Ok(ip) = ip.parse().map(number) else {
            return false;
        };
        let first = self
            .0
            .iter()
            .find(|network| (network.first..=network.last).contains(&ip));
        first.is_some_and(|network| !network.is_excepted)
    }
}

impl Network {
    fn read(word: &str) -> Option<Self> {
        let (is_excepted, word) = word
            .strip_prefix('!')
            .map_or((false, word), |word| (true, word));
        if let Some((first, last)) = word.split_once('-') {
            let (first, last): (IpAddr, IpAddr) = (first.parse().ok()?, last.parse().ok()?);
            let (first, last) = (number(first), number(last));
            return (first <= last).then_some(Self {
                first,
                last,
                is_excepted,
            });
        }
        let (address, length) = word
            .split_once('/')
            .map_or((word, None), |(address, length)| (address, Some(length)));
        let address = address
            .strip_prefix('[')
            .and_then(|inner| inner.strip_suffix(']'))
            .unwrap_or(address);
        let address = address.split('%').next()?;
        let (ip, whole, offset) = read_address(address)?;
        let length = length.map_or(Some(whole), |length| length.parse().ok())?;
        let hosts = 128_u32.checked_sub(offset.checked_add(length)?)?;
        let mask = u128::MAX.checked_shl(hosts).unwrap_or(0);
        let first = number(ip) & mask;
        Some(Self {
            first,
            last: first | !mask,
            is_excepted,
        })
    }
}

/// The address, how many bits of it are written, and where they begin. Of IPv4 the last octets may
/// be missing.
fn read_address(text: &str) -> Option<(IpAddr, u32, u32)> {
    if text.contains(':') {
        return text.parse().ok().map(|ip| (ip, 128, 0));
    }
    let mut octets = [0_u8; 4];
    let mut places = octets.iter_mut();
    for piece in text.trim_end_matches('.').split('.') {
        *places.next()? = piece.parse().ok()?;
    }
    let missing = u32::try_from(places.count()).ok()?;
    Some((IpAddr::from(octets), 32 - 8 * missing, 96))
}

#[cfg(test)]
mod tests {
    use super::{NETWORKS_LIMIT, Networks};

    #[test]
    fn the_first_network_decides() {
        let mut networks = Networks::default();
        assert!(networks.add("!192.0.2.7 192.0.2.0/24 ! 198.51.100.1 198.51.100"));
        assert!(networks.add("[2001:db8::]/32 203.0.113.10-203.0.113.20 10"));
        for (ip, wanted) in [
            ("192.0.2.1", true),
            ("192.0.2.7", false),
            ("198.51.100.1", false),
            ("198.51.100.2", true),
            ("::ffff:198.51.100.2", true),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
            ("203.0.113.9", false),
            ("203.0.113.10", true),
            ("203.0.113.20", true),
            ("203.0.113.21", false),
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("", false),
            ("nonsense", false),
        ] {
            assert_eq!(networks.has(ip), wanted, "{ip}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "192.0.2.0/33",
            "192.0.2.0.1",
            "300",
            "x",
            "2001:db8::/129",
            "203.0.113.2-203.0.113.1",
            "/8",
        ] {
            assert!(!Networks::default().add(text), "{text}");
        }
        let mut all = Networks::default();
        assert!(all.add("0.0.0.0/0") && all.has("192.0.2.1") && !all.has("2001:db8::1"));
        let mut every = Networks::default();
        assert!(every.add("::/0") && every.has("192.0.2.1") && every.has("2001:db8::1"));
    }

    #[test]
    fn networks_are_limited() {
        let mut networks = Networks::default();
        assert!(
            networks.add(&"192.0.2.1 ".repeat(NETWORKS_LIMIT - 1)) && networks.add("198.51.100.1")
        );
        assert!(
            networks.add("203.0.113.1")
                && networks.has("198.51.100.1")
                && !networks.has("203.0.113.1")
        );
    }
}
