//! A compiled pattern.

use regex_automata::meta;
use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind};

use super::backtrack::{Budget, LimitReached, Machine, Steps};
use super::byteset::ByteSet;
use super::delimit::delimited;
use super::literals::{Clause, clauses};
use super::needs::needs;
use super::parse::{Flags, parse};
use super::problem::Problem;
use super::program::Program;
use super::relax::relaxed;
use super::rewrite;
use super::translate::{translate, translate_loosely};
use crate::diagnostic::byte_of_stand_in;

/// Bytes that the automaton of one pattern may take.
const AUTOMATON_LIMIT: usize = 10 << 20;
/// Bytes that the lazily built states of one pattern may take per scanner; beyond it the engine starts over or falls
/// back to a slower one, with the same answer.
const CACHE_LIMIT: usize = 1 << 20;

/// The scratch space of one pattern, made when it is first needed.
#[derive(Clone, Debug, Default)]
pub(in crate::rules) struct Cache {
    regex: Option<meta::Cache>,
    quick: Option<meta::Cache>,
    machine: Machine,
}

/// A regular expression that can be searched for.
#[derive(Clone, Debug)]
pub(in crate::rules) struct Pattern {
    regex: meta::Regex,
    /// What a finite automaton cannot decide. Then `regex` matches wherever this does, and maybe elsewhere.
    program: Option<Box<Program>>,
    /// Another form of it that is quicker to say whether a text matches.
    quick: Option<meta::Regex>,
    /// Of each clause, at least one stands in every text that matches (in lower case; compare in any ASCII case).
    pub(in crate::rules) clauses: Vec<Clause>,
    /// Of each set, at least one byte stands in every text that matches.
    pub(in crate::rules) needs: Vec<ByteSet>,
    /// Shorter texts do not match.
    pub(in crate::rules) least: usize,
    /// It matches the empty text anywhere, and so every text.
    pub(in crate::rules) always_matches: bool,
}

impl Pattern {
    /// Compiles a pattern that is written with its delimiters. Spans of problems are byte offsets in `text`.
    pub(in crate::rules) fn compile(text: &str) -> Result<Self, Problem> {
        let parts = delimited(text)?;
        let mut flags = Flags::default();
        for (index, letter) in parts.modifiers.bytes().enumerate() {
            if !flags.set(letter, true) {
                let at = parts.modifiers_span().start + index;
                let message = format!("there is no modifier `{}`", char::from(letter));
                return Err(Problem::wrong("R0305", message, at..at + 1));
            }
        }
        let span = parts.start..parts.start + parts.pattern.len();
        if parts.pattern.is_empty() {
            return Err(Problem::wrong("R0306", "the regular expression is empty", 0..text.len()));
        }
        let bytes = bytes_of(parts.pattern);
        let parsed = parse(&bytes, flags).map_err(|problem| {
            let moved = |at: usize| parts.start + text_offset(parts.pattern, at);
            Problem { span: moved(problem.span.start)..moved(problem.span.end), ..problem }
        })?;
        let too_large = |message| Problem::wrong("R0304", message, span.clone());
        let (node, regex, program) = if let Some(translated) = translate(&parsed.node) {
            (parsed.node, automaton(&translated).map_err(too_large)?, None)
        } else {
            let program = Program::new(&parsed.node).map_err(|message| {
                let span = parsed.backtracking.clone().map_or(span.clone(), |inner| {
                    parts.start + text_offset(parts.pattern, inner.start)
                        ..parts.start + text_offset(parts.pattern, inner.end)
                });
                Problem::unsupported("R0303", message, span)
            })?;
            let node = relaxed(&parsed.node);
            let Some(translated) = translate_loosely(&node) else {
                return Err(Problem::unsupported("R0303", "the regular expression is not supported", span));
            };
            (node, automaton(&translated).map_err(too_large)?, Some(Box::new(program)))
        };
        let quick =
            if program.is_none() { rewrite::for_yes_or_no(&node).and_then(|node| translate(&node)) } else { None };
        Ok(Self {
            regex,
            always_matches: program.is_none() && node.always_matches(),
            program,
            quick: quick.and_then(|pattern| automaton(&pattern).ok()),
            clauses: clauses(&node),
            needs: needs(&node),
            least: node.least(),
        })
    }

