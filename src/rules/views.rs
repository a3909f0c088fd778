//! The texts that rules look at, made once a mail and only when asked for (research/spamassassin.md §1.4-1.7).

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::collections::BTreeSet;

use super::header_request::{HeaderRequest, Part, Pick};
use super::limits::{BODY_PART_LIMIT, FULL_LIMIT, HEADER_VALUE_LIMIT, RAWBODY_PART_LIMIT};
use super::rule::ViewKey;
use crate::facts::Case;
use crate::mail::{Entity, EntityKind, HeaderField, Message, ReversePath};

/// Longest paragraph of the rendered text; longer ones are split at a blank.
const PARAGRAPH_LIMIT: usize = 2_048;
/// A raw text that is not longer stays in one piece; longer ones are cut between this and twice this.
const CHUNK: usize = 2_048;
/// How far behind the limit a part may be cut, to cut it at a line end or blank.
const CUT_SLACK: usize = 1_024;
/// Fields whose values are never decoded.
const PLAIN_FIELDS: &[&str] = &["Received", "Date", "MIME-Version", "References", "In-Reply-To"];

/// The views of one case.
pub(super) struct Views<'c> {
    case: &'c Case<'c>,
    body: OnceCell<Vec<Vec<u8>>>,
    rawbody: OnceCell<Vec<Vec<u8>>>,
    uri: OnceCell<Vec<Vec<u8>>>,
    cut: Cell<bool>,
}

impl<'c> Views<'c> {
    /// Nothing is made yet.
    pub(super) fn new(case: &'c Case<'c>) -> Self {
        let (body, rawbody, uri) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { case, body, rawbody, uri, cut: Cell::new(false) }
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
            ViewKey::RawBody => borrowed(self.rawbody.get_or_init(|| self.make_rawbody())),
            ViewKey::Uri => borrowed(self.uri.get_or_init(|| uri(self.case.message))),
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

    /// The value of a header request.
    pub(super) fn header(&self, request: &HeaderRequest) -> Option<Vec<u8>> {
        let message = self.case.message;
        let value = match request.name.as_str() {
            "ALL" => Some(all(&message.header, request.raw)),
            "ToCc" => to_and_cc(message, request),
            "EnvelopeFrom" => Some(self.envelope_from()),
            "MESSAGEID" => {
                let names = ["X-Message-Id", "Resent-Message-Id", "X-Original-Message-ID", "Message-Id"];
                let values: Vec<_> = names.iter().filter_map(|name| fields(&message.header, name, request)).collect();
                (!values.is_empty()).then(|| values.concat())
            }
            "X-Spam-Relays-External" | "X-Spam-Relays-Untrusted" => Some(self.relay()),
            "X-Spam-Relays-Internal" | "X-Spam-Relays-Trusted" => Some(b"\n".to_vec()),
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

    /// The sender of the envelope; of mail read from a file, that of Return-Path.
    fn envelope_from(&self) -> Vec<u8> {
        let path = &self.case.transaction.envelope.reverse_path;
        let text = match path {
            ReversePath::Mailbox(mailbox) => mailbox.to_string(),
            ReversePath::Null => {
                let field = self.case.message.field("Return-Path").map(HeaderField::decoded);
                field.unwrap_or_default().trim_matches(['<', '>', ' ']).to_owned()
            }
        };
        format!("{text}\n").into_bytes()
    }

    /// The relay that handed us the mail, in the words of SpamAssassin's Received parser. It comes from the MTA's own
    /// connection data, never from a header.
    fn relay(&self) -> Vec<u8> {
        let transaction = self.case.transaction;
        let word = |text: &str| text.split_whitespace().next().unwrap_or_default().replace(['[', ']'], "");
        let rdns = if transaction.client.host == "unknown" { String::new() } else { word(&transaction.client.host) };
        let sender = transaction.envelope.reverse_path.mailbox().map(ToString::to_string).unwrap_or_default();
        format!(
            "[ ip={} rdns={rdns} helo={} by= ident= envfrom={} intl=0 id={} auth={} msa=0 ]\n",
            transaction.client.address,
            word(transaction.helo.as_deref().unwrap_or_default()),
            word(&sender),
            word(transaction.queue_id.as_deref().unwrap_or_default()),
            if transaction.authenticated.is_some() { "ESMTPA" } else { "" },
        )
        .into_bytes()
    }
}

/// The value of the fields of one name.
fn fields(header: &[HeaderField<'_>], name: &str, request: &HeaderRequest) -> Option<Vec<u8>> {
    let mut found: Vec<_> = header.iter().filter(|field| field.is(name)).collect();
    match request.pick {
        Pick::All => {}
        Pick::First => found.truncate(1),
        Pick::Last => found = found.pop().into_iter().collect(),
    }
    if found.is_empty() {
        return None;
    }
    if request.part == Part::Whole {
        return Some(found.iter().flat_map(|field| line(field, request.raw)).collect());
    }
    let parts: Vec<String> =
        found.iter().flat_map(|field| field.addresses()).filter_map(|one| part(&one, request.part)).collect();
    Some(parts.join("\n").into_bytes())
}

fn part(one: &crate::mail::HeaderAddress, part: Part) -> Option<String> {
    let host = || one.address.rsplit_once('@').map(|(_, host)| host.to_ascii_lowercase());
    match part {
        Part::Whole | Part::Address => Some(one.address.clone()).filter(|address| !address.is_empty()),
        Part::Name => one.display_name.clone(),
        Part::Host => host(),
        Part::Domain => host().and_then(|host| psl::domain_str(&host).map(str::to_owned)),
    }
}

/// One field's value with a line end.
fn line(field: &HeaderField<'_>, raw: bool) -> Vec<u8> {
    let mut value = if raw || is_plain(field) { field.unfolded() } else { field.decoded().into_bytes() };
    value.push(b'\n');
    value
}

fn is_plain(field: &HeaderField<'_>) -> bool {
    let ends = |suffix: &[u8]| {
        field.name.len() >= suffix.len()
            && field.name.iter().rev().zip(suffix.iter().rev()).all(|(a, b)| a.eq_ignore_ascii_case(b))
    };
    PLAIN_FIELDS.iter().any(|name| field.is(name))
        || ends(b"message-id")
        || field.name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"list-"))
}

/// The whole header as `Name: value` lines.
fn all(header: &[HeaderField<'_>], raw: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for field in header {
        out.extend_from_slice(&field.name);
        out.extend_from_slice(b": ");
        out.extend(line(field, raw));
        if out.len() > HEADER_VALUE_LIMIT {
            break;
        }
    }
    out
}

fn to_and_cc(message: &Message<'_>, request: &HeaderRequest) -> Option<Vec<u8>> {
    let values: Vec<_> = ["To", "Cc"].iter().filter_map(|name| fields(&message.header, name, request)).collect();
    if values.is_empty() {
        return None;
    }
    let separator: &[u8] = if request.part == Part::Whole { b", " } else { b"\n" };
    let trimmed: Vec<&[u8]> = values.iter().map(|value| value.trim_ascii_end()).collect();
    let mut out = trimmed.join(separator);
    out.push(b'\n');
    Some(out)
}

/// The last field of that name of an entity, or all of them.
fn mime(entity: &Entity<'_>, request: &HeaderRequest) -> Option<Vec<u8>> {
    if request.name == "ALL" {
        return Some(all(&entity.header, request.raw));
    }
    entity.header.iter().rev().find(|field| field.is(&request.name)).map(|field| line(field, request.raw))
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
