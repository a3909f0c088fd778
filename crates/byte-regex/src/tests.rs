//! The backtracking engine against what Perl does: a table written by hand, Perl itself where there
//! is one, and the finite automaton for what that can decide.

use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::Pattern;
use super::backtrack::Machine;
use super::budget::{BYTE_STEPS, Budget, TEXT_STEPS};
use super::parse::{Flags, parse};
use super::pattern::Cache;
use super::pattern_generator::Generator;
use super::program::Program;

type Span = Option<(usize, usize)>;

/// The first match, by backtracking alone.
fn by_program(pattern: &str, text: &[u8]) -> Result<Span, &'static str> {
    let parsed = parse(pattern.as_bytes(), Flags::default()).map_err(|_| "not understood")?;
    let program = Program::new(&parsed.node)?;
    let mut steps = Budget::default().for_text(text);
    program
        .find(&mut Machine::default(), &mut steps, text, 0, None)
        .map_err(|_| "limit")
}

/// Pattern, text, and whether it matches.
const CASES: &[(&str, &[u8], bool)] = &[
    // Look-ahead.
    (r"/free(?!dom)/", b"freedom", false),
    (r"/free(?!dom)/", b"freedom is free", true),
    (r"/foo(?=bar)/", b"foobar", true),
    (r"/foo(?=bar)baz/", b"foobaz", false),
    (r"/(?=.*\d)(?=.*[A-Z])\w{4}/", b"abcD1", true),
    (r"/(?=.*\d)(?=.*[A-Z])\w{4}/", b"abcd1", false),
    (r"/^(?!.*secret)/", b"the secret", false),
    (r"/^(?!.*secret)/", b"the\nsecret", true),
    (r"/^(?!.*secret)/s", b"the\nsecret", false),
    (r"/(?!viagra)v[i1]agra/i", b"Viagra", false),
    (r"/(?!viagra)v[i1]agra/i", b"v1agra", true),
    (r"/a(?=b(?!c))/", b"abcab", true),
    (r"/a(?=b(?!c))/", b"abc", false),
    (r"/(?!)/", b"a", false),
    (r"/a(?!$)/", b"a\n", false),
    (r"/a(?!\z)/", b"a\n", true),
    // A look-ahead keeps its captures and forgets its choices.
    (r"/(?=(a+))a*b\1/", b"aaab", false),
    (r"/(?=(a+))a*b\1/", b"aaabaaa", true),
    (r"/(?=(a|ab))\1c/", b"abc", false),
    // A negative one keeps nothing.
    (r"/(?!(b))a\1/", b"aa", false),
    (r"/(?:(?!(b))a|\1)c/", b"ac", true),
    // Look-behind.
    (r"/(?<!un)happy/", b"unhappy", false),
    (r"/(?<!un)happy/", b"happy", true),
    (r"/(?<=\$)\d+/", b"cost $5", true),
    (r"/(?<=\$)\d+/", b"cost 5", false),
    (r"/(?<=a|bcd)x/", b"bcdx", true),
    (r"/(?<=a|bcd)x/", b"cdx", false),
    (r"/(?<!a|bcd)x/", b"bcdx", false),
    (r"/(?<!a|bcd)x/", b"dx", true),
    (r"/(?<=a{2,4})x/", b"aaax", true),
    (r"/(?<=a{2,4})x/", b"ax", false),
    (r"/(?<=^a)b/", b"ab", true),
    (r"/(?<=^a)b/", b"cab", false),
    (r"/(?<=(?<!c)a)b/", b"cab", false),
    (r"/(?<=(?<!c)a)b/", b"dab", true),
    (r"/(?<=b)^a/m", b"b\na", false),
    (r"/(?<=\n)^a/m", b"b\na", true),
    (r"/(?<![\w-])x/", b"-x", false),
    (r"/(?<![\w-])x/", b"x", true),
    // Back-references.
    (r"/(a)b\1/", b"aba", true),
    (r"/(a)b\1/", b"abb", false),
    (r"/(a)b\1/i", b"abA", true),
    (r"/(\w)\1{3}/", b"hellooo", false),
    (r"/(\w)\1{3}/", b"helloooo", true),
    (r"/([\xe0-\xff])x\1/i", b"\xe9x\xc9", true),
    (r"/([\xf7])x\1/i", b"\xf7x\xd7", false),
    (r"/(.)(?-i)\1/i", b"aA", false),
    (r"/(a)|b\1/", b"b", false),
    (r"/(?:(a)|b)*\1/", b"aba", true),
    (r"/(a*)\1b/", b"aaab", true),
    (r"/^(a*)\1b/", b"aaab", false),
    (r"/^(a*?)\1b/", b"aaaab", true),
    (r"/^(a+?)(b+)\2\1$/", b"aabbaa", true),
    (r"/^(.+)\s\1$/", b"hey hey", true),
    (r"/^(.+)\s\1$/", b"hey hay", false),
    (r"/(?<word>\w+) \k<word>/", b"the the", true),
    (r"/(?P<word>\w+) (?P=word)x/", b"the the", false),
    (r"/(a)(b)\g{-1}\g{-2}/", b"abba", true),
    (r"/(a)\g1/", b"aa", true),
    (r"/(?:(a|b\1))+c/", b"abac", true),
    (r"/^(?:(a|b\1))+c/", b"bac", false),
    (r"/(a\1)/", b"aa", false),
    (r"/()\1x/", b"x", true),
    // Possessive and atomic.
    (r"/a++b/", b"aaab", true),
    (r"/a++a/", b"aaa", false),
    (r"/(?:a|ab)++c/", b"abc", false),
    (r"/(?>a|ab)c/", b"abc", false),
    (r"/(?>ab|a)c/", b"abc", true),
    (r"/a?+a/", b"a", false),
    (r"/a{1,2}+a/", b"aa", false),
    (r"/a{1,2}+a/", b"aaa", true),
    (r"/(?>a*)b|c/", b"aac", true),
    (r"/(?:(?>a*)x|aab)/", b"aab", true),
    (r"/(?>(a+)b)\1/", b"aaba", true),
    // Places inside.
    (r"/a$\nb/", b"a\nb", false),
    (r"/a$\nb/m", b"a\nb", true),
    (r"/a$\n/", b"a\n", true),
    (r"/a\n^b/m", b"a\nb", true),
    (r"/a\n^/m", b"a\n", false),
    (r"/a\n(?:^b|c)/m", b"a\nb", true),
    (r"/(?:a$|b)x?\n/", b"a\n", true),
    // Lazy, and empty rounds.
    (r"/^(a+?)\1+$/", b"aaaaaa", true),
    (r"/^(a+?)\1+$/", b"a", false),
    (r"/^(?:a?)*?(?=b)b/", b"aab", true),
    (r"/^(?:a?|b)*(?=c)c/", b"abac", true),
    (r"/^(?:(?>a?)|(?>b)x)*(?=c)c/", b"abac", false),
    (r"/^(?:a|b?)*(?=c)c/", b"abac", true),
    (r"/^(?:)*(?=a)/", b"a", true),
    (r"/^(?:a??){3}(?=b)/", b"aab", true),
    (r"/^(?:a??){3}(?=b)/", b"aaaab", false),
    (r"/^(?:(a)|(b)){2,3}\2(?!a)/", b"abb", true),
    (r"/^(?:ab?){2,3}?(?!b)c/", b"abaabc", true),
];

