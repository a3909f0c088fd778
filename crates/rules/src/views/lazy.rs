//! The views of one case, each made when it is first asked for.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell, RefMut};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::addresses::Entry;
use super::body::BodyText;
use super::header_request::HeaderRequest;
use super::header_text::{all, block, fields, line, mime, part};
use super::html_scan::scan::HtmlScan;
use super::key::ViewKey;
use super::relays::Relays;
use super::{rawbody, text_parts, uri};
use crate::limits::{BODY_PART_LIMIT, FULL_LIMIT, HEADER_VALUE_LIMIT, RAWBODY_PART_LIMIT};
use crate::lists::tables::Lists;
use gatepost_byte_regex::{Budget, Pattern};
use gatepost_mail::{Case, ReversePath};

/// Bytes of the user part of an address.
const USER_LIMIT: usize = 64;

/// The views of one case.
pub(crate) struct Views<'c> {
    case: &'c Case<'c>,
    lists: &'c Lists,
    /// Whether the time is up: what is made then is not complete, and the scan ends.
    expired: &'c dyn Fn() -> bool,
    relays: OnceCell<Relays>,
    html: OnceCell<Vec<HtmlScan>>,
    text: OnceCell<BodyText<'c>>,
    body: OnceCell<Vec<Vec<u8>>>,
    rawbody: OnceCell<Vec<Vec<u8>>>,
    uri: OnceCell<Vec<Vec<u8>>>,
    date_distance: OnceCell<Option<i64>>,
    hosts: OnceCell<Vec<String>>,
    /// Values of requests that were asked for by their text.
    found: RefCell<BTreeMap<String, Option<Rc<str>>>>,
    cut: Cell<bool>,
    budget: RefCell<Budget>,
}

impl<'c> Views<'c> {
    /// Nothing is made yet.
    pub(crate) fn new(case: &'c Case<'c>, lists: &'c Lists) -> Self {
        let (text, body, rawbody, uri) = (
            OnceCell::new(),
            OnceCell::new(),
            OnceCell::new(),
            OnceCell::new(),
        );
        let (relays, html, cut) = (OnceCell::new(), OnceCell::new(), Cell::new(false));
        let (date_distance, hosts) = (OnceCell::new(), OnceCell::new());
        let (found, budget) = (RefCell::default(), RefCell::default());
        Self {
            case,
            lists,
            expired: &|| false,
            relays,
            html,
            text,
            body,
            rawbody,
            uri,
            date_distance,
            hosts,
            found,
            cut,
            budget,
        }
    }

    /// Views that are left incomplete once `expired` says so.
    pub(crate) fn until(mut self, expired: &'c dyn Fn() -> bool) -> Self {
        self.expired = expired;
        self
    }

