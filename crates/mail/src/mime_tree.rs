//! Splits a message into its MIME entities (RFC 2045, RFC 2046 §5): one pass over the bytes with a
//! stack of its own.
//!
//! The stack holds the entities whose end is not known yet. A line that is the delimiter of one of
//! them ends all that are inside it; the innermost entity with that boundary wins. Composite
//! entities that are themselves encoded are decoded, within the budget, and then split in a run of
//! their own; a list of runs takes the place of recursion.

use gatepost_words::bytes::slice;
use memchr::memmem::Finder;

use super::anomaly::Report;
use super::entity::Declared;
use super::header_block::{HeaderBudget, Start, line_end, scan};
use super::mime_frames::{
    Frame, Multipart, Progress, Role, Run, Source, before_line_end, is_blank, is_plainly_a_header,
    key, matching, owned_field,
};
use super::{AnomalyKind, Entity, EntityKind, Limits, TransferEncoding};

/// Decoded bytes that even the shortest message may have.
const DECODED_FLOOR: usize = 64 << 10;

/// What was found so far, and what may still be spent.
pub(super) struct Splitter<'a, 'r> {
    limits: &'r Limits,
    pub(super) report: &'r mut Report,
    pub(super) entities: Vec<Entity<'a>>,
    headers: HeaderBudget,
    pub(super) decoded_left: &'r mut usize,
    delimiter: Finder<'static>,
    pub(super) is_full: bool,
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
            let line = slice(bytes, start.saturating_add(2)..end).trim_ascii_end();
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

    /// The delimiter of the last frame was found at `start`; `run.position` is after it.
    fn delimited(&mut self, run: &mut Run<'a>, start: usize, is_close: bool) {
        let position = run.position;
        let bytes = run.source.bytes();
        let Some(Frame {
            entity,
            role: Role::Multipart(multipart),
        }) = run.frames.last_mut()
        else {
            return;
        };
        let is_preamble = multipart.progress == Progress::Preamble;
        if is_preamble && !is_blank(bytes, multipart.text_start..start) {
            multipart.has_preamble = true;
            let offset = run.origin.saturating_add(multipart.text_start);
            self.report.add(AnomalyKind::PreambleText, offset);
        }
        if is_close {
            multipart.progress = Progress::Epilogue;
            multipart.text_start = position;
            return;
        }
        multipart.progress = Progress::Parts;
        let (parent, is_digest) = (*entity, multipart.is_digest);
        let depth = self
            .entities
            .get(parent)
            .map_or(0, |entity| entity.depth.saturating_add(1));
        self.begin(run, Some(parent), depth, is_digest);
    }

    /// Begins an entity at the position of the run, and those directly in it (a message in a
    /// message in a message).
    pub(super) fn begin(
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
                may_be_marked: parent
                    .and_then(|parent| self.entities.get(parent))
                    .is_none_or(|parent| parent.kind == EntityKind::Message),
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
        let is_digest = entity.media_type.sub == "digest";
        Role::Multipart(Multipart::new(boundary, is_digest, run.position))
    }
}
