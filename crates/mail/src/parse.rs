//! Reads a message: splits it, decodes its texts, collects its URLs, and notes what is odd.

use gatepost_words::bytes;

use std::borrow::Cow;

use super::anomaly::Report;
use super::decode::to_utf8;
use super::html::render_html_until;
use super::mime_tree::{decoded_budget, split};
use super::url_scan::Collector;
use super::{
    AnomalyKind, DerivedBytes, Entity, EntityKind, FILTER_MARKS_MAX, FilterMark, HeaderField,
    Limits, Message, TextPart,
};

/// Bytes of a line without its line end (RFC 5322 §2.1.1).
const LINE_BYTES: usize = 998;
/// Lines between two looks at the clock.
const LINES_BETWEEN_LOOKS: usize = 1 << 16;
/// No charset makes more UTF-8 of a byte than this.
const CHARSET_GROWTH: usize = 3;

/// Reads a message within `limits`.
pub(super) fn parse<'a>(raw: &'a [u8], limits: &Limits, expired: &dyn Fn() -> bool) -> Message<'a> {
    let mut report = Report::default();
    let derived = DerivedBytes::of_message(raw.len());
    let mut decoded_left = decoded_budget(raw.len(), limits);
    let entities = split(raw, limits, &mut decoded_left, &mut report);
    let header = entities
        .first()
        .map(|entity| entity.header.clone())
        .unwrap_or_default();
    let body_start = entities
        .first()
        .map_or(raw.len(), |entity| entity.body.start);
    note_lines(raw, body_start, expired, &mut report);
    note_header(&header, &mut report);
    // Decoding has a limit of its own, which is lower: it only counts here.
    derived.take(decoded_budget(raw.len(), limits).saturating_sub(decoded_left));
    let texts = read_texts(&entities, limits, &mut decoded_left, expired, &mut report);
    derived.take(texts.iter().map(made_of).sum());
    let mut collector = Collector::new(limits, &derived, expired, &mut report);
    for text in &texts {
        if expired() {
            break;
        }
        if let Some(facts) = &text.html {
            collector.html(facts, text.entity);
        }
        collector.text(&text.rendered, text.entity);
    }
    let urls = collector.urls;
    // Whatever stopped early did so because of this, and the time does not come back.
    let is_complete = !expired();
    Message {
        raw,
        header,
        body_start,
        entities,
        texts,
        urls,
        derived,
        is_complete,
        anomalies: report.anomalies,
    }
}

/// Line ends, overlong lines, NUL bytes: the first of each.
fn note_lines(raw: &[u8], body_start: usize, expired: &dyn Fn() -> bool, report: &mut Report) {
    if let Some(at) = memchr::memchr(0, raw) {
        report.add(AnomalyKind::NulByte, at);
    }
    let head = bytes::head(raw, body_start);
    let is_bare = |at: &usize| {
        head.get(at.saturating_add(1))
            .is_some_and(|byte| *byte != b'\n')
    };
    if let Some(at) = memchr::memchr_iter(b'\r', head).find(is_bare) {
        report.add(AnomalyKind::BareCr, at);
    }
    let (mut start, mut overlong, mut bare, mut has_proper) = (0, None, None, false);
    let ends = memchr::memchr_iter(b'\n', raw).chain([raw.len()]);
    for (number, at) in ends.enumerate() {
        if number % LINES_BETWEEN_LOOKS == LINES_BETWEEN_LOOKS - 1 && expired() {
            return;
        }
        let is_proper = at > start && raw.get(at.saturating_sub(1)) == Some(&b'\r');
        if at < raw.len() {
            has_proper |= is_proper;
            bare = bare.or((!is_proper).then_some(at));
        }
        if at
            .saturating_sub(start)
            .saturating_sub(usize::from(is_proper))
            > LINE_BYTES
        {
            overlong = overlong.or(Some(start));
        }
        start = at.saturating_add(1);
    }
    if let Some(at) = overlong {
        report.add(AnomalyKind::OverlongLine, at);
    }
    if let Some(at) = bare.filter(|_| has_proper) {
        report.add(AnomalyKind::BareLf, at);
    }
}

