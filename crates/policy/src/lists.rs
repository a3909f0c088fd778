//! The admin's own lists of what is refused and what is deferred: networks and patterns, compiled
//! once.

use std::net::IpAddr;
use std::sync::Arc;

use super::{AdminLists, SettingError};
use gatepost_mail::{Client, ClientAddress};
use gatepost_words::canonical::{Canonical, Encoder};
use gatepost_words::glob;
use gatepost_words::verdict::Evidence;

/// One group of lists, ready to be matched.
#[derive(Clone, Debug)]
pub(super) struct Lists {
    effect: Effect,
    networks: Vec<(Network, Arc<str>)>,
    hosts: Vec<Arc<str>>,
    helo: Vec<Arc<str>>,
    senders: Vec<Arc<str>>,
    recipients: Vec<Arc<str>>,
}

/// What a match asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// `policy.refuse`.
    Refuse,
    /// `policy.defer`.
    Defer,
}

/// The keys of one group, as the admin writes them.
struct Keys {
    clients: &'static str,
    helo: &'static str,
    senders: &'static str,
    recipients: &'static str,
}

impl Effect {
    fn keys(self) -> Keys {
        match self {
            Self::Refuse => Keys {
                clients: "refuse.clients",
                helo: "refuse.helo",
                senders: "refuse.senders",
                recipients: "refuse.recipients",
            },
            Self::Defer => Keys {
                clients: "defer.clients",
                helo: "defer.helo",
                senders: "defer.senders",
                recipients: "defer.recipients",
            },
        }
    }

    fn evidence(self, list: &'static str, entry: &Arc<str>) -> Evidence {
        let entry = Arc::clone(entry);
        match self {
            Self::Refuse => Evidence::Refused { list, entry },
            Self::Defer => Evidence::Deferred { list, entry },
        }
    }
}

/// How many entries one list may have.
const ENTRIES_MAX: usize = 100_000;

impl Lists {
    pub(super) fn new(effect: Effect, lists: &AdminLists, errors: &mut Vec<SettingError>) -> Self {
        let AdminLists {
            clients,
            helo,
            senders,
            recipients,
        } = lists;
        let keys = effect.keys();
        for (key, list) in [
            (keys.clients, clients),
            (keys.helo, helo),
            (keys.senders, senders),
            (keys.recipients, recipients),
        ] {
            check_length(key, list.len(), errors);
        }
        let (networks, hosts) = client_entries(keys.clients, clients, errors);
        Self {
            effect,
            networks,
            hosts,
            helo: patterns(keys.helo, helo, errors),
            senders: patterns(keys.senders, senders, errors),
            recipients: patterns(keys.recipients, recipients, errors),
        }
    }

    pub(super) fn client(&self, client: &Client) -> Option<Evidence> {
        if let ClientAddress::Ip(address) = client.address {
            let found = self
                .networks
                .iter()
                .find(|(network, _)| network.contains(address));
            if let Some((_, entry)) = found {
                return Some(self.effect.evidence("clients", entry));
            }
        }
        self.matching("clients", &self.hosts, &client.host)
    }

    pub(super) fn helo(&self, name: &str) -> Option<Evidence> {
        self.matching("helo", &self.helo, name)
    }

    /// `path` is without angle brackets, or `<>`.
    pub(super) fn sender(&self, path: &str) -> Option<Evidence> {
        self.matching("senders", &self.senders, path)
    }

    pub(super) fn recipient(&self, path: &str) -> Option<Evidence> {
        self.matching("recipients", &self.recipients, path)
    }

    fn matching(&self, list: &'static str, patterns: &[Arc<str>], text: &str) -> Option<Evidence> {
        if patterns.is_empty() {
            return None;
        }
        let text = text.to_lowercase();
        let entry = patterns
            .iter()
            .find(|pattern| glob::matches(pattern.as_bytes(), text.as_bytes()))?;
        Some(self.effect.evidence(list, entry))
    }
}

