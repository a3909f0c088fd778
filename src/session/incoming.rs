//! The mail that is coming in: its envelope, its bytes as they are put together, and the forged
//! copies of our own header fields.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use gatepost_engine::{Generation, Permit};
use gatepost_mail::Transaction;
use gatepost_milter::Action;
use gatepost_words::Fault;

/// One mail transaction, from MAIL to its end.
pub(super) struct Incoming {
    /// Held from MAIL to the end: one mail, one generation.
    pub(super) generation: Arc<Generation>,
    pub(super) transaction: Transaction,
    pub(super) raw: Vec<u8>,
    pub(super) permit: Permit,
    /// Set when the mail cannot be judged whatever else comes; the end of the message settles it.
    pub(super) fault: Option<Fault>,
    /// Bytes that were sent, stored or not.
    pub(super) size: usize,
    pub(super) began: Instant,
    own_fields: Vec<(String, u32)>,
    header_is_complete: bool,
}

/// How many distinct names of forged fields are remembered; more than a real mail ever has.
const OWN_FIELDS_MAX: usize = 1_000;

impl Incoming {
    pub(super) fn new(
        generation: Arc<Generation>,
        transaction: Transaction,
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
            own_fields: Vec::new(),
            header_is_complete: false,
        }
    }

    /// Adds a header field, as it stood on the wire. `leading_space`: whether `value` begins with
    /// what followed the colon.
    pub(super) fn add_field(&mut self, name: &[u8], value: &[u8], leading_space: bool) {
        self.note_own_field(name);
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

    /// Takes room for `bytes` more; false where the mail is too large, or no memory is left for it:
    /// then nothing of it is kept.
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

    fn note_own_field(&mut self, name: &[u8]) {
        if !is_own_field(name) {
            return;
        }
        let known = |(known, _): &&mut (String, u32)| known.as_bytes().eq_ignore_ascii_case(name);
        if let Some((_, count)) = self.own_fields.iter_mut().find(known) {
            *count = count.saturating_add(1);
        } else if self.own_fields.len() < OWN_FIELDS_MAX {
            self.own_fields
                .push((String::from_utf8_lossy(name).into_owned(), 1));
        }
    }

    /// The deletions of forged copies of our own fields, last occurrence first: deleting the first
    /// would renumber the others (CVE-2022-48521 of OpenDKIM).
    pub(super) fn deletions(&self) -> Vec<Action> {
        let deletion = |name: &String, index| Action::ChangeHeader {
            index,
            name: name.clone(),
            value: String::new(),
        };
        self.own_fields
            .iter()
            .flat_map(|(name, count)| (1..=*count).rev().map(move |index| deletion(name, index)))
            .collect()
    }
}

/// The fields that only a filter may write: a stranger's copy would be taken for ours by whoever
/// reads the mail.
fn is_own_field(name: &[u8]) -> bool {
    let has_prefix = |prefix: &[u8]| {
        name.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    has_prefix(b"X-Spam-") || has_prefix(b"X-Gatepost")
}

/// What the session waits for.
pub(super) struct Pending {
    pub(super) ticket: u64,
    pub(super) cancelled: Arc<AtomicBool>,
    pub(super) at_end_of_headers: bool,
}
