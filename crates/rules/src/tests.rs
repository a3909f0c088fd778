//! The whole room: semantics of scans, the matcher against each regex alone, and that nothing
//! panics.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;

use super::lint::rule_lints::lint;
use super::lint::test_lines::run_tests;
use super::matcher::scanner::Scanner;
use super::report::explain::explain;
use super::rule_tables::EVERY_KIND;
use super::ruleset::ruleset::Ruleset;
use super::ruleset::scan::Scan;
use gatepost_mail::{
    AnomalyKind, Case, ClientAddress, Facts, Limits, Mailbox, Message, ReversePath, Transaction,
};
use gatepost_words::Stage;
use gatepost_words::diagnostic::{Diagnostic, Source};
use gatepost_words::verdict::Score;

const MAIL: &str = "From: Alice <alice@example.com>\r\n\
    To: Bob <bob@example.net>, carol@example.org\r\n\
    Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= from the sea\r\n\
    Received: one\r\n\
    Received: two\r\n\
    Date: Thu, 1 Jan 1970 05:00:00 +0000\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    \r\n\
    First line\r\n\
    goes on.\r\n\
    \r\n\
    Second  paragraph, see http://www.example.com/path now now now.\r\n";

fn load(rules: &str) -> Ruleset {
    let (ruleset, diagnostics) = Ruleset::load(&[Arc::new(Source::new("t.cf", rules))]);
    ruleset.unwrap_or_else(|| {
        panic!(
            "{}",
            gatepost_words::diagnostic::render(&diagnostics, false)
        )
    })
}

fn transaction() -> Transaction {
    let mut transaction = Transaction::new("test".into(), UNIX_EPOCH + Duration::from_hours(1));
    transaction.envelope.reverse_path = ReversePath::parse(b"<bounce@example.com>");
    transaction.envelope.forward_paths = vec![Mailbox::parse(b"bob@example.net")];
    transaction.helo = Some("mail.example.com".to_owned());
    transaction.client.host = "unknown".to_owned();
    transaction.client.address = ClientAddress::Ip([192, 0, 2, 9].into());
    transaction
}

fn scan_at(ruleset: &Ruleset, mail: &str, stage: Stage) -> Scan {
    let (transaction, facts) = (transaction(), Facts::default());
    let message = Message::parse(mail.as_bytes(), &Limits::default());
    let case = Case {
        stage,
        transaction: &transaction,
        message: &message,
        facts: &facts,
    };
    Scanner::new(ruleset).scan(ruleset, &case, &|| false)
}

fn names(scan: &Scan) -> Vec<&str> {
    scan.hits.iter().map(|hit| hit.rule.as_ref()).collect()
}

/// Each rule is loaded alone, as the rule X, next to a sub-rule that hits three times.
#[test]
fn every_kind_of_rule_hits_what_it_should() {
    for &(rule, wanted) in EVERY_KIND {
        let ruleset = load(&format!(
            "body __NOW /now/\ntflags __NOW multiple\nbody __NONE /nothing here/\n{rule}\n"
        ));
        let scan = scan_at(&ruleset, MAIL, Stage::EndOfMessage);
        assert!(scan.complete);
        assert_eq!(
            names(&scan).contains(&"X"),
            wanted,
            "{rule}: {:?}",
            names(&scan)
        );
    }
}

#[test]
fn scores_follow_the_language() {
    let ruleset = load(
        "body A /x/\nbody T_A /x/\nbody __A /x/\nbody N /x/\ntflags N nice\nbody S /x/\nscore S 2 3 4 5\nscore S (0.5)\n\
         body Z /x/\nscore Z 0\nheader H exists:Date\nscore H -1.5\nbody M /x/\nscore M -2\ndescribe M why # not this\n",
    );
    let score = |name: &str| ruleset.get(name).unwrap().score().to_string();
    assert_eq!(
        ["A", "T_A", "__A", "N", "S"].map(score),
        ["1.0", "0.01", "0.0", "-1.0", "2.5"]
    );
    assert_eq!(ruleset.get("Z").unwrap().disabled(), Some("its score is 0"));
    assert_eq!(ruleset.get("M").unwrap().description(), "why");
    assert_eq!(
        ruleset.lowest_remaining(Stage::EndOfHeaders),
        Score::from_points(-3.0)
    );
    assert_eq!(
        ruleset.lowest_remaining(Stage::Connect),
        Score::from_points(-4.5)
    );
    assert_eq!(ruleset.lowest_remaining(Stage::EndOfMessage), Score::ZERO);
    assert_eq!(ruleset.get("S").unwrap().position(), ("t.cf", 6, 6));
}

