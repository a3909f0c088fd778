//! The milter's own view of a mail, for the site learner: as bytes what the MTA told of the session
//! and then the header fields as received, each to its first [`MilterView::FIELD`] bytes; beside
//! them the text that a person would read, decoded.
//!
//! The body as it was sent is not part of it. Whoever pads a body, hides text in it or encodes it
//! anew must not change what the header says; and what the body says is in the text.
//!
//! Mail that is read from a mailbox or a corpus must give the same bytes as the mail had when the
//! daemon saw it, or the learner would learn the mailbox. So [`MilterView::of_stored`] takes out
//! what is added at or after delivery (mbox line, Return-Path, Delivered-To, the MTA's own
//! Received) and turns the two of them that repeat the session back into it. The marks that earlier
//! filters and collectors leave are taken out in both cases: where they are, they say everything
//! about yesterday's filter and nothing about tomorrow's mail.
//!
//! A learner that knows the site's senders by heart must not lend their good name to whoever writes
//! it into a From field. So the view knows which of its bytes claim an identity
//! ([`MilterView::identity`]) and who vouches for them ([`MilterView::sender`]); the learner keeps
//! the claims of nobody, and those of each authenticated domain, apart.

use std::fmt::Write as _;
use std::iter::once;
use std::ops::Range;

use super::Trust;
use super::fields::{fields, is_delivery, is_mark, line_end, name, split, value};
use gatepost_mail::{ClientAddress, Limits, Message, Transaction};

/// What the site learner reads of one mail: at most [`MilterView::LIMIT`] bytes of session and
/// header, and at most [`MilterView::TEXT`] of text; line ends as LF.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MilterView {
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
    /// Whether somebody vouches for the sender; empty where nobody is trusted to do so.
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

impl MilterView {
    /// Of the learner, not of the content model ([`super::Schema`]): changes whenever the same mail
    /// gives another view, or the view other slots: what was learned is no use then.
    pub const VERSION: u32 = 3;
    /// Most bytes of session and header together.
    pub const LIMIT: usize = 6_000;
    /// Bytes of one header field that are read: names and addresses stand there, signatures go on
    /// longer.
    pub const FIELD: usize = 400;
    /// Most bytes of the text: of a longer one the beginning, and the last [`MilterView::TAIL`]
    /// bytes.
    pub const TEXT: usize = 8_000;
    /// Bytes that are read of the end of a long text.
    pub const TAIL: usize = 3_000;

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many of the bytes tell of the session; the header follows.
    pub fn session(&self) -> usize {
        self.session
    }

