//! The way of the message: the relays that handed it on (RFC 5321 §4.4).

use std::net::Ipv4Addr;

use super::signature::Arguments;
use crate::received::field::Relay;
use crate::received::network::is_private_text;
use crate::views::lazy::Views;

pub(super) fn all_trusted(views: &Views<'_>, _: &Arguments) -> bool {
    let relays = views.relays();
    !relays.trusted.is_empty() && relays.untrusted.is_empty() && relays.unreadable == 0
}

pub(super) fn none(views: &Views<'_>, _: &Arguments) -> bool {
    let relays = views.relays();
    relays.trusted.is_empty() && relays.untrusted.is_empty() && relays.unreadable == 0
}

pub(super) fn unreadable(views: &Views<'_>, _: &Arguments) -> bool {
    views.relays().unreadable > 0
}

pub(super) fn helo_ip_mismatch(views: &Views<'_>, _: &Arguments) -> bool {
    views.relays().untrusted.iter().any(|relay| {
        let addresses = relay
            .helo
            .parse::<Ipv4Addr>()
            .ok()
            .zip(relay.ip.parse::<Ipv4Addr>().ok());
        addresses.is_some_and(|(helo, ip)| {
            let near = helo
                .octets()
                .iter()
                .zip(ip.octets())
                .take(3)
                .all(|(a, b)| *a == b);
            !is_private_text(&relay.helo) && !is_private_text(&relay.ip) && !near
        })
    })
}

/// Hosters whose machines always have names.
const NAMED: &[&str] = &[
    "lycos.com",
    "lycos.co.uk",
    "hotmail.com",
    "localhost.com",
    "excite.com",
    "caramail.com",
    "cs.com",
    "aol.com",
    "msn.com",
    "yahoo.com",
    "drizzle.com",
];

pub(super) fn no_name_but_dotcom_helo(views: &Views<'_>, _: &Arguments) -> bool {
    let is_named = |helo: &str| {
        let helo = helo.to_ascii_lowercase();
        NAMED.iter().any(|name| {
            helo.strip_suffix(name)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    };
    // As in SpamAssassin the last relay decides.
    let relays = views
        .relays()
        .untrusted
        .iter()
        .filter(|relay| !is_private_text(&relay.ip));
    relays
        .into_iter()
        .next_back()
        .is_some_and(|relay| is_named(&relay.helo) && relay.has_no_name)
}

pub(super) fn forged_trail(views: &Views<'_>, _: &Arguments) -> bool {
    let relays = &views.relays().untrusted;
    let name = |relay: &Relay| short_domain(&relay.rdns.to_ascii_lowercase());
    let pairs = relays.iter().zip(relays.iter().skip(1));
    let mismatches = pairs.filter(|(before, relay)| {
        let (from, by) = (name(before), short_domain(&relay.by.to_ascii_lowercase()));
        let is_local = from.starts_with("localhost") && before.ip == "127.0.0.1";
        !is_local
            && is_host(&by)
            && is_host(&from)
            && by != from
            && !(by == "msn.com" && from == "hotmail.com")
    });
    mismatches.count() > 1
}

/// Two or three labels, by what the last one looks like.
fn short_domain(host: &str) -> String {
    if !host.contains(|c: char| c.is_ascii_alphabetic()) {
        return host.to_owned();
    }
    let labels: Vec<&str> = host.split('.').collect();
    let last = labels.last().copied().unwrap_or_default();
    let is_wide = last.len() >= 3 || ["ie", "fr", "de"].contains(&last);
    let count = if is_wide { 2 } else { 3 };
    labels
        .len()
        .checked_sub(count)
        .and_then(|at| labels.get(at..))
        .map_or(host.to_owned(), |tail| tail.join("."))
}

fn is_host(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.starts_with(is_word)
        && text.ends_with(is_word)
        && text.contains('.')
        && text.len() >= 4
        && text.chars().all(|c| is_word(c) || c == '.' || c == '-')
}
