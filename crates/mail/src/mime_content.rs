//! What an entity holds, once its end is known: the content of a leaf, decoded, or the bytes in
//! which further entities are looked for.

use std::borrow::Cow;
use std::ops::Range;

use gatepost_words::bytes::slice;

use super::decode::{base64, quoted_printable};
use super::mime_frames::{Frame, Multipart, Progress, Role, Run, Source, is_blank};
use super::mime_tree::Splitter;
use super::{AnomalyKind, TransferEncoding};

/// An entity whose end was found.
struct Closed {
    entity: usize,
    /// Its body in the bytes of the run, or, where those are its own, in the run around it.
    body: Range<usize>,
    /// Where the body begins in the message, for anomalies.
    offset: usize,
    /// Where it ends in the bytes of the run.
    end: usize,
}

impl<'a> Splitter<'a, '_> {
    /// Ends an entity at `end`. Returns what has to be read next, if its body had to be decoded
    /// first.
    pub(super) fn close(&mut self, frame: Frame, run: &Run<'a>, end: usize) -> Option<Run<'a>> {
        let entity = self.entities.get_mut(frame.entity)?;
        if !frame.is_decoded() {
            entity.body.end = end.max(entity.body.start);
        }
        let closed = Closed {
            entity: frame.entity,
            body: entity.body.clone(),
            offset: run.origin.saturating_add(entity.body.start),
            end,
        };
        match frame.role {
            Role::Message => None,
            Role::Leaf => {
                self.fill(closed.entity, run, closed.body);
                None
            }
            Role::EncodedMessage => self.decoded_message(&closed, run),
            // Beyond the limit of parts nothing more is known of the end.
            Role::Multipart(_) if self.is_full => None,
            Role::Multipart(multipart) => match multipart.progress {
                Progress::Preamble => self.close_without_parts(&closed, multipart, run),
                Progress::Parts => {
                    self.report
                        .add(AnomalyKind::UnclosedBoundary, closed.offset);
                    None
                }
                Progress::Epilogue => {
                    self.close_after_delimiter(&closed, &multipart, run);
                    None
                }
            },
        }
    }

    /// A message/rfc822 that is itself encoded: its decoded bytes are a run of their own.
    fn decoded_message(&mut self, closed: &Closed, run: &Run<'a>) -> Option<Run<'a>> {
        let body = run.source.bytes().get(closed.body.clone())?;
        let bytes = self.decode(closed.entity, body, closed.offset);
        let depth = self.entities.get(closed.entity)?.depth;
        let mut inner = Run {
            source: Source::Decoded(bytes),
            position: 0,
            frames: vec![Frame {
                entity: closed.entity,
                role: Role::Message,
            }],
            origin: closed.offset,
        };
        let parent = Some(closed.entity);
        self.begin(&mut inner, parent, depth.saturating_add(1), false);
        Some(inner)
    }

    /// A multipart whose closing delimiter was found.
    fn close_after_delimiter(&mut self, closed: &Closed, multipart: &Multipart, run: &Run<'a>) {
        let text_start = multipart.text_start;
        let has_epilogue = !is_blank(run.source.bytes(), text_start..closed.end);
        if has_epilogue {
            let offset = run.origin.saturating_add(text_start);
            self.report.add(AnomalyKind::PreambleText, offset);
        }
        let has_parts = self.entities.len() > closed.entity.saturating_add(1);
        let has_text = has_epilogue || multipart.has_preamble;
        if has_text && !has_parts {
            // Closed before it began: without this only the recipient would see what is there.
            self.show_as_text(closed, multipart, run);
        }
    }

    /// A multipart of which no delimiter was found: it is decoded first, where it is encoded (which
    /// it must not be), else it is text.
    fn close_without_parts(
        &mut self,
        closed: &Closed,
        multipart: Multipart,
        run: &Run<'a>,
    ) -> Option<Run<'a>> {
        let encoding = self.entities.get(closed.entity)?.encoding;
        let is_encoded = matches!(
            encoding,
            TransferEncoding::Base64 | TransferEncoding::QuotedPrintable
        );
        if multipart.is_decoded || !is_encoded {
            self.report
                .add(AnomalyKind::UnclosedBoundary, closed.offset);
            self.show_as_text(closed, &multipart, run);
            return None;
        }
        let body = run.source.bytes().get(closed.body.clone())?;
        let bytes = self.decode(closed.entity, body, closed.offset);
        let decoded = Multipart {
            progress: Progress::Preamble,
            text_start: 0,
            has_preamble: false,
            is_decoded: true,
            ..multipart
        };
        Some(Run {
            source: Source::Decoded(bytes),
            position: 0,
            frames: vec![Frame {
                entity: closed.entity,
                role: Role::Multipart(decoded),
            }],
            origin: closed.offset,
        })
    }

    /// Makes a leaf of a multipart without parts: its bytes in the run, which are not encoded any
    /// more.
    fn show_as_text(&mut self, closed: &Closed, multipart: &Multipart, run: &Run<'a>) {
        let Some(entity) = self.entities.get_mut(closed.entity) else {
            return;
        };
        entity.become_plain_text();
        entity.encoding = TransferEncoding::Identity;
        let start = if multipart.is_decoded {
            0
        } else {
            closed.body.start
        };
        self.fill(closed.entity, run, start..closed.end.max(start));
    }

    /// Sets the content of a leaf.
    fn fill(&mut self, index: usize, run: &Run<'a>, body: Range<usize>) {
        let Some(encoding) = self.entities.get(index).map(|entity| entity.encoding) else {
            return;
        };
        let offset = run.origin.saturating_add(body.start);
        let content = match encoding {
            TransferEncoding::Identity | TransferEncoding::Unknown => match &run.source {
                Source::Message(_) => run.source.slice(body),
                Source::Decoded(bytes) => {
                    // A copy, and so it counts.
                    let kept = body.len().min(*self.decoded_left);
                    if kept < body.len() {
                        self.report.add(AnomalyKind::DecodedLimit, offset);
                    }
                    *self.decoded_left = self.decoded_left.saturating_sub(kept);
                    let end = body.start.saturating_add(kept);
                    Cow::Owned(slice(bytes, body.start..end).to_vec())
                }
            },
            TransferEncoding::Base64 | TransferEncoding::QuotedPrintable => {
                Cow::Owned(self.decode(index, slice(run.source.bytes(), body), offset))
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
