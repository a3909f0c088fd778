//! Perl's regular expressions, as SpamAssassin uses them, on bytes.
//!
//! A pattern is read into a tree over sets of bytes ([`ast`]); case and the ASCII classes are settled while reading, so
//! that the tree has no modes left. From the tree come the text for regex-automata ([`translate`]), the literals of the
//! prefilter ([`literals`]), and the bytes that a text must have at all ([`needs`]). What a finite automaton cannot decide
//! becomes a program ([`program`]) for an engine with a step limit ([`backtrack`]), behind an automaton for a pattern that
//! matches at least as much ([`relax`]).

mod ast;
mod backtrack;
mod byteset;
mod capture;
mod class;
mod delimit;
mod doubt;
mod escape;
mod group;
mod literals;
mod needs;
mod parse;
mod pattern;
mod problem;
mod program;
mod relax;
mod rewrite;
mod translate;

#[cfg(test)]
mod tests;

pub(in crate::rules) use backtrack::Budget;
pub(in crate::rules) use byteset::ByteSet;
pub(in crate::rules) use capture::{Captures, FirstGroup};
pub(in crate::rules) use doubt::Doubt;
pub(in crate::rules) use literals::CLAUSES;
pub(in crate::rules) use pattern::{Cache, Pattern};
pub(in crate::rules) use problem::Problem;
