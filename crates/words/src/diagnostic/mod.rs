//! What is wrong with a file that a person wrote: message, place with line, column and caret, and
//! what to do.
//!
//! Rules, configuration and models report through this room, so that all diagnostics look alike
//! and all are reported at once. Every kind has a code in one table, which `gatepost
//! explain CODE` also reads.

mod codes;
mod escape;
mod render;
mod report;
mod source;
mod suggest;

pub use codes::{CODES, Code, explain_code};
pub use render::render;
pub use report::{Diagnostic, Place, Severity};
pub use source::{Source, byte_of_stand_in};
pub use suggest::did_you_mean;
