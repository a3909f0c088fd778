//! The site's own view of a message, for the site learner: as bytes what the MTA sent about the
//! session and then the header fields as received, each to its first [`SiteView::FIELD`] bytes; in
//! addition the text that a person would read, decoded.
//!
//! The body as it was sent is not part of it. A sender that pads a body, hides text in it or encodes
//! it again must not change what the header says; and what the body says is in the text.
//!
//! Mail that is read from a mailbox or a corpus must give the same bytes as the mail had when the
//! daemon saw it, or the learner would learn the mailbox. So [`SiteView::of_stored`] takes out
//! what is added at or after delivery (mbox line, Return-Path, Delivered-To, the MTA's own
//! Received) and turns the two of them that repeat the session back into it. The marks that earlier
//! filters and collectors leave are taken out in both cases: where they are, they say everything
//! about yesterday's filter and nothing about tomorrow's mail.
//!
//! A learner that knows the site's senders by heart must not lend their good name to a sender that
//! writes it into a From field. So the view knows which of its bytes claim an identity
//! ([`SiteView::identity`]) and who attests them ([`SiteView::sender`]); the learner keeps
//! claims that no server attests, and those of each authenticated domain, apart.

use std::iter::once;
use std::ops::Range;

use super::fields::{fields, is_delivery, is_mark, line_end, name, split, value};
use super::trusted_authserv_ids::TrustedAuthservIds;
use gatepost_mail::{ClientAddress, Limits, Message, Transaction};
use gatepost_words::bytes;

/// What the site learner reads of one mail: at most [`SiteView::LIMIT`] bytes of session and
/// header, and at most [`SiteView::TEXT`] of text; line ends as LF.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteView {
    bytes: Vec<u8>,
    session: usize,
    identity: Vec<Range<usize>>,
    sender: Option<String>,
    domain: Option<String>,
    text: String,
}

/// What is known of the session, as text.
#[derive(Debug, Default)]
struct Session {
    helo: String,
    host: String,
    address: String,
    reverse_path: String,
    forward_path: String,
    /// To whom it was delivered, of stored mail.
    delivered_to: String,
    /// Whether a server attests the sender; empty where no server is trusted.
    authentication: &'static str,
}

/// The header fields that claim who wrote or carried a mail, and that anybody can forge. The
/// address and the verified name of the client are not among them: the MTA saw those itself.
const CLAIMS: [&str; 14] = [
    "from",
    "sender",
    "reply-to",
    "errors-to",
    "received",
    "received-spf",
    "message-id",
    "list-id",
    "list-post",
    "organization",
    "dkim-signature",
    "domainkey-signature",
    "authentication-results",
    "arc-authentication-results",
];

/// Longest text of one item of the session, in bytes.
const ITEM: usize = 128;

impl SiteView {
    /// Of the learner, not of the content model ([`super::Schema`]): changes whenever the same mail
    /// gives another view, or the view other slots: what was learned is no use then.
    pub const VERSION: u32 = 3;
    /// Most bytes of session and header together.
    pub const LIMIT: usize = 6_000;
    /// Bytes of one header field that are read: names and addresses are there, signatures go on
    /// longer.
    pub const FIELD: usize = 400;
    /// Most bytes of the text: of a longer one the beginning, and the last [`SiteView::TAIL`]
    /// bytes.
    pub const TEXT: usize = 8_000;
    /// Bytes that are read of the end of a long text.
    pub const TAIL: usize = 3_000;

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many of the bytes are about the session; the header follows.
    pub fn session(&self) -> usize {
        self.session
    }

