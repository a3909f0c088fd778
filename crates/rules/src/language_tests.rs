//! The language as a whole: rule files in, hits out.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use proptest::prelude::*;

use super::lint::test_lines::run_tests;
use super::matcher::scanner::Scanner;
use super::report::explain::explain;
use super::report::unsupported::MissingFeature;
use super::rule_tables::LANGUAGE;
use super::ruleset::ruleset::Ruleset;
use super::ruleset::scan::Scan;
use super::syntax::include::with_includes;
use gatepost_mail::{Case, Facts, Limits, Message, Transaction};
use gatepost_words::Stage;
use gatepost_words::diagnostic::{Diagnostic, Source};

const MAIL: &str = "From: Alice <alice@example.com>\r\nTo: Bob <bob.b@example.net>\r\nSubject: sea\r\n\
    MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
    --b\r\nContent-Type: text/html; x=1\r\n\r\n\
    <p>Hello Bob, see <a href=\"http://www.example.com/%2Ebar#Bob.B@example.net\">https://bank.example/</a> \
    and http://plain.example.org/x</p>\r\n\
    --b\r\nContent-Type: application/pdf; name=x.pdf\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b--\r\n";

fn load_all(text: &str) -> (Option<Ruleset>, Vec<Diagnostic>) {
    Ruleset::load(&[Arc::new(Source::new("t.cf", text))])
}

fn load(text: &str) -> Ruleset {
    let (ruleset, reported) = load_all(text);
    ruleset.unwrap_or_else(|| panic!("{}", gatepost_words::diagnostic::render(&reported, false)))
}

fn codes(text: &str) -> Vec<&'static str> {
    load_all(text).1.iter().map(|one| one.code).collect()
}

fn scan(ruleset: &Ruleset, mail: &str) -> Scan {
    let (transaction, facts) = (
        Transaction::new("test".into(), UNIX_EPOCH),
        Facts::default(),
    );
    let message = Message::parse(mail.as_bytes(), &Limits::default());
    let case = Case {
        stage: Stage::EndOfMessage,
        transaction: &transaction,
        message: &message,
        facts: &facts,
    };
    Scanner::new(ruleset).scan(ruleset, &case, &|| false)
}

fn hits(text: &str) -> Vec<String> {
    scan(&load(text), MAIL)
        .hits
        .iter()
        .map(|hit| hit.rule.to_string())
        .collect()
}

/// Each rule stands for itself, as X.
#[test]
fn rules_hit_what_they_should() {
    for &(rule, wanted) in LANGUAGE {
        assert_eq!(hits(rule).iter().any(|name| name == "X"), wanted, "{rule}");
    }
}

#[test]
fn a_short_circuit_drops_what_comes_later() {
    let rules = "body EARLY /Hello/\npriority EARLY -500\nbody END /Bob/\nscore END 2\nbody LATE /see/\nmeta LAST LATE\n\
                 meta FIRST EARLY\npriority FIRST -500\n";
    for (line, wanted, total) in [
        ("", "EARLY END LATE LAST FIRST", 6.0),
        ("shortcircuit END on", "EARLY END FIRST SHORTCIRCUIT", 4.0),
        (
            "shortcircuit END spam",
            "EARLY END FIRST SHORTCIRCUIT",
            104.0,
        ),
        (
            "shortcircuit END ham",
            "EARLY END FIRST SHORTCIRCUIT",
            -96.0,
        ),
        (
            "shortcircuit END ham\nshortcircuit_ham_score -50",
            "EARLY END FIRST SHORTCIRCUIT",
            -46.0,
        ),
        (
            "shortcircuit END on\nshortcircuit END off",
            "EARLY END LATE LAST FIRST",
            6.0,
        ),
        (
            "shortcircuit END on\npriority END 10",
            "EARLY END LATE LAST FIRST SHORTCIRCUIT",
            6.0,
        ),
        (
            "shortcircuit END on\npriority END -600",
            "END SHORTCIRCUIT",
            2.0,
        ),
        (
            "shortcircuit_max_spam_score 1.5",
            "EARLY FIRST SHORTCIRCUIT",
            2.001,
        ),
        (
            "shortcircuit_min_ham_score -1",
            "EARLY END LATE LAST FIRST",
            6.0,
        ),
        (
            "body NONE /no such text/\nshortcircuit NONE on",
            "EARLY END LATE LAST FIRST",
            6.0,
        ),
    ] {
        let scan = scan(&load(&format!("{rules}{line}\n")), MAIL);
        let names: Vec<_> = scan.hits.iter().map(|hit| hit.rule.as_ref()).collect();
        assert_eq!(names.join(" "), wanted, "{line}");
        let sum: gatepost_words::verdict::Score = scan.hits.iter().map(|hit| hit.score).sum();
        assert!((sum.points() - total).abs() < 0.0001, "{line}: {sum}");
    }
    let ruleset = load(&format!("{rules}shortcircuit END ham"));
    assert!((ruleset.lowest_remaining(Stage::EndOfHeaders).points() + 100.0).abs() < 0.0001);
    assert!(
        explain(&ruleset, ruleset.get("END").unwrap())
            .contains("priority -200; a hit ends the scan: good mail")
    );
}

