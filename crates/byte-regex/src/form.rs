//! One form of a pattern, ready to run: an automaton, or a program for the backtracking engine.

use aho_corasick::AhoCorasick;
use regex_automata::meta;
use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind};

use super::ast::Node;
use super::backtrack::Machine;
use super::budget::{Budget, LimitReached, Steps};
use super::byteset::ByteSet;
use super::heads::starts;
use super::literals::{Clause, clauses};
use super::needs::needs;
use super::program::Program;
use super::relax::{relaxed, written_out};
use super::rewrite;
use super::skeleton::clauses_of_skeleton;
use super::translate::{translate, translate_loosely};

/// Bytes that the automaton of one form may take.
pub(super) const AUTOMATON_LIMIT: usize = 10 << 20;
/// Bytes that the lazily built states of one form may take per scanner; beyond it the engine starts
/// over or falls back to a slower one, with the same answer.
const CACHE_LIMIT: usize = 1 << 20;
/// Sets that an automaton before a program keeps apart at most. Larger ones take longer to build
/// their states than the program takes to say no.
const GUARD_LIMIT: usize = 128;
/// Sets that an automaton keeps apart, from which on it is only asked when trying the places where
/// a match can begin takes too long.
const LARGE: usize = 250;
/// How long that is, in steps for one text and for each of its bytes.
const TRIAL_STEPS: u64 = 4_000;
const TRIAL_BYTE_STEPS: u64 = 10;

/// What a form is made of.
#[derive(Clone, Debug)]
enum Engine {
    /// A finite automaton decides. Another form of it may be quicker to say whether a text matches.
    Automaton {
        regex: meta::Regex,
        quick: Option<meta::Regex>,
    },
    /// The automaton is large: the program is tried first, where a match can begin.
    Large {
        regex: meta::Regex,
        starts: AhoCorasick,
        program: Box<Program>,
    },
    /// A program decides. The guard, if there is one, matches wherever it does, and maybe
    /// elsewhere; if the starts are known, matches begin at no other places.
    Program {
        program: Box<Program>,
        guard: Option<meta::Regex>,
        starts: Option<AhoCorasick>,
    },
}

/// The scratch space of one form, made when it is first needed.
#[derive(Clone, Debug, Default)]
pub(super) struct FormCache {
    regex: Option<meta::Cache>,
    quick: Option<meta::Cache>,
    machine: Machine,
}

/// One form of a pattern.
#[derive(Clone, Debug)]
pub struct Form {
    engine: Engine,
    /// Of each clause, literals are in every text that matches (in lower case; compare in any
    /// ASCII case).
    pub clauses: Vec<Clause>,
    /// The same of the skeleton of the text; looked for only where there are no clauses above.
    pub skeleton: Vec<Clause>,
    /// Of each set, at least one byte is in every text that matches.
    pub needs: Vec<ByteSet>,
    /// Shorter texts do not match.
    pub least: usize,
    /// It matches the empty text anywhere, and so every text.
    pub(super) always_matches: bool,
}

/// Why there is no form.
pub(super) enum Refused {
    /// The automaton is too large, or cannot be built.
    Automaton(String),
    /// The program cannot be built.
    Program(&'static str),
}

impl Form {
    pub(super) fn new(node: &Node) -> Result<Self, Refused> {
        if let Some(translated) = translate(node) {
            let regex = automaton(&translated).map_err(Refused::Automaton)?;
            let quick = rewrite::for_yes_or_no(node).and_then(|node| translate(&node));
            let quick = quick.and_then(|pattern| automaton(&pattern).ok());
            let trial = if quick.is_none() && written_out(node) >= LARGE {
                starts(node)
            } else {
                None
            };
            let engine = match trial.and_then(|starts| Some((starts, Program::new(node).ok()?))) {
                Some((starts, program)) => Engine::Large {
                    regex,
                    starts,
                    program: Box::new(program),
                },
                None => Engine::Automaton { regex, quick },
            };
            return Ok(Self::of(engine, node, node.always_matches()));
        }
        let program = Program::new(node).map_err(Refused::Program)?;
        let heads = starts(node);
        let node = relaxed(node);
        let is_small = !program.anchored && written_out(&node) <= GUARD_LIMIT;
        let guard = if is_small {
            translate_loosely(&node)
        } else {
            None
        };
        let guard = guard.and_then(|pattern| automaton(&pattern).ok());
        let starts = heads.filter(|_| guard.is_none() && !program.anchored);
        Ok(Self::of(
            Engine::Program {
                program: Box::new(program),
                guard,
                starts,
            },
            &node,
            false,
        ))
    }

    fn of(engine: Engine, node: &Node, always_matches: bool) -> Self {
        let skeleton = clauses_of_skeleton(node);
        Self {
            engine,
            clauses: clauses(node),
            skeleton,
            needs: needs(node),
            least: node.least(),
            always_matches,
        }
    }

    /// Whether it matches somewhere in the text.
    pub(super) fn is_match(&self, cache: &mut FormCache, budget: &mut Budget, text: &[u8]) -> bool {
        match &self.engine {
            Engine::Program {
                program,
                starts: Some(starts),
                ..
            } => {
                let mut steps = budget.for_text(text);
                let tried =
                    program.matches_at(&mut cache.machine, &mut steps, text, places(starts, text));
                budget.charge(&steps, tried.is_err());
                tried.unwrap_or(false)
            }
            Engine::Program { program, guard, .. } => {
                count_slowly(program, guard.as_ref(), cache, budget, text, 1) > 0
            }
            Engine::Automaton {
                quick: Some(quick), ..
            } => is_match(quick, &mut cache.quick, text),
            Engine::Automaton { regex, .. } => is_match(regex, &mut cache.regex, text),
            Engine::Large {
                regex,
                starts,
                program,
            } => {
                let most =
                    TRIAL_STEPS.saturating_add(TRIAL_BYTE_STEPS.saturating_mul(text.len() as u64));
                let mut steps = Steps::of(most);
                let tried =
                    program.matches_at(&mut cache.machine, &mut steps, text, places(starts, text));
                tried.unwrap_or_else(|LimitReached| is_match(regex, &mut cache.regex, text))
            }
        }
    }

