//! Oddities of the outer form: separators and delimiters that are missing, text where none belongs.

use super::signature::Arguments;
use crate::views::lazy::Views;
use gatepost_mail::{Entity, EntityKind, HeaderField};
use gatepost_words::bytes;

/// Bytes of a field's value and of its name that SpamAssassin keeps.
const VALUE_LIMIT: usize = 8_192;
const NAME_LIMIT: usize = 256;

pub(super) fn has_flag(views: &Views<'_>, arguments: &Arguments) -> bool {
    let message = views.case().message;
    match arguments.text(0) {
        "missing_head_body_separator" => {
            message.body().is_empty()
                || !is_separated(message.raw, message.raw.len() - message.body().len())
        }
        "missing_mime_head_body_separator" => {
            parts(views).any(|part| !is_separated(message.raw, part.body.start))
        }
        "missing_mime_headers" => parts(views).any(|part| part.header.is_empty()),
        "mime_epilogue_exists" => own_entities(views).any(|entity| has_epilogue(views, entity)),
        "truncated_header" => message
            .header
            .iter()
            .any(|field| field.raw.len() > VALUE_LIMIT || field.name.len() > NAME_LIMIT),
        _ => false,
    }
}

/// The entities of the message itself, not those of messages inside of it.
fn own_entities<'v>(views: &'v Views<'_>) -> impl Iterator<Item = &'v Entity<'v>> {
    let all = &views.case().message.entities;
    all.iter().filter(|entity| {
        let mut outer = entity.parent.and_then(|parent| all.get(parent));
        for _ in 0..all.len() {
            match outer {
                Some(entity) if entity.kind == EntityKind::Message => return false,
                Some(entity) => outer = entity.parent.and_then(|parent| all.get(parent)),
                None => break,
            }
        }
        true
    })
}

/// The parts of multiparts.
fn parts<'v>(views: &'v Views<'_>) -> impl Iterator<Item = &'v Entity<'v>> {
    own_entities(views).filter(|entity| entity.parent.is_some())
}

/// Whether a blank line is before the offset.
fn is_separated(raw: &[u8], offset: usize) -> bool {
    let before = bytes::head(raw, offset);
    before.ends_with(b"\n\n") || before.ends_with(b"\n\r\n") || matches!(before, b"\n" | b"\r\n")
}

/// Text is after the closing delimiter of a multipart. A dot alone is how some mailers end a
/// message.
fn has_epilogue(views: &Views<'_>, entity: &Entity<'_>) -> bool {
    let content_type = entity
        .header
        .iter()
        .rev()
        .find(|field| field.is("Content-Type"))
        .map(HeaderField::decoded);
    let boundary = content_type
        .as_deref()
        .and_then(boundary)
        .filter(|_| entity.kind == EntityKind::Multipart);
    let (Some(boundary), Some(body)) =
        (boundary, views.case().message.raw.get(entity.body.clone()))
    else {
        return false;
    };
    let end = format!("--{boundary}--");
    let mut lines = body.split(|byte| *byte == b'\n');
    let is_closed = lines.any(|line| line.starts_with(end.as_bytes()));
    is_closed
        && lines.any(|line| {
            line.iter()
                .any(|byte| !byte.is_ascii_whitespace() && *byte != b'.' && *byte != 0x0b)
        })
}

/// The parameter `boundary` of a Content-Type.
fn boundary(content_type: &str) -> Option<&str> {
    let at = content_type.to_ascii_lowercase().find("boundary")?;
    let value = content_type
        .get(at + "boundary".len()..)?
        .trim_start()
        .strip_prefix('=')?
        .trim_start();
    let boundary = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => value.split([';', ' ', '\n', '\t']).next(),
    };
    boundary
        .map(str::trim_end)
        .filter(|boundary| !boundary.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{boundary, is_separated};

    #[test]
    fn separators_and_boundaries() {
        for (before, wanted) in [
            ("a: b\n\n", true),
            ("a: b\r\n\r\n", true),
            ("a: b\n", false),
            ("\n", true),
            ("", false),
        ] {
            assert_eq!(
                is_separated(before.as_bytes(), before.len()),
                wanted,
                "{before:?}"
            );
        }
        for (value, wanted) in [
            ("multipart/mixed; Boundary=\"a b\"; x=y", Some("a b")),
            ("multipart/mixed; boundary=ab; x", Some("ab")),
            ("multipart/mixed;boundary = \"ab\"", Some("ab")),
            ("multipart/mixed; boundary=", None),
            ("multipart/mixed; boundary", None),
            ("text/plain", None),
        ] {
            assert_eq!(boundary(value), wanted, "{value}");
        }
    }
}