#[test]
fn one_of_four_scores_counts() {
    for (line, wanted) in [("", "1.0"), ("score_set 1", "2.0"), ("score_set 3", "4.5")] {
        let ruleset = load(&format!(
            "body X /a/\nscore X 1 2 3 4\nscore X (0) (0) (0) (0.5)\n{line}\n"
        ));
        assert_eq!(
            ruleset.get("X").unwrap().score().to_string(),
            wanted,
            "{line}"
        );
    }
}

#[test]
fn diagnostics_have_codes() {
    for (text, wanted) in [
        ("score_set 4", &["R0205"][..]),
        ("body X /a/\nscore X 1 2", &["R0205"]),
        ("body X /a/\nscore X (1)", &["R0215"]),
        ("body X /a/\npriority X first", &["R0216"]),
        ("body X /a/\npriority X 1000001", &["R0216"]),
        ("body X /a/\npriority X -1000000", &[]),
        ("body X /a/\nshortcircuit X maybe", &["R0217"]),
        (
            "priority NOT_THERE 5\nshortcircuit NOT_THERE on",
            &["R0206", "R0206"],
        ),
        ("shortcircuit_spam_score much", &["R0205"]),
        ("body X /%{NAME}/", &["R0218"]),
        ("body X /%{NAME}(/", &["R0302"]),
        ("uri_detail X rwa =~ /x/", &["R0219"]),
        ("uri_detail X raw =~ /(/", &["R0302"]),
        ("add_header spma Flag x", &["R0220"]),
        (
            "add_header spam Flag x\nclear_headers\nreport x\nversion_tag x\nfold_headers 1",
            &[],
        ),
        ("ok_languages en\nok_languages de", &["R0103"]),
        ("required_score 4", &["R0112"]),
        ("use_bayes 0\nlock_method flock\nskip_rbl_checks 1", &[]),
        ("require_version 3.004000\nnonsense", &["R0111"]),
        ("include none.inc", &["R0113"]),
        ("use_nonsense 0", &["R0102"]),
        ("body X /a/\ntflags X multipel", &["R0207"]),
        ("body X /a/\ntflags X multiple maxhits=0", &["R0207"]),
        ("reuse X", &[]),
    ] {
        assert_eq!(codes(text), wanted, "{text}");
    }
}

#[test]
fn included_files_are_read_in_place() {
    let file = |name: &str, text: &str| Arc::new(Source::new(name, text));
    let read = |path: &str| match path {
        "d/b.inc" => Some(file("d/b.inc", "score A 2\nbody B /b/\ninclude c.inc\n")),
        "d/c.inc" => Some(file("d/c.inc", "body C /c/\n")),
        _ => None,
    };
    let top = [file(
        "d/a.cf",
        "body A /a/\nscore A 1\ninclude b.inc\nscore A (0.5)\nif 0\ninclude none.inc\nendif\n",
    )];
    let (all, reported) = with_includes(&top, &mut { read });
    assert_eq!((all.len(), reported.len()), (3, 0));
    let (ruleset, reported) = Ruleset::load(&all);
    assert!(reported.is_empty(), "{reported:?}");
    let ruleset = ruleset.unwrap();
    assert_eq!(ruleset.get("A").unwrap().score().to_string(), "2.5");
    assert!(ruleset.get("C").is_some());
    let circle = [
        file("a.cf", "include b.inc"),
        file("b.inc", "include c.inc"),
        file("c.inc", "include b.inc"),
    ];
    let reported = Ruleset::load(&circle).1;
    assert_eq!(
        reported.iter().map(|one| one.code).collect::<Vec<_>>(),
        ["R0114"]
    );
}

