//! The texts that rules look at, made once a mail and only when asked for (research/spamassassin.md §1.4-1.7).

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::collections::BTreeSet;

use super::header_request::HeaderRequest;
use super::header_text::{all, fields, mime, part, to_and_cc};
use super::html_scan::HtmlScan;
use super::limits::{BODY_PART_LIMIT, FULL_LIMIT, HEADER_VALUE_LIMIT, RAWBODY_PART_LIMIT};
use super::lists::Lists;
use super::relays::Relays;
use super::rule::ViewKey;
use crate::facts::Case;
use crate::mail::{Entity, EntityKind, Message, ReversePath};

/// Longest paragraph of the rendered text; longer ones are split at a blank.
const PARAGRAPH_LIMIT: usize = 2_048;
/// A raw text that is not longer stays in one piece; longer ones are cut between this and twice this.
const CHUNK: usize = 2_048;
/// How far behind the limit a part may be cut, to cut it at a line end or blank.
const CUT_SLACK: usize = 1_024;
/// Bytes of the user part of an address.
const USER_LIMIT: usize = 64;
/// Addresses in the text that are shown as links.
const ADDRESSES_LIMIT: usize = 1_000;

/// The views of one case.
pub(super) struct Views<'c> {
    case: &'c Case<'c>,
    lists: &'c Lists,
    relays: OnceCell<Relays>,
    html: OnceCell<Vec<HtmlScan>>,
    body: OnceCell<Vec<Vec<u8>>>,
    rawbody: OnceCell<Vec<Vec<u8>>>,
    uri: OnceCell<Vec<Vec<u8>>>,
    cut: Cell<bool>,
}

impl<'c> Views<'c> {
    /// Nothing is made yet.
    pub(super) fn new(case: &'c Case<'c>, lists: &'c Lists) -> Self {
        let (body, rawbody, uri) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { case, lists, relays: OnceCell::new(), html: OnceCell::new(), body, rawbody, uri, cut: Cell::new(false) }
    }

    /// The case itself.
    pub(super) fn case(&self) -> &'c Case<'c> {
        self.case
    }

    /// Whether something that was made since the last question is shorter than what the message has, by a limit.
    pub(super) fn take_cut(&self) -> bool {
        self.cut.take()
    }

