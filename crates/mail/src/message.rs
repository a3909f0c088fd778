//! The message: header, entities and the texts in it, read once and looked at by everybody.

use gatepost_words::bytes;

use std::borrow::Cow;

use super::html_facts::HtmlFacts;
use super::{Anomaly, DerivedBytes, Entity, HeaderField, Limits, Url};

/// A message as read from its bytes. Views borrow from the bytes where they can.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// All bytes: header, empty line, body; line ends as received.
    pub raw: &'a [u8],
    /// The header fields of the message itself, in order.
    pub header: Vec<HeaderField<'a>>,
    /// Where the body begins in `raw`.
    pub body_start: usize,
    /// The MIME entities in depth-first order. The first is the message's own body; each knows its
    /// parent, so that no reader needs to recurse.
    pub entities: Vec<Entity<'a>>,
    /// The texts that a person would read, in order: the leaves of type `text/plain` and
    /// `text/html`.
    pub texts: Vec<TextPart<'a>>,
    /// The URLs in those texts and in HTML attributes, each once, in order of appearance.
    pub urls: Vec<Url>,
    /// What was derived of it, by reading and by all that look at it later.
    pub derived: DerivedBytes,
    /// False where the time was up before all was read.
    pub is_complete: bool,
    /// Everything that was odd.
    pub anomalies: Vec<Anomaly>,
}

/// One text that a person would read.
#[derive(Clone, Debug)]
pub struct TextPart<'a> {
    /// Index into [`Message::entities`].
    pub entity: usize,
    /// The decoded source (transfer encoding and charset undone), in UTF-8; HTML still with its
    /// tags.
    pub source: Cow<'a, str>,
    /// What of it is seen: for HTML the text without tags, scripts and styles, **including**
    /// hidden text; for plain text the same as `source`.
    pub rendered: Cow<'a, str>,
    /// What is known of the HTML; `None` for plain text.
    pub html: Option<HtmlFacts>,
}

impl<'a> Message<'a> {
    /// Reads a message. Never fails, never recurses, and stays within `limits`.
    pub fn parse(raw: &'a [u8], limits: &Limits) -> Self {
        Self::parse_until(raw, limits, &|| false)
    }

    /// The same, but stops where `expired` says that the time is up; then the message is not
    /// complete, and there is no verdict to be had from it.
    pub fn parse_until(raw: &'a [u8], limits: &Limits, expired: &dyn Fn() -> bool) -> Self {
        super::parse::parse(raw, limits, expired)
    }

    /// The fields of that name (any case), in order.
    pub fn fields<'m>(
        &'m self,
        name: &'m str,
    ) -> impl DoubleEndedIterator<Item = &'m HeaderField<'a>> {
        self.header.iter().filter(move |field| field.is(name))
    }

    /// The first field of that name.
    pub fn field<'m>(&'m self, name: &'m str) -> Option<&'m HeaderField<'a>> {
        self.header.iter().find(|field| field.is(name))
    }

    /// The decoded subject; empty where there is none.
    pub fn subject(&self) -> String {
        self.field("Subject")
            .map(HeaderField::decoded)
            .unwrap_or_default()
    }

    /// The bytes after the header.
    pub fn body(&self) -> &'a [u8] {
        bytes::skip(self.raw, self.body_start)
    }
}
