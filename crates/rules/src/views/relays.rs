//! The relays of a message: from the MTA's own connection data and the Received fields, trusted
//! ones distinguished from others.

use crate::lists::networks::Networks;
use crate::lists::tables::Lists;
use crate::received::field::{Parsed, Relay, cleaned, parse};
use crate::received::network::is_private_text;
use gatepost_mail::{Case, ClientAddress, HeaderField};

/// Received fields that are read.
const FIELDS_LIMIT: usize = 200;

/// What is known of the way of a message. Nearest relay first.
#[derive(Debug, Default)]
pub(crate) struct Relays {
    /// Relays before the first that cannot be trusted.
    pub(crate) trusted: Vec<Relay>,
    pub(crate) untrusted: Vec<Relay>,
    /// Received fields down to the last trusted one, those that are no handover included.
    pub(crate) trusted_fields: usize,
    /// The same for the last one inside of the site's networks.
    pub(crate) internal_fields: usize,
    /// Received fields that could not be read.
    pub(crate) unreadable: usize,
}

/// How far the chain of trust reaches while the fields are read.
struct Trust<'l> {
    networks: Option<[&'l Networks; 3]>,
    is_trusted: bool,
    is_internal: bool,
    /// A submission server of ours was met: what it noted is trusted to the end.
    met_submission: bool,
}

impl<'l> Trust<'l> {
    fn new(lists: &'l Lists) -> Self {
        Self {
            networks: lists.networks(),
            is_trusted: true,
            is_internal: true,
            met_submission: false,
        }
    }

    /// Judges the next relay. Without configured networks, private addresses and clients that
    /// logged in are trusted, and what is trusted is internal too.
    fn judge(&mut self, relay: &mut Relay) {
        if self.is_trusted && !self.met_submission {
            let has_login = !relay.auth.is_empty();
            if let Some([trusted, internal, submission]) = self.networks {
                self.is_trusted = has_login || has(trusted, &relay.ip);
                self.is_internal &= self.is_trusted && (has_login || has(internal, &relay.ip));
                self.met_submission = self.is_trusted && submission.has(&relay.ip);
                relay.is_msa = self.met_submission;
            } else {
                self.is_trusted = has_login || is_private_text(&relay.ip);
                self.is_internal = self.is_trusted;
            }
        }
        relay.is_internal = self.is_internal;
    }
}

/// The machine itself belongs to every network.
fn has(networks: &Networks, ip: &str) -> bool {
    ip.parse()
        .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        || networks.has(ip)
}

impl Relays {
    /// Reads them. A connection that the MTA reported is the first relay.
    pub(crate) fn read(case: &Case<'_>, lists: &Lists) -> Self {
        let mut relays = Self::default();
        let mut trust = Trust::new(lists);
        if let Some(relay) = connection(case) {
            relays.add(relay, &mut trust);
        }
        let mut sender = None;
        for line in lines(case, lists) {
            match parse(&line) {
                Parsed::Relay(mut relay) => {
                    relay.envelope_from = sender.take().or(relay.envelope_from);
                    relays.add(*relay, &mut trust);
                }
                Parsed::Skipped(found) => sender = found,
                Parsed::Fetched => {
                    // What came before is the way from the mailbox to here, not the way of the
                    // mail.
                    sender = None;
                    if trust.is_trusted {
                        relays.trusted.clear();
                    }
                }
                Parsed::Unreadable => {
                    sender = None;
                    relays.unreadable += 1;
                }
            }
            relays.trusted_fields += usize::from(trust.is_trusted);
            relays.internal_fields += usize::from(trust.is_internal);
        }
        relays
    }

    fn add(&mut self, mut relay: Relay, trust: &mut Trust<'_>) {
        trust.judge(&mut relay);
        if trust.is_trusted {
            self.trusted.push(relay);
        } else {
            self.untrusted.push(relay);
        }
    }

    /// Every relay, nearest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Relay> {
        self.trusted.iter().chain(&self.untrusted)
    }

    /// Relays inside of the site's networks.
    pub(crate) fn internal(&self) -> impl Iterator<Item = &Relay> {
        self.all().filter(|relay| relay.is_internal)
    }

    /// Relays outside of the site's networks, trusted or not.
    pub(crate) fn external(&self) -> impl Iterator<Item = &Relay> {
        self.all().filter(|relay| !relay.is_internal)
    }

    /// Relays as SpamAssassin's pseudo headers show them.
    pub(crate) fn text<'r>(relays: impl IntoIterator<Item = &'r Relay>) -> String {
        relays.into_iter().map(line).collect::<Vec<_>>().join(" ")
    }
}

/// The Received fields, and those that name the client of a web mailer written as such.
fn lines(case: &Case<'_>, lists: &Lists) -> Vec<String> {
    let text = |field: &HeaderField<'_>| String::from_utf8_lossy(&field.unfolded()).into_owned();
    let mut lines: Vec<String> = case
        .message
        .fields("Received")
        .take(FIELDS_LIMIT)
        .map(text)
        .collect();
    for name in lists.originating_ip_fields() {
        let Some(value) = case.message.field(name).map(text) else {
            continue;
        };
        let mut words = value.split(|c: char| !c.is_ascii_hexdigit() && !".:".contains(c));
        if let Some(address) = words.find(|word| word.parse::<std::net::IpAddr>().is_ok()) {
            lines.push(format!("from X-Originating-IP: {address}"));
        }
    }
    lines
}

fn line(relay: &Relay) -> String {
    format!(
        "[ ip={} rdns={} helo={} by={} ident={} envfrom={} intl={} id={} auth={} msa={} ]",
        relay.ip,
        relay.rdns,
        relay.helo,
        relay.by,
        relay.ident,
        relay.envelope_from.as_deref().unwrap_or_default(),
        u8::from(relay.is_internal),
        relay.id,
        relay.auth,
        u8::from(relay.is_msa)
    )
}

/// The relay that handed us the message. It comes from the MTA's own data, never from a header.
fn connection(case: &Case<'_>) -> Option<Relay> {
    let transaction = case.transaction;
    let ClientAddress::Ip(address) = transaction.client.address else {
        return None;
    };
    let word = |text: &str| cleaned(text.split_whitespace().next().unwrap_or_default());
    let host = transaction.client.host.as_str();
    let rdns = if host == "unknown" || host.starts_with('[') {
        String::new()
    } else {
        word(host)
    };
    Some(Relay {
        ip: address.to_canonical().to_string(),
        has_no_name: rdns.is_empty(),
        rdns,
        helo: word(transaction.helo.as_deref().unwrap_or_default()),
        envelope_from: transaction
            .envelope
            .reverse_path
            .mailbox()
            .map(|mailbox| word(&mailbox.to_string())),
        id: word(transaction.queue_id.as_deref().unwrap_or_default()),
        auth: if transaction.authenticated.is_some() {
            "ESMTPA".to_owned()
        } else {
            String::new()
        },
        ..Relay::default()
    })
}