/// Includes as deep as allowed are read; one deeper is an error, also when no caller asked
/// [`with_includes`].
#[test]
fn includes_are_limited_while_loading() {
    let chain = |depth: usize| -> Vec<_> {
        let text = |n: usize| {
            if n < depth {
                format!("include {}", n + 1)
            } else {
                "body A /a/".to_owned()
            }
        };
        (0..=depth)
            .map(|n| Arc::new(Source::new(n.to_string(), text(n))))
            .collect()
    };
    assert!(
        Ruleset::load(&chain(crate::limits::INCLUDE_DEPTH))
            .0
            .is_some_and(|set| set.rules().len() == 1)
    );
    let reported = Ruleset::load(&chain(crate::limits::INCLUDE_DEPTH + 1)).1;
    assert_eq!(
        reported.iter().map(|one| one.code).collect::<Vec<_>>(),
        ["R0114"]
    );
}

#[test]
fn what_cannot_hit_is_reported_with_the_reason() {
    let ruleset = load(
        "header NET eval:check_rbl('x','y')\ntflags NET net\nheader FN eval:no_such_function()\nuridnsbl KIND x A y\n\
         meta M NET && FN\nmeta N NET || OK\nbody OK /a/\nmeta Z OK > 1\nheader OFF eval:no_such()\nscore OFF 0\n\
         ok_languages en\nrequired_score 3\nlock_method flock\n",
    );
    let reported: Vec<_> = ruleset
        .unsupported()
        .iter()
        .map(|one| (one.rule.name().to_string(), one.missing))
        .collect();
    let reported: Vec<_> = reported
        .iter()
        .map(|(name, lack)| (name.as_str(), *lack))
        .collect();
    assert_eq!(
        reported,
        [
            ("NET", MissingFeature::Network),
            ("FN", MissingFeature::Function),
            ("KIND", MissingFeature::Network),
            ("M", MissingFeature::Needs)
        ]
    );
    assert_eq!(ruleset.unsupported()[3].reason, "it needs NET");
    let settings: Vec<_> = ruleset
        .ignored_settings()
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(settings, ["ok_languages", "required_score"]);
}

/// Text of ISO-2022-JP has 7 bits: here it is Shift-JIS after the first letter.
#[test]
fn an_encoded_word_of_seven_bits_ends_at_the_eighth() {
    let ruleset = load("header CUT Subject =~ /^a$/\nheader WHOLE Subject =~ /b/\n");
    for (charset, wanted) in [("iso-2022-jp", "CUT"), ("shift_jis", "WHOLE")] {
        let mail = format!("Subject: =?{charset}?Q?a=93=FAb?=\n\nx\n");
        let found: Vec<_> = scan(&ruleset, &mail)
            .hits
            .iter()
            .map(|hit| hit.rule.to_string())
            .collect();
        assert_eq!(found, [wanted], "{charset}");
    }
}

/// Our own relays may be fewer than those that are trusted.
#[test]
fn fields_are_separated_by_networks() {
    let relay = |host: &str, ip: &str| {
        format!(
            "Received: from {host} ({host} [{ip}]) by mx.example.net (Postfix) with ESMTP id {host};\n\tThu, 1 Jan 1970 00:00:00 +0000\n"
        )
    };
    let inner =
        relay("one.example", "192.0.2.1") + "X-Inner: 1\n" + &relay("two.example", "198.51.100.1");
    let mail =
        inner + "X-Middle: 1\n" + &relay("three.example", "203.0.113.1") + "X-Outer: 1\n\nx\n";
    let networks =
        "trusted_networks 192.0.2.0/24 198.51.100.0/24\ninternal_networks 192.0.2.0/24\n";
    for (request, wanted) in [
        ("ALL-INTERNAL", "Inner"),
        ("ALL-EXTERNAL", "Middle Outer"),
        ("ALL-TRUSTED", "Inner Middle"),
        ("ALL-UNTRUSTED", "Outer"),
    ] {
        let rule = |name: &str| format!("header {name} {request} =~ /^X-{name}:/m\n");
        let ruleset =
            load(&(networks.to_owned() + &["Inner", "Middle", "Outer"].map(rule).concat()));
        let found: Vec<_> = scan(&ruleset, &mail)
            .hits
            .iter()
            .map(|hit| hit.rule.to_string())
            .collect();
        assert_eq!(found.join(" "), wanted, "{request}");
    }
}

/// See `Tables::runs_templates`.
#[test]
fn next_to_loaded_plugins_templates_are_off_unless_wanted() {
    let rules = "header __T To:name =~ /(?<NAME>\\w+)/\nbody X /Hello %{NAME}/\n";
    let plugin = "loadplugin Mail::SpamAssassin::Plugin::FreeMail\n";
    for (lines, hit, reported) in [
        (String::new(), true, &[][..]),
        (plugin.to_owned(), false, &["R0221"]),
        (format!("{plugin}capture_templates 1\n"), true, &[]),
        (format!("{plugin}capture_templates 0\n"), false, &[]),
    ] {
        let text = format!("{lines}{rules}");
        assert_eq!(
            (!hits(&text).is_empty(), codes(&text).as_slice()),
            (hit, reported),
            "{lines}"
        );
    }
}