fn note_header(header: &[HeaderField<'_>], report: &mut Report) {
    if header.is_empty() {
        report.add(AnomalyKind::EmptyHeader, 0);
    }
    if header
        .iter()
        .any(|field| std::str::from_utf8(&field.raw).is_err())
    {
        report.add(AnomalyKind::EightBitHeader, 0);
    }
    let is_mark = |field: &&HeaderField<'_>| FilterMark::of(&field.name).is_some();
    if header.iter().filter(is_mark).count() > FILTER_MARKS_MAX {
        report.add(AnomalyKind::MarksLimit, 0);
    }
    let count = |name| header.iter().filter(|field| field.is(name)).take(2).count();
    match count("From") {
        0 => report.add(AnomalyKind::MissingFrom, 0),
        1 => {}
        _ => report.add(AnomalyKind::DuplicateFrom, 0),
    }
    if count("Subject") > 1 {
        report.add(AnomalyKind::DuplicateSubject, 0);
    }
}

/// The leaves that a person would read.
fn read_texts<'a>(
    entities: &[Entity<'a>],
    limits: &Limits,
    decoded_left: &mut usize,
    expired: &dyn Fn() -> bool,
    report: &mut Report,
) -> Vec<TextPart<'a>> {
    let mut html_left = limits.html;
    let mut texts = Vec::new();
    for (index, entity) in entities.iter().enumerate() {
        let is_html = entity.is_html();
        if entity.kind != EntityKind::Leaf || !(is_html || entity.media_type.is("text", "plain")) {
            continue;
        }
        // Asking again, after the texts, gives the same.
        if expired() {
            break;
        }
        let source = read_source(entity, decoded_left, report);
        if !is_html {
            texts.push(TextPart {
                entity: index,
                rendered: source.clone(),
                source,
                html: None,
            });
            continue;
        }
        let (rendered, facts) = render_html_until(&source, html_left, expired);
        html_left = html_left.saturating_sub(source.len());
        if facts.is_cut {
            report.add(AnomalyKind::HtmlLimit, entity.body.start);
        }
        texts.push(TextPart {
            entity: index,
            source,
            rendered: Cow::Owned(rendered),
            html: Some(facts),
        });
    }
    texts
}

/// Bytes that were made for a text.
fn made_of(text: &TextPart<'_>) -> usize {
    let length = |text: &Cow<'_, str>| match text {
        Cow::Borrowed(_) => 0,
        Cow::Owned(text) => text.len(),
    };
    length(&text.source) + length(&text.rendered)
}

/// The content of a leaf in UTF-8. What borrows from the message costs nothing; copies count as
/// decoded.
fn read_source<'a>(
    entity: &Entity<'a>,
    decoded_left: &mut usize,
    report: &mut Report,
) -> Cow<'a, str> {
    let charset = entity.text_charset();
    let charset = charset.as_deref();
    let is_utf_8 = std::str::from_utf8(&entity.content).is_ok();
    if let Cow::Borrowed(bytes) = entity.content
        && is_utf_8
        && let (Cow::Borrowed(text), odd) = to_utf8(bytes, charset)
    {
        if let Some(kind) = odd {
            report.add(kind, entity.body.start);
        }
        return Cow::Borrowed(text);
    }
    let growth = if is_utf_8 { 1 } else { CHARSET_GROWTH };
    let window = bytes::head(&entity.content, *decoded_left / growth);
    let (text, odd) = to_utf8(window, charset);
    *decoded_left = decoded_left.saturating_sub(text.len());
    if let Some(kind) = odd {
        report.add(kind, entity.body.start);
    }
    if window.len() < entity.content.len() {
        report.add(AnomalyKind::DecodedLimit, entity.body.start);
    }
    Cow::Owned(text.into_owned())
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