impl Canonical for Lists {
    fn encode(&self, out: &mut Encoder) {
        // The effect is in the name of the field, and a network in the text of its entry.
        let Self {
            effect: _,
            networks,
            hosts,
            helo,
            senders,
            recipients,
        } = self;
        let networks = networks.iter().map(|(_, entry)| &**entry);
        out.list("networks", networks);
        for (name, list) in [
            ("hosts", hosts),
            ("helo", helo),
            ("senders", senders),
            ("recipients", recipients),
        ] {
            out.list(name, list.iter().map(|entry| &**entry));
        }
    }
}

fn check_length(key: &'static str, count: usize, errors: &mut Vec<SettingError>) {
    if count > ENTRIES_MAX {
        errors.push(SettingError {
            key,
            value: format!("{count} entries"),
            message: format!("a list holds {ENTRIES_MAX} entries at most"),
        });
    }
}

/// Networks with their entries as configured, and patterns of host names.
type ClientEntries = (Vec<(Network, Arc<str>)>, Vec<Arc<str>>);

/// Networks, and patterns of host names.
fn client_entries(
    key: &'static str,
    entries: &[String],
    errors: &mut Vec<SettingError>,
) -> ClientEntries {
    let (mut networks, mut hosts) = (Vec::new(), Vec::new());
    for entry in entries {
        if !looks_like_address(entry) {
            hosts.push(entry.to_lowercase().into());
            continue;
        }
        match Network::parse(entry) {
            Ok(network) => networks.push((network, entry.as_str().into())),
            Err(message) => errors.push(SettingError {
                key,
                value: format!("{entry:?}"),
                message,
            }),
        }
    }
    (networks, hosts)
}

fn patterns(
    key: &'static str,
    entries: &[String],
    errors: &mut Vec<SettingError>,
) -> Vec<Arc<str>> {
    let mut patterns = Vec::new();
    for entry in entries {
        if entry.trim().is_empty() {
            errors.push(SettingError {
                key,
                value: "\"\"".to_owned(),
                message: "an empty pattern matches nothing; leave it out".to_owned(),
            });
        }
        patterns.push(entry.to_lowercase().into());
    }
    patterns
}

/// Digits, dots, colons and a slash only: meant as an address, so a mistake in it is an error and
/// not a host name.
fn looks_like_address(entry: &str) -> bool {
    entry.contains(':')
        || (entry.bytes().any(|b| b.is_ascii_digit())
            && entry
                .bytes()
                .all(|b| b.is_ascii_digit() || b == b'.' || b == b'/'))
}

/// An IP network in CIDR notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    fn parse(text: &str) -> Result<Self, String> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| {
            "invalid IP address: expected one like 192.0.2.0/24 or 2001:db8::/32".to_owned()
        })?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            Some(digits) => digits
                .trim()
                .parse()
                .ok()
                .filter(|prefix| *prefix <= longest)
                .ok_or_else(|| format!("the prefix length must be in 0..={longest}"))?,
        };
        Ok(Self { address, prefix })
    }

    fn contains(&self, address: IpAddr) -> bool {
        // A client that comes over a dual-stack socket shows as ::ffff:192.0.2.1; it is the same
        // client.
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.prefix.min(32));
                let bits = u32::from(network) ^ u32::from(address);
                bits.checked_shr(shift).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.prefix.min(128));
                let bits = u128::from(network) ^ u128::from(address);
                bits.checked_shr(shift).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    #[test]
    fn networks_hold_their_addresses_and_no_others() {
        let cases = [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db8::1", true),
            ("192.0.2.0/24", "::ffff:192.0.2.9", true),
        ];
        for (network, address, expected) in cases {
            let network = Network::parse(network).unwrap();
            assert_eq!(
                network.contains(address.parse().unwrap()),
                expected,
                "{network:?} {address}"
            );
        }
        for bad in [
            "192.0.2.0/33",
            "192.0.2",
            "2001:db8::/129",
            "192.0.2.0/x",
            "192.0.2.0/",
        ] {
            assert!(Network::parse(bad).is_err(), "{bad}");
        }
    }
}
