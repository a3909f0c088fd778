//! What was learned about one mail beside its own bytes. Every fact can be unknown, and unknown
//! never counts as bad.

mod case;
mod fact;

pub use case::{Case, Facts, Stage};
pub use fact::{Cause, Fact};