    /// Whether it matches somewhere in the text. Without look-around and the like time is linear in text times pattern; with
    /// them the budget is taken from, and where that ends the answer is no.
    pub(in crate::rules) fn is_match(&self, cache: &mut Cache, budget: &mut Budget, text: &[u8]) -> bool {
        if let Some(program) = &self.program {
            return self.count_slowly(program, cache, budget, text, 1) > 0;
        }
        let (regex, slot) = match &self.quick {
            Some(quick) => (quick, &mut cache.quick),
            None => (&self.regex, &mut cache.regex),
        };
        let cache = slot.get_or_insert_with(|| regex.create_cache());
        regex.search_half_with(cache, &Input::new(text).earliest(true)).is_some()
    }

    /// The same with scratch space and a budget of its own; for tests and rarely asked questions.
    pub(in crate::rules) fn matches(&self, text: &[u8]) -> bool {
        if self.program.is_some() {
            return self.is_match(&mut Cache::default(), &mut Budget::default(), text);
        }
        self.quick.as_ref().unwrap_or(&self.regex).search_half(&Input::new(text).earliest(true)).is_some()
    }

    /// How often it matches, up to `most`, one match behind the other. As in Perl, an empty match is not followed by another
    /// at the same place. Where the budget ends, what was found until then.
    pub(in crate::rules) fn count(&self, cache: &mut Cache, budget: &mut Budget, text: &[u8], most: u32) -> u32 {
        if let Some(program) = &self.program {
            return self.count_slowly(program, cache, budget, text, most);
        }
        let cache = cache.regex.get_or_insert_with(|| self.regex.create_cache());
        let (mut found, mut at, mut last_empty) = (0, 0, None);
        while found < most && at <= text.len() {
            let Some(hit) = self.regex.search_with(cache, &Input::new(text).range(at..)) else { break };
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

    fn count_slowly(&self, program: &Program, cache: &mut Cache, budget: &mut Budget, text: &[u8], most: u32) -> u32 {
        let mut steps = budget.for_text(text);
        let mut found = 0;
        let mut at = 0;
        let mut last_empty = None;
        let mut reached = false;
        while found < most {
            match self.next(program, cache, &mut steps, text, at, last_empty) {
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
        budget.settle(&steps, reached);
        found
    }

    /// The next match from `at` on: from the first place at which the automaton sees one that may be.
    fn next(
        &self,
        program: &Program,
        cache: &mut Cache,
        steps: &mut Steps,
        text: &[u8],
        at: usize,
        not_empty_at: Option<usize>,
    ) -> Result<Option<(usize, usize)>, LimitReached> {
        let regex = cache.regex.get_or_insert_with(|| self.regex.create_cache());
        let Some(maybe) = self.regex.search_with(regex, &Input::new(text).range(at..)) else { return Ok(None) };
        program.find(&mut cache.machine, steps, text, maybe.start(), not_empty_at)
    }

    /// Whether a finite automaton decides it alone.
    #[cfg(test)]
    pub(super) fn is_automaton(&self) -> bool {
        self.program.is_none()
    }

    #[cfg(test)]
    pub(super) fn is_rewritten(&self) -> bool {
        self.quick.is_some()
    }
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
        .syntax(syntax::Config::new().unicode(false).utf8(false).nest_limit(500))
        .build(pattern)
        .map_err(|error| match error.size_limit() {
            Some(_) => format!("the compiled regular expression is larger than {} MiB", AUTOMATON_LIMIT >> 20),
            None => format!("the regular expression cannot be compiled: {error}"),
        })
}

/// The bytes that a pattern stands for.
pub(super) fn bytes_of(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match byte_of_stand_in(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// Where in the text the byte at `offset` of [`bytes_of`] comes from.
fn text_offset(text: &str, offset: usize) -> usize {
    let mut seen = 0;
    for (at, character) in text.char_indices() {
        if seen >= offset {
            return at;
        }
        seen += if byte_of_stand_in(character).is_some() { 1 } else { character.len_utf8() };
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Budget;
    use super::{Cache, Pattern};

    fn hits(pattern: &str, text: &[u8]) -> bool {
        let pattern = Pattern::compile(pattern).unwrap_or_else(|problem| panic!("{pattern}: {problem:?}"));
        pattern.is_match(&mut Cache::default(), &mut Budget::default(), text)
    }

    #[test]
    fn matches_as_perl_does() {
        let cases: &[(&str, &[u8], bool)] = &[
            ("/abc/", b"xabcx", true),
            ("/ABC/", b"xabcx", false),
            ("/ABC/i", b"xabcx", true),
            (r"/\xE9/i", b"\xC9", true),
            (r"/\xDF/i", b"\xFF", false),
            ("/\u{e9}/", "\u{e9}".as_bytes(), true),
            (r"/^a.b$/", b"a\nb", false),
            (r"/^a.b$/s", b"a\nb\n", true),
            (r"/^b/", b"a\nb", false),
            (r"/^b/m", b"a\nb", true),
            (r"/a$/m", b"a\nb", true),
            (r"/a$/", b"a\n", true),
            (r"/a$/", b"a\n\n", false),
            (r"/a\z/", b"a\n", false),
            (r"/a\Z/", b"a\n", true),
            (r"/(?:a|b$)/", b"b\n", true),
            (r"/\w\d\s\b/", b"a1 x", true),
            (r"/\w/", b"\xE9", false),
            (r"/\s/", b"\x0b", true),
            (r"/\h/", b"\xA0", true),
            (r"/\v/", b"\x85", true),
            (r"/[[:alpha:]][[:^alpha:]]/", b"a1", true),
            (r"/[a&&b]/", b"&", true),
            (r"/[+--]/", b",", true),
            (r"/[]a]/", b"]", true),
            (r"/[^]a]/", b"]a", false),
            (r"/[a\-z]/", b"m", false),
            (r"/[\w-]/", b"-", true),
            (r"/[\x41-\x43]/i", b"c", true),
            (r"/a{2}b{,2}c{1,}/", b"aacc", true),
            (r"/a{,x}/", b"a{,x}", true),
            (r"/{a}/", b"{a}", true),
            (r"/x{ 1, 2 }/", b"x", true),
            (r"/(?i)a(?-i)B/", b"AB", true),
            (r"/(?i)a(?-i)B/", b"Ab", false),
            (r"/(?i:a)b/", b"Ab", true),
            (r"/((?i)a)b/", b"AB", false),
            (r"/a b # c/x", b"ab", true),
            (r"/a(?# no )b/", b"ab", true),
            (r"/a\ b/x", b"a b", true),
            (r"/\012\x{41}\cA\e/", b"\nA\x01\x1b", true),
            (r"m{a/b}", b"a/b", true),
            (r"/a\/b/", b"a/b", true),
            (r"/(?<name>a)(b)/n", b"ab", true),
            (r"/\R\N/", b"\r\nx", true),
            (r"/\Qa/", b"Qa", true),
            (r"/100%/", b"100%", true),
            (r"/%{a}/", b"%{a}", true),
            ("/\\@\\#/", b"@#", true),
        ];
        for (pattern, text, wanted) in cases {
            assert_eq!(hits(pattern, text), *wanted, "{pattern} on {text:?}");
        }
    }

    #[test]
    fn problems_have_codes_and_places() {
        for (pattern, code, span) in [
            ("/a(b/", "R0302", 2..3),
            ("/a)b/", "R0302", 2..3),
            ("/a[b/", "R0302", 2..3),
            ("/*a/", "R0302", 1..2),
            ("/a**/", "R0302", 3..4),
            ("/a{3,2}/", "R0302", 2..7),
            ("/[z-a]/", "R0302", 2..5),
            ("/[[:nope:]]/", "R0302", 2..10),
            ("/(?<1>a)/", "R0302", 1..6),
            (r"/\2(a)/", "R0302", 1..3),
            ("/a{65535}/", "R0304", 2..9),
            ("/((a{100}){100}){100}/", "R0304", 1..21),
            ("/(?<=a+)b/", "R0303", 1..8),
            ("/a(?<!b{256})/", "R0303", 2..13),
            (r"/(?:(a)|b)(?<=\1)/", "R0303", 14..16),
            ("/a/g", "R0305", 3..4),
            ("//", "R0306", 0..2),
            ("/(?{ x })/", "R0307", 1..4),
            ("/%{NAME}/", "R0308", 1..8),
            ("/(?R)/", "R0308", 1..4),
            (r"/\x{263a}/", "R0308", 1..9),
            (r"/\p{L}/", "R0308", 1..3),
        ] {
            let problem = Pattern::compile(pattern).unwrap_err();
            assert_eq!((problem.code, problem.span), (code, span), "{pattern}: {}", problem.message);
        }
    }

    #[test]
    fn nesting_and_repetition_are_limited() {
        let nested = |depth: usize| format!("/{}a{}/", "(".repeat(depth), ")".repeat(depth));
        assert!(Pattern::compile(&nested(64)).is_ok());
        assert_eq!(Pattern::compile(&nested(65)).unwrap_err().code, "R0304");
        assert!(Pattern::compile("/a{65534}/").is_ok());
    }

    #[test]
    fn literals_are_required() {
        let cases: &[(&str, &[&[&str]])] = &[
            ("/Viagra/i", &[&["viagra"]]),
            ("/(?:foo|barbaz)qux/", &[&["barbazqux", "fooqux"]]),
            ("/colou?r scheme/", &[&["color scheme", "colour scheme"]]),
            (r"/\d+ dollars? \w+/", &[&[" dollar ", " dollars "]]),
            ("/cash.*money/", &[&["money"], &["cash"]]),
            (r"/^https?:\/\/[^\/]*xn--/", &[&["xn--"], &["http://", "https://"]]),
            ("/(?:red.*blue|green)x/", &[&["blue", "green"], &["green", "red"]]),
            ("/a|verylong/", &[]),
            ("/(?:abc)?x/", &[]),
            ("/(?:abc)+/", &[&["abc"]]),
            (r"/\bab\b/", &[]),
            (r"/\b\$1\b/", &[&["$1"]]),
            (r"/a{3}/", &[&["aaa"]]),
        ];
        for (pattern, wanted) in cases {
            let found = Pattern::compile(pattern).unwrap().clauses;
            let text = |literal: &Vec<u8>| String::from_utf8(literal.clone()).unwrap();
            let found: Vec<Vec<_>> = found.iter().map(|clause| clause.iter().map(text).collect()).collect();
            assert_eq!(found, *wanted, "{pattern}");
        }
    }

    #[test]
    fn bytes_and_lengths_are_required() {
        for (pattern, text, wanted) in [
            (r"/\d\$x{3}/", "1$x", (true, 5)),
            (r"/\d\$x{3}/", "1", (false, 5)),
            (r"/(?:\d|\$)+/", "$", (true, 1)),
            (r"/(?:\d|\$)?/", "", (true, 0)),
            (r"/(?:\d#|q)/", "5", (false, 1)),
        ] {
            let pattern = Pattern::compile(pattern).unwrap();
            let bytes = super::ByteSet::of_text(text.as_bytes());
            assert_eq!((pattern.needs.iter().all(|set| set.meets(bytes)), pattern.least), wanted, "{text}");
        }
    }

    #[test]
    fn counts_every_match() {
        for (pattern, text, wanted) in
            [("/a/", "banana", 3), ("/a*/", "baa", 3), ("/ana/", "banana", 1), ("/x/", "banana", 0)]
        {
            let pattern = Pattern::compile(pattern).unwrap();
            assert_eq!(
                pattern.count(&mut Cache::default(), &mut Budget::default(), text.as_bytes(), 100),
                wanted,
                "{text}"
            );
        }
        let pattern = Pattern::compile("/a/").unwrap();
        assert_eq!(pattern.count(&mut Cache::default(), &mut Budget::default(), b"aaaaa", 3), 3);
    }

    proptest! {
        /// No text makes the compiler panic, and every problem points into the text.
        #[test]
        fn compiling_never_panics(text in "[/m{}\\[\\]()?*+|^$.:<>!=P\\\\a-f0-9xsiN,\\- \u{e9}\u{f7e9}#%]{0,40}") {
            for text in [text.clone(), format!("/{text}/i")] {
                if let Err(problem) = Pattern::compile(&text) {
                    prop_assert!(problem.span.start <= problem.span.end && problem.span.end <= text.len(), "{problem:?}");
                    prop_assert!(text.is_char_boundary(problem.span.start) && text.is_char_boundary(problem.span.end));
                }
            }
        }

        /// Where the literals or bytes are missing, or the text is too short, the pattern does not match.
        #[test]
        fn the_filters_never_lie(pattern in "(a|b|c|ab|[ab]|\\(abc\\|bca\\)|\\(\\?:cab\\.\\*b\\|1a\\)|\\(ab\\)\\?|a\\{1,3\\}|b\\+|\\.|1|\\\\\\$|\\[0-9\\]){1,6}", text in "[abcABC1$]{0,20}") {
            for pattern in [format!("/{pattern}/i"), format!("/(?:{pattern}|aab|1\\$)+/i")] {
                let Ok(compiled) = Pattern::compile(&pattern) else { return Ok(()) };
                let (lower, bytes) = (text.to_lowercase(), super::ByteSet::of_text(text.as_bytes()));
                let seen = compiled.clauses.iter().all(|clause| {
                    clause.iter().any(|literal| lower.contains(std::str::from_utf8(literal).unwrap()))
                });
                let filters = seen && compiled.needs.iter().all(|set| set.meets(bytes)) && text.len() >= compiled.least;
                prop_assert!(filters || !compiled.matches(text.as_bytes()), "{pattern} {text}");
            }
        }
    }
}
