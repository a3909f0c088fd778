//! Splits a message into its MIME entities (RFC 2045, RFC 2046 §5): one pass over the bytes with a
//! stack of its own.
//!
//! The stack holds the entities whose end is not known yet. A line that is the delimiter of one of
//! them ends all that are inside it; the innermost entity with that boundary wins. Composite
//! entities that are themselves encoded are decoded, within the budget, and then split in a run of
//! their own; a list of runs takes the place of recursion.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem::Finder;

use super::anomaly::Report;
use super::decode::{base64, quoted_printable};
use super::entity::Declared;
use super::scan::{FieldRange, HeaderBudget, Start, line_end, scan};
use super::{AnomalyKind, Entity, EntityKind, HeaderField, Limits, TransferEncoding};

/// Decoded bytes that even the shortest message may have.
const DECODED_FLOOR: usize = 64 << 10;

/// The bytes that a run splits.
enum Source<'a> {
    Message(&'a [u8]),
    Decoded(Vec<u8>),
}

impl<'a> Source<'a> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Message(bytes) => bytes,
            Self::Decoded(bytes) => bytes,
        }
    }

    fn cut(&self, range: Range<usize>) -> Cow<'a, [u8]> {
        match self {
            Self::Message(bytes) => Cow::Borrowed(bytes.get(range).unwrap_or_default()),
            Self::Decoded(bytes) => Cow::Owned(bytes.get(range).unwrap_or_default().to_vec()),
        }
    }
}

/// How far a multipart has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Preamble,
    Parts,
    Epilogue,
}

/// What ends with the entity that a frame stands for.
enum Role {
    Leaf,
    Message,
    /// A message/rfc822 that must be decoded before it can be read.
    EncodedMessage,
    Multipart {
        boundary: Vec<u8>,
        /// [`key`] of the boundary: most lines differ here already, which matters when there are
        /// many of them.
        boundary_key: u32,
        is_digest: bool,
        progress: Progress,
        /// Where the preamble or epilogue begins.
        text_start: usize,
        /// Text stands before the first delimiter.
        has_preamble: bool,
        /// The bytes of the run are those of this very entity, decoded.
        is_decoded: bool,
    },
}

/// An entity whose end is not known yet.
struct Frame {
    entity: usize,
    role: Role,
}

/// One pass over the message, or over the decoded bytes of a composite entity in it.
struct Run<'a> {
    source: Source<'a>,
    position: usize,
    frames: Vec<Frame>,
    /// Offset in the message of what was decoded, for anomalies.
    origin: usize,
}

/// The splitter's own stock: what is found, and what may still be spent.
struct Splitter<'a, 'r> {
    limits: &'r Limits,
    report: &'r mut Report,
    entities: Vec<Entity<'a>>,
    headers: HeaderBudget,
    decoded_left: &'r mut usize,
    delimiter: Finder<'static>,
    is_full: bool,
}

/// How many bytes decoding may give for a message of that length.
pub(super) fn decoded_budget(length: usize, limits: &Limits) -> usize {
    length
        .saturating_mul(limits.decoded_factor)
        .saturating_add(DECODED_FLOOR)
}

/// The entities of a message, depth first; at least one. What is decoded is taken off
/// `decoded_left`.
pub(super) fn split<'a>(
    raw: &'a [u8],
    limits: &Limits,
    decoded_left: &mut usize,
    report: &mut Report,
) -> Vec<Entity<'a>> {
    let mut splitter = Splitter {
        limits,
        report,
        entities: Vec::new(),
        headers: HeaderBudget::new(limits),
        decoded_left,
        delimiter: Finder::new(b"\n--"),
        is_full: false,
    };
    let mut run = Run {
        source: Source::Message(raw),
        position: 0,
        frames: Vec::new(),
        origin: 0,
    };
    splitter.begin(&mut run, None, 0, false);
    let mut runs = vec![run];
    while let Some(run) = runs.last_mut() {
        match splitter.advance(run) {
            Some(inner) => runs.push(inner),
            None => {
                runs.pop();
            }
        }
    }
    splitter.entities
}

