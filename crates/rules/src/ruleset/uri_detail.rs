//! `uri_detail` rules: several conditions that all must hold for one URL.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::views::lazy::Views;
use gatepost_byte_regex::{Cache, Pattern, Problem};
use gatepost_mail::{LinkKind, UrlSource};
use gatepost_words::bytes;

/// What is known of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Raw,
    Type,
    Cleaned,
    Text,
    Domain,
    Host,
}

/// The keys by their names.
const KEYS: &[(&str, Key)] = &[
    ("raw", Key::Raw),
    ("type", Key::Type),
    ("cleaned", Key::Cleaned),
    ("text", Key::Text),
    ("domain", Key::Domain),
    ("host", Key::Host),
];

/// A condition: one of the values under its key matches; with `!~`, one of them does not.
#[derive(Clone, Debug)]
struct Condition {
    pattern: Pattern,
    negated: bool,
}

/// A test of all URLs.
#[derive(Clone, Debug)]
pub(crate) struct UriDetail {
    conditions: BTreeMap<Key, Condition>,
}

/// What is wrong with a definition.
#[derive(Debug)]
pub(crate) enum BadDetail {
    /// It is not `key =~ /regex/`.
    Form(&'static str, Range<usize>),
    /// There is no such key.
    Key(Range<usize>),
    /// A regular expression is wrong; with the offset where it begins.
    Pattern(usize, Problem),
}

/// The names of the keys.
pub(crate) fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|(name, _)| *name)
}

impl UriDetail {
    /// Reads `key =~ /regex/ key !~ /regex/ …`; of one key the last condition counts.
    pub(crate) fn parse(text: &str) -> Result<Self, BadDetail> {
        let mut conditions = BTreeMap::new();
        let mut at = 0;
        while let Some(start) = text
            .get(at..)
            .and_then(|rest| rest.find(|c: char| !c.is_ascii_whitespace()))
        {
            let start = at + start;
            let rest = bytes::skip_str(text, start);
            let length = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            let name = bytes::head_str(rest, length);
            let key = KEYS
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, key)| *key);
            let key = key.ok_or(BadDetail::Key(start..start + length.max(1).min(rest.len())))?;
            let (negated, pattern_at) = operator(text, start + length)?;
            let end = pattern_end(text, pattern_at).ok_or(BadDetail::Form(
                "`/regex/` is missing",
                pattern_at..text.len(),
            ))?;
            let pattern = Pattern::compile(bytes::slice_str(text, pattern_at..end))
                .map_err(|problem| BadDetail::Pattern(pattern_at, problem))?;
            conditions.insert(key, Condition { pattern, negated });
            at = end;
        }
        if conditions.is_empty() {
            return Err(BadDetail::Form(
                "`key =~ /regex/` is missing",
                0..text.len(),
            ));
        }
        Ok(Self { conditions })
    }

    /// Whether all conditions hold for one URL of the message.
    pub(crate) fn hits(&self, views: &Views<'_>) -> bool {
        let mut caches: Vec<Cache> = vec![Cache::default(); self.conditions.len()];
        details(views).values().any(|detail| {
            self.conditions
                .iter()
                .zip(&mut caches)
                .all(|((key, condition), cache)| {
                    let values = detail.get(key).map(Vec::as_slice).unwrap_or_default();
                    values.iter().any(|value| {
                        condition
                            .pattern
                            .is_match(cache, &mut views.budget(), value.as_bytes())
                            != condition.negated
                    })
                })
        })
    }
}

/// `=~` or `!~` and where the pattern begins.
fn operator(text: &str, at: usize) -> Result<(bool, usize), BadDetail> {
    let rest = bytes::skip_str(text, at);
    let trimmed = rest.trim_start();
    let sign_at = at + rest.len() - trimmed.len();
    let negated = match trimmed.get(..2) {
        Some("=~") => false,
        Some("!~") => true,
        _ => {
            return Err(BadDetail::Form(
                "`=~` or `!~` is missing",
                sign_at..(sign_at + 1).min(text.len()),
            ));
        }
    };
    let rest = bytes::skip_str(trimmed, 2);
    Ok((negated, text.len() - rest.trim_start().len()))
}

/// Where a `/regex/` with its letters ends.
fn pattern_end(text: &str, at: usize) -> Option<usize> {
    let body = text.get(at..)?.strip_prefix('/')?;
    let mut escaped = false;
    let close = body.bytes().position(|byte| {
        let closes = byte == b'/' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })?;
    let letters = body.get(close + 1..)?;
    let count = letters
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(letters.len());
    Some(at + 1 + close + 1 + count)
}

type Detail = BTreeMap<Key, Vec<String>>;

/// Everything known of each URL, by how it was written. The lists of `mail` are bounded.
fn details(views: &Views<'_>) -> BTreeMap<String, Detail> {
    let message = views.case().message;
    let mut found: BTreeMap<String, Detail> = BTreeMap::new();
    let mut add = |raw: &str, key, value: &str| {
        let detail = found.entry(raw.to_owned()).or_default();
        for (key, value) in [(Key::Raw, raw), (Key::Cleaned, raw), (key, value)] {
            let values = detail.entry(key).or_default();
            if !values.iter().any(|known| known == value) {
                values.push(value.to_owned());
            }
        }
    };
    for url in &message.urls {
        let kind = if url.source == UrlSource::Text {
            "parsed"
        } else {
            "html"
        };
        add(&url.raw, Key::Cleaned, &url.normalized);
        add(&url.raw, Key::Host, &url.host);
        if let Some(domain) = &url.registrable {
            add(&url.raw, Key::Domain, domain);
        }
        if kind == "parsed" {
            add(&url.raw, Key::Type, kind);
        }
    }
    let links = message
        .texts
        .iter()
        .filter_map(|text| text.html.as_ref())
        .flat_map(|html| &html.links);
    for link in links {
        add(&link.href, Key::Type, tag(link.kind));
        if link.kind == LinkKind::Anchor {
            add(&link.href, Key::Text, &link.text);
        }
    }
    found
}

/// The element that the kind of a link stands for.
fn tag(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::Anchor => "a",
        LinkKind::Area => "area",
        LinkKind::Image => "img",
        LinkKind::Form => "form",
        LinkKind::Frame => "iframe",
        LinkKind::Script => "script",
        LinkKind::Link => "link",
        LinkKind::Refresh => "meta",
        LinkKind::Base => "base",
    }
}

#[cfg(test)]
mod tests {
    use super::{BadDetail, UriDetail};

    #[test]
    fn definitions_are_read() {
        let detail =
            UriDetail::parse(r"raw =~ /%2E\/b/  domain !~ /^a\.example$/i type=~/^a b$/").unwrap();
        assert_eq!(detail.conditions.len(), 3);
        assert_eq!(
            detail
                .conditions
                .values()
                .map(|one| one.negated)
                .collect::<Vec<_>>(),
            [false, false, true]
        );
        for (text, wanted) in [
            ("", "form 0..0"),
            ("rw =~ /a/", "key 0..2"),
            ("raw /a/", "form 4..5"),
            ("raw =~ a", "form 7..8"),
            ("raw =~ /a", "form 7..9"),
            ("raw =~ /(/", "pattern 7"),
        ] {
            let reported = match UriDetail::parse(text).unwrap_err() {
                BadDetail::Form(_, span) => format!("form {span:?}"),
                BadDetail::Key(span) => format!("key {span:?}"),
                BadDetail::Pattern(at, _) => format!("pattern {at}"),
            };
            assert_eq!(reported, wanted, "{text}");
        }
    }
}