#[test]
fn backtracks_as_perl_does() {
    for (pattern, text, wanted) in CASES {
        let compiled =
            Pattern::compile(pattern).unwrap_or_else(|problem| panic!("{pattern}: {problem:?}"));
        let (mut cache, mut budget) = (Cache::default(), Budget::default());
        assert_eq!(
            compiled.is_match(&mut cache, &mut budget, text),
            *wanted,
            "{pattern} on {text:?}"
        );
        assert!(!budget.was_reached(), "{pattern}");
        assert_eq!(compiled.matches(text), *wanted, "{pattern} on {text:?}");
    }
}

#[test]
fn counts_as_perl_does() {
    for (pattern, text, wanted) in [
        (r"/a(?!b)/", "aabaa", 3),
        (r"/(?=a)/", "aba", 2),
        (r"/(\w)\1/", "aabbbbc", 3),
        (r"/(?<=a)/", "aab", 2),
        (r"/(?!x)/", "ab", 3),
        // After an empty match another way is tried at the same place.
        (r"/(?=a)|a/", "aa", 4),
        (r"/(?>a*)/", "baa", 3),
    ] {
        let pattern = Pattern::compile(pattern).unwrap();
        let (mut cache, mut budget) = (Cache::default(), Budget::default());
        assert_eq!(
            pattern.count(&mut cache, &mut budget, text.as_bytes(), 100),
            wanted,
            "{text}"
        );
        assert_eq!(
            pattern.count(&mut cache, &mut budget, text.as_bytes(), 1),
            1,
            "{text}"
        );
        assert_eq!(
            pattern.count(&mut cache, &mut budget, text.as_bytes(), 0),
            0,
            "{text}"
        );
    }
}

