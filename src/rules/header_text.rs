//! The values of header fields as rules see them.

use super::header_request::{HeaderRequest, Part, Pick};
use super::limits::HEADER_VALUE_LIMIT;
use crate::mail::{Entity, HeaderField, Message, decode_words};

/// Fields whose values are never decoded.
const PLAIN_FIELDS: &[&str] = &["Received", "Date", "MIME-Version", "References", "In-Reply-To"];

/// The value of the fields of one name.
pub(super) fn fields(header: &[HeaderField<'_>], name: &str, request: &HeaderRequest) -> Option<Vec<u8>> {
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

pub(super) fn part(one: &crate::mail::HeaderAddress, part: Part) -> Option<String> {
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
    let mut value = match (raw, is_plain(field)) {
        (true, _) => field.unfolded(),
        (false, true) => unfolded(field),
        (false, false) => decode_words(&unfolded(field)).into_bytes(),
    };
    value.push(b'\n');
    value
}

/// The value with each fold (line end and the blanks behind it) as one blank.
fn unfolded(field: &HeaderField<'_>) -> Vec<u8> {
    let mut value = Vec::with_capacity(field.raw.len());
    for (index, line) in field.raw.trim_ascii().split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = line.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(line.len());
        if index > 0 && text > 0 {
            value.push(b' ');
            value.extend_from_slice(line.get(text..).unwrap_or_default());
        } else {
            value.extend_from_slice(line);
        }
    }
    value.retain(|byte| *byte != b'\r');
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
pub(super) fn all(header: &[HeaderField<'_>], raw: bool) -> Vec<u8> {
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

pub(super) fn to_and_cc(message: &Message<'_>, request: &HeaderRequest) -> Option<Vec<u8>> {
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
pub(super) fn mime(entity: &Entity<'_>, request: &HeaderRequest) -> Option<Vec<u8>> {
    if request.name == "ALL" {
        return Some(all(&entity.header, request.raw));
    }
    entity.header.iter().rev().find(|field| field.is(&request.name)).map(|field| line(field, request.raw))
}
