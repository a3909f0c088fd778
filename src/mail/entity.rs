//! MIME entities (RFC 2045, 2046, 2183).

use std::borrow::Cow;
use std::ops::Range;

use super::HeaderField;

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
    /// File name from Content-Disposition or Content-Type (RFC 2231 and encoded words undone); never used as a path.
    pub file_name: Option<String>,
    /// Where its body lies in the bytes of the message, or in those of the nearest decoded ancestor.
    pub body: Range<usize>,
    /// The decoded content of a leaf: transfer encoding undone, charset not. Empty for multiparts.
    pub content: Cow<'a, [u8]>,
}
