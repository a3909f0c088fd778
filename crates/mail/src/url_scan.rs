//! Finds URLs in text and in HTML links, in linear time.

use gatepost_words::bytes::{head, head_str, skip_str};

use std::collections::HashSet;

use super::anomaly::Report;
use super::html_facts::{HtmlFacts, LinkKind};
use super::url::{URL_BYTES, Url, UrlSource, registrable};
use super::{AnomalyKind, DerivedBytes, Limits};

/// URLs read out of one word: a redirector names its target inside itself.
const PER_WORD: usize = 4;
/// Words without scheme that are looked up in the public suffix list, in one message.
const LOOKUPS: usize = 50_000;
/// Words or links between two looks at the clock.
const BETWEEN_LOOKS: usize = 1 << 10;
/// Suffixes under which a bare `name.suffix` in text is taken for a host even without a path.
/// Others look too much like file names (`readme.md`, `run.sh`).
const BARE_SUFFIXES: [&str; 12] = [
    "com", "net", "org", "info", "biz", "edu", "gov", "top", "xyz", "shop", "online", "site",
];

/// The URLs of a message: each once, in order, a bounded number.
pub(super) struct Collector<'r> {
    pub(super) urls: Vec<Url>,
    seen: HashSet<String>,
    limit: usize,
    lookups_left: usize,
    derived: &'r DerivedBytes,
    expired: &'r dyn Fn() -> bool,
    /// The limit of lookups was met, and reported.
    is_out_of_lookups: bool,
    report: &'r mut Report,
}

impl<'r> Collector<'r> {
    pub(super) fn new(
        limits: &Limits,
        derived: &'r DerivedBytes,
        expired: &'r dyn Fn() -> bool,
        report: &'r mut Report,
    ) -> Self {
        Self {
            urls: Vec::new(),
            seen: HashSet::new(),
            limit: limits.urls,
            lookups_left: LOOKUPS,
            derived,
            expired,
            is_out_of_lookups: false,
            report,
        }
    }

    fn add(&mut self, url: Option<Url>) {
        let Some(url) = url else { return };
        if self.seen.contains(&url.normalized) {
            return;
        }
        if self.urls.len() >= self.limit {
            self.report.add(AnomalyKind::UrlsLimit, 0);
            return;
        }
        self.seen.insert(url.normalized.clone());
        self.urls.push(url);
    }

    /// Adds the URLs in the attributes of HTML; relative ones where the page has a base.
    pub(super) fn html(&mut self, facts: &HtmlFacts, entity: usize) {
        let base = facts
            .links
            .iter()
            .find(|link| link.kind == LinkKind::Base)
            .map(|link| link.href.trim_end_matches('/'));
        for (number, link) in facts.links.iter().enumerate() {
            if self.is_time_up(number) {
                return;
            }
            let text = (link.kind == LinkKind::Anchor).then(|| link.text.clone());
            let source = UrlSource::Html { anchor_text: text };
            let has_scheme = head_str(&link.href, 12).contains(':');
            let is_rooted =
                has_scheme || link.href.starts_with("//") || link.href.starts_with("\\\\");
            match base.filter(|_| !is_rooted) {
                Some(base) => {
                    // Twice: as written and in normal form.
                    if !self.derived.take(2 * (base.len() + link.href.len())) {
                        self.report.add(AnomalyKind::DerivedLimit, 0);
                        return;
                    }
                    let joined = format!("{base}/{}", link.href.trim_start_matches('/'));
                    self.add(Url::read(&joined, source, entity));
                }
                None => self.add(Url::read(&link.href, source, entity)),
            }
            self.embedded(&link.href, entity);
        }
    }

    /// Looks at the clock now and then.
    fn is_time_up(&self, number: usize) -> bool {
        number % BETWEEN_LOOKS == BETWEEN_LOOKS - 1 && (self.expired)()
    }