impl<'a> Splitter<'a, '_> {
    /// Reads on to the end of the run, or until something decoded has to be read first.
    fn advance(&mut self, run: &mut Run<'a>) -> Option<Run<'a>> {
        while let Some(start) = self.next_candidate(run) {
            let bytes = run.source.bytes();
            let (end, next) = line_end(bytes, start);
            let line = bytes
                .get(start.saturating_add(2)..end)
                .unwrap_or_default()
                .trim_ascii_end();
            let Some((index, is_close)) = matching(&run.frames, line) else {
                run.position = next;
                continue;
            };
            let body_end = before_line_end(bytes, start);
            while run.frames.len() > index.saturating_add(1) {
                let frame = run.frames.pop()?;
                if let Some(inner) = self.close(frame, run, body_end) {
                    // The delimiter is looked at again when that is done.
                    run.position = start;
                    return Some(inner);
                }
            }
            run.position = next;
            self.delimited(run, start, is_close);
        }
        run.position = run.source.bytes().len();
        while let Some(frame) = run.frames.pop() {
            let inner = self.close(frame, run, run.position);
            if inner.is_some() {
                return inner;
            }
        }
        None
    }

    /// The next line that starts with two dashes.
    fn next_candidate(&self, run: &Run<'a>) -> Option<usize> {
        let bytes = run.source.bytes();
        let rest = bytes.get(run.position..).filter(|_| !self.is_full)?;
        let is_line_start =
            run.position == 0 || bytes.get(run.position.saturating_sub(1)) == Some(&b'\n');
        if is_line_start && rest.starts_with(b"--") {
            return Some(run.position);
        }
        self.delimiter
            .find(rest)
            .map(|at| run.position.saturating_add(at).saturating_add(1))
    }

    /// The delimiter of the last frame was found at `start`; `run.position` is behind it.
    fn delimited(&mut self, run: &mut Run<'a>, start: usize, is_close: bool) {
        let position = run.position;
        let bytes = run.source.bytes();
        let Some(Frame {
            entity,
            role:
                Role::Multipart {
                    progress,
                    text_start,
                    has_preamble,
                    is_digest,
                    ..
                },
        }) = run.frames.last_mut()
        else {
            return;
        };
        if *progress == Progress::Preamble && !is_blank(bytes, *text_start..start) {
            *has_preamble = true;
            self.report.add(
                AnomalyKind::PreambleText,
                run.origin.saturating_add(*text_start),
            );
        }
        if is_close {
            (*progress, *text_start) = (Progress::Epilogue, position);
            return;
        }
        *progress = Progress::Parts;
        let (parent, is_digest) = (*entity, *is_digest);
        let depth = self
            .entities
            .get(parent)
            .map_or(0, |entity| entity.depth.saturating_add(1));
        self.begin(run, Some(parent), depth, is_digest);
    }

    /// Begins an entity at the position of the run, and those directly in it (a message in a
    /// message in a message).
    fn begin(
        &mut self,
        run: &mut Run<'a>,
        mut parent: Option<usize>,
        mut depth: usize,
        mut is_digest: bool,
    ) {
        loop {
            let offset = run.origin.saturating_add(run.position);
            if self.entities.len() >= self.limits.parts.max(1) {
                self.report.add(AnomalyKind::PartsLimit, offset);
                self.is_full = true;
                return;
            }
            let bytes = run.source.bytes();
            let is_delimiter = |line: &[u8]| matching(&run.frames, line).is_some();
            let from = Start {
                at: run.position,
                is_message: parent.is_none(),
                origin: run.origin,
            };
            let block = scan(bytes, from, is_delimiter, &mut self.headers, self.report);
            run.position = block.body_start;
            let header = block
                .fields
                .iter()
                .map(|field| owned_field(&run.source, field))
                .collect();
            let mut declared = Declared::read(header, is_digest, self.report, offset);
            declared.entity.parent = parent;
            declared.entity.depth = depth;
            declared.entity.body = block.body_start..block.body_start;
            let index = self.entities.len();
            let role = self.role(&mut declared, run, offset);
            let is_message = matches!(role, Role::Message);
            self.entities.push(declared.entity);
            run.frames.push(Frame {
                entity: index,
                role,
            });
            if !is_message {
                return;
            }
            (parent, depth, is_digest) = (Some(index), depth.saturating_add(1), false);
        }
    }

    /// What the entity is, now that its header is known.
    fn role(&mut self, declared: &mut Declared<'a>, run: &Run<'a>, offset: usize) -> Role {
        let entity = &mut declared.entity;
        if entity.kind == EntityKind::Leaf {
            return Role::Leaf;
        }
        let boundary = std::mem::take(&mut declared.boundary);
        if entity.kind == EntityKind::Multipart && boundary.is_empty() {
            self.report.add(AnomalyKind::MissingBoundary, offset);
            entity.become_plain_text();
            return Role::Leaf;
        }
        if entity.depth >= self.limits.depth {
            self.report.add(AnomalyKind::DepthLimit, offset);
            entity.kind = EntityKind::Leaf;
            return Role::Leaf;
        }
        let is_encoded = matches!(
            entity.encoding,
            TransferEncoding::Base64 | TransferEncoding::QuotedPrintable
        );
        if is_encoded {
            self.report.add(AnomalyKind::EncodedComposite, offset);
        }
        if entity.kind == EntityKind::Message {
            return if is_encoded && !is_plainly_a_header(run, entity.encoding) {
                Role::EncodedMessage
            } else {
                Role::Message
            };
        }
        let boundary_key = key(&boundary);
        if run
            .frames
            .iter()
            .any(|frame| frame.is_open(&boundary, boundary_key))
        {
            self.report.add(AnomalyKind::NestedSameBoundary, offset);
        }
        Role::Multipart {
            boundary,
            boundary_key,
            is_digest: entity.media_type.sub == "digest",
            progress: Progress::Preamble,
            text_start: run.position,
            has_preamble: false,
            is_decoded: false,
        }
    }

    /// Ends an entity at `end`. Returns what has to be read next, if its body had to be decoded
    /// first.
    fn close(&mut self, frame: Frame, run: &Run<'a>, end: usize) -> Option<Run<'a>> {
        let entity = self.entities.get_mut(frame.entity)?;
        if !matches!(
            frame.role,
            Role::Multipart {
                is_decoded: true,
                ..
            }
        ) {
            entity.body.end = end.max(entity.body.start);
        }
        let offset = run.origin.saturating_add(entity.body.start);
        let (body, depth) = (entity.body.clone(), entity.depth);
        match frame.role {
            Role::Message => None,
            Role::Leaf => {
                self.fill(frame.entity, run, body);
                None
            }
            Role::EncodedMessage => {
                let bytes = self.decode(frame.entity, run.source.bytes().get(body)?, offset);
                let frames = vec![Frame {
                    entity: frame.entity,
                    role: Role::Message,
                }];
                let mut inner = Run {
                    source: Source::Decoded(bytes),
                    position: 0,
                    frames,
                    origin: offset,
                };
                self.begin(
                    &mut inner,
                    Some(frame.entity),
                    depth.saturating_add(1),
                    false,
                );
                Some(inner)
            }
            // Beyond the limit of parts nothing more is known of the end.
            Role::Multipart { .. } if self.is_full => None,
            Role::Multipart {
                progress: Progress::Parts,
                ..
            } => {
                self.report.add(AnomalyKind::UnclosedBoundary, offset);
                None
            }
            Role::Multipart {
                progress: Progress::Epilogue,
                text_start,
                has_preamble,
                is_decoded,
                ..
            } => {
                let has_epilogue = !is_blank(run.source.bytes(), text_start..end);
                if has_epilogue {
                    self.report.add(
                        AnomalyKind::PreambleText,
                        run.origin.saturating_add(text_start),
                    );
                }
                let has_parts = self.entities.len() > frame.entity.saturating_add(1);
                if (has_epilogue || has_preamble) && !has_parts {
                    // Closed before it began: what is there would be seen by nobody but the reader.
                    self.show_as_text(
                        frame.entity,
                        run,
                        if is_decoded { 0 } else { body.start }..end,
                    );
                }
                None
            }
            Role::Multipart {
                boundary,
                boundary_key,
                is_digest,
                is_decoded,
                ..
            } => {
                if !is_decoded
                    && matches!(
                        entity.encoding,
                        TransferEncoding::Base64 | TransferEncoding::QuotedPrintable
                    )
                {
                    let bytes = self.decode(frame.entity, run.source.bytes().get(body)?, offset);
                    let progress = Progress::Preamble;
                    let role = Role::Multipart {
                        boundary,
                        boundary_key,
                        is_digest,
                        progress,
                        text_start: 0,
                        has_preamble: false,
                        is_decoded: true,
                    };
                    let frames = vec![Frame {
                        entity: frame.entity,
                        role,
                    }];
                    return Some(Run {
                        source: Source::Decoded(bytes),
                        position: 0,
                        frames,
                        origin: offset,
                    });
                }
                self.report.add(AnomalyKind::UnclosedBoundary, offset);
                self.show_as_text(
                    frame.entity,
                    run,
                    if is_decoded { 0 } else { body.start }..end,
                );
                None
            }
        }
    }

    /// Makes a leaf of a multipart without parts. `body` lies in the bytes of the run, which are no
    /// more encoded.
    fn show_as_text(&mut self, index: usize, run: &Run<'a>, body: Range<usize>) {
        let Some(entity) = self.entities.get_mut(index) else {
            return;
        };
        entity.become_plain_text();
        entity.encoding = TransferEncoding::Identity;
        self.fill(index, run, body.start..body.end.max(body.start));
    }

    /// Sets the content of a leaf.
    fn fill(&mut self, index: usize, run: &Run<'a>, body: Range<usize>) {
        let Some(encoding) = self.entities.get(index).map(|entity| entity.encoding) else {
            return;
        };
        let offset = run.origin.saturating_add(body.start);
        let content = match encoding {
            TransferEncoding::Identity | TransferEncoding::Unknown => match &run.source {
                Source::Message(_) => run.source.cut(body),
                Source::Decoded(bytes) => {
                    // A copy, and so it counts.
                    let kept = body.len().min(*self.decoded_left);
                    if kept < body.len() {
                        self.report.add(AnomalyKind::DecodedLimit, offset);
                    }
                    *self.decoded_left = self.decoded_left.saturating_sub(kept);
                    let end = body.start.saturating_add(kept);
                    Cow::Owned(bytes.get(body.start..end).unwrap_or_default().to_vec())
                }
            },
            TransferEncoding::Base64 | TransferEncoding::QuotedPrintable => {
                Cow::Owned(self.decode(
                    index,
                    run.source.bytes().get(body).unwrap_or_default(),
                    offset,
                ))
            }
        };
        if let Some(entity) = self.entities.get_mut(index) {
            entity.content = content;
        }
    }

    /// Undoes the transfer encoding of an entity, within the budget.
    fn decode(&mut self, index: usize, bytes: &[u8], offset: usize) -> Vec<u8> {
        let is_base64 = self
            .entities
            .get(index)
            .is_some_and(|entity| entity.encoding == TransferEncoding::Base64);
        let (decoded, odd) = if is_base64 {
            (base64(bytes, *self.decoded_left), AnomalyKind::BadBase64)
        } else {
            (
                quoted_printable(bytes, *self.decoded_left),
                AnomalyKind::BadQuotedPrintable,
            )
        };
        *self.decoded_left = self.decoded_left.saturating_sub(decoded.bytes.len());
        if decoded.is_bad {
            self.report.add(odd, offset);
        }
        if decoded.is_cut {
            self.report.add(AnomalyKind::DecodedLimit, offset);
        }
        decoded.bytes
    }
}

impl Frame {
    /// Whether it is a multipart with that boundary that may still have parts.
    fn is_open(&self, line: &[u8], line_key: u32) -> bool {
        match &self.role {
            Role::Multipart {
                boundary,
                boundary_key,
                progress,
                ..
            } => *boundary_key == line_key && *progress != Progress::Epilogue && boundary == line,
            _ => false,
        }
    }
}

/// The innermost multipart of which `line` (without its two dashes) is a delimiter, and whether it
/// is the closing one.
fn matching(frames: &[Frame], line: &[u8]) -> Option<(usize, bool)> {
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
fn key(line: &[u8]) -> u32 {
    line.iter().rev().take(64).fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

/// The line end before a delimiter belongs to the delimiter (RFC 2046 §5.1.1).
fn before_line_end(bytes: &[u8], start: usize) -> usize {
    let before = bytes.get(..start).unwrap_or_default();
    let before = before.strip_suffix(b"\n").unwrap_or(before);
    before.strip_suffix(b"\r").unwrap_or(before).len()
}

fn is_blank(bytes: &[u8], range: Range<usize>) -> bool {
    bytes
        .get(range)
        .unwrap_or_default()
        .trim_ascii_start()
        .is_empty()
}

/// Whether a message that is declared as base64 begins with a header nevertheless: a colon is no
/// base64.
fn is_plainly_a_header(run: &Run<'_>, encoding: TransferEncoding) -> bool {
    let bytes = run.source.bytes();
    let (end, _) = line_end(bytes, run.position);
    let line = bytes.get(run.position..end).unwrap_or_default();
    encoding == TransferEncoding::Base64 && memchr::memchr(b':', line).is_some()
}

fn owned_field<'a>(source: &Source<'a>, field: &FieldRange) -> HeaderField<'a> {
    HeaderField {
        name: source.cut(field.name.clone()),
        raw: source.cut(field.raw.clone()),
    }
}
