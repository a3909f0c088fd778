//! The SMTP side: client, greeting, sender and recipients.

use super::signature::Arguments;
use crate::received::network::is_private;
use crate::views::lazy::Views;
use gatepost_mail::{ClientAddress, ReversePath, Transaction};

pub(super) fn authenticated(views: &Views<'_>, _: &Arguments) -> bool {
    views.case().transaction.authenticated.is_some()
}

/// The client is no stranger: it logged in, or is in a private network, on this machine, or the
/// local `sendmail`.
fn is_own(transaction: &Transaction) -> bool {
    let is_near = match transaction.client.address {
        ClientAddress::Local => true,
        ClientAddress::Ip(address) => is_private(address),
        ClientAddress::Unknown => false,
    };
    is_near || transaction.authenticated.is_some()
}

pub(super) fn own_client(views: &Views<'_>, _: &Arguments) -> bool {
    is_own(views.case().transaction)
}

pub(super) fn client_host(views: &Views<'_>, arguments: &Arguments) -> bool {
    let host = views.case().transaction.client.host.as_bytes();
    arguments
        .pattern(0)
        .is_some_and(|pattern| views.matches(pattern, host))
}

pub(super) fn helo(views: &Views<'_>, arguments: &Arguments) -> bool {
    let helo = views.case().transaction.helo.as_deref().unwrap_or_default();
    arguments
        .pattern(0)
        .is_some_and(|pattern| views.matches(pattern, helo.as_bytes()))
}

/// The client has an address but no host name: it is unknown or an address literal. A client of
/// which the MTA gave no address (a message read from a file), or that is no stranger, lacks nothing;
/// nor does an empty name say anything.
pub(super) fn no_rdns(views: &Views<'_>, _: &Arguments) -> bool {
    let transaction = views.case().transaction;
    let host = transaction.client.host.as_str();
    let has_address = matches!(transaction.client.address, ClientAddress::Ip(_));
    has_address
        && !is_own(transaction)
        && (host.eq_ignore_ascii_case("unknown") || host.starts_with('['))
}

/// Only when a transaction was seen at all: mail read from a file has no sender either.
pub(super) fn null_sender(views: &Views<'_>, _: &Arguments) -> bool {
    let envelope = &views.case().transaction.envelope;
    envelope.reverse_path == ReversePath::Null && !envelope.forward_paths.is_empty()
}

#[expect(clippy::cast_precision_loss, reason = "recipients are far below 2^52")]
pub(super) fn recipient_count(views: &Views<'_>, arguments: &Arguments) -> bool {
    arguments.spans(
        views.case().transaction.envelope.forward_paths.len() as f64,
        true,
    )
}
