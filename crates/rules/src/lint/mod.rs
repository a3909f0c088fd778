//! What loads but looks wrong, and the test lines of a rule file: `gatepost rules check`.

pub(crate) mod check;
pub(crate) mod rule_lints;
pub(crate) mod sample;
mod slow;
pub(crate) mod test_lines;
mod test_message;
