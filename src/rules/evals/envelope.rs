//! The SMTP side: client, greeting, sender and recipients.

use super::Arguments;
use crate::mail::ReversePath;
use crate::rules::views::Views;

pub(super) fn authenticated(views: &Views<'_>, _: &Arguments) -> bool {
    views.case().transaction.authenticated.is_some()
}

pub(super) fn client_host(views: &Views<'_>, arguments: &Arguments) -> bool {
    let host = views.case().transaction.client.host.as_bytes();
    arguments.pattern(0).is_some_and(|pattern| pattern.matches(host))
}

pub(super) fn helo(views: &Views<'_>, arguments: &Arguments) -> bool {
    let helo = views.case().transaction.helo.as_deref().unwrap_or_default();
    arguments.pattern(0).is_some_and(|pattern| pattern.matches(helo.as_bytes()))
}

/// The host is unknown or an address literal. An empty one (mail read from a file) says nothing.
pub(super) fn no_rdns(views: &Views<'_>, _: &Arguments) -> bool {
    let host = views.case().transaction.client.host.as_str();
    host.eq_ignore_ascii_case("unknown") || host.starts_with('[')
}

/// Only when a transaction was seen at all: mail read from a file has no sender either.
pub(super) fn null_sender(views: &Views<'_>, _: &Arguments) -> bool {
    let envelope = &views.case().transaction.envelope;
    envelope.reverse_path == ReversePath::Null && !envelope.forward_paths.is_empty()
}

#[expect(clippy::cast_precision_loss, reason = "recipients are far below 2^52")]
pub(super) fn recipient_count(views: &Views<'_>, arguments: &Arguments) -> bool {
    arguments.spans(views.case().transaction.envelope.forward_paths.len() as f64, true)
}
