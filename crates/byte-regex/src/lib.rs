//! Perl's regular expressions, as SpamAssassin uses them, on bytes.
//!
//! A pattern is read into a tree over sets of bytes ([`ast`]); case and the ASCII classes are
//! settled while reading, so that the tree has no modes left. From the tree come the text for
//! regex-automata ([`translate`]), the literals of the prefilter ([`literals`], and for words with
//! gaps [`skeleton`]), and the bytes that a text must have at all ([`needs`]). What a finite
//! automaton cannot decide becomes a program ([`program`]) for an engine with a step limit
//! ([`backtrack`]), where that is small behind an automaton for a pattern that matches at least as
//! much ([`relax`]). A large automaton is only asked when the same engine, tried where a match can
//! begin ([`heads`]), takes too long. All that makes a form of the pattern ([`form`]); there is a
//! second one for texts of ASCII without `&`, from which whatever cannot match these is left out
//! ([`plain`]).

mod agreement;
mod ast;
mod backtrack;
mod budget;
mod byteset;
mod capture;
mod class;
mod delimit;
mod doubt;
mod escape;
mod form;
mod group;
mod heads;
mod literals;
mod needs;
mod parse;
mod pattern;
mod plain;
mod problem;
mod program;
mod relax;
mod rewrite;
mod skeleton;
mod translate;

#[cfg(test)]
mod tests;

pub use agreement::disagreement;
pub use budget::Budget;
pub use byteset::ByteSet;
pub use capture::{Captures, FirstGroup};
pub use doubt::Doubt;
pub use form::Form;
pub use literals::{CLAUSES, Clause};
pub use pattern::{Cache, Pattern};
pub use plain::is_plain;
pub use problem::Problem;
pub use skeleton::Skeletons;
