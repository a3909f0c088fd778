//! The texts that rules are matched against, byte for byte as SpamAssassin makes them, made once per
//! message and only on demand.
//!
//! They are not the texts of [`gatepost_mail`], which follow browsers and RFCs: rules were written
//! against SpamAssassin's own reading of HTML, charsets and links, with all its ways.

mod addresses;
mod body;
mod charset;
mod computed_style;
pub(crate) mod header_request;
mod header_text;
pub(crate) mod host;
mod html;
mod html_entities;
mod html_markup;
pub(crate) mod html_scan;
mod html_source;
pub(crate) mod key;
pub(crate) mod lazy;
pub(crate) mod mime_parts;
mod rawbody;
mod relative;
mod relays;
mod text_parts;
mod uri;
mod uri_clean;
mod uri_escapes;
mod uri_text;

#[cfg(test)]
mod reference_tests;
