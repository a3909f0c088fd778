//! The entities of a message whose end is not known yet, and the bytes in which it is looked for.

use std::borrow::Cow;
use std::ops::Range;

use gatepost_words::bytes::{head, slice};

use super::header_block::{FieldRange, line_end};
use super::{HeaderField, TransferEncoding};

/// The bytes that a run splits.
pub(super) enum Source<'a> {
    Message(&'a [u8]),
    Decoded(Vec<u8>),
}

impl<'a> Source<'a> {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Message(bytes) => bytes,
            Self::Decoded(bytes) => bytes,
        }
    }

    pub(super) fn slice(&self, range: Range<usize>) -> Cow<'a, [u8]> {
        match self {
            Self::Message(bytes) => Cow::Borrowed(slice(bytes, range)),
            Self::Decoded(bytes) => Cow::Owned(slice(bytes, range).to_vec()),
        }
    }
}

/// How far a multipart has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Preamble,
    Parts,
    Epilogue,
}

/// What ends with the entity that a frame stands for.
pub(super) enum Role {
    Leaf,
    Message,
    /// A message/rfc822 that must be decoded before it can be read.
    EncodedMessage,
    Multipart(Multipart),
}

/// A multipart that is being read.
pub(super) struct Multipart {
    pub(super) boundary: Vec<u8>,
    /// [`key`] of the boundary: most lines differ here already, which matters when there are many
    /// of them.
    pub(super) boundary_key: u32,
    pub(super) is_digest: bool,
    pub(super) progress: Progress,
    /// Where the preamble or epilogue begins.
    pub(super) text_start: usize,
    /// There is text before the first delimiter.
    pub(super) has_preamble: bool,
    /// The bytes of the run are those of this very entity, decoded.
    pub(super) is_decoded: bool,
}

/// An entity whose end is not known yet.
pub(super) struct Frame {
    pub(super) entity: usize,
    pub(super) role: Role,
}

impl Multipart {
    /// A multipart whose preamble begins at `text_start`.
    pub(super) fn new(boundary: Vec<u8>, is_digest: bool, text_start: usize) -> Self {
        Self {
            boundary_key: key(&boundary),
            boundary,
            is_digest,
            progress: Progress::Preamble,
            text_start,
            has_preamble: false,
            is_decoded: false,
        }
    }
}

impl Frame {
    /// Whether it is a multipart with that boundary that may still have parts.
    pub(super) fn is_open(&self, line: &[u8], line_key: u32) -> bool {
        match &self.role {
            Role::Multipart(multipart) => {
                multipart.boundary_key == line_key
                    && multipart.progress != Progress::Epilogue
                    && multipart.boundary == line
            }
            _ => false,
        }
    }

    /// Whether the run consists of the decoded bytes of this entity.
    pub(super) fn is_decoded(&self) -> bool {
        matches!(&self.role, Role::Multipart(multipart) if multipart.is_decoded)
    }
}

/// One pass over the message, or over the decoded bytes of a composite entity in it.
pub(super) struct Run<'a> {
    pub(super) source: Source<'a>,
    pub(super) position: usize,
    pub(super) frames: Vec<Frame>,
    /// Offset in the message of what was decoded, for anomalies.
    pub(super) origin: usize,
}

/// The innermost multipart of which `line` (without its two dashes) is a delimiter, and whether it
/// is the closing one.
pub(super) fn matching(frames: &[Frame], line: &[u8]) -> Option<(usize, bool)> {
    let line_key = key(line);
    if let Some(index) = frames
        .iter()
        .rposition(|frame| frame.is_open(line, line_key))
    {
        return Some((index, false));
    }
    let line = line.strip_suffix(b"--")?.trim_ascii_end();
    let line_key = key(line);
    frames
        .iter()
        .rposition(|frame| frame.is_open(line, line_key))
        .map(|index| (index, true))
}

/// FNV-1a, from the end of at most 64 bytes: boundaries mostly begin alike.
pub(super) fn key(line: &[u8]) -> u32 {
    line.iter().rev().take(64).fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

/// The line end before a delimiter belongs to the delimiter (RFC 2046 §5.1.1).
pub(super) fn before_line_end(bytes: &[u8], start: usize) -> usize {
    let before = head(bytes, start);
    let before = before.strip_suffix(b"\n").unwrap_or(before);
    before.strip_suffix(b"\r").unwrap_or(before).len()
}

pub(super) fn is_blank(bytes: &[u8], range: Range<usize>) -> bool {
    slice(bytes, range).trim_ascii_start().is_empty()
}

/// Whether a message that is declared as base64 begins with a header nevertheless: a colon is not
/// base64.
pub(super) fn is_plainly_a_header(run: &Run<'_>, encoding: TransferEncoding) -> bool {
    let bytes = run.source.bytes();
    let (end, _) = line_end(bytes, run.position);
    let line = slice(bytes, run.position..end);
    encoding == TransferEncoding::Base64 && memchr::memchr(b':', line).is_some()
}

pub(super) fn owned_field<'a>(source: &Source<'a>, field: &FieldRange) -> HeaderField<'a> {
    HeaderField {
        name: source.slice(field.name.clone()),
        raw: source.slice(field.raw.clone()),
    }
}
