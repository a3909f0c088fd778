//! MIME entities (RFC 2045, 2046, 2183).

use std::borrow::Cow;
use std::ops::Range;

use super::anomaly::Report;
use super::encoded_word::decode_words;
use super::header::Parameterized;
use super::meta_charset::html_charset;
use super::{AnomalyKind, HeaderField};

/// `type/subtype`, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    /// Such as `text`.
    pub main: String,
    /// Such as `html`.
    pub sub: String,
}

impl MediaType {
    /// Whether it is `main/sub`; both in lower case.
    pub fn is(&self, main: &str, sub: &str) -> bool {
        self.main == main && self.sub == sub
    }
}

impl std::fmt::Display for MediaType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.main, self.sub)
    }
}

/// Content-Transfer-Encoding (RFC 2045 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferEncoding {
    /// 7bit, 8bit, binary or none.
    Identity,
    /// Base 64.
    Base64,
    /// Quoted-printable.
    QuotedPrintable,
    /// Anything else: the bytes are taken as they are.
    Unknown,
}

/// What an entity is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntityKind {
    /// A leaf with content.
    Leaf,
    /// A multipart with children.
    Multipart,
    /// A message/rfc822 or message/global with one child.
    Message,
}

/// One MIME entity.
#[derive(Clone, Debug)]
pub struct Entity<'a> {
    /// Index of the parent in [`super::Message::entities`]; `None` for the first.
    pub parent: Option<usize>,
    /// 0 for the message itself.
    pub depth: usize,
    /// What it is made of.
    pub kind: EntityKind,
    /// Its own header fields (for the first entity: those of the message).
    pub header: Vec<HeaderField<'a>>,
    /// Declared type; `text/plain` where there is none.
    pub media_type: MediaType,
    /// The `charset` parameter, lower case.
    pub charset: Option<String>,
    /// Transfer encoding.
    pub encoding: TransferEncoding,
    /// Whether Content-Disposition says `attachment`.
    pub is_attachment: bool,
    /// File name from Content-Disposition or Content-Type (RFC 2231 and encoded words undone);
    /// never used as a path.
    pub file_name: Option<String>,
    /// Where its body is in the bytes of the message, or in those of the nearest decoded
    /// ancestor.
    pub body: Range<usize>,
    /// The decoded content of a leaf: transfer encoding undone, charset not. Empty for multiparts.
    pub content: Cow<'a, [u8]>,
}

/// An entity as its header declares it, before its body is known.
pub(super) struct Declared<'a> {
    pub(super) entity: Entity<'a>,
    /// The boundary of a multipart; empty where there is none.
    pub(super) boundary: Vec<u8>,
}

impl<'a> Declared<'a> {
    /// Reads what the fields say about content. Of several fields the last counts, as in
    /// SpamAssassin.
    pub(super) fn read(
        header: Vec<HeaderField<'a>>,
        in_digest: bool,
        report: &mut Report,
        offset: usize,
    ) -> Self {
        let (content_type, duplicate_type) = last(&header, "Content-Type");
        let (encoding, duplicate_encoding) = last(&header, "Content-Transfer-Encoding");
        let (disposition, _) = last(&header, "Content-Disposition");
        if duplicate_type {
            report.add(AnomalyKind::DuplicateContentType, offset);
        }
        if duplicate_encoding {
            report.add(AnomalyKind::DuplicateEncoding, offset);
        }
        let content_type = content_type.map(HeaderField::parameterized);
        let disposition = disposition.map(HeaderField::parameterized);
        if [&content_type, &disposition]
            .into_iter()
            .flatten()
            .any(|value| value.cut)
        {
            report.add(AnomalyKind::HeaderLineLimit, offset);
        }
        let encoding = encoding.map_or(TransferEncoding::Identity, |field| {
            transfer_encoding(&field.token())
        });
        if encoding == TransferEncoding::Unknown {
            report.add(AnomalyKind::UnknownEncoding, offset);
        }
        let file_name = disposition
            .as_ref()
            .and_then(|value| value.parameter("filename"));
        let file_name = file_name.or_else(|| {
            content_type
                .as_ref()
                .and_then(|value| value.parameter("name"))
        });
        let file_name = file_name.map(|name| decode_words(name.as_bytes()));
        let is_attachment = disposition
            .as_ref()
            .is_some_and(|value| value.main == "attachment");
        let content_type = content_type.unwrap_or_default();
        let media_type = MediaType::declared(&content_type, in_digest);
        let mut boundaries = content_type
            .parameters
            .iter()
            .filter(|(name, _)| name == "boundary");
        let boundary = boundaries
            .next()
            .map(|(_, value)| value.trim_end().as_bytes().to_vec())
            .unwrap_or_default();
        if boundaries.next().is_some() {
            report.add(AnomalyKind::DuplicateBoundary, offset);
        }
        let charset = content_type
            .parameter("charset")
            .map(|name| name.trim().to_ascii_lowercase());
        let entity = Entity {
            parent: None,
            depth: 0,
            kind: media_type.kind(),
            media_type,
            charset: charset.filter(|name| !name.is_empty()),
            encoding,
            is_attachment,
            file_name,
            body: 0..0,
            content: Cow::Borrowed(&[]),
            header,
        };
        Self { entity, boundary }
    }
}

