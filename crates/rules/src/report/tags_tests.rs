//! Templates and their results.

use std::sync::Arc;

use super::{FIELD_LIMIT, ReportFacts, ReportTemplates, Rewrite, Score, folded, reversed, tag};
use gatepost_words::verdict::Hit;

fn hit(rule: &str, points: f64, description: &str) -> Hit {
    Hit {
        rule: rule.into(),
        score: Score::from_points(points),
        description: Arc::from(description),
    }
}

fn value(request: &str) -> Option<String> {
    match request {
        "X-Spam-Relays-External" => {
            Some("[ ip=192.0.2.9 rdns=a.example helo=b.example by=mx ] [ ip=192.0.2.7 ]".into())
        }
        "From:first:addr" => Some("eve@EXAMPLE.com\n".into()),
        "Subject" => Some("evil\r\nX-Injected: \u{1b}[31m\u{e9}\n".into()),
        _ => None,
    }
}

fn with<R>(points: f64, is_spam: bool, use_facts: impl FnOnce(&ReportFacts<'_>) -> R) -> R {
    let hits = [
        hit("B_RULE", points - 1.5, "second"),
        hit("A_RULE", 1.5, "first"),
    ];
    use_facts(&ReportFacts {
        is_spam,
        score: Score::from_points(points),
        required: Score::from_points(5.0),
        hits: &hits,
        subtests: &["__X".into()],
        version: "Gatepost 1",
        hostname: "mx.example",
        date: "Mon, 23 Nov 2026 10:00:00 +0000",
        learned: "no",
        value: &value,
    })
}

fn filled(template: &str) -> String {
    with(6.5, true, |facts| {
        ReportTemplates::default().filled(template, facts)
    })
}

#[test]
fn tags_are_filled() {
    for (template, wanted) in [
        ("_YESNO_", "Yes"),
        ("_YESNO(spam,ham)_", "spam"),
        ("_YESNO( possible,)_", " possible"),
        ("_YESNOCAPS(a,b)_", "A"),
        ("_SCORE_ of _REQD_", "6.5 of 5.0"),
        ("_SCORE(0)_", "06.5"),
        ("_SCORE(00)_", "006.5"),
        ("_SCORE( )_", " 6.5"),
        ("_STARS(*)_", "******"),
        ("_STARS(x)_", "xxxxxx"),
        ("_TESTS_", "A_RULE,B_RULE"),
        ("_TESTS( | )_", "A_RULE | B_RULE"),
        ("_TESTSSCORES(,)_", "A_RULE=1.5,B_RULE=5"),
        ("_SUBTESTS_", "__X"),
        ("_VERSION_ on _HOSTNAME_", "Gatepost 1 on mx.example"),
        (
            "_LASTEXTERNALIP_/_LASTEXTERNALREVIP_",
            "192.0.2.9/9.2.0.192",
        ),
        (
            "_LASTEXTERNALRDNS_ _LASTEXTERNALHELO_",
            "a.example b.example",
        ),
        ("_AUTHORDOMAIN_", "example.com"),
        ("_HEADER(Nothing)_.", "."),
        ("_BAYES_.", "."),
        ("_SCTYPE_", "no"),
        ("_NO_SUCH_TAG_ _x_ __ _", "_NO_SUCH_TAG_ _x_ __ _"),
        ("_SCORE__REQD_", "6.55.0"),
        ("_SCORE_X", "6.5X"),
        ("a_SCORE_", "a6.5"),
    ] {
        assert_eq!(filled(template), wanted, "{template}");
    }
}

#[test]
fn tags_are_read() {
    for (text, wanted) in [
        ("_A_", Some(("A", None, 3))),
        ("_A(b)_c", Some(("A", Some("b"), 6))),
        ("_A_B_", Some(("A_B", None, 5))),
        ("_A(b)", None),
        ("__A_", None),
        ("_1_", None),
        ("_A", None),
    ] {
        assert_eq!(tag(text), wanted, "{text}");
    }
}

/// A header value of a message can neither begin a field of its own nor reach a terminal.
#[test]
fn what_a_stranger_wrote_stays_on_one_line() {
    let mut templates = ReportTemplates::default();
    templates.set("clear_headers", "").unwrap();
    templates
        .set("add_header", "all Subject _HEADER(Subject)_")
        .unwrap();
    let fields = with(6.5, true, |facts| templates.headers(facts));
    assert_eq!(
        fields,
        [(
            "X-Spam-Subject".to_owned(),
            "evil  X-Injected: ?[31m?".to_owned()
        )]
    );
    templates
        .set("rewrite_header", "subject [_HEADER(Subject)_]")
        .unwrap();
    let subject = with(6.5, true, |facts| {
        templates.rewritten(Rewrite::Subject, "hello", facts)
    });
    assert_eq!(subject.as_deref(), Some("[evil  X-Injected: ?[31m?] hello"));
}

#[test]
fn good_mail_gets_other_fields_and_no_mark() {
    let mut templates = ReportTemplates::default();
    templates.set("rewrite_header", "subject [SPAM]").unwrap();
    templates.set("rewrite_header", "from SPAM").unwrap();
    let names = |is_spam| {
        let fields = with(4.96, is_spam, |facts| templates.headers(facts));
        fields.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(
        names(true),
        [
            "X-Spam-Flag",
            "X-Spam-Status",
            "X-Spam-Level",
            "X-Spam-Checker-Version"
        ]
    );
    assert_eq!(
        names(false),
        ["X-Spam-Status", "X-Spam-Level", "X-Spam-Checker-Version"]
    );
    let status = with(4.96, false, |facts| templates.headers(facts))
        .remove(0)
        .1;
    assert!(
        status.starts_with("No, score=4.9 required=5.0 tests=A_RULE,"),
        "{status}"
    );
    let rewritten = |is_spam, rewrite| {
        with(9.0, is_spam, |facts| {
            templates.rewritten(rewrite, "old", facts)
        })
    };
    assert_eq!(
        rewritten(true, Rewrite::Subject).as_deref(),
        Some("[SPAM] old")
    );
    assert_eq!(
        rewritten(true, Rewrite::From).as_deref(),
        Some("old (SPAM)")
    );
    assert_eq!(
        (
            rewritten(true, Rewrite::To),
            rewritten(false, Rewrite::Subject)
        ),
        (None, None)
    );
}

#[test]
fn fields_are_folded_and_cut() {
    assert_eq!(folded("short, value", 10), "short, value");
    let long = (0..20)
        .map(|n| format!("RULE_{n:04}"))
        .collect::<Vec<_>>()
        .join(",");
    let value = folded(&long, 15);
    assert!(
        value.lines().all(|line| line.trim_start().len() + 8 <= 80) && value.lines().count() > 2,
        "{value}"
    );
    assert_eq!(value.replace("\n\t", ""), long);
    let mut templates = ReportTemplates::default();
    templates.set("clear_headers", "").unwrap();
    templates.set("fold_headers", "0").unwrap();
    for (length, kept) in [(FIELD_LIMIT, FIELD_LIMIT), (FIELD_LIMIT + 1, FIELD_LIMIT)] {
        templates
            .set("add_header", &format!("all X {}", "x".repeat(length)))
            .unwrap();
        assert_eq!(
            with(1.0, false, |facts| templates.headers(facts))[0]
                .1
                .len(),
            kept
        );
    }
    templates.set("add_header", r"all X one\ntwo").unwrap();
    assert_eq!(
        with(1.0, false, |facts| templates.headers(facts))[0].1,
        "one\n\ttwo"
    );
}

#[test]
fn tables_of_hits_fit_into_fields() {
    let mut templates = ReportTemplates::default();
    for setting in [
        "all Table Score _SCORE_:\\n_SUMMARY_",
        "all Report _REPORT_",
    ] {
        templates.set("add_header", setting).unwrap();
    }
    let fields = with(6.5, true, |facts| templates.headers(facts));
    let value = |name: &str| {
        fields
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    let table =
        "Score 6.5:\n\t 1.5 A_RULE                 first\n\t 5.0 B_RULE                 second";
    assert_eq!(value("X-Spam-Table"), Some(table));
    assert_eq!(
        value("X-Spam-Report"),
        Some("*  1.5 A_RULE first\n\t*  5.0 B_RULE second")
    );
    assert_eq!(
        filled("_REPORT_"),
        "\n*  1.5 A_RULE first\n*  5.0 B_RULE second\n"
    );
}

#[test]
fn addresses_are_reversed() {
    assert_eq!(reversed("192.0.2.1"), "1.2.0.192");
    assert!(
        reversed("2001:db8::1").starts_with("1.0.0.0.")
            && reversed("2001:db8::1").ends_with(".1.0.0.2")
    );
    assert_eq!(reversed("no"), "");
}
