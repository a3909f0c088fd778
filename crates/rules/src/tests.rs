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
    Case, ClientAddress, Facts, Limits, Mailbox, Message, ReversePath, Transaction,
};
use gatepost_words::Stage;
use gatepost_words::diagnostic::{Diagnostic, Source};
use gatepost_words::verdict::Score;

pub(super) const MAIL: &str = "From: Alice <alice@example.com>\r\n\
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

pub(super) fn load(rules: &str) -> Ruleset {
    let (ruleset, diagnostics) = Ruleset::load(&[Arc::new(Source::new("t.cf", rules))]);
    ruleset.unwrap_or_else(|| {
        panic!(
            "{}",
            gatepost_words::diagnostic::render(&diagnostics, false)
        )
    })
}

pub(super) fn transaction() -> Transaction {
    let mut transaction = Transaction::new("test".into(), UNIX_EPOCH + Duration::from_hours(1));
    transaction.envelope.reverse_path = ReversePath::parse(b"<bounce@example.com>");
    transaction.envelope.forward_paths = vec![Mailbox::parse(b"bob@example.net")];
    transaction.helo = Some("mail.example.com".to_owned());
    transaction.client.host = "unknown".to_owned();
    transaction.client.address = ClientAddress::Ip([192, 0, 2, 9].into());
    transaction
}

pub(super) fn scan_at(ruleset: &Ruleset, mail: &str, stage: Stage) -> Scan {
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

pub(super) fn names(scan: &Scan) -> Vec<&str> {
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

#[test]
fn a_client_of_our_own_is_no_stranger() {
    let ruleset =
        load("header OWN eval:check_own_client()\nheader NAMELESS eval:check_for_no_rdns()\n");
    let ip = |text: &str| ClientAddress::Ip(text.parse().unwrap());
    for (address, login, wanted) in [
        (ip("192.0.2.9"), None, ["NAMELESS"]),
        (ip("192.0.2.9"), Some("ben"), ["OWN"]),
        (ip("192.168.7.21"), None, ["OWN"]),
        (ip("fd00::1"), None, ["OWN"]),
        (ip("127.0.0.1"), None, ["OWN"]),
        (ip("::1"), None, ["OWN"]),
        (ClientAddress::Local, None, ["OWN"]),
    ] {
        let mut transaction = transaction();
        (transaction.client.address, transaction.client.host) = (address, "unknown".to_owned());
        transaction.authenticated = login.map(str::to_owned);
        let facts = Facts::default();
        let message = Message::parse(MAIL.as_bytes(), &Limits::default());
        let case = Case {
            stage: Stage::EndOfMessage,
            transaction: &transaction,
            message: &message,
            facts: &facts,
        };
        let scan = Scanner::new(&ruleset).scan(&ruleset, &case, &|| false);
        assert_eq!(names(&scan), wanted, "{address:?} {login:?}");
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
