//! The functions after `eval:`, in files named after what they look at.
//!
//! A function has SpamAssassin's name where SpamAssassin has the same one; the others are ours.
//! Every function is a line of a table, from which the diagnostics and `gatepost explain` speak
//! too.

mod bounces;
mod client_names;
mod date;
mod domain;
mod encoding;
mod envelope;
mod freemail;
mod header;
mod html;
mod images;
mod links;
mod listed;
mod markup;
mod mime;
mod network;
mod recipients;
mod relays;
pub(crate) mod signature;
mod spamassassin;
mod stocks;
mod structure;
pub(crate) mod table;
mod times;
mod trace;
mod webmail;
mod wording;

#[cfg(test)]
mod mail_tests;
#[cfg(test)]
mod spamassassin_tests;
