//! Runs a set over a case, and measures what each rule costs.

pub(crate) mod cost;
#[doc(hidden)]
pub mod oracle;
pub(crate) mod scanner;
pub(crate) mod tally;
