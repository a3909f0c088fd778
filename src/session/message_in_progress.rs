//! The message that is being received: its envelope, its bytes as they are put together, and the
//! forged copies of our own header fields.

use std::sync::Arc;
use std::time::Instant;

use super::forged_marks::ForgedMarks;
use gatepost_engine::{Generation, Permit};
use gatepost_mail::{Mailbox, Transaction};
use gatepost_milter::{Action, Macros};
use gatepost_words::Fault;

/// One mail transaction, from MAIL to its end.
pub(super) struct MessageInProgress {
    /// Held from MAIL to the end: one message, one generation.
    pub(super) generation: Arc<Generation>,
    pub(super) transaction: Arc<Transaction>,
    pub(super) raw: Vec<u8>,
    pub(super) permit: Permit,
    /// Set when the message cannot be judged whatever else comes; its end settles it.
    pub(super) fault: Option<Fault>,
    /// Bytes that were sent, stored or not.
    pub(super) size: usize,
    pub(super) began: Instant,
    forged_marks: ForgedMarks,
    header_is_complete: bool,
}

impl MessageInProgress {
    pub(super) fn new(
        generation: Arc<Generation>,
        transaction: Arc<Transaction>,
        permit: Permit,
        began: Instant,
    ) -> Self {
        Self {
            generation,
            transaction,
            raw: Vec::new(),
            permit,
            fault: None,
            size: 0,
            began,
            forged_marks: ForgedMarks::default(),
            header_is_complete: false,
        }
    }

    /// Takes the MTA's queue id, once it has one.
    pub(super) fn note_queue_id(&mut self, macros: &Macros) {
        if let Some(queue_id) = macros.text("i")
            && self.transaction.queue_id.as_ref() != Some(&queue_id)
        {
            Arc::make_mut(&mut self.transaction).queue_id = Some(queue_id);
        }
    }

    /// Adds an accepted recipient. In place, unless the transaction is shared.
    pub(super) fn add_recipient(&mut self, mailbox: Mailbox) {
        let transaction = Arc::make_mut(&mut self.transaction);
        transaction.envelope.forward_paths.push(mailbox);
    }

    /// Adds a header field, as it was on the wire. `leading_space`: whether `value` begins with
    /// what followed the colon.
    pub(super) fn add_field(&mut self, name: &[u8], value: &[u8], leading_space: bool) {
        self.forged_marks.note(name);
        let line_ends = memchr::memchr_iter(b'\n', value).count();
        if !self.reserve(name.len() + value.len() + line_ends + 4) {
            return;
        }
        self.raw.extend_from_slice(name);
        self.raw.push(b':');
        if !leading_space {
            self.raw.push(b' ');
        }
        // Continuation lines come joined by a bare LF; on the wire they ended in CRLF.
        let mut previous = 0;
        for byte in value {
            if *byte == b'\n' && previous != b'\r' {
                self.raw.push(b'\r');
            }
            self.raw.push(*byte);
            previous = *byte;
        }
        self.raw.extend_from_slice(b"\r\n");
    }

    /// Ends the header.
    pub(super) fn end_header(&mut self) {
        if !self.header_is_complete {
            self.header_is_complete = true;
            if self.reserve(2) {
                self.raw.extend_from_slice(b"\r\n");
            }
        }
    }

    /// Adds a piece of the body.
    pub(super) fn add_body(&mut self, chunk: &[u8]) {
        self.end_header();
        if self.reserve(chunk.len()) {
            self.raw.extend_from_slice(chunk);
        }
    }

    /// Takes room for `bytes` more; false where the message is too large, or no memory is left for
    /// it: then nothing of it is kept.
    fn reserve(&mut self, bytes: usize) -> bool {
        self.size = self.size.saturating_add(bytes);
        if self.fault.is_some() {
            return false;
        }
        let fault = if self.size > self.generation.limits().message {
            Fault::TooLarge
        } else if !self.permit.grow(bytes) {
            Fault::Overload
        } else {
            return true;
        };
        self.fault = Some(fault);
        self.raw = Vec::new();
        self.permit.release();
        false
    }

    /// The removals of forged copies of our own fields.
    pub(super) fn removals(&self) -> Vec<Action> {
        self.forged_marks.removals()
    }
}
