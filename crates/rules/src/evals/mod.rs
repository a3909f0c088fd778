//! The functions behind `eval:`, in files named after what they look at.
//!
//! A function has SpamAssassin's name where SpamAssassin has the same one; the others are ours.
//! Every function is a line of a table, from which the diagnostics and `gatepost explain` speak
//! too.

mod bounces;
mod date;
mod encoding;
mod envelope;
mod freemail;
mod header;
mod html;
mod images;
mod links;
mod listed;
#[cfg(test)]
mod mail_tests;
mod markup;
mod mime;
mod network;
mod recipients;
mod relays;
mod spamassassin;
#[cfg(test)]
mod spamassassin_tests;
mod stocks;
mod structure;
mod table;
mod times;
mod trace;
mod webmail;
mod wording;

use table::{Argument, registered_domain};
pub(super) use table::{Arguments, BadCall, Eval, all, find};