    /// Adds the URLs in text.
    pub(super) fn text(&mut self, text: &str, entity: usize) {
        for (number, word) in text.split(is_delimiter).enumerate() {
            if self.is_time_up(number) {
                return;
            }
            // The shortest: `a.co/`.
            if word.len() >= 5 {
                self.word(head_str(word, URL_BYTES), entity);
            }
        }
    }

    fn word(&mut self, word: &str, entity: usize) {
        let bytes = word.as_bytes();
        let Some(slashes) = memchr::memmem::find(bytes, b"://") else {
            if !self.is_out_of_lookups && memchr::memchr(b'.', bytes).is_some() {
                self.schemeless(word, entity);
            }
            return;
        };
        let before = head(bytes, slashes);
        let Some(scheme) = ["https", "http", "ftp"]
            .into_iter()
            .find(|scheme| ends_with(before, scheme))
        else {
            return;
        };
        let url = trim_tail(skip_str(word, slashes.saturating_sub(scheme.len())));
        self.add(Url::read(url, UrlSource::Text, entity));
        self.embedded(url, entity);
    }

    /// Adds the URLs inside another one.
    fn embedded(&mut self, url: &str, entity: usize) {
        let bytes = url.as_bytes();
        for slashes in memchr::memmem::find_iter(bytes, b"://").take(PER_WORD) {
            let before = head(bytes, slashes);
            let scheme = ["https", "http"]
                .into_iter()
                .find(|scheme| ends_with(before, scheme));
            let Some(start) = scheme
                .map(|scheme| slashes.saturating_sub(scheme.len()))
                .filter(|start| *start > 0)
            else {
                continue;
            };
            self.add(Url::read(
                trim_tail(skip_str(url, start)),
                UrlSource::Text,
                entity,
            ));
        }
    }

    /// `www.example.com`, `example.com/path` and `example.com`; not `someone@example.com`.
    fn schemeless(&mut self, word: &str, entity: usize) {
        let word = trim_tail(word.trim_start_matches(|c: char| !c.is_alphanumeric()));
        let end = word.find(['/', '?', '#', ':']).unwrap_or(word.len());
        let Some((host, path)) = word.split_at_checked(end) else {
            return;
        };
        let is_host = host.len() <= 255
            && host.contains('.')
            && host
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
            && !host.contains("..");
        if !is_host {
            return;
        }
        let host = host.to_lowercase();
        let suffix = host.rsplit('.').next().unwrap_or_default();
        let is_named =
            host.starts_with("www.") || host.starts_with("ftp.") || path.starts_with('/');
        if !is_named && !BARE_SUFFIXES.contains(&suffix) {
            return;
        }
        if self.lookups_left == 0 {
            self.is_out_of_lookups = true;
            self.report.add(AnomalyKind::UrlsLimit, 0);
            return;
        }
        self.lookups_left -= 1;
        if registrable(&host).is_some() {
            let url = Url::read(&format!("http://{word}"), UrlSource::Text, entity);
            self.add(url.map(|url| Url {
                raw: word.to_owned(),
                ..url
            }));
        }
    }
}

fn ends_with(bytes: &[u8], scheme: &str) -> bool {
    let start = bytes.len().checked_sub(scheme.len());
    start
        .and_then(|start| bytes.get(start..))
        .is_some_and(|end| end.eq_ignore_ascii_case(scheme.as_bytes()))
}

/// What cannot be part of a URL in text.
fn is_delimiter(c: char) -> bool {
    matches!(
        c,
        ' ' | '<'
            | '>'
            | '"'
            | '`'
            | '{'
            | '}'
            | '|'
            | '\u{a0}'
            | '\u{3000}'
            | '“'
            | '”'
            | '»'
            | '«'
    ) || c.is_control()
}

