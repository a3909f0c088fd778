//! Tokens of shape: which parts a mail has, never what they say or where they come from.

use super::Schema;
use super::hash::{bucket, token};
use super::vector::{Bag, Origin};
use gatepost_mail::{EntityKind, HeaderField, Message, TransferEncoding};

/// The header fields that senders write. All others are never looked at: receivers, lists and
/// collectors add them, so they would reveal where the message was found.
const FIELDS: [&str; 20] = [
    "from",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
    "content-language",
    "in-reply-to",
    "references",
    "user-agent",
    "organization",
    "importance",
    "priority",
    "disposition-notification-to",
];
/// Entities looked at.
const ENTITIES: usize = 24;
/// Tags looked at in one text.
const TAGS: usize = 48;
/// URLs looked at.
const URLS: usize = 24;

/// Adds all shape tokens of `message`.
pub(super) fn add(message: &Message<'_>, bag: &mut Bag) {
    header(message, bag);
    entities(message, bag);
    html(message, bag);
    urls(message, bag);
}

fn put(bag: &mut Bag, pieces: &[&str]) {
    // Bucket 0 is the one that every mail has.
    let origin = || Origin {
        place: "shape",
        word: pieces.concat(),
    };
    bag.add(
        bucket(token(pieces), Schema::ALWAYS + 1..Schema::SHAPE_BUCKETS),
        origin,
    );
}

fn known(field: &HeaderField<'_>) -> Option<&'static str> {
    FIELDS.into_iter().find(|name| field.is(name))
}

/// Which fields there are and how their names are written.
fn header(message: &Message<'_>, bag: &mut Bag) {
    for field in &message.header {
        let Some(name) = known(field) else { continue };
        put(bag, &["field:", name]);
        let written: &[u8] = &field.name;
        let style = if written.iter().all(|byte| !byte.is_ascii_uppercase()) {
            "lower"
        } else if written.iter().all(|byte| !byte.is_ascii_lowercase()) {
            "upper"
        } else {
            continue;
        };
        put(bag, &["field-case:", style]);
    }
}

fn entities(message: &Message<'_>, bag: &mut Bag) {
    for entity in message.entities.iter().take(ENTITIES) {
        let encoding = match entity.encoding {
            TransferEncoding::Identity => "identity",
            TransferEncoding::Base64 => "base64",
            TransferEncoding::QuotedPrintable => "quoted-printable",
            TransferEncoding::Unknown => "unknown",
        };
        let kind = match entity.kind {
            EntityKind::Leaf => "leaf",
            EntityKind::Multipart => "multipart",
            EntityKind::Message => "message",
        };
        let media_type = &entity.media_type;
        let depth = entity.depth.min(5).to_string();
        put(bag, &["type:", &media_type.main, "/", &media_type.sub]);
        put(
            bag,
            &[
                "type-at:",
                &depth,
                ":",
                &media_type.main,
                "/",
                &media_type.sub,
            ],
        );
        put(
            bag,
            &["encoding:", kind, ":", &media_type.main, ":", encoding],
        );
        if let Some(charset) = &entity.charset {
            put(bag, &["charset:", charset]);
        }
        if let Some((_, extension)) = entity
            .file_name
            .as_deref()
            .and_then(|name| name.rsplit_once('.'))
        {
            put(bag, &["extension:", &extension.to_ascii_lowercase()]);
        }
    }
}

fn html(message: &Message<'_>, bag: &mut Bag) {
    for facts in message
        .texts
        .iter()
        .filter_map(|text| text.html.as_ref())
        .take(4)
    {
        for (tag, count) in facts.tags.iter().take(TAGS) {
            put(bag, &["tag:", tag]);
            if *count >= 10 {
                put(bag, &["tag-often:", tag]);
            }
        }
    }
}

/// The kind of host that URLs lead to, not its name: names of hosts reveal the source of a corpus and
/// change daily in spam.
fn urls(message: &Message<'_>, bag: &mut Bag) {
    for url in message.urls.iter().take(URLS) {
        let top = if url.registrable.is_some() {
            url.host.rsplit('.').next().unwrap_or_default()
        } else {
            "none"
        };
        put(bag, &["top:", top]);
        let labels = url.host.split('.').count().min(6).to_string();
        put(bag, &["labels:", &labels]);
        let last = url
            .path
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .rsplit('/')
            .next()
            .unwrap_or_default();
        if let Some((_, extension)) = last.rsplit_once('.')
            && extension.len() <= 6
        {
            put(bag, &["path-extension:", &extension.to_ascii_lowercase()]);
        }
    }
}
