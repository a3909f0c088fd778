//! Perl regular expressions on bytes, as SpamAssassin's rules use them.
//!
//! A pattern is written as in Perl, with delimiters and modifiers (`/offer/i`, `m{^https?://}`), and
//! is matched against bytes that need not be valid UTF-8. What a finite automaton can decide runs in
//! time linear in the text. Look-around, back-references, possessive and atomic groups run in a
//! backtracking engine whose steps are counted per text and per message: a search that reaches the
//! limit does not match, and the [`Budget`] records it. No pattern and no text can take unbounded
//! time or memory, and nothing here panics.
//!
//! ```
//! use gatepost_byte_regex::{Budget, Cache, Pattern};
//!
//! let pattern = Pattern::compile(r"/\b(\w+) \1\b/i")?;
//! // One cache per thread and pattern, one budget per message.
//! let mut cache = Cache::default();
//! let mut budget = Budget::default();
//! assert!(pattern.is_match(&mut cache, &mut budget, b"Paris in the the spring"));
//! assert!(!pattern.is_match(&mut cache, &mut budget, b"no word twice \xff"));
//! assert!(!budget.was_reached());
//!
//! let problem = Pattern::compile("/a(/").unwrap_err();
//! assert_eq!(problem.span, 2..3);
//! # Ok::<(), gatepost_byte_regex::Problem>(())
//! ```
//!
//! # What differs from Perl
//! * `\w`, `\d`, `\s`, `\b` and `/i` are those of ASCII; a character beyond ASCII is the bytes of its
//!   UTF-8 encoding ([`byte_of_stand_in`] has the characters that stand for single bytes).
//! * Code blocks, recursion, conditionals and control verbs are refused with a [`Problem`].
//! * Repetition, nesting and the size of a compiled pattern are bounded.
//!
//! # How it works
//! A pattern is parsed into a tree over sets of bytes (`ast`); case and classes are resolved while
//! parsing, so that the tree has no modes left. From the tree come the text for regex-automata
//! (`translate`), the literals for a prefilter ([`Clause`], and for words with gaps [`Skeletons`]),
//! and the bytes that a matching text must contain (`needs`). What a finite automaton cannot decide
//! becomes a program (`compiler`) for the backtracking engine (`backtrack`); where it is small, an
//! automaton for a pattern that matches at least as much (`relax`) runs first. A large automaton is
//! used only when the backtracking engine, started where a match can begin (`heads`), takes too
//! long. Together that is a [`Form`] of the pattern; there is a second one for texts of ASCII without
//! `&` (`plain`), from which everything that cannot match these is left out.

mod agreement;
mod ast;
mod backtrack;
mod budget;
mod byteset;
mod capture;
mod class;
mod compiler;
mod delimit;
mod escape;
mod form;
mod group;
mod heads;
mod literals;
mod needs;
mod node_facts;
mod parse;
mod pattern;
mod pattern_facts;
mod plain;
mod problem;
mod program;
mod relax;
mod repetition;
mod rewrite;
mod skeleton;
mod stand_in;
mod translate;

#[cfg(test)]
mod pattern_generator;
#[cfg(test)]
mod tests;

pub use agreement::disagreement;
pub use budget::Budget;
pub use byteset::ByteSet;
pub use capture::{Captures, FirstGroup};
pub use form::Form;
pub use literals::{CLAUSES, Clause};
pub use pattern::{Cache, Pattern};
pub use pattern_facts::PatternFacts;
pub use plain::is_plain;
pub use problem::Problem;
pub use skeleton::Skeletons;
pub use stand_in::byte_of_stand_in;