#[test]
fn attacks_end_at_the_limit() {
    let texts = [
        vec![b'a'; 100_000],
        b"ab".repeat(50_000),
        b"a a".repeat(33_000),
    ];
    for pattern in [
        r"/(a+)+$(?!b)\n/",
        r"/(a|a)*(?!c)b\b(?=c)/",
        r"/(.*)*\1xy?$(?!b)/",
        r"/(a*)*(?!a)c/",
        r"/(.*)(.*)(.*)(.*)\1\2\3\4x/",
        r"/(?:a|b|ab)*(?=c)/",
        r"/((a?)+)+\1\2!/",
        r"/(?<!(?:a|aa){1,100})a(?=.*!)(.+)+\1!/",
    ] {
        let pattern = Pattern::compile(pattern).unwrap();
        for text in &texts {
            let mut text = text.clone();
            // So that what the automaton and the literals ask for is there.
            text.extend(b"!b c x xy\n\n");
            let (mut cache, mut budget) = (Cache::default(), Budget::default());
            let before = budget.left();
            pattern.is_match(&mut cache, &mut budget, &text);
            assert!(before - budget.left() <= TEXT_STEPS + BYTE_STEPS * text.len() as u64);
        }
    }
}

#[test]
fn a_limit_is_no_hit_and_is_reported() {
    let pattern = Pattern::compile(r"/^(?:a+)+b(?!c)/").unwrap();
    let text = |length: usize| [vec![b'a'; length], b"bc".to_vec()].concat();
    let search = |length: usize, budget: &mut Budget| {
        pattern.is_match(&mut Cache::default(), budget, &text(length))
    };
    let mut budget = Budget::default();
    assert!(!search(10, &mut budget) && !budget.was_reached());
    assert!(!search(10_000, &mut budget) && budget.was_reached());
    // The budget of a message: many searches, each below its own limit.
    let mut budget = Budget::default();
    let searches = (0..1_000_000).take_while(|_| {
        search(12, &mut budget);
        !budget.was_reached()
    });
    assert!(searches.count() > 100);
    assert_eq!(budget.left(), 0);
    // Then nothing is found any more that needs backtracking, and all else is.
    let sure = Pattern::compile(r"/a(?=a)/").unwrap();
    assert!(!sure.is_match(&mut Cache::default(), &mut budget, b"aa"));
    let plain = Pattern::compile(r"/aa/").unwrap();
    assert!(plain.is_match(&mut Cache::default(), &mut budget, b"aa"));
}