    /// The domain of the recipient, in lower case: of the first one in the envelope. Of stored mail
    /// it is that of the one recipient whom the MTA's own Received names, or the one to whom it
    /// was delivered (Delivered-To, X-Original-To).
    pub fn domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }

    /// Subject and visible text, decoded: at most [`SiteView::TEXT`] bytes, beginning and end.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parts of the bytes that claim an identity which anybody could forge; ascending, not
    /// overlapping.
    pub fn identity(&self) -> &[Range<usize>] {
        &self.identity
    }

    /// The registrable domain of the sender, where a trusted server attests it ([`TrustedAuthservIds`]).
    pub fn sender(&self) -> Option<&str> {
        self.sender.as_deref()
    }

    /// The view of a mail in the daemon. Where nothing at all is known of the session, as in a scan
    /// of stored mail, this is [`SiteView::of_stored`].
    pub fn of_case(
        transaction: &Transaction,
        message: &Message<'_>,
        trust: &TrustedAuthservIds,
    ) -> Self {
        let envelope = &transaction.envelope;
        if transaction.client.address == ClientAddress::Unknown
            && transaction.helo.is_none()
            && envelope.forward_paths.is_empty()
        {
            return Self::of_parsed(message.raw, visible(message), trust);
        }
        let session = Session {
            helo: transaction.helo.clone().unwrap_or_default(),
            host: transaction.client.host.clone(),
            address: transaction.client.address.to_string(),
            reverse_path: envelope
                .reverse_path
                .mailbox()
                .map(ToString::to_string)
                .unwrap_or_default(),
            forward_path: envelope
                .forward_paths
                .first()
                .map(ToString::to_string)
                .unwrap_or_default(),
            delivered_to: String::new(),
            authentication: "",
        };
        let header = bytes::head(message.raw, message.body_start);
        let fields: Vec<&[u8]> = fields(header)
            .filter(|field| !is_mark(name(field)))
            .collect();
        Self::build(session, &fields, visible(message), trust)
    }

    /// The view of a mail that was stored after delivery: a file of a mailbox or of a corpus. It is
    /// read with the limits by default, whatever holds in the daemon: a label must not change
    /// its digest with a setting.
    pub fn of_stored(raw: &[u8], trust: &TrustedAuthservIds) -> Self {
        let raw = match raw.strip_prefix(b"From ") {
            Some(_) => raw
                .split_at_checked(line_end(raw))
                .map_or(&[][..], |(_, rest)| rest),
            None => raw,
        };
        Self::of_parsed(
            raw,
            visible(&Message::parse(raw, &Limits::default())),
            trust,
        )
    }

    fn of_parsed(raw: &[u8], text: String, trust: &TrustedAuthservIds) -> Self {
        let (header, _) = split(raw);
        let mut session = Session::default();
        let mut own_seen = false;
        let mut kept = Vec::new();
        for field in fields(header) {
            let field_name = name(field);
            if field_name.eq_ignore_ascii_case(b"return-path") && session.reverse_path.is_empty() {
                session.reverse_path = path(value(field));
            } else if is_delivery(field_name) && session.delivered_to.is_empty() {
                session.delivered_to = path(value(field));
            } else if field_name.eq_ignore_ascii_case(b"received") && !own_seen {
                own_seen = true;
                session.read_received(value(field));
            } else if !is_mark(field_name) {
                kept.push(field);
            }
        }
        Self::build(session, &kept, text, trust)
    }

    fn build(
        mut session: Session,
        fields: &[&[u8]],
        text: String,
        trust: &TrustedAuthservIds,
    ) -> Self {
        let sender = attested(fields, trust);
        if !trust.is_empty() {
            session.authentication = if sender.is_some() { "aligned" } else { "none" };
        }
        let (lines, mut identity) = session.lines();
        let mut bytes = lines.into_bytes();
        let session_end = bytes.len();
        for &field in fields {
            let begin = bytes.len();
            append(field, &mut bytes);
            if claims(name(field)) {
                identity.push(begin..bytes.len());
            }
        }
        let domain = session.domain();
        Self {
            bytes,
            session: session_end,
            identity,
            sender,
            domain,
            text,
        }
    }
}

/// Subject and visible text, whatever its line ends.
fn visible(message: &Message<'_>) -> String {
    let subject = message.subject();
    let parts: Vec<&str> = once(&*subject)
        .chain(message.texts.iter().map(|text| &*text.rendered))
        .collect();
    let mut text = String::new();
    let mut is_truncated = false;
    for part in &parts {
        // A carriage return is at most every second character of a text with line ends. One byte
        // more shows that this is not all; and a text of nothing but carriage returns has
        // an end as well.
        let room = (SiteView::TEXT + 1).saturating_sub(text.len());
        let piece = bytes::head_str(part, 2 * room);
        is_truncated |= piece.len() < part.len();
        text.extend(piece.split('\r'));
        text.push('\n');
    }
    if is_truncated || text.len() > SiteView::TEXT {
        text.truncate(text.floor_char_boundary(SiteView::TEXT - SiteView::TAIL));
        text.push_str(&end(&parts, SiteView::TAIL));
    }
    text
}

/// The end of all parts together, with a line end before it: at most so many bytes.
fn end(parts: &[&str], bytes: usize) -> String {
    let mut pieces: Vec<String> = Vec::new();
    let mut room = bytes.saturating_sub(1);
    for part in parts.iter().rev() {
        let part = bytes::tail_str(part, 2 * room);
        let mut piece = part.replace('\r', "");
        piece.push('\n');
        let piece = bytes::tail_str(&piece, room);
        room -= piece.len();
        pieces.push(piece.to_owned());
    }
    pieces.push("\n".to_owned());
    pieces.into_iter().rev().collect()
}

