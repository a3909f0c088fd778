//! What eval functions cost counts with all else that a message costs.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::matcher::cost::Costs;
use super::matcher::scanner::Scanner;
use super::ruleset::ruleset::Ruleset;
use super::views::lazy::Views;
use gatepost_byte_regex::Pattern;
use gatepost_mail::{AnomalyKind, Case, Facts, Limits, Message, Transaction};
use gatepost_words::Stage;
use gatepost_words::diagnostic::Source;

fn load(text: &str) -> Ruleset {
    let (ruleset, diagnostics) =
        Ruleset::load(&[Arc::new(Source::new("test.cf".to_owned(), text.to_owned()))]);
    ruleset.unwrap_or_else(|| panic!("{diagnostics:?}"))
}

fn with_case<T>(mail: &str, look: impl FnOnce(&Case<'_>) -> T) -> T {
    let message = Message::parse(mail.as_bytes(), &Limits::default());
    let (transaction, facts) = (
        Transaction::new("test".into(), UNIX_EPOCH),
        Facts::default(),
    );
    look(&Case {
        stage: Stage::EndOfMessage,
        transaction: &transaction,
        message: &message,
        facts: &facts,
    })
}

/// The pattern of an eval function that backtracks too much is no hit, and the message has the
/// anomaly.
#[test]
fn an_eval_that_was_given_up_is_noted() {
    let ruleset = load("body A eval:html_title('/^(?:a+)+b(?!c)/')\n");
    for (length, wanted) in [(5, false), (60, true)] {
        let title = "a".repeat(length);
        let mail = format!(
            "Subject: s\r\nContent-Type: text/html\r\n\r\n<title>{title}bc</title><p>x</p>\r\n"
        );
        let scan = with_case(&mail, |case| {
            Scanner::new(&ruleset).scan(&ruleset, case, &|| false)
        });
        assert!(scan.hits.is_empty());
        let noted = scan
            .anomalies
            .iter()
            .any(|anomaly| anomaly.kind == AnomalyKind::RuleLimit);
        assert_eq!(noted, wanted, "{length}");
    }
}

/// All eval functions of a message draw on one budget.
#[test]
fn evals_share_the_budget_of_the_mail() {
    let ruleset = load("body A /a/\n");
    let pattern = Pattern::compile("/^(?:a+)+b(?!c)/").unwrap();
    let text = [vec![b'a'; 14], b"bc".to_vec()].concat();
    with_case("Subject: s\r\n\r\n", |case| {
        let views = Views::new(case, &ruleset.lists);
        let asked = (0..100_000).take_while(|_| {
            views.matches(&pattern, &text);
            !views.budget().was_reached()
        });
        let asked = asked.count();
        assert!((2..99_999).contains(&asked), "{asked}");
    });
}

#[test]
fn costs_are_counted_by_rule() {
    let ruleset = load("body A /hello/\nbody B /\\d\\w\\d/\nmeta C A && !B\nbody D /nothere/\n");
    let mut costs = Costs::new(&ruleset);
    let mut scanner = Scanner::new(&ruleset);
    // A clock that is a second further each time that it is asked.
    let ticks = std::cell::Cell::new(0);
    let clock = || {
        ticks.set(ticks.get() + 1);
        std::time::Duration::from_secs(ticks.get())
    };
    with_case("Subject: s\r\n\r\nhello\r\n\r\nhello 1\r\n", |case| {
        for _ in 0..3 {
            costs.measure(&mut scanner, &ruleset, case, &clock);
        }
    });
    assert_eq!(costs.messages(), 3);
    let found = costs.worst_first(&ruleset);
    let row = |name: &str| {
        found
            .iter()
            .find(|cost| &*cost.rule == name)
            .map(|cost| (cost.tried, cost.hits, cost.time.as_secs()))
    };
    assert_eq!(row("A"), Some((6, 3, 6)));
    assert_eq!(row("C"), Some((3, 3, 3)));
    assert_eq!(row("D"), None, "no text has its literal");
    assert_eq!(found.first().map(|cost| &*cost.rule), Some("A"));
}

/// Steps of backtracking are reported of the rule that took them, and none of a rule that an automaton
/// decides.
#[test]
fn steps_are_counted_by_rule() {
    let ruleset =
        load("body A /(?:a+)+b(?!c)/\nbody B /(?:a+)+bc/\nbody C eval:html_title('/x/')\n");
    let (mut costs, mut scanner) = (Costs::new(&ruleset), Scanner::new(&ruleset));
    let mail = format!("Subject: s\r\n\r\n{}bc\r\n", "a".repeat(12));
    let mut steps = Vec::new();
    for _ in 0..2 {
        with_case(&mail, |case| {
            costs.measure(&mut scanner, &ruleset, case, &|| std::time::Duration::ZERO)
        });
        let found = costs.worst_first(&ruleset);
        let row = |name: &str| {
            found
                .iter()
                .find(|cost| &*cost.rule == name)
                .map(|cost| cost.steps)
        };
        assert_eq!(row("B"), Some(0));
        steps.extend(row("A"));
    }
    assert!(
        matches!(steps[..], [once, twice] if once > 0 && twice == 2 * once),
        "{steps:?}"
    );
}

/// A source and a pattern must mean the same bytes by the same characters.
#[test]
fn stand_ins_of_sources_and_patterns_agree() {
    for character in '\u{f700}'..='\u{f8ff}' {
        assert_eq!(
            gatepost_byte_regex::byte_of_stand_in(character),
            gatepost_words::diagnostic::byte_of_stand_in(character),
            "{character:?}"
        );
    }
}