    /// The first `limit` bytes.
    fn limited<'t>(&self, text: &'t [u8], limit: usize) -> &'t [u8] {
        text.get(..limit).filter(|start| start.len() < text.len()).map_or(text, |start| {
            self.cut.set(true);
            start
        })
    }

    /// The texts of a view. A header that is missing has none.
    pub(super) fn texts(&self, key: &ViewKey) -> Vec<Cow<'_, [u8]>> {
        fn borrowed(texts: &[Vec<u8>]) -> Vec<Cow<'_, [u8]>> {
            texts.iter().map(|text| Cow::Borrowed(text.as_slice())).collect()
        }
        match key {
            ViewKey::Body => borrowed(self.body()),
            ViewKey::RawBody => borrowed(self.rawbody()),
            ViewKey::Uri => borrowed(self.uri()),
            ViewKey::Full => vec![Cow::Borrowed(self.limited(self.case.message.raw, FULL_LIMIT))],
            ViewKey::Header(request) => self.header(request).into_iter().map(Cow::Owned).collect(),
            ViewKey::Mime(request) => {
                self.case.message.entities.iter().filter_map(|entity| mime(entity, request)).map(Cow::Owned).collect()
            }
        }
    }

    /// The rendered text: element 0 is the subject, each further one a paragraph.
    pub(super) fn body(&self) -> &[Vec<u8>] {
        self.body.get_or_init(|| self.make_body())
    }

    /// The URLs, links and addresses.
    pub(super) fn uri(&self) -> &[Vec<u8>] {
        self.uri.get_or_init(|| self.make_uri())
    }

    /// The decoded text parts in chunks.
    pub(super) fn rawbody(&self) -> &[Vec<u8>] {
        self.rawbody.get_or_init(|| self.make_rawbody())
    }

    /// The value of a header request.
    pub(super) fn header(&self, request: &HeaderRequest) -> Option<Vec<u8>> {
        let message = self.case.message;
        let value = match request.name.as_str() {
            "ALL" => Some(all(&message.header, request.raw)),
            "ALL-EXTERNAL" | "ALL-UNTRUSTED" => Some(self.side(request.raw, false)),
            "ALL-INTERNAL" | "ALL-TRUSTED" => Some(self.side(request.raw, true)),
            "ToCc" => to_and_cc(message, request),
            "EnvelopeFrom" => {
                let sender = self.envelope_from()?;
                let one = crate::mail::HeaderAddress { display_name: None, address: sender };
                part(&one, request.part).map(String::into_bytes)
            }
            "MESSAGEID" => {
                let names = ["X-Message-Id", "Resent-Message-Id", "X-Original-Message-ID", "Message-Id"];
                let values: Vec<_> = names.iter().filter_map(|name| fields(&message.header, name, request)).collect();
                (!values.is_empty()).then(|| values.concat())
            }
            "X-Spam-Relays-External" => Some(Relays::text(self.relays().external()).into_bytes()),
            "X-Spam-Relays-Untrusted" => Some(Relays::text(&self.relays().untrusted).into_bytes()),
            "X-Spam-Relays-Internal" => Some(Relays::text(self.relays().internal()).into_bytes()),
            "X-Spam-Relays-Trusted" => Some(Relays::text(&self.relays().trusted).into_bytes()),
            name => fields(&message.header, name, request),
        };
        value.map(|mut value| {
            value.truncate(self.limited(&value, HEADER_VALUE_LIMIT).len());
            value
        })
    }

    fn make_body(&self) -> Vec<Vec<u8>> {
        let message = self.case.message;
        let mut text = String::new();
        for part in &message.texts {
            if !text.is_empty() {
                text.push('\n');
            }
            let seen = cut(&part.rendered);
            self.cut.set(self.cut.get() || seen.len() < part.rendered.len());
            text.push_str(seen);
        }
        let mut paragraphs = vec![one_line(&message.subject())];
        let text = squeezed(&text);
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let window = rest.get(..PARAGRAPH_LIMIT).unwrap_or(rest);
            let end = match memchr::memchr(b'\n', window) {
                Some(line_end) => line_end + 1,
                None if window.len() == rest.len() => rest.len(),
                None => window.iter().rposition(|byte| *byte == b' ').map_or(window.len(), |blank| blank + 1),
            };
            let (paragraph, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            paragraphs.push(paragraph.to_vec());
            rest = behind;
        }
        paragraphs
    }

    fn make_rawbody(&self) -> Vec<Vec<u8>> {
        let is_read = |entity: &&Entity<'_>| {
            let kind = &entity.media_type;
            entity.kind == EntityKind::Leaf
                && (kind.main == "text" || kind.main == "message")
                && !kind.is("text", "calendar")
        };
        let mut chunks = Vec::new();
        for entity in self.case.message.entities.iter().filter(is_read) {
            let content = self.limited(&entity.content, RAWBODY_PART_LIMIT);
            let mut text = Vec::with_capacity(content.len());
            for line in content.split_inclusive(|byte| *byte == b'\n') {
                match line.strip_suffix(b"\r\n") {
                    Some(line) => {
                        text.extend_from_slice(line);
                        text.push(b'\n');
                    }
                    None => text.extend_from_slice(line),
                }
            }
            split_chunks(&text, &mut chunks);
        }
        chunks
    }

    /// The tables that settings filled.
    pub(super) fn lists(&self) -> &'c Lists {
        self.lists
    }

    /// What the tests on HTML count, of each HTML text.
    pub(super) fn html(&self) -> &[HtmlScan] {
        self.html.get_or_init(|| {
            let texts = self.case.message.texts.iter().filter(|text| text.html.is_some());
            texts.map(|text| HtmlScan::read(&text.source, &text.rendered)).collect()
        })
    }

    /// The way of the message.
    pub(super) fn relays(&self) -> &Relays {
        self.relays.get_or_init(|| Relays::read(self.case, self.lists))
    }

    /// The value of a request such as `From:addr` as text; empty where there is none.
    pub(super) fn text(&self, request: &str) -> String {
        self.find(request).unwrap_or_default()
    }

    /// The value of a request as text.
    pub(super) fn find(&self, request: &str) -> Option<String> {
        let request = HeaderRequest::parse(request).ok()?;
        self.header(&request).map(|value| String::from_utf8_lossy(&value).into_owned())
    }

    /// The addresses of a request in lower case, in order.
    pub(super) fn addresses(&self, request: &str) -> Vec<String> {
        self.text(request).lines().map(str::to_lowercase).filter(|address| !address.is_empty()).collect()
    }

    /// The sender of the envelope: of the transaction; else as the nearest relay noted it, else of a field that stands
    /// above all Received fields.
    fn envelope_from(&self) -> Option<String> {
        let envelope = &self.case.transaction.envelope;
        if let ReversePath::Mailbox(mailbox) = &envelope.reverse_path {
            return Some(mailbox.to_string());
        }
        if !envelope.forward_paths.is_empty() {
            return Some(String::new());
        }
        let relays = self.relays();
        let relay = relays.untrusted.first().or(relays.trusted.last());
        let noted = relay.and_then(|relay| relay.envelope_from.clone());
        if let Some(sender) = noted.filter(|sender| sender.is_empty() || sender.find('@').is_some_and(|at| at > 0)) {
            return Some(sender);
        }
        let header = &self.case.message.header;
        let is_fetched = || {
            header.iter().any(|field| field.is("Received") && memchr::memmem::find(&field.raw, b"(fetchmail").is_some())
        };
        if self.text("X-Sender:first:addr").contains('@') && is_fetched() {
            return None;
        }
        let below = header.iter().position(|field| field.is("Received")).unwrap_or(header.len());
        for name in ["X-Envelope-From", "Envelope-Sender", "Return-Path"] {
            let Some(at) = header.iter().position(|field| field.is(name)) else { continue };
            // Below a Received field anybody may have written it; there X-Envelope-From ends the search.
            let last = header.iter().rposition(|field| field.is(name)).unwrap_or(at);
            if last < below {
                return Some(self.addresses_as_written(name));
            }
            if name == "X-Envelope-From" {
                return None;
            }
        }
        None
    }

    /// The fields that trusted relays wrote, or those below.
    fn side(&self, raw: bool, trusted: bool) -> Vec<u8> {
        let header = &self.case.message.header;
        let mut places = header.iter().enumerate().filter(|(_, field)| field.is("Received")).map(|(at, _)| at);
        let count = self.relays().trusted_fields;
        let split = match places.nth(count) {
            Some(at) => at,
            None if trusted || count > 0 => header.len(),
            None => 0,
        };
        let (above, below) = header.split_at_checked(split).unwrap_or((header, &[]));
        all(if trusted { above } else { below }, raw)
    }

    /// The URLs and links, and the mail addresses in the text as links.
    fn make_uri(&self) -> Vec<Vec<u8>> {
        let mut forms = uri(self.case.message);
        let mut seen = BTreeSet::new();
        for paragraph in self.body() {
            let text = String::from_utf8_lossy(paragraph);
            for (at, _) in text.match_indices('@') {
                let Some((start, end)) = address_around(&text, at).filter(|_| seen.len() < ADDRESSES_LIMIT) else {
                    continue;
                };
                let address = text.get(start..end).unwrap_or_default();
                let tld = address.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
                let is_link = text.get(..start).is_some_and(|before| before.ends_with("//"));
                if !is_link && self.lists.is_tld(&tld) && seen.insert(address.to_owned()) {
                    forms.push(format!("mailto:{address}").into_bytes());
                }
            }
        }
        forms
    }

    fn addresses_as_written(&self, name: &str) -> String {
        let value = self.text(&format!("{name}:first:addr"));
        value.lines().next().unwrap_or_default().to_owned()
    }
}

