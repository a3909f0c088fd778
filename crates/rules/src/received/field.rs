//! One Received field: what it says of a handover.

use super::forms::Lookup;
use super::notation::{Found, STEPS_LIMIT, Slot};
use super::{clauses, forms};
use gatepost_words::bytes;

/// Bytes of one field that are read.
pub(super) const FIELD_LIMIT: usize = 8_192;

/// One handover.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Relay {
    pub(crate) ip: String,
    pub(crate) rdns: String,
    pub(crate) helo: String,
    pub(crate) by: String,
    pub(crate) ident: String,
    pub(crate) envelope_from: Option<String>,
    pub(crate) id: String,
    pub(crate) auth: String,
    /// The mailer looked for a name and found none.
    pub(crate) has_no_name: bool,
    /// The relay is inside of our networks.
    pub(crate) is_internal: bool,
    /// The relay is one of ours that takes mail from people, not from other mailers.
    pub(crate) is_msa: bool,
}

/// What a field says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    Relay(Box<Relay>),
    /// No handover between mailers, but a machine that fetched the message from a mailbox.
    Fetched,
    /// No handover; the text is the sender that a scanner noted for the next field.
    Skipped(Option<String>),
    Unreadable,
}

/// Reads one field; white space inside may be folded.
pub(crate) fn parse(field: &str) -> Parsed {
    let field = bytes::head_str(field, field.floor_char_boundary(FIELD_LIMIT));
    let line = field.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_end_matches([';', ' ']);
    if !is_transfer(line) {
        return Parsed::Skipped(None);
    }
    let line = clauses::without_date(line).replacen(")by ", ") by ", 1);
    let mut relay = Relay {
        id: clauses::id(&line).unwrap_or_default().to_owned(),
        helo: clauses::helo(&line).unwrap_or_default().to_owned(),
        by: clauses::by(&line).unwrap_or_default().to_owned(),
        auth: clauses::login(&line),
        ..Relay::default()
    };
    match read_from(&line, &mut relay) {
        Reading::Handover(lookup) => finish(&mut relay, lookup),
        Reading::NoHandover(sender) => return Parsed::Skipped(sender),
        Reading::Fetched => return Parsed::Fetched,
        Reading::Unknown => {
            if let Some(rest) = line.strip_prefix("from ").filter(|_| relay.helo.is_empty()) {
                // The first word is the greeting nearly always.
                rest.split(' ')
                    .next()
                    .unwrap_or_default()
                    .clone_into(&mut relay.helo);
            }
            let Some(ip) = clauses::bracketed_address(&line).filter(|_| !relay.by.is_empty())
            else {
                return Parsed::Unreadable;
            };
            ip.clone_into(&mut relay.ip);
            finish(&mut relay, Lookup::Never);
        }
    }
    Parsed::Relay(Box::new(relay))
}

/// Whether a field tells from where mail came over the network.
fn is_transfer(line: &str) -> bool {
    let lower = line.get(..7).unwrap_or(line).to_ascii_lowercase();
    if !(lower.starts_with("from ") || lower.starts_with("(from "))
        || line.contains(" with local for ")
    {
        return false;
    }
    // `from user by host; date` is written where a user hands in mail on the machine itself.
    let mut words = line.get(5..).unwrap_or_default().split(' ');
    let (from, by, host, next) = (words.next(), words.next(), words.next(), words.next());
    let ends = host.is_some_and(|host| host.contains(';') && !host.starts_with(';'))
        || (next.is_some_and(|next| next.starts_with(';'))
            && host.is_some_and(|host| !host.is_empty()));
    let is_literal = from.is_some_and(|from| from.starts_with('[') && from.ends_with(']'));
    !(by == Some("by") && ends && !is_literal)
}

enum Reading {
    Handover(Lookup),
    NoHandover(Option<String>),
    Fetched,
    Unknown,
}