/// Punctuation at the end belongs to the sentence; a closing bracket only where none was opened.
fn trim_tail(url: &str) -> &str {
    let mut url = url;
    // How many brackets more are closed than opened: counted once, so that a tail of brackets costs
    // no more.
    let (opened, mut closed) = (url.matches('(').count(), url.matches(')').count());
    while let Some(last) = url.chars().next_back() {
        match last {
            ')' if closed > opened => closed -= 1,
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' | '^' | ']' | '…' => {}
            _ => break,
        }
        url = head_str(url, url.len() - last.len_utf8());
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render_html;

    fn found(text: &str) -> Vec<String> {
        let mut report = Report::default();
        let (limits, derived) = (Limits::default(), DerivedBytes::of_message(0));
        let mut collector = Collector::new(&limits, &derived, &|| false, &mut report);
        collector.text(text, 0);
        collector
            .urls
            .into_iter()
            .map(|url| url.normalized)
            .collect()
    }

    #[test]
    fn urls_are_found_in_text() {
        for (text, expected) in [
            ("", vec![]),
            (
                "see http://example.com/a, or (https://example.net/b).",
                vec!["http://example.com/a", "https://example.net/b"],
            ),
            (
                "<http://example.com/a_(b)>",
                vec!["http://example.com/a_(b)"],
            ),
            ("x:HTTP://example.com", vec!["http://example.com"]),
            (
                "www.example.com. Example.com/x example.net",
                vec![
                    "http://www.example.com",
                    "http://example.com/x",
                    "http://example.net",
                ],
            ),
            ("someone@example.com readme.md a.b 1.5 e.g. x..com/", vec![]),
            ("readme.md/x", vec!["http://readme.md/x"]),
            (
                "http://example.com/?u=http://example.net/",
                vec![
                    "http://example.com/?u=http://example.net/",
                    "http://example.net/",
                ],
            ),
            (
                "http://example.com/ http://example.com/",
                vec!["http://example.com/"],
            ),
            ("gopher://example.com/", vec![]),
            ("://", vec![]),
        ] {
            assert_eq!(found(text), expected, "{text:?}");
        }
    }

    #[test]
    fn urls_are_found_in_html() {
        let source = "<base href=http://example.com/><a href='/x?a=1&amp;b=2'>go</a><img src='http://ex&#97;mple.net/i'><a href=cid:x>";
        let (_, facts) = render_html(source, usize::MAX);
        let mut report = Report::default();
        let (limits, derived) = (Limits::default(), DerivedBytes::of_message(0));
        let mut collector = Collector::new(&limits, &derived, &|| false, &mut report);
        collector.html(&facts, 3);
        let urls: Vec<_> = collector
            .urls
            .iter()
            .map(|url| (url.normalized.as_str(), &url.source, url.entity))
            .collect();
        let html = |text: Option<&str>| UrlSource::Html {
            anchor_text: text.map(str::to_owned),
        };
        assert_eq!(
            urls,
            [
                ("http://example.com/", &html(None), 3),
                ("http://example.com/x?a=1&b=2", &html(Some("go")), 3),
                ("http://example.net/i", &html(None), 3),
            ]
        );
    }

    #[test]
    fn urls_stop_at_the_limit() {
        let limits = Limits {
            urls: 3,
            ..Limits::default()
        };
        for (count, is_over) in [(3, false), (4, true)] {
            let mut report = Report::default();
            let derived = DerivedBytes::of_message(0);
            let mut collector = Collector::new(&limits, &derived, &|| false, &mut report);
            let text = (0..count)
                .map(|index| format!("http://example.com/{index} "))
                .collect::<Vec<_>>()
                .concat();
            collector.text(&text, 0);
            assert_eq!(collector.urls.len(), 3);
            assert_eq!(
                report
                    .anomalies
                    .iter()
                    .any(|odd| odd.kind == AnomalyKind::UrlsLimit),
                is_over
            );
        }
    }

    #[test]
    fn lookups_stop_at_the_limit() {
        for (count, is_over) in [(LOOKUPS, false), (LOOKUPS + 1, true)] {
            let mut report = Report::default();
            Collector::new(
                &Limits::default(),
                &DerivedBytes::of_message(0),
                &|| false,
                &mut report,
            )
            .text(&"example.com ".repeat(count), 0);
            assert_eq!(
                report
                    .anomalies
                    .iter()
                    .any(|odd| odd.kind == AnomalyKind::UrlsLimit),
                is_over
            );
        }
    }
}
