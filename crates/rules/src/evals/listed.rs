//! Addresses, hosts and subjects that the site's lists welcome or block.

use super::signature::Arguments;
use crate::lists::networks::Networks;
use crate::received::field::Relay;
use crate::views::host::host_of;
use crate::views::lazy::Views;

/// Hosts of one message that are looked up.
const HOSTS_LIMIT: usize = 2_000;

/// The addresses that stand for the author, in lower case.
pub(super) fn senders(views: &Views<'_>) -> Vec<String> {
    let resent = views.addresses("Resent-From:addr");
    if !resent.is_empty() {
        return resent;
    }
    let names = [
        "From:addr",
        "Envelope-Sender:addr",
        "Resent-Sender:addr",
        "X-Envelope-From:addr",
        "EnvelopeFrom:addr",
    ];
    names
        .iter()
        .flat_map(|name| views.addresses(name))
        .collect()
}

fn recipients(views: &Views<'_>) -> Vec<String> {
    let names = [
        "To:addr",
        "Cc:addr",
        "Apparently-To:addr",
        "Delivered-To:addr",
        "Envelope-Recipients:addr",
        "Resent-To:addr",
        "Resent-Cc:addr",
        "X-Envelope-To:addr",
        "X-Original-To:addr",
    ];
    names
        .iter()
        .flat_map(|name| views.addresses(name))
        .collect()
}

fn any(views: &Views<'_>, list: &str, addresses: &[String]) -> bool {
    addresses
        .iter()
        .any(|address| views.lists().lists(list, address))
}

/// Relays that may vouch for the sender: the nearest one that is not trusted, else all trusted
/// ones.
fn vouching<'v>(views: &'v Views<'_>) -> &'v [Relay] {
    let relays = views.relays();
    relays.untrusted.get(..1).unwrap_or(&relays.trusted)
}

/// What a list of senders and their relays says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RelayCheck {
    /// No sender is in the list.
    Unlisted,
    /// By a relay that may.
    Verified,
    /// By another relay.
    Forged,
}

fn relay_check(views: &Views<'_>, list: &str) -> RelayCheck {
    let mut found = RelayCheck::Unlisted;
    for sender in senders(views) {
        for wanted in views.lists().relays_of(list, &sender) {
            if vouching(views).iter().any(|relay| is_relay(relay, wanted)) {
                return RelayCheck::Verified;
            }
            if !views.lists().lists("welcomelist_allows_relays", &sender) {
                found = RelayCheck::Forged;
            }
        }
    }
    found
}