#[test]
fn at_the_end_of_headers_only_headers_count() {
    let ruleset =
        load("header H exists:Date\nmeta M H\nmeta N H && !B\nbody B /First/\nmeta L N || H\n");
    assert_eq!(
        names(&scan_at(&ruleset, MAIL, Stage::EndOfHeaders)),
        ["H", "M"]
    );
    assert_eq!(
        names(&scan_at(&ruleset, MAIL, Stage::EndOfMessage)),
        ["H", "M", "B", "L"]
    );
}

#[test]
fn shadow_rules_count_but_never_score() {
    let ruleset = load("body S /First/\ntflags S shadow\nscore S -9\nmeta M S\n");
    let scan = scan_at(&ruleset, MAIL, Stage::EndOfMessage);
    assert_eq!((names(&scan), scan.shadow.len()), (vec!["M"], 1));
    assert_eq!(ruleset.lowest_remaining(Stage::Connect), Score::ZERO);
}

#[test]
fn counts_stop_at_maxhits() {
    for (flags, wanted) in [("multiple", 3), ("multiple maxhits=2", 2), ("publish", 1)] {
        let ruleset = load(&format!(
            "body __N /now/\ntflags __N {flags}\nmeta X __N == {wanted}\n"
        ));
        assert_eq!(
            names(&scan_at(&ruleset, MAIL, Stage::EndOfMessage)),
            ["X"],
            "{flags}"
        );
    }
}

/// What is not known never counts as bad.
#[test]
fn only_a_known_client_lacks_a_host_name() {
    let ruleset = load("header X eval:check_for_no_rdns()\n");
    let ip = |text: &str| ClientAddress::Ip(text.parse().unwrap());
    let known = ip("192.0.2.9");
    for (address, host, wanted) in [
        (known, "unknown", true),
        (known, "[192.0.2.9]", true),
        (known, "mail.example.com", false),
        (known, "", false),
        (ClientAddress::Unknown, "unknown", false),
        (ClientAddress::Local, "unknown", false),
        (ip("10.0.0.1"), "unknown", false),
        (ip("100.64.0.1"), "unknown", false),
        (ip("::ffff:192.168.0.1"), "unknown", false),
        (ip("fe80::1"), "unknown", false),
        (ip("2001:db8::1"), "unknown", true),
        (ClientAddress::Unknown, "[192.0.2.9]", false),
    ] {
        let (mut transaction, facts) = (transaction(), Facts::default());
        (transaction.client.address, transaction.client.host) = (address, host.to_owned());
        let message = Message::parse(MAIL.as_bytes(), &Limits::default());
        let case = Case {
            stage: Stage::EndOfHeaders,
            transaction: &transaction,
            message: &message,
            facts: &facts,
        };
        let hits = !Scanner::new(&ruleset)
            .scan(&ruleset, &case, &|| false)
            .hits
            .is_empty();
        assert_eq!(hits, wanted, "{address} {host}");
    }
}

/// A message whose text has that many bytes.
type MakeMail<'a> = &'a dyn Fn(usize) -> String;

