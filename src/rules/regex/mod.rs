//! Perl's regular expressions, as SpamAssassin uses them, on bytes.
//!
//! A pattern is read into a tree over sets of bytes ([`ast`]); case and the ASCII classes are settled while reading, so
//! that the tree has no modes left. From the tree come the text for regex-automata ([`translate`]), the literals of the
//! prefilter ([`literals`]), and the bytes that a text must have at all ([`needs`]). What a finite automaton cannot decide is in the tree too, ready for an engine with a
//! step limit; until that exists such a pattern is a named problem.

mod ast;
mod byteset;
mod class;
mod delimit;
mod escape;
mod group;
mod literals;
mod needs;
mod parse;
mod pattern;
mod problem;
mod rewrite;
mod translate;

pub(in crate::rules) use byteset::ByteSet;
pub(in crate::rules) use literals::CLAUSES;
pub(in crate::rules) use pattern::{Cache, Pattern};
pub(in crate::rules) use problem::Problem;