/// Whether it is the relay that a setting means: by its name or a domain above it, or
/// `[192.0.2.0]/24`.
fn is_relay(relay: &Relay, wanted: &str) -> bool {
    if wanted.starts_with('[') {
        let mut networks = Networks::default();
        return networks.add(wanted) && networks.has(&relay.ip);
    }
    let name = relay.rdns.to_lowercase();
    name.strip_suffix(wanted)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

pub(super) fn from_in_list(views: &Views<'_>, arguments: &Arguments) -> bool {
    any(views, &arguments.text(0).to_uppercase(), &senders(views))
}

pub(super) fn reply_to_in_list(views: &Views<'_>, arguments: &Arguments) -> bool {
    any(
        views,
        &arguments.text(0).to_uppercase(),
        &views.addresses("Reply-To:addr"),
    )
}

pub(super) fn from_welcome(views: &Views<'_>, _: &Arguments) -> bool {
    any(views, "welcomelist_from", &senders(views))
        || relay_check(views, "welcomelist_from_rcvd") == RelayCheck::Verified
}

pub(super) fn from_default(views: &Views<'_>, _: &Arguments) -> bool {
    relay_check(views, "def_welcomelist_from_rcvd") == RelayCheck::Verified
}

pub(super) fn forged(views: &Views<'_>, _: &Arguments) -> bool {
    !any(views, "welcomelist_from", &senders(views))
        && relay_check(views, "welcomelist_from_rcvd") == RelayCheck::Forged
}

pub(super) fn forged_default(views: &Views<'_>, _: &Arguments) -> bool {
    relay_check(views, "def_welcomelist_from_rcvd") == RelayCheck::Forged
}

pub(super) fn subject_welcome(views: &Views<'_>, _: &Arguments) -> bool {
    views
        .lists()
        .lists("welcomelist_subject", views.text("Subject").trim_end())
}

pub(super) fn subject_blocked(views: &Views<'_>, _: &Arguments) -> bool {
    views
        .lists()
        .lists("blocklist_subject", views.text("Subject").trim_end())
}

pub(super) fn from_blocked(views: &Views<'_>, _: &Arguments) -> bool {
    any(views, "blocklist_from", &senders(views))
}

pub(super) fn to_welcome(views: &Views<'_>, _: &Arguments) -> bool {
    any(views, "welcomelist_to", &recipients(views))
}

pub(super) fn to_blocked(views: &Views<'_>, _: &Arguments) -> bool {
    any(views, "blocklist_to", &recipients(views))
}

pub(super) fn to_more_spam(views: &Views<'_>, _: &Arguments) -> bool {
    any(views, "more_spam_to", &recipients(views))
}

pub(super) fn to_all_spam(views: &Views<'_>, _: &Arguments) -> bool {
    any(views, "all_spam_to", &recipients(views))
}

pub(super) fn host_in_list(views: &Views<'_>, arguments: &Arguments) -> bool {
    has_host(views, &arguments.text(0).to_uppercase())
}

pub(super) fn host_welcome(views: &Views<'_>, _: &Arguments) -> bool {
    has_host(views, "WELCOME")
}

pub(super) fn host_blocked(views: &Views<'_>, _: &Arguments) -> bool {
    has_host(views, "BLOCK")
}

fn has_host(views: &Views<'_>, list: &str) -> bool {
    views
        .hosts(|| hosts(views))
        .iter()
        .any(|host| views.lists().has_host(list, host))
}

/// The hosts of links, and the domains that signed.
fn hosts(views: &Views<'_>) -> Vec<String> {
    let forms = views
        .uri()
        .iter()
        .filter_map(|form| std::str::from_utf8(form).ok())
        .take(HOSTS_LIMIT);
    let links = forms.filter(|form| {
        !form
            .get(..7)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
    });
    let mut hosts: Vec<String> = links
        .filter_map(|form| host_of(form, views.lists()))
        .chain(signers(views))
        .collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

/// The domains that signed (RFC 6376 §3.5, tag `d`), whether or not the signatures are good.
fn signers(views: &Views<'_>) -> Vec<String> {
    let fields = ["DomainKey-Signature", "DKIM-Signature"].map(|name| views.text(name));
    let domains = fields
        .iter()
        .flat_map(|field| field.split([';', '\n']))
        .filter_map(signer)
        .take(HOSTS_LIMIT);
    domains
        .filter(|domain| views.lists().registered(domain).is_some())
        .collect()
}

/// The domain of a tag, if it is that of a signer.
fn signer(tag: &str) -> Option<String> {
    let (name, domain) = tag.split_once('=')?;
    let name = name
        .rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .find(|word| !word.is_empty())?;
    let domain: String = domain.chars().filter(|c| !c.is_whitespace()).collect();
    (name == "d" && !domain.is_empty()).then(|| domain.to_lowercase())
}

/// Whether a relay that may vouch has a name under the sender's registered domain.
pub(super) fn sender_matches_relay(views: &Views<'_>, _: &Arguments) -> bool {
    let sender = views.addresses("EnvelopeFrom:addr");
    let Some((_, host)) = sender.first().and_then(|sender| sender.rsplit_once('@')) else {
        return false;
    };
    let domain = |name: &str| {
        views
            .lists()
            .registered(name)
            .unwrap_or_else(|| name.to_owned())
    };
    let names = vouching(views)
        .iter()
        .map(|relay| relay.rdns.to_lowercase())
        .filter(|name| !name.is_empty());
    host.contains('.') && names.into_iter().any(|name| domain(&name) == domain(host))
}

#[cfg(test)]
mod tests {
    use super::signer;

    #[test]
    fn domains_that_signed() {
        for (tag, wanted) in [
            (" d=Example.COM", Some("example.com")),
            ("\td = mail.example.net ", Some("mail.example.net")),
            (" bd=example.com", None),
            (" d=", None),
            (" s=d", None),
            ("d", None),
        ] {
            assert_eq!(signer(tag).as_deref(), wanted, "{tag}");
        }
    }
}