    /// What backtracking may still cost for this message. To be held for one match only.
    pub(crate) fn budget(&self) -> RefMut<'_, Budget> {
        self.budget.borrow_mut()
    }

    /// Whether the pattern of an eval function matches, at the cost of this message.
    pub(crate) fn matches(&self, pattern: &Pattern, text: &[u8]) -> bool {
        pattern.matches_within(&mut self.budget(), text)
    }

    /// The case itself.
    pub(crate) fn case(&self) -> &'c Case<'c> {
        self.case
    }

    /// Whether something that was made since the last question is shorter than what the message
    /// has, by a limit.
    pub(crate) fn take_truncated(&self) -> bool {
        self.cut.take()
    }

    /// The first `limit` bytes.
    fn limited<'t>(&self, text: &'t [u8], limit: usize) -> &'t [u8] {
        text.get(..limit)
            .filter(|start| start.len() < text.len())
            .map_or(text, |start| {
                self.cut.set(true);
                start
            })
    }

    /// The texts of a view. A header that is missing has none.
    pub(crate) fn texts(&self, key: &ViewKey) -> Vec<Cow<'_, [u8]>> {
        fn borrowed(texts: &[Vec<u8>]) -> Vec<Cow<'_, [u8]>> {
            texts
                .iter()
                .map(|text| Cow::Borrowed(text.as_slice()))
                .collect()
        }
        match key {
            ViewKey::Body => borrowed(self.body()),
            ViewKey::RawBody => borrowed(self.rawbody()),
            ViewKey::Uri => borrowed(self.uri()),
            ViewKey::Full => vec![Cow::Borrowed(
                self.limited(self.case.message.raw, FULL_LIMIT),
            )],
            ViewKey::Header(request) => self.header(request).into_iter().map(Cow::Owned).collect(),
            ViewKey::MimeParts(parts) => parts
                .texts(self.case.message)
                .into_iter()
                .map(Cow::Owned)
                .collect(),
            ViewKey::Mime(request) => self
                .case
                .message
                .entities
                .iter()
                .filter_map(|entity| mime(entity, request))
                .map(Cow::Owned)
                .collect(),
        }
    }

    /// The rendered text: element 0 is the subject, each further one a paragraph.
    pub(crate) fn body(&self) -> &[Vec<u8>] {
        self.body.get_or_init(|| self.make_body())
    }

    /// The URLs, links and addresses.
    pub(crate) fn uri(&self) -> &[Vec<u8>] {
        self.uri.get_or_init(|| self.make_uri())
    }

    /// The decoded text parts in chunks.
    pub(crate) fn rawbody(&self) -> &[Vec<u8>] {
        self.rawbody.get_or_init(|| self.make_rawbody())
    }

    /// The value of a header request.
    pub(crate) fn header(&self, request: &HeaderRequest) -> Option<Vec<u8>> {
        let message = self.case.message;
        let value = match request.name.as_str() {
            "ALL" if request.raw => Some(block(message).to_vec()),
            "ALL" => Some(all(&message.header, false)),
            "ALL-EXTERNAL" => self.side(request.raw, false, self.relays().internal_fields),
            "ALL-INTERNAL" => self.side(request.raw, true, self.relays().internal_fields),
            "ALL-TRUSTED" => self.side(request.raw, true, self.relays().trusted_fields),
            "ALL-UNTRUSTED" => self.side(request.raw, false, self.relays().trusted_fields),
            "ToCc" => fields(&message.header, &["To", "Cc"], request, self.lists),
            "EnvelopeFrom" => {
                let address = Some(self.envelope_from()?.into_bytes());
                part(
                    Entry {
                        name: None,
                        address,
                    },
                    request,
                    self.lists,
                )
            }
            "MESSAGEID" => {
                let names = [
                    "X-Message-Id",
                    "Resent-Message-Id",
                    "X-Original-Message-ID",
                    "Message-Id",
                ];
                fields(&message.header, &names, request, self.lists)
            }
            "X-Spam-Relays-External" => Some(Relays::text(self.relays().external()).into_bytes()),
            "X-Spam-Relays-Untrusted" => Some(Relays::text(&self.relays().untrusted).into_bytes()),
            "X-Spam-Relays-Internal" => Some(Relays::text(self.relays().internal()).into_bytes()),
            "X-Spam-Relays-Trusted" => Some(Relays::text(&self.relays().trusted).into_bytes()),
            name => fields(&message.header, &[name], request, self.lists),
        };
        value.map(|mut value| {
            value.truncate(self.limited(&value, HEADER_VALUE_LIMIT).len());
            value
        })
    }

    /// What is read of the parts, before it is cut into paragraphs.
    fn body_text(&self) -> &BodyText<'c> {
        self.text.get_or_init(|| {
            let text = BodyText::read(
                text_parts::sources(self.case.message),
                BODY_PART_LIMIT,
                &self.case.message.derived,
                self.expired,
            );
            self.cut.set(self.cut.get() || text.is_cut);
            text
        })
    }

    fn make_body(&self) -> Vec<Vec<u8>> {
        let last = || self.case.message.fields("Subject").next_back();
        let subject = last().map(|field| line(field, false));
        self.body_text()
            .paragraphs(subject.unwrap_or_else(|| b"\n".to_vec()))
    }

    fn make_rawbody(&self) -> Vec<Vec<u8>> {
        let (chunks, is_cut) = rawbody::chunks(self.case.message, RAWBODY_PART_LIMIT);
        self.cut.set(self.cut.get() || is_cut);
        chunks
    }

    fn make_uri(&self) -> Vec<Vec<u8>> {
        let (list, is_cut) = uri::list(
            self.body(),
            &self.body_text().links,
            self.lists,
            &self.case.message.derived,
            self.expired,
        );
        self.cut.set(self.cut.get() || is_cut);
        list
    }

    /// The tables that settings filled.
    pub(crate) fn lists(&self) -> &'c Lists {
        self.lists
    }

    /// What the tests on HTML count, of each HTML text.
    pub(crate) fn html(&self) -> &[HtmlScan] {
        self.html.get_or_init(|| {
            self.body_text()
                .html
                .iter()
                .map(|(source, rendered)| HtmlScan::read(source, rendered))
                .collect()
        })
    }

    /// The way of the message.
    pub(crate) fn relays(&self) -> &Relays {
        self.relays
            .get_or_init(|| Relays::read(self.case, self.lists))
    }

    /// The value of a request such as `From:addr` as text; empty where there is none.
    pub(crate) fn text(&self, request: &str) -> String {
        self.find(request).unwrap_or_default()
    }

    /// The value of a request as text.
    pub(crate) fn find(&self, request: &str) -> Option<String> {
        self.find_shared(request)
            .map(|value| value.as_ref().to_owned())
    }

    /// The same without a copy: many functions ask for the same few fields.
    fn find_shared(&self, request: &str) -> Option<Rc<str>> {
        if let Some(known) = self.found.borrow().get(request) {
            return known.clone();
        }
        let value = HeaderRequest::parse(request)
            .ok()
            .and_then(|parsed| self.header(&parsed));
        let value = value.map(|value| Rc::from(String::from_utf8_lossy(&value)));
        self.found
            .borrow_mut()
            .insert(request.to_owned(), value.clone());
        value
    }

    /// How far the date lies ahead of the arrival, worked out once.
    pub(crate) fn date_distance(&self, make: impl FnOnce() -> Option<i64>) -> Option<i64> {
        *self.date_distance.get_or_init(make)
    }

    /// The hosts that the site's lists are asked for, worked out once.
    pub(crate) fn hosts(&self, make: impl FnOnce() -> Vec<String>) -> &[String] {
        self.hosts.get_or_init(make)
    }

    /// The addresses of a request in lower case, in order.
    pub(crate) fn addresses(&self, request: &str) -> Vec<String> {
        let value = self.find_shared(request);
        let lines = value.iter().flat_map(|value| value.lines());
        lines
            .map(str::to_lowercase)
            .filter(|address| !address.is_empty())
            .collect()
    }

    /// The sender of the envelope: of the transaction; else as the nearest relay noted it, else of
    /// a field that is above all Received fields.
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
        if let Some(sender) =
            noted.filter(|sender| sender.is_empty() || sender.find('@').is_some_and(|at| at > 0))
        {
            return Some(sender);
        }
        let header = &self.case.message.header;
        let is_fetched = || {
            header.iter().any(|field| {
                field.is("Received") && memchr::memmem::find(&field.raw, b"(fetchmail").is_some()
            })
        };
        if self.text("X-Sender:first:addr").contains('@') && is_fetched() {
            return None;
        }
        let below = header
            .iter()
            .position(|field| field.is("Received"))
            .unwrap_or(header.len());
        for name in ["X-Envelope-From", "Envelope-Sender", "Return-Path"] {
            let Some(at) = header.iter().position(|field| field.is(name)) else {
                continue;
            };
            // Below a Received field anybody may have written it; there X-Envelope-From ends the
            // search.
            let last = header
                .iter()
                .rposition(|field| field.is(name))
                .unwrap_or(at);
            let Some(sender) = self.find(&format!("{name}:first:addr")) else {
                continue;
            };
            if last < below {
                return Some(sender.lines().next().unwrap_or_default().to_owned());
            }
            if name == "X-Envelope-From" {
                return None;
            }
        }
        None
    }

    /// The fields that our own or trusted relays wrote, with the Received field after the first
    /// `count`, which the last of them added; or all from that on.
    fn side(&self, raw: bool, ours: bool, count: usize) -> Option<Vec<u8>> {
        let header = &self.case.message.header;
        let mut places = header
            .iter()
            .enumerate()
            .filter(|(_, field)| field.is("Received"))
            .map(|(at, _)| at);
        let place = places.nth(count);
        let fields = match (ours, place) {
            (true, Some(place)) => header.get(..=place)?,
            (true, None) => header,
            (false, place) => header.get(place?..)?,
        };
        Some(all(fields, raw)).filter(|text| !text.is_empty())
    }
}

/// The address around an @.
pub(crate) fn address_around(text: &str, at: usize) -> Option<(usize, usize)> {
    let is_user =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-.".contains(&byte);
    let before = text.as_bytes().get(..at)?;
    let length = before
        .iter()
        .rev()
        .take(USER_LIMIT + 1)
        .take_while(|byte| is_user(**byte))
        .count();
    let user = before.get(before.len() - length..)?;
    let skipped = user.iter().position(|byte| *byte != b'.').unwrap_or(length);
    if length == 0 || skipped == length || length > USER_LIMIT || user.ends_with(b".") {
        return None;
    }
    let host = text.as_bytes().get(at + 1..)?;
    let length = host
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
        .count();
    let host = host.get(..length)?;
    let length = host.iter().rposition(u8::is_ascii_alphanumeric)? + 1;
    host.get(..length)?
        .contains(&b'.')
        .then_some((at - before.len().min(user.len()) + skipped, at + 1 + length))
}
