//! `[dns]`: what is looked up, and where.

use crate::config::keys::{Applies, Key, Kind};
use crate::config::settings::Dns;
use crate::config::units;
use crate::config::view::View;
use gatepost_engine::GatherSettings;
use gatepost_gather::Wanted;

/// The port of DNS.
const PORT: u16 = 53;

/// The keys.
pub(in crate::config) const KEYS: &[Key] = &[
    Key {
        path: "dns.client_names",
        kind: Kind::Boolean,
        default: Some("false"),
        since: "0.2.0",
        applies: Applies::Reload,
        doc: "Whether the names of the client's address are looked up (PTR), and whether they lead back to it (A, AAAA), \
              for rules that ask for them. Without it nothing is looked up.",
        example: "true",
    },
    Key {
        path: "dns.servers",
        kind: Kind::Servers,
        default: Some("[]"),
        since: "0.2.0",
        applies: Applies::Restart,
        doc: "The resolvers to ask, the preferred one first: IP addresses, with a port where it is not 53. Empty means \
              those of /etc/resolv.conf. A resolver on this machine is best: each client means several look-ups.",
        example: "[\"192.0.2.53\", \"[2001:db8::53]:5353\"]",
    },
    Key {
        path: "dns.timeout",
        kind: Kind::Duration(100, 60_000),
        default: Some("\"5s\""),
        since: "0.2.0",
        applies: Applies::Reload,
        doc: "How long a message waits for answers that are not there yet; then the fact is unknown, and the message is \
              judged without it. Should be well below `limits.deadline`.",
        example: "\"2s\"",
    },
];

/// Reads `[dns]`.
pub(in crate::config) fn dns(view: View<'_>) -> Dns {
    let servers = view.list("dns.servers");
    let servers = servers.iter().filter_map(|text| units::server(text, PORT));
    Dns {
        servers: servers.collect(),
        gather: GatherSettings {
            wanted: Wanted {
                client_names: view.flag("dns.client_names"),
            },
            timeout: view.duration("dns.timeout"),
            ..GatherSettings::default()
        },
    }
}
