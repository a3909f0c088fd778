//! The texts that rules look at, byte for byte as SpamAssassin makes them (research/spamassassin.md
//! §1.4-1.7), made once a mail and only when asked for.
//!
//! They are not the texts of [`gatepost_mail`], which follow browsers and RFCs: rules were written
//! against SpamAssassin's own reading of HTML, charsets and links, with all its ways.

pub(super) mod addresses;
mod body;
mod charset;
mod host;
mod html;
mod html_entities;
mod html_look;
mod html_source;
mod lazy;
mod rawbody;
mod relative;
mod text_parts;
mod uri;
mod uri_clean;
mod uri_text;

#[cfg(test)]
mod reference_tests;

pub(super) use charset::{end_of_word, unambiguous};
pub(super) use host::host_of;
pub(super) use html::{is_blank, prepared};
pub(super) use html_look::{Fault, Looks};
pub(super) use html_source::{HtmlSource, Piece};
pub(super) use lazy::{Views, address_around};