/// With exactly the steps that a search takes it ends; with one less it is given up.
#[test]
fn a_budget_is_enough_or_one_step_short() {
    for (pattern, text) in [
        (r"/(\w+) \1(?!x)/", "one two two"),
        (r"/(?<=a)b+(?=c)/", "abbbc"),
        (r"/^(?>a+)b(?!c)/", "aaab"),
    ] {
        let pattern = Pattern::compile(pattern).unwrap();
        let mut budget = Budget::default();
        let all = budget.left();
        assert!(pattern.is_match(&mut Cache::default(), &mut budget, text.as_bytes()));
        let steps = all - budget.left();
        for (given, wanted) in [(steps, true), (steps - 1, false)] {
            let mut budget = Budget::of(given);
            let found = pattern.is_match(&mut Cache::default(), &mut budget, text.as_bytes());
            assert_eq!(
                (found, budget.was_reached()),
                (wanted, !wanted),
                "{text} with {given}"
            );
        }
    }
}

#[test]
fn deep_repetition_needs_no_deep_stack_of_calls() {
    for pattern in [r"/^(?:(?:a|b)|c)*(?!d)$/", r"/^(?:(a)|b)*+$/"] {
        let pattern = Pattern::compile(pattern).unwrap();
        assert!(pattern.matches(&b"ab".repeat(8_000)));
        assert!(!pattern.matches(&[b"ab".repeat(8_000), b"x".to_vec()].concat()));
    }
}

#[test]
fn bombs_are_refused_or_small() {
    let nested = (0..12).fold("(a)".to_owned(), |inner, _| format!(r"({inner}\1){{100}}"));
    let optional = "(a|b)?".repeat(10_000);
    for pattern in [
        format!("/{nested}/"),
        format!("/{optional}c(?!a)/"),
        r"/((a{9999}){9999})\1/".into(),
    ] {
        match Pattern::compile(&pattern) {
            Ok(pattern) => assert!(!pattern.matches(b"b")),
            Err(problem) => assert!(["R0303", "R0304"].contains(&problem.code), "{problem:?}"),
        }
    }
    assert_eq!(
        Pattern::compile("/((a{100}){100}){100}/").unwrap_err().code,
        "R0304"
    );
    let behind = |length: usize| format!("/(?<=a{{{length}}})b/");
    assert!(Pattern::compile(&behind(255)).is_ok());
    assert_eq!(Pattern::compile(&behind(256)).unwrap_err().code, "R0303");
}

/// Reads `flags TAB pattern TAB hex of the text` and tells where the first match is and how many
/// there are.
const PERL: &str = r#"
no warnings; binmode STDIN; binmode STDOUT;
while (<STDIN>) {
  chomp; my ($f, $p, $t) = split /\t/, $_, -1; $t = pack('H*', $t);
  my $re = eval { use re '/aa'; my $q = "(?$f)$p"; qr/$q/aa };
  if (!$re) { print "error\n"; next }
  my ($s, $e) = $t =~ $re ? ($-[0], $+[0]) : (-1, -1);
  my $n = 0; pos($t) = 0; $n++ while $t =~ /$re/g;
  print "$s $e $n\n";
}
"#;

fn ask_perl(lines: &str) -> Option<String> {
    let mut perl = Command::new("perl");
    let mut child = perl
        .args(["-e", PERL])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take()?;
    let lines = lines.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().ok()?;
    writer.join().ok()?.ok()?;
    String::from_utf8(output.stdout).ok()
}