/// A text of just the limit is seen whole; of one more, the end is not, and the scan says so.
#[test]
fn texts_are_cut_at_their_limits() {
    use super::limits::{FULL_LIMIT, HEADER_VALUE_LIMIT, RAWBODY_PART_LIMIT};
    // Lines short enough for the parser; `head` and the text end after exactly `length` bytes.
    let lines = |head: &str, length: usize, end: &str| {
        let mut text = head.to_owned();
        while text.len() + 66 + end.len() <= length {
            text.push_str(&"x".repeat(64));
            text.push_str("\r\n");
        }
        text.push_str(&"x".repeat(length - text.len() - end.len()));
        text + end
    };
    let fields = |length: usize| {
        // Each field is `X: …` with a line feed in the view.
        let (mut mail, mut seen) = (String::new(), 0);
        while seen + 2_000 < length {
            mail = mail + "X: " + &"x".repeat(996) + "\n";
            seen += 1_000;
        }
        mail + &format!("X: {}END\n\n", "x".repeat(length - seen - 7))
    };
    let rawbody = |length: usize| format!("Subject: s\r\n\r\n{}END", "x".repeat(length - 3));
    let cases: [(&str, usize, MakeMail<'_>); 3] = [
        ("rawbody X /END$/", RAWBODY_PART_LIMIT, &rawbody),
        ("full X /END$/", FULL_LIMIT, &|length| {
            lines("Subject: s\r\n\r\n", length, "END")
        }),
        ("header X ALL:raw =~ /END\\n/", HEADER_VALUE_LIMIT, &fields),
    ];
    for (rule, limit, mail) in cases {
        let ruleset = load(&format!("{rule}\nheader Y exists:Subject\n"));
        for (length, wanted) in [(limit, true), (limit + 1, false)] {
            let scan = scan_at(&ruleset, &mail(length), Stage::EndOfMessage);
            assert_eq!(names(&scan).contains(&"X"), wanted, "{rule} {length}");
            let noted = scan
                .anomalies
                .iter()
                .any(|anomaly| anomaly.kind == AnomalyKind::RuleLimit);
            assert_eq!(noted, !wanted, "{rule} {length}: {:?}", scan.anomalies);
        }
    }
}

/// A search that backtracks too much is no hit, and an anomaly; a budget is for one message.
#[test]
fn a_search_that_was_given_up_is_noted() {
    let ruleset = load("body A /(?:a+)+b(?!c)/\nbody B /b(?=c)/\n");
    for (length, wanted) in [(5, 0), (50, 1)] {
        let mail = format!("Subject: s\r\n\r\n{}bc\r\n", "a".repeat(length));
        let scan = scan_at(&ruleset, &mail, Stage::EndOfMessage);
        assert_eq!(names(&scan), ["B"]);
        let noted = scan
            .anomalies
            .iter()
            .filter(|anomaly| anomaly.kind == AnomalyKind::RuleLimit);
        assert_eq!(noted.count(), wanted, "{length}");
    }
}

/// What was cut off matters only to a rule that was still looking.
#[test]
fn a_cut_is_noted_for_those_who_look() {
    let mail = format!("Subject: s\r\n\r\nFirst {}", "many words ".repeat(6_000));
    for (rule, wanted) in [
        ("body A /First/", 0),
        ("body A /none/", 1),
        ("header A exists:X", 0),
        ("full A /none/", 0),
    ] {
        assert_eq!(
            scan_at(&load(rule), &mail, Stage::EndOfMessage)
                .anomalies
                .len(),
            wanted,
            "{rule}"
        );
    }
}

#[test]
fn matches_of_one_rule_are_limited() {
    let most = crate::limits::MULTIPLE_LIMIT;
    let ruleset = load(&format!(
        "body __N /now/\ntflags __N multiple\nmeta X __N == {most}\nmeta Y __N == {most} - 1\n"
    ));
    for (count, wanted) in [(most - 1, "Y"), (most, "X"), (most + 1, "X")] {
        let mail = format!("Subject: s\r\n\r\n{}", "now\r\n".repeat(count as usize));
        assert_eq!(
            names(&scan_at(&ruleset, &mail, Stage::EndOfMessage)),
            [wanted],
            "{count}"
        );
    }
}

#[test]
fn a_deadline_ends_the_scan() {
    let ruleset = load("body A /First/\nheader H exists:Date\n");
    let (transaction, facts) = (transaction(), Facts::default());
    let message = Message::parse(MAIL.as_bytes(), &Limits::default());
    let case = Case {
        stage: Stage::EndOfMessage,
        transaction: &transaction,
        message: &message,
        facts: &facts,
    };
    let mut scanner = Scanner::new(&ruleset);
    assert!(!scanner.scan(&ruleset, &case, &|| true).complete);
    assert!(scanner.scan(&ruleset, &case, &|| false).complete);
}

#[test]
fn a_scanner_follows_another_set() {
    let (first, second) = (
        load("body A /First/\n"),
        load("body A /zz/\nbody B /First/\nbody C /yy/\n"),
    );
    assert_ne!(first.digest(), second.digest());
    let (transaction, facts) = (transaction(), Facts::default());
    let message = Message::parse(MAIL.as_bytes(), &Limits::default());
    let case = Case {
        stage: Stage::EndOfMessage,
        transaction: &transaction,
        message: &message,
        facts: &facts,
    };
    let mut scanner = Scanner::new(&first);
    for (ruleset, wanted) in [(&first, "A"), (&second, "B"), (&first, "A")] {
        assert_eq!(names(&scanner.scan(ruleset, &case, &|| false)), [wanted]);
    }
}

#[test]
fn test_lines_run() {
    let ruleset = load(
        "header A Subject =~ /^x$/\ntest A ok x\ntest A ok Subject: x\ntest A fail y\ntest A ok y\nmeta M A\ntest M ok Subject: x\\n\\nhi\ntest M ok x\n\
         header F From:addr =~ /^a\\@example\\.com$/\ntest F ok a@example.com\n",
    );
    let results: Vec<_> = run_tests(&ruleset)
        .iter()
        .map(|result| (result.ok, result.not_run.is_some()))
        .collect();
    assert_eq!(
        results,
        [
            (true, false),
            (true, false),
            (true, false),
            (false, false),
            (true, false),
            (false, false),
            (true, false)
        ]
    );
    let codes: Vec<_> = lint(&ruleset)
        .iter()
        .map(|diagnostic| diagnostic.code)
        .collect();
    assert_eq!(
        codes,
        [
            "R0401", "R0402", "R0405", "R0401", "R0402", "R0405", "R0401", "R0402"
        ]
    );
}

#[test]
fn explanations_say_what_counts() {
    let ruleset =
        load("header A Subject =~ /x/\ndescribe A why\nscore A 2\nmeta M A && __B\nbody __B /y/\n");
    let text = explain(&ruleset, ruleset.get("A").unwrap());
    for part in [
        "A  (header rule)",
        "why",
        "header field Subject",
        "/x/",
        "2.0",
        "t.cf:1:8",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(explain(&ruleset, ruleset.get("M").unwrap()).contains("needs      A  why\n"));
}

/// The limits, at n and n + 1.
#[test]
fn files_lines_rules_and_names_are_limited() {
    let codes = |text: String| {
        let (ruleset, diagnostics) = Ruleset::load(&[Arc::new(Source::new("t", text))]);
        let codes: Vec<_> = diagnostics
            .iter()
            .filter(|d| d.is_error())
            .map(|d| d.code)
            .collect();
        assert_eq!(ruleset.is_none(), !codes.is_empty());
        codes
    };
    let none: &[&str] = &[];
    let file = crate::limits::FILE_LIMIT;
    assert_eq!(codes("\n".repeat(file)), none);
    assert_eq!(codes("\n".repeat(file + 1)), ["R0101"]);
    let line = |length: usize| format!("describe A {}", "x".repeat(length - 11));
    assert_eq!(codes(line(crate::limits::LINE_LIMIT)), none);
    assert_eq!(codes(line(crate::limits::LINE_LIMIT + 1)), ["R0109"]);
    let name = |length: usize| format!("header {} exists:X", "A".repeat(length));
    assert_eq!(codes(name(crate::limits::NAME_LIMIT)), none);
    assert_eq!(codes(name(crate::limits::NAME_LIMIT + 1)), ["R0105"]);
    let blocks = |depth: usize| format!("{}{}", "if 1\n".repeat(depth), "endif\n".repeat(depth));
    assert_eq!(codes(blocks(crate::limits::CONDITION_DEPTH)), none);
    assert_eq!(
        codes(blocks(crate::limits::CONDITION_DEPTH + 1)).first(),
        Some(&"R0110")
    );
    let rules = |count: usize| {
        (0..count)
            .map(|n| format!("header A{n} exists:X\n"))
            .collect::<Vec<_>>()
            .concat()
    };
    assert_eq!(codes(rules(crate::limits::RULES_LIMIT)), none);
    assert_eq!(codes(rules(crate::limits::RULES_LIMIT + 1)), ["R0106"]);
}

/// A long chain of metas is no deep recursion, and a circle in it is found.
#[test]
fn long_chains_of_metas() {
    let mut text = (1..10_000)
        .map(|n| format!("meta A{n} A{}\n", n - 1))
        .collect::<Vec<_>>()
        .concat();
    text.push_str("body A0 /First/\n");
    let ruleset = load(&text);
    assert_eq!(
        scan_at(&ruleset, MAIL, Stage::EndOfMessage).hits.len(),
        10_000
    );
    text.push_str("meta A0 A9999\n");
    let (ruleset, diagnostics) = Ruleset::load(&[Arc::new(Source::new("t", text))]);
    assert!(ruleset.is_none() && diagnostics.iter().filter(|d| d.code == "R0210").count() == 1);
}

/// One bad line does not hide the next.
#[test]
fn diagnostics_are_reported_all_together() {
    let source = Arc::new(Source::new(
        "t",
        "bdoy A /x/\nbody B /(/\nheader C Subject ~ /x/\nmeta D (\nbody OK /x/\n",
    ));
    let (ruleset, diagnostics) = Ruleset::load(&[source]);
    assert!(ruleset.is_none());
    assert_eq!(
        diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(),
        ["R0102", "R0302", "R0201", "R0208"]
    );
    assert_eq!(
        diagnostics
            .iter()
            .filter_map(Diagnostic::position)
            .collect::<Vec<_>>(),
        [(1, 1), (2, 9), (3, 10), (4, 9)]
    );
}

/// Words that patterns and texts of the differential test are made of.
const WORDS: &[&str] = &[
    "free", "Money", "click", "HERE", "account", "v1agra", "100%", "été", "fre", "oney",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The tiered matcher finds what each regex finds alone.
    #[test]
    fn the_prefilter_changes_nothing(
        patterns in prop::collection::vec((0..WORDS.len(), 0..WORDS.len(), 0..12usize), 1..40),
        words in prop::collection::vec((0..WORDS.len(), 0..4usize), 0..60),
    ) {
        let word = |at: usize| WORDS[at];
        let pattern = |(a, b, shape): &(usize, usize, usize)| match shape {
            0 => format!("/{}/", word(*a)),
            1 => format!("/{}/i", word(*a)),
            2 => format!(r"/\b{}\s+{}\b/i", word(*a), word(*b)),
            3 => format!("/(?:{}|{})/", word(*a), word(*b)),
            4 => format!("/{}.{{0,20}}{}/i", word(*a), word(*b)),
            5 => format!("/^{}/i", word(*a)),
            6 => format!("/{}?$/", word(*a)),
            7 => format!(r"/[a-f]{}\d*/", word(*a)),
            // Two clauses; bytes and no literal; both by branch; a run that is counted.
            8 => format!(r"/\b{}[^.!?]{{0,30}}\b{}/i", word(*a), word(*b)),
            9 => format!(r"/(?:\d|%)\W{{0,{}}}[A-Zé]/", a % 3),
            10 => format!(r"/\b(?:{}.*{}|\d\d%?)(?:\W|$)/", word(*a), word(*b)),
            _ => format!(r"/\S.{{{}}}/", 16 + a * 8 + b),
        };
        let text = words.iter().map(|(at, gap)| format!("{}{}", word(*at), [" ", "", "\r\n", "\r\n\r\n"][*gap])).collect::<Vec<_>>().concat();
        let mail = format!("Subject: {}\r\n\r\n{text}", text.replace("\r\n", " "));
        let rules: Vec<_> = patterns.iter().map(pattern).collect();
        let together = rules.iter().enumerate().map(|(n, p)| format!("body B{n} {p}\nheader H{n} Subject =~ {p}\n")).collect::<Vec<_>>().concat();
        let mut alone = Vec::new();
        for (n, p) in rules.iter().enumerate() {
            for rule in [format!("body B{n} {p}\n"), format!("header H{n} Subject =~ {p}\n")] {
                alone.extend(scan_at(&load(&rule), &mail, Stage::EndOfMessage).hits);
            }
        }
        prop_assert_eq!(scan_at(&load(&together), &mail, Stage::EndOfMessage).hits, alone);
    }

    /// No text makes the loader panic; every place is in the text.
    #[test]
    fn loading_never_panics(lines in prop::collection::vec(
        "(header|body|meta|score|tflags|test|if|ifplugin|else|endif|lang en|mimeheader|describe|uri_detail|[a-z]{1,6}) {0,2}(A|B|__C|1|é)? {0,2}[-A-C!=~/()&|+*<>:.,'\"\\\\#a-d0-9{}\\[\\]é ]{0,24}", 0..12),
    ) {
        let source = Arc::new(Source::new("t", lines.join("\n")));
        let (ruleset, diagnostics) = Ruleset::load(&[Arc::clone(&source)]);
        prop_assert_eq!(ruleset.is_none(), diagnostics.iter().any(Diagnostic::is_error));
        for diagnostic in &diagnostics {
            let place = diagnostic.place.as_ref().unwrap();
            prop_assert!(place.span.end <= source.text.len() && place.span.start <= place.span.end, "{}", diagnostic);
        }
        gatepost_words::diagnostic::render(&diagnostics, false);
        if let Some(ruleset) = ruleset {
            scan_at(&ruleset, MAIL, Stage::EndOfMessage);
        }
    }
}