/// The domain that a trusted field above the first field of a relay attests.
fn attested(fields: &[&[u8]], trust: &TrustedAuthservIds) -> Option<String> {
    if trust.is_empty() {
        return None;
    }
    let is = |field: &&[u8], wanted: &[u8]| name(field).eq_ignore_ascii_case(wanted);
    let ours = fields
        .iter()
        .copied()
        .take_while(|field| !is(field, b"received"));
    let results: Vec<&[u8]> = ours
        .filter(|field| is(field, b"authentication-results"))
        .map(value)
        .collect();
    let from: Vec<&[u8]> = fields
        .iter()
        .copied()
        .filter(|field| is(field, b"from"))
        .map(value)
        .collect();
    trust.aligned(&results, &from)
}

fn claims(name: &[u8]) -> bool {
    CLAIMS
        .iter()
        .any(|claim| name.eq_ignore_ascii_case(claim.as_bytes()))
}

impl Session {
    fn domain(&self) -> Option<String> {
        let of = |path: &str| {
            path.rsplit_once('@')
                .map(|(_, domain)| domain.trim_matches(['<', '>']).to_ascii_lowercase())
        };
        of(&self.forward_path)
            .or_else(|| of(&self.delivered_to))
            .filter(|domain| !domain.is_empty())
    }

    /// The lines, and which of them claim an identity: the greeting and the reverse-path are the
    /// client's own words.
    fn lines(&self) -> (String, Vec<Range<usize>>) {
        let mut text = String::new();
        let mut identity = Vec::new();
        let items = [
            ("helo", self.helo.as_str(), true),
            ("host", &self.host, false),
            ("ip", &self.address, false),
            ("from", &self.reverse_path, true),
            ("rcpt", &self.forward_path, false),
            ("auth", self.authentication, false),
        ];
        for (key, value, claims) in items {
            if key == "auth" && value.is_empty() {
                continue;
            }
            let begin = text.len();
            let value: String = value
                .to_ascii_lowercase()
                .chars()
                .filter(|c| !c.is_control())
                .collect();
            text.push_str(key);
            text.push(' ');
            text.push_str(bytes::head_str(&value, ITEM));
            text.push('\n');
            if claims {
                identity.push(begin..text.len());
            }
        }
        (text, identity)
    }

    /// Reads `from HELO (NAME [ADDRESS]) by … for <RECIPIENT>; …`, as Sendmail and Postfix write
    /// it. What is written in another way stays unknown.
    fn read_received(&mut self, value: &[u8]) {
        let text = String::from_utf8_lossy(bytes::head(value, 1 << 10)).into_owned();
        let words: Vec<&str> = text.split_whitespace().collect();
        if let Some([from, helo, ..]) = words.get(..2)
            && from.eq_ignore_ascii_case("from")
        {
            (*helo).clone_into(&mut self.helo);
        }
        let inside = text
            .split_once('(')
            .and_then(|(_, rest)| rest.split_once(')'))
            .map(|(inside, _)| inside);
        if let Some((host, rest)) = inside.and_then(|inside| inside.split_once('[')) {
            host.split_whitespace()
                .next()
                .unwrap_or("unknown")
                .clone_into(&mut self.host);
            rest.split(']')
                .next()
                .unwrap_or_default()
                .clone_into(&mut self.address);
        }
        if let Some((_, rest)) = text.split_once("for <") {
            self.forward_path =
                path(format!("<{}", rest.split('>').next().unwrap_or_default()).as_bytes());
        }
    }
}

/// An address as the envelope would have it.
fn path(argument: &[u8]) -> String {
    gatepost_mail::Mailbox::parse(bytes::head(argument, 1 << 10)).to_string()
}

/// Appends a field without carriage returns: what the view has room for, and no more than
/// [`SiteView::FIELD`] bytes. A field that is cut still ends its line.
fn append(field: &[u8], out: &mut Vec<u8>) {
    let room = SiteView::LIMIT
        .saturating_sub(out.len())
        .min(SiteView::FIELD);
    let begin = out.len();
    out.extend(
        field
            .iter()
            .copied()
            .filter(|&byte| byte != b'\r')
            .take(room),
    );
    if room > 0 && (out.len() == begin + room || out.last() != Some(&b'\n')) {
        out.truncate(begin + room - 1);
        out.push(b'\n');
    }
}

#[cfg(test)]
#[path = "site_view_tests.rs"]
mod tests;