#[test]
fn agrees_with_perl_itself() {
    let mut generator = Generator(0x5eed_cafe_f00d_1234);
    let mut asked = Vec::new();
    for round in 0..4_000 {
        let pattern = generator.pattern(3, &mut 0, round % 8 == 0);
        let flags = generator.pick(&["", "i", "m", "s", "im"]);
        asked.push((flags, pattern, generator.text()));
    }
    let mut lines = String::new();
    for (flags, pattern, text) in &asked {
        lines.extend([flags, "\t", pattern, "\t"]);
        text.bytes()
            .for_each(|byte| lines.extend([format!("{byte:02x}")]));
        lines.push('\n');
    }
    let Some(answers) = ask_perl(&lines) else {
        println!("skipped: there is no perl");
        return;
    };
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(answers.len(), asked.len());
    let (mut compared, mut wrong) = (0, Vec::new());
    for ((flags, pattern, text), answer) in asked.iter().zip(answers) {
        let first = by_program(&format!("(?{flags}){pattern}"), text.as_bytes());
        // What Perl refuses is no question; and Perl remembers for such patterns where it was
        // before, we do not.
        if answer == "error" || first == Err("limit") {
            continue;
        }
        let Ok(compiled) = Pattern::compile(&format!("/{pattern}/{flags}")) else {
            wrong.push(format!("/{pattern}/{flags} does not compile"));
            continue;
        };
        let (mut cache, mut budget) = (Cache::default(), Budget::default());
        let count = compiled.count(&mut cache, &mut budget, text.as_bytes(), 1_000);
        let place = match first {
            Ok(Some((start, end))) => format!("{start} {end}"),
            Ok(None) => "-1 -1".to_owned(),
            Err(message) => message.to_owned(),
        };
        let hit = compiled.is_match(&mut cache, &mut budget, text.as_bytes());
        if hit == answer.starts_with('-') || !answer.starts_with(&format!("{place} ")) {
            wrong.push(format!(
                "/{pattern}/{flags} on {text:?}: perl {answer}, we {place} {count}, hit {hit}"
            ));
        } else if !compiled.is_automaton() && answer != format!("{place} {count}") {
            wrong.push(format!(
                "/{pattern}/{flags} on {text:?}: perl {answer}, we {place} {count}"
            ));
        }
        compared += 1;
    }
    assert!(compared > asked.len() * 9 / 10, "{compared}");
    // Perl itself is wrong now and then: `" " =~ /(?=a{0,2}(?!b(?=.*+^).))./m` does not match in
    // 5.36, and captures in loops may keep what a way that failed left in them.
    println!(
        "{compared} compared, {} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(wrong.len() * 500 <= compared, "{}", wrong.join("\n"));
}

proptest! {
    /// What the automaton can decide the program decides in the same way.
    #[test]
    fn agrees_with_the_automaton(seed in 1_u64.., text in "[abcA \n]{0,14}") {
        let pattern = Generator(seed).pattern(3, &mut 0, true);
        let compiled = Pattern::compile(&format!("/{pattern}/"));
        prop_assume!(compiled.as_ref().is_ok_and(Pattern::is_automaton));
        let found = by_program(&pattern, text.as_bytes());
        prop_assume!(found != Err("limit"));
        prop_assert_eq!(found.map(|found| found.is_some()), Ok(compiled.unwrap().matches(text.as_bytes())), "{}", pattern);
    }

    /// The looser pattern matches wherever the exact one does: with the filter in front, nothing is lost.
    #[test]
    fn the_filter_loses_nothing(seed in 1_u64.., text in "[abcA \n]{0,14}") {
        let pattern = Generator(seed).pattern(3, &mut 0, false);
        let Ok(compiled) = Pattern::compile(&format!("/{pattern}/")) else { return Ok(()) };
        let found = by_program(&pattern, text.as_bytes());
        prop_assume!(found != Err("limit"));
        prop_assert_eq!(found.map(|found| found.is_some()), Ok(compiled.matches(text.as_bytes())), "{}", pattern);
    }
}

proptest! {
    /// An alternation of many branches, which jumps by the next byte, matches where the automaton says: the first branch in
    /// order wins, empty ones and those that begin alike included.
    #[test]
    fn many_branches_are_tried_in_their_order(
        branches in proptest::collection::vec("(a|b|c|ab|\\[ab\\]|c\\?){0,3}", 6..12),
        around in prop::sample::select(vec![("", ""), ("^", "$"), ("b", "c"), ("(?:", "){2}")]),
        text in "[abc]{0,12}",
    ) {
        let pattern = format!("{}(?:{}){}", around.0, branches.join("|"), around.1);
        let automaton = regex_automata::meta::Regex::new(&pattern).unwrap();
        let wanted = automaton.find(&text).map(|found| (found.start(), found.end()));
        prop_assert_eq!(by_program(&pattern, text.as_bytes()), Ok(wanted), "{} on {}", pattern, text);
    }
}