/// The address around an @.
pub(super) fn address_around(text: &str, at: usize) -> Option<(usize, usize)> {
    let is_user = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-.".contains(&byte);
    let before = text.as_bytes().get(..at)?;
    let length = before.iter().rev().take(USER_LIMIT + 1).take_while(|byte| is_user(**byte)).count();
    let user = before.get(before.len() - length..)?;
    let skipped = user.iter().position(|byte| *byte != b'.').unwrap_or(length);
    if length == 0 || skipped == length || length > USER_LIMIT || user.ends_with(b".") {
        return None;
    }
    let host = text.as_bytes().get(at + 1..)?;
    let length = host.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')).count();
    let host = host.get(..length)?;
    let length = host.iter().rposition(u8::is_ascii_alphanumeric)? + 1;
    host.get(..length)?.contains(&b'.').then_some((at - before.len().min(user.len()) + skipped, at + 1 + length))
}

fn one_line(subject: &str) -> Vec<u8> {
    let mut line = subject.split_whitespace().collect::<Vec<_>>().join(" ").into_bytes();
    line.push(b'\n');
    line
}

/// A part up to its limit, cut at a line end or blank.
fn cut(text: &str) -> &str {
    if text.len() <= BODY_PART_LIMIT {
        return text;
    }
    let limit = text.floor_char_boundary(BODY_PART_LIMIT);
    let slack = text.get(limit..text.floor_char_boundary(limit + CUT_SLACK)).unwrap_or_default();
    let more = slack.find('\n').or_else(|| slack.find(' ')).unwrap_or(0);
    text.get(..limit + more).unwrap_or(text)
}

