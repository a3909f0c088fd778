//! Fuzz body: rule text. The same function runs under `cargo fuzz` and replays regressions in
//! ordinary tests.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use gatepost_mail::Case;
use gatepost_mail::Facts;
use gatepost_mail::{Limits, Message, Transaction};
use gatepost_rules::{Ruleset, Scanner, check};
use gatepost_words::Stage;
use gatepost_words::diagnostic::{Source, render};

/// Loads the bytes as a rule file and, if that works, runs the set on a small mail. Every
/// diagnostic must point into the text, and an error must mean that there is no set.
pub fn rule_text(data: &[u8]) {
    let source = Arc::new(Source::from_bytes("fuzz.cf", data));
    let (ruleset, diagnostics) = Ruleset::load(&[Arc::clone(&source)]);
    assert_eq!(
        ruleset.is_none(),
        diagnostics
            .iter()
            .any(gatepost_words::diagnostic::Diagnostic::is_error)
    );
    for place in diagnostics
        .iter()
        .filter_map(|diagnostic| diagnostic.place.as_ref())
    {
        assert!(place.span.start <= place.span.end && place.span.end <= source.text.len());
    }
    drop(render(&diagnostics, false));
    let Some(ruleset) = ruleset else { return };
    drop(check(&[source]));
    let mail =
        b"From: a@example.com\r\nSubject: test\r\n\r\nHello http://www.example.com/ there\r\n";
    let message = Message::parse(mail, &Limits::default());
    let (transaction, facts) = (
        Transaction::new("fuzz".into(), UNIX_EPOCH),
        Facts::default(),
    );
    for stage in [Stage::EndOfHeaders, Stage::EndOfMessage] {
        let case = Case {
            stage,
            transaction: &transaction,
            message: &message,
            facts: &facts,
        };
        assert!(
            Scanner::new(&ruleset)
                .scan(&ruleset, &case, &|| false)
                .complete
        );
    }
}
