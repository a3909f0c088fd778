//! The functions behind `eval:`, in files named after what they look at.
//!
//! A function has SpamAssassin's name where SpamAssassin has the same one; the others are ours. Every function is a line
//! of [`EVALS`], from which the diagnostics and `gatepost explain` speak too. Network functions do not belong here.

mod date;
mod envelope;
mod header;
mod html;
#[cfg(test)]
mod mail_tests;
mod mime;
mod table;

use table::{Argument, registered_domain};
pub(super) use table::{Arguments, BadCall, EVALS, Eval, find};