/// Blank lines become one line end, every other white space one blank.
fn squeezed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut gap, mut line_ends) = (false, 0);
    for character in text.chars() {
        if character.is_whitespace() {
            line_ends += usize::from(character == '\n');
            gap = true;
            continue;
        }
        if gap && !out.is_empty() {
            out.push(if line_ends > 1 { '\n' } else { ' ' });
        }
        (gap, line_ends) = (false, 0);
        out.push(character);
    }
    out
}

/// Pieces of 2,048 to 4,096 bytes, cut behind a line end, else behind `>`, else behind a blank.
fn split_chunks(text: &[u8], chunks: &mut Vec<Vec<u8>>) {
    let mut rest = text;
    while let Some(window) = rest.get(CHUNK..rest.len().min(2 * CHUNK)).filter(|window| !window.is_empty()) {
        let find = |wanted: u8| memchr::memchr(wanted, window);
        let end = find(b'\n').or_else(|| find(b'>')).or_else(|| find(b' ')).map_or(window.len(), |at| at + 1);
        let (chunk, behind) = rest.split_at_checked(CHUNK + end).unwrap_or((rest, &[]));
        chunks.push(chunk.to_vec());
        rest = behind;
    }
    if !rest.is_empty() {
        chunks.push(rest.to_vec());
    }
}

/// Each URL as written and in its normal form, and the links of HTML with other schemes (`data:`, `javascript:`), without
/// repetition. Both lists are bounded by `mail`.
fn uri(message: &Message<'_>) -> Vec<Vec<u8>> {
    let mut seen = BTreeSet::new();
    let forms = message.urls.iter().flat_map(|url| [url.raw.as_str(), url.normalized.as_str()]);
    let links = message.texts.iter().filter_map(|text| text.html.as_ref()).flat_map(|html| &html.links);
    let others = links.map(|link| link.href.as_str()).filter(|href| has_other_scheme(href));
    forms.chain(others).filter(|form| seen.insert(*form)).map(|form| form.as_bytes().to_vec()).collect()
}

/// Whether a link has a scheme that `mail` does not take for a URL.
fn has_other_scheme(href: &str) -> bool {
    let Some((scheme, _)) = href.trim_start().split_once(':') else { return false };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let is_known = ["http", "https", "ftp"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    !scheme.is_empty() && scheme.bytes().all(is_name) && !is_known
}

#[cfg(test)]
mod tests {
    use super::{BODY_PART_LIMIT, CHUNK, cut, split_chunks, squeezed};

    #[test]
    fn other_schemes_are_told_from_urls_and_paths() {
        for (href, expected) in [
            ("data:text/html,x", true),
            (" JavaScript:x()", true),
            ("HTTPS://www.example.com/", false),
            ("/path:with/colon", false),
            ("page.html", false),
            (":x", false),
        ] {
            assert_eq!(super::has_other_scheme(href), expected, "{href}");
        }
    }

    #[test]
    fn white_space_is_squeezed() {
        for (text, wanted) in [
            ("a  b\nc\t d", "a b c d"),
            ("a\n\nb", "a\nb"),
            ("a\r\n \r\n\r\n b\u{a0}c", "a\nb c"),
            ("\n\na\n\n", "a"),
            ("", ""),
        ] {
            assert_eq!(squeezed(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn parts_and_chunks_are_cut() {
        let limit = BODY_PART_LIMIT;
        assert_eq!(cut(&"a".repeat(limit)).len(), limit);
        assert_eq!(cut(&"a".repeat(limit + 1)).len(), limit);
        assert_eq!(cut(&format!("{}\nrest", "a".repeat(limit + 5))).len(), limit + 5);
        let sizes = |text: String| {
            let mut chunks = Vec::new();
            split_chunks(text.as_bytes(), &mut chunks);
            chunks.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes("a".repeat(CHUNK)), [CHUNK]);
        assert_eq!(sizes("a".repeat(2 * CHUNK + 1)), [2 * CHUNK, 1]);
        assert_eq!(sizes(format!("{}\n{}", "a".repeat(CHUNK + 10), "b".repeat(10))), [CHUNK + 11, 10]);
        assert_eq!(sizes(format!("{}>{}", "a".repeat(CHUNK), "b".repeat(10))), [CHUNK + 1, 10]);
    }
}
