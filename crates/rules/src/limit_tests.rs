//! What is bounded: each limit at n and n + 1, and what a scan says when it reached one.

use std::sync::Arc;

use super::matcher::scanner::Scanner;
use super::ruleset::ruleset::Ruleset;
use super::tests::{MAIL, load, names, scan_at, transaction};
use gatepost_mail::{AnomalyKind, Case, Facts, Limits, Message};
use gatepost_words::Stage;
use gatepost_words::diagnostic::Source;

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
