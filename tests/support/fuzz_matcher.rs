//! Fuzz bodies: the translator of regular expressions, and the matcher. The same functions replay
//! seeds in ordinary tests.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use gatepost_mail::Case;
use gatepost_mail::Facts;
use gatepost_mail::{Limits, Message, Transaction};
use gatepost_rules::oracle::{self, Oracle};
use gatepost_rules::{Ruleset, Scanner};
use gatepost_words::Stage;
use gatepost_words::diagnostic::Source;

/// Bytes of a pattern, and of a text: long ones only take time.
const LONGEST: usize = 4_096;

/// The bytes in two, at the first zero byte.
fn halves(data: &[u8]) -> (&[u8], &[u8]) {
    let at = data
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(data.len());
    (&data[..at.min(LONGEST)], &data[(at + 1).min(data.len())..])
}

/// A pattern and a text: it compiles or tells where it is wrong, and every engine says the same.
pub fn regex(data: &[u8]) {
    let (pattern, text) = halves(data);
    let source = Source::from_bytes("fuzz.cf", pattern);
    let text = &text[..text.len().min(LONGEST)];
    for written in [source.text.clone(), format!("/{}/", source.text)] {
        if let Err(why) = oracle::regex(&written, text) {
            panic!("{why}");
        }
    }
}

/// Rules and a mail: together the rules find what each finds alone.
pub fn matcher(data: &[u8]) {
    let (rules, mail) = halves(data);
    let (Some(ruleset), _) = Ruleset::load(&[Arc::new(Source::from_bytes("fuzz.cf", rules))])
    else {
        return;
    };
    let message = Message::parse(mail, &Limits::default());
    let (transaction, facts) = (
        Transaction::new("fuzz".into(), UNIX_EPOCH),
        Facts::default(),
    );
    let mut scanner = Scanner::new(&ruleset);
    for stage in [Stage::EndOfHeaders, Stage::EndOfMessage] {
        let case = Case {
            stage,
            transaction: &transaction,
            message: &message,
            facts: &facts,
        };
        if let Err(why) = Oracle::new(&ruleset).compare(&ruleset, &mut scanner, &case) {
            panic!("{why}");
        }
    }
}
