//! A compiled pattern.

use super::ast::Node;
use super::budget::Budget;
use super::delimit::delimited;
use super::form::{Form, FormCache, Refused};
use super::literals::Clause;
use super::parse::{Flags, Parsed, parse};
use super::plain::{Plain, dropped, for_plain_texts, is_plain};
use super::problem::Problem;
use super::stand_in::byte_of_stand_in;

/// The scratch space of one pattern.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    whole: FormCache,
    plain: FormCache,
}

/// What decides plain texts.
#[derive(Clone, Debug)]
enum ForPlain {
    /// The whole pattern, as for all others.
    Whole,
    /// Nothing: it matches none.
    Nothing,
    /// A smaller one.
    Smaller(Box<Form>),
}

/// A regular expression that can be searched for.
#[derive(Clone, Debug)]
pub struct Pattern {
    whole: Form,
    plain: ForPlain,
    /// It matches the empty text anywhere, and so every text.
    pub always_matches: bool,
}

impl Pattern {
    /// Compiles a pattern that is written with its delimiters. Spans of problems are byte offsets
    /// in `text`.
    pub fn compile(text: &str) -> Result<Self, Problem> {
        let parts = delimited(text)?;
        let mut flags = Flags::default();
        for (index, letter) in parts.modifiers.bytes().enumerate() {
            if !flags.set(letter, true) {
                let at = parts.modifiers_span().start + index;
                let message = format!("there is no modifier `{}`", char::from(letter));
                return Err(Problem::wrong("R0305", message, at..at + 1));
            }
        }
        if parts.pattern.is_empty() {
            return Err(Problem::wrong(
                "R0306",
                "the regular expression is empty",
                0..text.len(),
            ));
        }
        let bytes = bytes_of(parts.pattern);
        let moved = |at: usize| parts.start + text_offset(parts.pattern, at);
        let Parsed {
            node, backtracking, ..
        } = parse(&bytes, flags).map_err(|problem| {
            let span = moved(problem.span.start)..moved(problem.span.end);
            Problem { span, ..problem }
        })?;
        let span = parts.start..parts.start + parts.pattern.len();
        let mut whole = Form::new(&node).map_err(|refused| match refused {
            Refused::Automaton(message) => Problem::wrong("R0304", message, span.clone()),
            Refused::Program(message) => {
                let inner = backtracking.map(|inner| moved(inner.start)..moved(inner.end));
                Problem::unsupported("R0303", message, inner.unwrap_or_else(|| span.clone()))
            }
        })?;
        let plain = match for_plain_texts(&node) {
            Plain::Same => ForPlain::Whole,
            Plain::Never => ForPlain::Nothing,
            Plain::Smaller(node) => {
                Form::new(&node).map_or(ForPlain::Whole, |form| ForPlain::Smaller(Box::new(form)))
            }
        };
        if whole.clauses.is_empty() {
            whole.clauses = with_dropped(&plain, &node);
        }
        Ok(Self {
            always_matches: whole.always_matches,
            whole,
            plain,
        })
    }

    /// The form for texts of which nothing is known.
    pub fn whole(&self) -> &Form {
        &self.whole
    }

    /// The form for plain texts; `None` when none of them matches.
    pub fn for_plain(&self) -> Option<&Form> {
        match &self.plain {
            ForPlain::Whole => Some(&self.whole),
            ForPlain::Nothing => None,
            ForPlain::Smaller(form) => Some(form),
        }
    }

    /// Whether plain texts are decided in another way than all others.
    pub fn is_split(&self) -> bool {
        !matches!(self.plain, ForPlain::Whole)
    }

    /// The form that decides a text, and its scratch space.
    fn choose<'p>(
        &'p self,
        cache: &'p mut Cache,
        text: &[u8],
    ) -> Option<(&'p Form, &'p mut FormCache)> {
        match &self.plain {
            ForPlain::Smaller(form) if is_plain(text) => Some((form, &mut cache.plain)),
            ForPlain::Nothing if is_plain(text) => None,
            _ => Some((&self.whole, &mut cache.whole)),
        }
    }

    /// Whether it matches somewhere in the text. Without look-around and the like time is linear in
    /// text times pattern; with them the budget is taken from, and where that ends the answer
    /// is no.
    pub fn is_match(&self, cache: &mut Cache, budget: &mut Budget, text: &[u8]) -> bool {
        self.choose(cache, text)
            .is_some_and(|(form, cache)| form.is_match(cache, budget, text))
    }

    /// The same with scratch space of its own, for patterns that are asked rarely.
    pub fn matches_within(&self, budget: &mut Budget, text: &[u8]) -> bool {
        self.whole.matches(budget, text)
    }

    /// The same with a budget of its own too: only for texts of those who write rules, never for
    /// those of a message.
    pub fn matches(&self, text: &[u8]) -> bool {
        self.matches_within(&mut Budget::default(), text)
    }

    /// How often it matches, by the whole pattern and without any shortcut, for the oracle.
    pub fn count_whole(
        &self,
        cache: &mut Cache,
        budget: &mut Budget,
        text: &[u8],
        most: u32,
    ) -> u32 {
        self.whole.count(&mut cache.whole, budget, text, most)
    }

    /// How often it matches, up to `most`, one match after the other. As in Perl, an empty match
    /// is not followed by another at the same place. Where the budget ends, what was found
    /// until then.
    pub fn count(&self, cache: &mut Cache, budget: &mut Budget, text: &[u8], most: u32) -> u32 {
        self.choose(cache, text)
            .map_or(0, |(form, cache)| form.count(cache, budget, text, most))
    }

    /// Whether a finite automaton decides it alone.
    #[cfg(test)]
    pub(super) fn is_automaton(&self) -> bool {
        self.whole.is_automaton()
    }

    #[cfg(test)]
    pub(super) fn is_rewritten(&self) -> bool {
        self.whole.is_rewritten()
    }
}