    /// The same with scratch space that all threads share.
    pub(super) fn matches(&self, budget: &mut Budget, text: &[u8]) -> bool {
        match &self.engine {
            Engine::Program { .. } | Engine::Large { .. } => {
                self.is_match(&mut FormCache::default(), budget, text)
            }
            Engine::Automaton { regex, quick } => quick
                .as_ref()
                .unwrap_or(regex)
                .search_half(&Input::new(text).earliest(true))
                .is_some(),
        }
    }

    /// How often it matches, up to `most`.
    pub(super) fn count(
        &self,
        cache: &mut FormCache,
        budget: &mut Budget,
        text: &[u8],
        most: u32,
    ) -> u32 {
        match &self.engine {
            Engine::Program { program, guard, .. } => {
                count_slowly(program, guard.as_ref(), cache, budget, text, most)
            }
            Engine::Automaton { regex, .. } | Engine::Large { regex, .. } => {
                count(regex, &mut cache.regex, text, most)
            }
        }
    }

    /// Whether a finite automaton decides it alone.
    #[cfg(test)]
    pub(super) fn is_automaton(&self) -> bool {
        !matches!(self.engine, Engine::Program { .. })
    }

    #[cfg(test)]
    pub(super) fn is_rewritten(&self) -> bool {
        matches!(self.engine, Engine::Automaton { quick: Some(_), .. })
    }
}

/// Where a match can begin, in no certain order where beginnings overlap: only whether one matches
/// may be asked.
fn places<'t>(starts: &'t AhoCorasick, text: &'t [u8]) -> impl Iterator<Item = usize> + 't {
    starts
        .try_find_overlapping_iter(text)
        .into_iter()
        .flatten()
        .map(|hit| hit.start())
}

fn is_match(regex: &meta::Regex, cache: &mut Option<meta::Cache>, text: &[u8]) -> bool {
    let cache = cache.get_or_insert_with(|| regex.create_cache());
    regex
        .search_half_with(cache, &Input::new(text).earliest(true))
        .is_some()
}

fn count(regex: &meta::Regex, cache: &mut Option<meta::Cache>, text: &[u8], most: u32) -> u32 {
    let cache = cache.get_or_insert_with(|| regex.create_cache());
    let (mut found, mut at, mut last_empty) = (0, 0, None);
    while found < most && at <= text.len() {
        let Some(hit) = regex.search_with(cache, &Input::new(text).range(at..)) else {
            break;
        };
        if hit.is_empty() && last_empty == Some(hit.end()) {
            at = hit.end() + 1;
            continue;
        }
        found += 1;
        last_empty = hit.is_empty().then_some(hit.end());
        at = hit.end();
    }
    found
}

fn count_slowly(
    program: &Program,
    guard: Option<&meta::Regex>,
    cache: &mut FormCache,
    budget: &mut Budget,
    text: &[u8],
    most: u32,
) -> u32 {
    let mut steps = budget.for_text(text);
    let mut found = 0;
    let mut at = 0;
    let mut last_empty = None;
    let mut reached = false;
    while found < most {
        match next(program, guard, cache, &mut steps, text, at, last_empty) {
            Ok(None) => break,
            Ok(Some((start, end))) => {
                found += 1;
                at = end;
                last_empty = (start == end).then_some(end);
            }
            Err(LimitReached) => {
                reached = true;
                break;
            }
        }
    }
    budget.charge(&steps, reached);
    found
}

/// The next match from `at` on, if the guard sees one that may be.
fn next(
    program: &Program,
    guard: Option<&meta::Regex>,
    cache: &mut FormCache,
    steps: &mut Steps,
    text: &[u8],
    at: usize,
    not_empty_at: Option<usize>,
) -> Result<Option<(usize, usize)>, LimitReached> {
    if let Some(guard) = guard {
        let cache = cache.regex.get_or_insert_with(|| guard.create_cache());
        if guard
            .search_half_with(cache, &Input::new(text).range(at..).earliest(true))
            .is_none()
        {
            return Ok(None);
        }
    }
    program.find(&mut cache.machine, steps, text, at, not_empty_at)
}

fn automaton(pattern: &str) -> Result<meta::Regex, String> {
    let config = meta::Config::new()
        .match_kind(MatchKind::LeftmostFirst)
        .utf8_empty(false)
        // Only where a match ends is ever asked, never what a group holds.
        .which_captures(WhichCaptures::Implicit)
        .nfa_size_limit(Some(AUTOMATON_LIMIT))
        .onepass(false)
        .hybrid_cache_capacity(CACHE_LIMIT);
    meta::Regex::builder()
        .configure(config)
        .syntax(
            syntax::Config::new()
                .unicode(false)
                .utf8(false)
                .nest_limit(500),
        )
        .build(pattern)
        .map_err(|error| match error.size_limit() {
            Some(_) => format!(
                "the compiled regular expression is larger than {} MiB",
                AUTOMATON_LIMIT >> 20
            ),
            None => format!("the regular expression cannot be compiled: {error}"),
        })
}