#[test]
fn values_of_templates_are_limited() {
    let rules = "header __T Subject =~ /(?<W>\\S+)/\nbody X /%{W}!/\n";
    for (length, wanted) in [
        (crate::ruleset::templates::VALUE_LIMIT, true),
        (crate::ruleset::templates::VALUE_LIMIT + 1, false),
    ] {
        let word = "x".repeat(length);
        let hits = scan(&load(rules), &format!("Subject: {word}\r\n\r\n{word}!\r\n")).hits;
        assert_eq!(!hits.is_empty(), wanted, "{length}");
    }
    let rules = "header __T Subject =~ /(?<W>\\S+)/\ntflags __T multiple\nbody X /^%{W}!/m\n";
    for (count, wanted) in [
        (crate::ruleset::templates::VALUES_LIMIT, true),
        (crate::ruleset::templates::VALUES_LIMIT + 1, false),
    ] {
        let words: Vec<_> = (0..count).map(|n| format!("w{n}w")).collect();
        let mail = format!(
            "Subject: {}\r\n\r\n{}!\r\n",
            words.join(" "),
            words[count - 1]
        );
        assert_eq!(
            !scan(&load(rules), &mail).hits.is_empty(),
            wanted,
            "{count}"
        );
    }
}

#[test]
fn test_lines_of_small_messages_hold_any_byte() {
    let ruleset = load(
        "header __R ALL:raw =~ /x/\nfull __NUL /a\\x00b/\nmeta N __NUL\ntest N ok Subject: s\\n\\na\\0b\\n\ntest N ok a\\x00b\ntest N fail a0b\n\
         full __CR /a\\rb/\nmeta C __CR\ntest C ok a\\rb\ntest C fail a\\nb\n\
         header __T To:addr =~ /(?<TO>.*)/\nbody T /%{TO}/\ntest T ok To: a@example.com\\nSubject: x\\n\\na@example.com\n\
         uri_detail U domain =~ /^example\\.com$/\ntest U ok http://example.com/\ntest U fail http://example.net/\n",
    );
    for result in run_tests(&ruleset) {
        assert!(result.ok && result.not_run.is_none(), "{result:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No text makes the loader panic, every place is in the text, and what loads can be judged, linted and rendered.
    #[test]
    fn no_line_of_the_language_makes_anything_panic(lines in prop::collection::vec(
        "(priority|shortcircuit|subjprefix|add_header|remove_header|rewrite_header|report|include|score_set|score|tflags|test|uri_detail|mimeheader|body|meta|capture_templates) {0,2}(A|B|__C|all|spam|subject|1)? {0,2}((range|maxhits)=[0-9-]{1,4}|(raw|text) =~ /[a-z]{1,3}/|%\\{A_B\\}|/\\(\\?<A_B>[a-z.*]{1,4}\\)/|/[a-z%{}A_]{1,9}/|_[A-Z_(),*]{1,12}_|[-!(A-C)&|0-9. ]{0,12})", 0..14),
    ) {
        let source = Arc::new(Source::new("d/t.cf", lines.join("\n")));
        let (all, _) = with_includes(&[Arc::clone(&source)], &mut |_| None);
        let (ruleset, reported) = Ruleset::load(&all);
        prop_assert_eq!(ruleset.is_none(), reported.iter().any(Diagnostic::is_error));
        for one in &reported {
            let place = one.place.as_ref().unwrap();
            prop_assert!(place.span.start <= place.span.end && place.span.end <= source.text.len(), "{}", one);
        }
        if let Some(ruleset) = ruleset {
            let scan = scan(&ruleset, MAIL);
            crate::lint::rule_lints::lint(&ruleset);
            ruleset.unsupported();
            for rule in ruleset.rules() {
                explain(&ruleset, rule);
            }
            let facts = crate::report::tags::ReportFacts {
                is_spam: true,
                score: gatepost_words::verdict::Score::from_points(6.0),
                required: gatepost_words::verdict::Score::from_points(5.0),
                hits: &scan.hits,
                subtests: &[],
                version: "1",
                hostname: "h",
                date: "d",
                learned: "no",
                value: &|_| Some("x\r\ny\u{1b}".to_owned()),
            };
            for (name, value) in ruleset.reports().headers(&facts) {
                prop_assert!(name.starts_with("X-Spam-") && name.is_ascii());
                let plain = value.replace("\n\t", "");
                prop_assert!(plain.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{name}: {value:?}");
            }
        }
    }
}