/// Clauses of a whole pattern: what matches by nothing but plain texts has the literals of the form
/// for these, and all else a literal of what was left out of that.
fn with_dropped(plain: &ForPlain, node: &Node) -> Vec<Clause> {
    let of_plain = match plain {
        ForPlain::Whole => return Vec::new(),
        ForPlain::Nothing => vec![Clause {
            literals: Vec::new(),
            times: 1,
        }],
        ForPlain::Smaller(form) => form.clauses.clone(),
    };
    let Some(dropped) = dropped(node).filter(|_| !of_plain.is_empty()) else {
        return Vec::new();
    };
    let both = |clause: Clause| Clause {
        literals: [clause.literals, dropped.clone()].concat(),
        times: 1,
    };
    of_plain
        .into_iter()
        .map(both)
        .filter(|clause| !clause.literals.is_empty())
        .collect()
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
        seen += if byte_of_stand_in(character).is_some() {
            1
        } else {
            character.len_utf8()
        };
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Budget;
    use super::{Cache, Pattern};

    fn hits(pattern: &str, text: &[u8]) -> bool {
        let pattern =
            Pattern::compile(pattern).unwrap_or_else(|problem| panic!("{pattern}: {problem:?}"));
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
            assert_eq!(
                (problem.code, problem.span),
                (code, span),
                "{pattern}: {}",
                problem.message
            );
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
            (r"/\w+ dollars? \w+/", &[&[" dollar ", " dollars "]]),
            ("/cash.*money/", &[&["money"], &["cash"]]),
            (
                r"/^https?:\/\/[^\/]*xn--/",
                &[&["xn--"], &["http://", "https://"]],
            ),
            (
                "/(?:red.*blue|green)x/",
                &[&["bluex", "greenx"], &["blue", "green"], &["green", "red"]],
            ),
            ("/a|verylong/", &[]),
            ("/(?:abc)?x/", &[]),
            ("/(?:abc)+/", &[&["abc"]]),
            (r"/\bab\b/", &[]),
            (r"/\b\$1\b/", &[&["$1"]]),
            (r"/a{3}/", &[&["aaa"]]),
        ];
        for (pattern, wanted) in cases {
            let found = Pattern::compile(pattern).unwrap().whole.clauses;
            let text = |literal: &Vec<u8>| String::from_utf8(literal.clone()).unwrap();
            let found: Vec<Vec<_>> = found
                .iter()
                .map(|clause| clause.literals.iter().map(text).collect())
                .collect();
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
            let bytes = super::super::ByteSet::of_text(text.as_bytes());
            assert_eq!(
                (
                    pattern.whole.needs.iter().all(|set| set.meets(bytes)),
                    pattern.whole.least
                ),
                wanted,
                "{text}"
            );
        }
    }

    #[test]
    fn counts_every_match() {
        for (pattern, text, wanted) in [
            ("/a/", "banana", 3),
            ("/a*/", "baa", 3),
            ("/ana/", "banana", 1),
            ("/x/", "banana", 0),
        ] {
            let pattern = Pattern::compile(pattern).unwrap();
            assert_eq!(
                pattern.count(
                    &mut Cache::default(),
                    &mut Budget::default(),
                    text.as_bytes(),
                    100
                ),
                wanted,
                "{text}"
            );
        }
        let pattern = Pattern::compile("/a/").unwrap();
        assert_eq!(
            pattern.count(&mut Cache::default(), &mut Budget::default(), b"aaaaa", 3),
            3
        );
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
                let (lower, bytes) = (text.to_lowercase(), super::super::ByteSet::of_text(text.as_bytes()));
                let Some(form) = compiled.for_plain() else { return Ok(()) };
                let places = |literals: &[Vec<u8>]| -> usize {
                    let windows = |literal: &Vec<u8>| lower.as_bytes().windows(literal.len()).filter(|w| *w == literal).count();
                    literals.iter().map(windows).sum()
                };
                let seen = form.clauses.iter().all(|clause| places(&clause.literals) >= usize::from(clause.times));
                let filters = seen && form.needs.iter().all(|set| set.meets(bytes)) && text.len() >= form.least;
                prop_assert!(filters || !compiled.matches(text.as_bytes()), "{pattern} {text}");
            }
        }
    }
}