impl MediaType {
    fn declared(value: &Parameterized, in_digest: bool) -> Self {
        let (main, sub) = match (
            value.main.as_str(),
            value.sub.as_deref().filter(|sub| !sub.is_empty()),
        ) {
            ("multipart", sub) => ("multipart", sub.unwrap_or("mixed")),
            ("", _) if in_digest => ("message", "rfc822"),
            (main, Some(sub)) if !main.is_empty() => (main, sub),
            _ => ("text", "plain"),
        };
        Self {
            main: main.to_owned(),
            sub: sub.to_owned(),
        }
    }

    fn kind(&self) -> EntityKind {
        match (self.main.as_str(), self.sub.as_str()) {
            ("multipart", _) => EntityKind::Multipart,
            ("message", "rfc822" | "global") => EntityKind::Message,
            _ => EntityKind::Leaf,
        }
    }
}

impl Entity<'_> {
    /// The charset that text is in: the declared one, else for HTML the one of its `meta` element.
    pub fn text_charset(&self) -> Option<Cow<'_, str>> {
        if let Some(declared) = &self.charset {
            return Some(Cow::Borrowed(declared));
        }
        let is_html = self.media_type.main == "text" && self.media_type.sub == "html";
        let is_plain = self.content.is_ascii() && memchr::memchr(0x1b, &self.content).is_none();
        if !is_html
            || is_plain
            || std::str::from_utf8(&self.content).is_ok_and(|_| !self.content.is_ascii())
        {
            return None;
        }
        html_charset(&self.content).map(Cow::Owned)
    }

    /// A multipart without parts is shown as text.
    pub(super) fn become_plain_text(&mut self) {
        self.kind = EntityKind::Leaf;
        self.media_type = MediaType {
            main: "text".to_owned(),
            sub: "plain".to_owned(),
        };
    }

    /// Whether a reader shows it as HTML: declared so, or named so.
    pub(super) fn is_html(&self) -> bool {
        let is_named = self
            .file_name
            .as_deref()
            .and_then(|name| name.rsplit_once('.'))
            .is_some_and(|(_, extension)| {
                ["htm", "html", "shtm", "shtml"]
                    .iter()
                    .any(|known| extension.eq_ignore_ascii_case(known))
            });
        self.kind == EntityKind::Leaf && (self.media_type.is("text", "html") || is_named)
    }
}

fn last<'m, 'a>(header: &'m [HeaderField<'a>], name: &str) -> (Option<&'m HeaderField<'a>>, bool) {
    let mut fields = header.iter().rev().filter(|field| field.is(name));
    (fields.next(), fields.next().is_some())
}

fn transfer_encoding(token: &str) -> TransferEncoding {
    match token {
        "" | "7bit" | "8bit" | "binary" => TransferEncoding::Identity,
        "base64" => TransferEncoding::Base64,
        "quoted-printable" => TransferEncoding::QuotedPrintable,
        _ => TransferEncoding::Unknown,
    }
}
