//! The values of header fields as rules see them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::addresses;
use super::charset::{end_of_word, unambiguous};
use super::header_request::{HeaderRequest, Part, Pick};
use crate::lists::tables::Lists;
use gatepost_mail::{Entity, HeaderAddress, HeaderField, Message, decode_words_up_to};
use gatepost_words::bytes;

/// Fields whose encoded words stay as they are; so do all that begin with `List-`.
const PLAIN_FIELDS: &[&str] = &[
    "Received",
    "Message-ID",
    "Resent-Message-ID",
    "Date",
    "Resent-Date",
    "MIME-Version",
    "References",
    "In-Reply-To",
];
/// Bytes of one value.
const VALUE_LIMIT: usize = 8_192;
/// Bytes of a name.
const FIELD_NAME_LIMIT: usize = 256;
/// Bytes of all fields together.
const HEADER_LIMIT: usize = 65_536;

/// Whether a field is seen: what another filter of this kind said is not.
fn is_seen(field: &HeaderField<'_>) -> bool {
    !field
        .name
        .get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"X-Spam-"))
}

fn picked<T>(mut found: Vec<T>, pick: Pick) -> Vec<T> {
    match pick {
        Pick::All => {}
        Pick::First => found.truncate(1),
        Pick::Last => found = found.pop().into_iter().collect(),
    }
    found
}

/// The value of the fields of some names, one name after the other.
pub(crate) fn fields(
    header: &[HeaderField<'_>],
    names: &[&str],
    request: &HeaderRequest,
    lists: &Lists,
) -> Option<Vec<u8>> {
    let of_name = |name: &'_ &str| {
        header
            .iter()
            .filter(|field| field.is(name) && is_seen(field))
            .collect::<Vec<_>>()
    };
    let found = picked(names.iter().flat_map(of_name).collect(), request.pick);
    if request.part == Part::Whole {
        let lines = found.iter().flat_map(|field| line(field, request.raw));
        return (!found.is_empty()).then(|| lines.collect());
    }
    let parts = found
        .iter()
        .flat_map(|field| entries(field))
        .filter_map(|one| part(one, request, lists));
    let parts: Vec<Vec<u8>> = parts.collect();
    (!parts.is_empty()).then(|| parts.join(&b'\n'))
}

/// The part of an entry that is asked for.
pub(crate) fn part(
    one: addresses::Entry,
    request: &HeaderRequest,
    lists: &Lists,
) -> Option<Vec<u8>> {
    let host = |address: Option<Vec<u8>>| {
        let address = address?;
        let at = address.iter().rposition(|byte| *byte == b'@')?;
        Some(String::from_utf8_lossy(address.get(at + 1..)?).into_owned())
    };
    match request.part {
        Part::Whole | Part::Address => one.address,
        Part::Name if request.raw => one.name,
        Part::Name => one.name.map(|name| display_name(&name)),
        Part::Host => host(one.address).map(String::into_bytes),
        Part::Domain => {
            let host = host(one.address)?.to_ascii_lowercase();
            let domain = lists
                .registered(&host)
                .or_else(|| gatepost_mail::registrable_domain(&host).map(str::to_owned));
            Some(domain.unwrap_or(host).into_bytes())
        }
    }
}

/// A display name with encoded words decoded and white space squeezed, without single quotes
/// around.
fn display_name(name: &[u8]) -> Vec<u8> {
    let unfolded: Vec<u8> = name
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    let decoded = decode_words_up_to(unambiguous(&unfolded).as_bytes(), end_of_word);
    let words: Vec<&str> = decoded
        .split(|c: char| c.is_ascii_whitespace() || c == '\u{b}')
        .filter(|w| !w.is_empty())
        .collect();
    if words.is_empty() {
        return decoded.into_bytes();
    }
    let name = words.join(" ");
    let inner = name
        .strip_prefix('\'')
        .and_then(|name| name.strip_suffix('\''));
    inner.map(str::to_owned).unwrap_or(name).into_bytes()
}

/// The value as it is, lines ended by LF, up to the limit.
fn value<'f>(field: &'f HeaderField<'_>) -> Cow<'f, [u8]> {
    let raw = field.raw.as_ref();
    if memchr::memchr(b'\r', raw).is_none() {
        return Cow::Borrowed(bytes::head(raw, VALUE_LIMIT));
    }
    let is_kept = |(at, byte): &(usize, &u8)| **byte != b'\r' || raw.get(at + 1) != Some(&b'\n');
    Cow::Owned(
        raw.iter()
            .enumerate()
            .filter(is_kept)
            .map(|(_, byte)| *byte)
            .take(VALUE_LIMIT)
            .collect(),
    )
}

