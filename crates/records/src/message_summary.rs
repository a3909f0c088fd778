//! What is recorded of the message itself. Made by a worker: the digest reads every byte.

use sha2::{Digest as _, Sha256};

use gatepost_mail::{HeaderField, Limits, Message};
use gatepost_words::hex;

use super::draft::truncate;

/// Digest and a few header fields, bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageSummary {
    /// SHA-256 over the message as received, in hexadecimal digits.
    pub sha256: String,
    /// The Message-ID, without angle brackets.
    pub message_id: Option<String>,
    /// The subject, decoded.
    pub subject: Option<String>,
    /// The From field, decoded.
    pub from: Option<String>,
}

impl MessageSummary {
    /// Of a message as received. Only its header is read.
    pub fn of(raw: &[u8], limits: &Limits) -> Self {
        let message = Message::parse(header_of(raw), limits);
        let text = |name| {
            let field = message.field(name)?;
            Some(truncate(&HeaderField::decoded(field)))
        };
        Self {
            sha256: hex::encode(&Sha256::digest(raw)),
            message_id: text("Message-ID").map(|id| bare_message_id(&id).to_owned()),
            subject: text("Subject"),
            from: text("From"),
        }
    }
}

/// The header with the empty line after it; all of a message that has no body.
fn header_of(raw: &[u8]) -> &[u8] {
    let ends = [&b"\r\n\r\n"[..], &b"\n\n"[..]].map(|end| {
        let start = memchr::memmem::find(raw, end)?;
        Some(start + end.len())
    });
    let end = ends.into_iter().flatten().min().unwrap_or(raw.len());
    raw.split_at(end).0
}

/// A Message-ID without angle brackets and white space around it: as people copy it from a log.
pub(super) fn bare_message_id(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_prefix('<').unwrap_or(text);
    text.strip_suffix('>').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_search_for_is_kept() {
        let raw = b"Message-ID: <a@b>\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\nFrom: A <a@b>\n\nx\n";
        let summary = MessageSummary::of(raw, &Limits::default());
        assert_eq!(summary.message_id.as_deref(), Some("a@b"));
        assert_eq!(summary.subject.as_deref(), Some("grüße"));
        assert_eq!(summary.from.as_deref(), Some("A <a@b>"));
        assert_eq!(summary.sha256.len(), 64);
    }
}