    /// The domain of the recipient, in lower case: of the first one in the envelope. Of stored mail
    /// it is that of the one recipient whom the MTA's own Received names, or the one to whom it
    /// was delivered (Delivered-To, X-Original-To).
    pub fn domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }

    /// Subject and visible text, decoded: at most [`MilterView::TEXT`] bytes, beginning and end.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parts of the bytes that claim an identity which anybody could forge; ascending, not
    /// overlapping.
    pub fn identity(&self) -> &[Range<usize>] {
        &self.identity
    }

    /// The registrable domain of the sender, where a trusted server vouches for it ([`Trust`]).
    pub fn sender(&self) -> Option<&str> {
        self.sender.as_deref()
    }

    /// The view of a mail in the daemon. Where nothing at all is known of the session, as in a scan
    /// of stored mail, this is [`MilterView::of_stored`].
    pub fn of_case(transaction: &Transaction, message: &Message<'_>, trust: &Trust) -> Self {
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
        let header = message.raw.get(..message.body_start).unwrap_or(message.raw);
        let fields: Vec<&[u8]> = fields(header)
            .filter(|field| !is_mark(name(field)))
            .collect();
        Self::build(session, &fields, visible(message), trust)
    }

    /// The view of a mail that was stored after delivery: a file of a mailbox or of a corpus. It is
    /// read with the limits by default, whatever holds in the daemon: a label must not change
    /// its digest with a setting.
    pub fn of_stored(raw: &[u8], trust: &Trust) -> Self {
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

    fn of_parsed(raw: &[u8], text: String, trust: &Trust) -> Self {
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

    fn build(mut session: Session, fields: &[&[u8]], text: String, trust: &Trust) -> Self {
        let sender = vouched(fields, trust);
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
    let mut is_cut = false;
    for part in &parts {
        // A carriage return is at most every second character of a text with line ends. One byte
        // more tells that this is not all; and a text of nothing but carriage returns has
        // an end as well.
        let room = (MilterView::TEXT + 1).saturating_sub(text.len());
        let piece = part
            .get(..part.floor_char_boundary(2 * room))
            .unwrap_or_default();
        is_cut |= piece.len() < part.len();
        text.extend(piece.split('\r'));
        text.push('\n');
    }
    if is_cut || text.len() > MilterView::TEXT {
        text.truncate(text.floor_char_boundary(MilterView::TEXT - MilterView::TAIL));
        text.push_str(&end(&parts, MilterView::TAIL));
    }
    text
}

/// The end of all parts together, with a line end before it: at most so many bytes.
fn end(parts: &[&str], bytes: usize) -> String {
    let mut pieces: Vec<String> = Vec::new();
    let mut room = bytes.saturating_sub(1);
    for part in parts.iter().rev() {
        let part = part
            .get(part.ceil_char_boundary(part.len().saturating_sub(2 * room))..)
            .unwrap_or_default();
        let mut piece = part.replace('\r', "");
        piece.push('\n');
        let piece = piece
            .get(piece.ceil_char_boundary(piece.len().saturating_sub(room))..)
            .unwrap_or_default();
        room -= piece.len();
        pieces.push(piece.to_owned());
    }
    pieces.push("\n".to_owned());
    pieces.into_iter().rev().collect()
}

/// The domain that is vouched for by a trusted field above the first field of a relay.
fn vouched(fields: &[&[u8]], trust: &Trust) -> Option<String> {
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
            let cut = value
                .get(..value.floor_char_boundary(ITEM))
                .unwrap_or_default();
            // Writing to a String cannot fail.
            writeln!(text, "{key} {cut}").unwrap_or_default();
            if claims {
                identity.push(begin..text.len());
            }
        }
        (text, identity)
    }

    /// Reads `from HELO (NAME [ADDRESS]) by … for <RECIPIENT>; …`, as Sendmail and Postfix write
    /// it. What is written in another way stays unknown.
    fn read_received(&mut self, value: &[u8]) {
        let text =
            String::from_utf8_lossy(value.get(..value.len().min(1 << 10)).unwrap_or_default())
                .into_owned();
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
    gatepost_mail::Mailbox::parse(
        argument
            .get(..argument.len().min(1 << 10))
            .unwrap_or_default(),
    )
    .to_string()
}

/// Appends a field without carriage returns: what the view has room for, and no more than
/// [`MilterView::FIELD`] bytes. A field that is cut still ends its line.
fn append(field: &[u8], out: &mut Vec<u8>) {
    let room = MilterView::LIMIT
        .saturating_sub(out.len())
        .min(MilterView::FIELD);
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
mod tests {
    use std::sync::Arc;
    use std::time::SystemTime;

    use super::*;
    use gatepost_mail::{Client, ClientAddress, Limits, Mailbox, ReversePath};

    const MAIL: &str = "Received: from inner.example by mail.example; Mon, 5 Jan 2026 10:00:00 +0000\r\nFrom: a@example.com\r\nSubject: folded\r\n line\r\n\r\nbody\r\n";

    fn text(view: &MilterView) -> String {
        String::from_utf8_lossy(view.bytes()).into_owned()
    }

    fn stored(raw: &[u8]) -> MilterView {
        MilterView::of_stored(raw, &Trust::nobody())
    }

    /// What is claimed, as text.
    fn claimed(view: &MilterView) -> String {
        let parts = view
            .identity()
            .iter()
            .map(|range| &view.bytes()[range.clone()]);
        String::from_utf8(parts.flatten().copied().collect()).unwrap()
    }

    #[test]
    fn what_can_be_forged_is_marked_as_a_claim() {
        let raw = "Return-Path: <a@example.com>\nReceived: from mx.example.com (mx.example.com [192.0.2.9]) by x\nReceived: from y\n\tby z\nFrom: a@example.com\nSubject: s\n\nFrom: body\n";
        let view = stored(raw.as_bytes());
        assert_eq!(
            claimed(&view),
            "helo mx.example.com\nfrom a@example.com\nReceived: from y\n\tby z\nFrom: a@example.com\n"
        );
        assert_eq!(view.sender(), None);
        assert!(
            !text(&view).contains("auth "),
            "where nobody is trusted nothing is said"
        );
        let long = stored("From: a@example.com\n folded\n".repeat(1_000).as_bytes());
        assert!(
            long.identity()
                .iter()
                .all(|range| range.end <= MilterView::LIMIT)
        );
    }

    #[test]
    fn a_trusted_server_vouches_only_above_the_first_relay() {
        let trust = Trust::of(&["mx.example.net".to_owned()]);
        let pass = "Authentication-Results: mx.example.net; dmarc=pass header.from=example.com\n";
        let own = "Received: from h (h [192.0.2.9]) by mx.example.net\n";
        let relay = "Received: from inner by h\n";
        let rest = "From: <ann@example.com>\n\nbody\n";
        for (mail, sender) in [
            (format!("{own}{pass}{relay}{rest}"), Some("example.com")),
            (format!("{pass}{own}{relay}{rest}"), Some("example.com")),
            (format!("{own}{relay}{pass}{rest}"), None),
            (format!("{own}{relay}{rest}"), None),
            (
                format!("{own}{pass}From: <boss@example.org>\n\nbody\n"),
                None,
            ),
        ] {
            let view = MilterView::of_stored(mail.as_bytes(), &trust);
            assert_eq!(view.sender(), sender, "{mail}");
            let line = if sender.is_some() {
                "auth aligned\n"
            } else {
                "auth none\n"
            };
            assert!(text(&view).contains(line), "{mail}");
        }
    }

    /// What the daemon saw and what is read back from the mailbox give the same bytes.
    #[test]
    fn stored_mail_gives_the_view_of_the_daemon() {
        let mut transaction = Transaction::new(Arc::from("test"), SystemTime::UNIX_EPOCH);
        transaction.client = Client {
            host: "mx.example.com".to_owned(),
            address: ClientAddress::Ip([192, 0, 2, 9].into()),
            port: Some(9),
        };
        transaction.helo = Some("mx.example.com".to_owned());
        transaction.envelope.reverse_path = ReversePath::parse(b"<a@example.com>");
        transaction.envelope.forward_paths = vec![Mailbox::parse(b"<b@example.net>")];
        let seen = MilterView::of_case(
            &transaction,
            &Message::parse(MAIL.as_bytes(), &Limits::default()),
            &Trust::nobody(),
        );
        let raw = format!(
            "From a@example.com Mon Jan  5 10:00:01 2026\nReturn-Path: <a@example.com>\nX-Spam-Status: Yes,\n\tscore=9\nDelivered-To: b@example.net\nReceived: from mx.example.com (mx.example.com [192.0.2.9])\n\tby mail.example (Postfix) with ESMTP id 1\n\tfor <b@example.net>; Mon, 5 Jan 2026 10:00:01 +0000\n{}",
            MAIL.replace('\r', "")
        );
        assert_eq!(text(&stored(raw.as_bytes())), text(&seen));
        assert_eq!(
            text(&seen),
            format!(
                "helo mx.example.com\nhost mx.example.com\nip 192.0.2.9\nfrom a@example.com\nrcpt b@example.net\n{}",
                MAIL.replace('\r', "").replace("\nbody\n", "")
            )
        );
        assert_eq!(
            (seen.text(), stored(raw.as_bytes())),
            ("folded line\nbody\n\n", seen.clone())
        );
    }

    #[test]
    fn marks_never_enter() {
        let expected = stored(b"Subject: a\n\nb");
        for mark in [
            "X-Spam-Flag: YES",
            "X-UUID: 1",
            "Status: RO",
            "LINES: 3",
            "Resent-From: x@example.com",
            "X-MS-Has-Attach: 1",
        ] {
            assert_eq!(
                stored(format!("{mark}\nSubject: a\n\nb").as_bytes()),
                expected,
                "{mark}"
            );
        }
        assert!(
            !is_mark(b"subject") && !is_mark(b"x-mailer") && !is_mark(b"x-spam") && !is_mark(b"")
        );
    }

    #[test]
    fn the_domain_is_that_of_the_recipient() {
        let of = |raw: &str| stored(raw.as_bytes()).domain().map(str::to_owned);
        assert_eq!(
            of("Received: from x by mx for <a@One.Example>; now\n\n").as_deref(),
            Some("one.example")
        );
        assert_eq!(
            of("Delivered-To: b@two.example\nReceived: from x by mx; now\n\n").as_deref(),
            Some("two.example")
        );
        assert_eq!(
            of("X-Original-To: <c@three.example>\n\n").as_deref(),
            Some("three.example")
        );
        assert_eq!(
            (of("To: d@four.example\n\n"), of("Delivered-To: local\n\n")),
            (None, None)
        );
    }

    #[test]
    fn bounded_and_total() {
        let field = |n: usize| {
            let view = stored(format!("Subject: {}\n\n", "x".repeat(n)).as_bytes());
            (
                view.bytes().len() - view.session(),
                view.bytes().ends_with(b"x\n"),
            )
        };
        let overhead = field(0).0;
        for (n, length) in [
            (0, overhead),
            (MilterView::FIELD - overhead, MilterView::FIELD),
        ] {
            assert_eq!(field(n).0, length, "{n}");
        }
        assert_eq!(
            field(MilterView::FIELD - overhead + 1),
            (MilterView::FIELD, true),
            "cut, and the line ends"
        );
        let fields = |n: usize| stored("X: y\n".repeat(n).as_bytes()).bytes().len();
        assert_eq!(fields(10_000), MilterView::LIMIT);
        let body = |n: usize| stored(format!("\n{}", "x".repeat(n)).as_bytes());
        // An empty subject and a line end belong to the text.
        for n in [
            MilterView::TEXT - 3,
            MilterView::TEXT - 2,
            MilterView::TEXT - 1,
            3 * MilterView::TEXT,
        ] {
            assert_eq!(body(n).text().len(), MilterView::TEXT.min(n + 2), "{n}");
        }
        let lines = |count: usize, end: &str| {
            format!(
                "Subject: a{end}{end}{}",
                (0..count).fold(String::new(), |text, n| text + &format!("{n}{end}"))
            )
        };
        for count in [10, 500, 1_000, 1_500, 3_000] {
            let view = stored(lines(count, "\n").as_bytes());
            assert_eq!(
                view,
                stored(lines(count, "\r\n").as_bytes()),
                "line ends, {count} lines"
            );
            assert!(
                view.text().starts_with("a\n0\n1\n"),
                "the beginning is seen"
            );
            assert!(
                view.text()
                    .trim_end()
                    .ends_with(&format!("\n{}", count - 1)),
                "the end is seen"
            );
        }
        let blank = stored(format!("Subject: a\n\n{}buy pills", "=0D".repeat(30_000)).as_bytes());
        let hidden = format!(
            "Content-Transfer-Encoding: quoted-printable\nSubject: a\n\n{}buy pills",
            "=0D".repeat(30_000)
        );
        assert!(
            stored(hidden.as_bytes()).text().contains("buy pills"),
            "carriage returns hide nothing"
        );
        assert!(blank.text().contains("buy pills"));
        for raw in [
            &b""[..],
            b"\n",
            b"From ",
            b"From x",
            b"a",
            b":",
            b" \n\t",
            b"Received:",
            b"Received: from (\n\n",
            b"\xff\xfe\r",
        ] {
            assert!(stored(raw).bytes().len() <= MilterView::LIMIT);
        }
    }
}