/// The entries of a field. Where they are fewer than its commas say, or comments are in comments,
/// the strict reading is asked, too, as in SpamAssassin.
fn entries(field: &HeaderField<'_>) -> Vec<addresses::Entry> {
    let value = value(field);
    let entries = addresses::entries(&value);
    let count = |wanted: u8| memchr::memchr_iter(wanted, &value).count();
    let has_nested_comments = count(b'(') >= 2;
    let are_few = has_nested_comments || entries.len() <= count(b',');
    if value.trim_ascii().is_empty() || !are_few {
        return entries;
    }
    let strict = field.addresses();
    let is_better = strict.len() > entries.len() || (has_nested_comments && !strict.is_empty());
    if !is_better {
        return entries;
    }
    let entry = |one: HeaderAddress| addresses::Entry {
        name: one.display_name.map(String::into_bytes),
        address: Some(one.address.into_bytes()).filter(|address| address.contains(&b'@')),
    };
    strict.into_iter().map(entry).collect()
}

/// One field's value with a line end.
pub(crate) fn line(field: &HeaderField<'_>, raw: bool) -> Vec<u8> {
    let mut line = if raw {
        value(field).into_owned()
    } else {
        let unfolded = unfolded(&value(field));
        let text = unambiguous(&unfolded);
        let text = if is_plain(field) {
            text.into_owned()
        } else {
            decode_words_up_to(text.as_bytes(), end_of_word)
        };
        text.into_bytes()
    };
    line.push(b'\n');
    line
}

/// The value with each fold (line end and the blanks after it) as one blank.
fn unfolded(value: &[u8]) -> Vec<u8> {
    let mut unfolded = Vec::with_capacity(value.len());
    for (index, line) in value.trim_ascii().split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = line
            .iter()
            .position(|byte| !matches!(byte, b' ' | b'\t'))
            .unwrap_or(line.len());
        if index > 0 && text > 0 {
            unfolded.push(b' ');
            unfolded.extend_from_slice(bytes::skip(line, text));
        } else {
            unfolded.extend_from_slice(line);
        }
    }
    unfolded
}

fn is_plain(field: &HeaderField<'_>) -> bool {
    PLAIN_FIELDS.iter().any(|name| field.is(name))
        || field
            .name
            .get(..5)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"list-"))
}

/// The whole header as `Name: value` lines, up to the limit: then those names that come first are
/// there.
pub(crate) fn all(header: &[HeaderField<'_>], raw: bool) -> Vec<u8> {
    let mut lines: Vec<(usize, &[u8], Vec<u8>)> = Vec::new();
    let mut first_places: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    for (place, field) in header
        .iter()
        .enumerate()
        .filter(|(_, field)| raw || is_seen(field))
    {
        let first = *first_places
            .entry(field.name.to_ascii_lowercase())
            .or_insert(place);
        let name = field.name.get(..FIELD_NAME_LIMIT).unwrap_or(&field.name);
        lines.push((first, name, line(field, raw)));
    }
    let length = |(_, name, line): &(usize, &[u8], Vec<u8>)| name.len() + line.len() + 2;
    let total: usize = lines.iter().map(length).sum();
    let mut is_kept = vec![true; lines.len()];
    if total > HEADER_LIMIT {
        let mut order: Vec<usize> = (0..lines.len()).collect();
        order.sort_by_key(|index| lines.get(*index).map(|(first, ..)| (*first, *index)));
        let mut size = 0;
        for index in order {
            size += lines.get(index).map_or(0, length);
            if let Some(kept) = is_kept.get_mut(index) {
                *kept = size <= HEADER_LIMIT;
            }
        }
    }
    let mut out = Vec::with_capacity(total.min(HEADER_LIMIT));
    for ((_, name, line), _) in lines.iter().zip(is_kept).filter(|(_, is_kept)| *is_kept) {
        out.extend_from_slice(name);
        out.extend_from_slice(if raw { b":" } else { b": " });
        out.extend_from_slice(line);
    }
    out
}

/// The header block as it was received, without the line that message boxes put in front.
pub(crate) fn block<'m>(message: &Message<'m>) -> &'m [u8] {
    let block = bytes::head(message.raw, message.body_start);
    let start = if block.starts_with(b"From ") {
        memchr::memchr(b'\n', block).map_or(0, |end| end + 1)
    } else {
        0
    };
    let block = bytes::skip(block, start);
    block
        .strip_suffix(b"\n")
        .filter(|block| block.ends_with(b"\n"))
        .unwrap_or(block)
}

/// The last field of that name of an entity, or all of them.
pub(crate) fn mime(entity: &Entity<'_>, request: &HeaderRequest) -> Option<Vec<u8>> {
    if request.name == "ALL" {
        return Some(all(&entity.header, request.raw));
    }
    let field = entity
        .header
        .iter()
        .rev()
        .find(|field| field.is(&request.name))?;
    let line = line(field, request.raw);
    // Of the fields of parts, unlike those of the message, the blanks after the colon are never
    // kept.
    let is_part = request.raw && entity.parent.is_some();
    Some(if is_part {
        line.trim_ascii_start().to_vec()
    } else {
        line
    })
}