/// Reads the `from` clause into the relay.
fn read_from(line: &str, relay: &mut Relay) -> Reading {
    let mut steps = STEPS_LIMIT;
    if let Some(rest) = line.strip_prefix("FROM ") {
        let Some(found) = forms::in_capitals(rest, &mut steps) else {
            return Reading::Unknown;
        };
        take(&found, relay);
        relay.id = relay.id.trim_matches(['<', '>']).to_owned();
        if relay.rdns == "unverified" {
            relay.rdns.clear();
        }
        return Reading::Handover(Lookup::Always);
    }
    if let Some(found) = line
        .strip_prefix("(from ")
        .and_then(|rest| forms::behind_gateway(rest, &mut steps))
    {
        take(&found, relay);
        return Reading::Handover(Lookup::Never);
    }
    let Some(rest) = line.strip_prefix("from ") else {
        let is_local = line.contains("@localhost) by ") || line.contains("(jqueuemail) id ");
        return if is_local {
            Reading::NoHandover(None)
        } else {
            Reading::Unknown
        };
    };
    if rest.contains("with POP3") || rest.contains("with IMAP") {
        return Reading::Fetched;
    }
    if is_local_delivery(rest) {
        return Reading::NoHandover(None);
    }
    relay.envelope_from = clauses::envelope_sender(rest).map(str::to_owned);
    if let Some((found, lookup)) = forms::handover(rest, &mut steps) {
        take(&found, relay);
        return Reading::Handover(lookup);
    }
    if !forms::is_no_handover(rest, &mut steps) {
        return Reading::Unknown;
    }
    // qmail-scanner notes the sender in a field of its own; it belongs to the next one.
    let sender = relay
        .envelope_from
        .as_deref()
        .filter(|_| rest.contains(") with qmail-scanner"));
    Reading::NoHandover(sender.map(|sender| cleaned(clauses::bare(sender))))
}

/// Mail that was handed in on the machine.
fn is_local_delivery(rest: &str) -> bool {
    (rest.contains(" SMTPSVC") && rest.starts_with("mail pickup service by "))
        || (rest.contains("Exim")
            && (rest.contains(" with local ") || rest.contains(" with local-")))
}

/// Takes over what a form found.
fn take(found: &Found<'_>, relay: &mut Relay) {
    let fill = |place: &mut String, slots: &[Slot]| {
        if let Some(text) = slots.iter().find_map(|slot| found.get(*slot)) {
            text.clone_into(place);
        }
    };
    fill(&mut relay.helo, &[Slot::Helo, Slot::Both]);
    fill(&mut relay.rdns, &[Slot::Name, Slot::Both]);
    fill(&mut relay.ip, &[Slot::Ip]);
    fill(&mut relay.by, &[Slot::By]);
    fill(&mut relay.ident, &[Slot::Ident]);
    fill(&mut relay.id, &[Slot::Id]);
    let Some(comment) = found.get(Slot::Comment) else {
        return;
    };
    if let Some(helo) = clauses::value(comment, "helo=").filter(|helo| !helo.is_empty()) {
        helo.clone_into(&mut relay.helo);
    }
    if let Some(ident) = clauses::value(comment, "ident=") {
        ident.clone_into(&mut relay.ident);
    }
}

/// Without characters by which the text could leave its place in the relays' pseudo header.
pub(crate) fn cleaned(text: &str) -> String {
    let is_odd = |c: char| {
        c.is_ascii_whitespace() || matches!(c, '\0' | '#' | '[' | ']' | '(' | ')' | '<' | '>' | '|')
    };
    text.chars()
        .map(|c| if is_odd(c) { '!' } else { c })
        .collect()
}

fn finish(relay: &mut Relay, lookup: Lookup) {
    let wrote_unknown = relay.rdns == "unknown";
    if let Some((ident, name)) = relay.rdns.split_once('@') {
        relay.ident = ident.trim_start_matches("IDENT:").to_owned();
        relay.rdns = name.to_owned();
    }
    let name = relay.rdns.trim_end_matches('.');
    let is_none = name.eq_ignore_ascii_case("unknown") || name.starts_with('[');
    relay.rdns = if is_none {
        String::new()
    } else {
        cleaned(name)
    };
    relay.ip = plain_address(&relay.ip);
    relay.helo = cleaned(&relay.helo);
    relay.by = cleaned(relay.by.trim_end_matches(';'));
    relay.ident = cleaned(&relay.ident);
    relay.envelope_from = relay
        .envelope_from
        .take()
        .map(|from| cleaned(clauses::bare(&from)));
    let looked = match lookup {
        Lookup::Always => true,
        Lookup::Never => false,
        Lookup::Unsure => !wrote_unknown,
    };
    relay.has_no_name = looked && relay.rdns.is_empty();
}

/// Without `IPv6:`; an address of IPv4 that is written as one of IPv6 as the former.
fn plain_address(ip: &str) -> String {
    let has_prefix = ip
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("ipv6:"));
    let ip = if has_prefix {
        bytes::skip_str(ip, 5)
    } else {
        ip
    };
    match ip.rsplit_once(':') {
        Some((before, four))
            if four.contains('.') && before.to_ascii_lowercase().ends_with(":ffff") =>
        {
            cleaned(four)
        }
        _ => cleaned(ip),
    }
}
