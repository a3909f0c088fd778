//! The record as a whole: built, written, read back, in both versions.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gatepost_mail::{ClientAddress, Facts, Mailbox, ReversePath, Transaction};
use gatepost_words::verdict::{
    Disposition, Evidence, GenerationId, HeaderEdits, Hit, Score, Verdict, VerdictId,
};
use gatepost_words::{Direction, FailurePolicy, Fault, Stage};

use super::*;

fn transaction() -> Transaction {
    let mut transaction = Transaction::new(Arc::from("inbound"), SystemTime::UNIX_EPOCH);
    transaction.client.host = "mail.example.net".to_owned();
    transaction.client.address = ClientAddress::Ip("192.0.2.7".parse().unwrap());
    transaction.queue_id = Some("4bXyz".to_owned());
    transaction.envelope.reverse_path = ReversePath::parse(b"<a@example.net>");
    transaction.envelope.forward_paths = vec![Mailbox::parse(b"<b@example.com>")];
    transaction
}

fn hit(rule: &str, points: f64) -> Hit {
    Hit {
        rule: rule.into(),
        score: Score::from_points(points),
        description: "d".into(),
    }
}

fn verdict() -> Verdict {
    let classifier = Evidence::Classifier {
        model: "m1+7".into(),
        probability: 0.97,
        score: Score::from_points(3.5),
    };
    let refused = Evidence::Refused {
        list: "clients",
        entry: "192.0.2.0/24".into(),
    };
    let limit = Evidence::LimitExceeded {
        anomaly: "parts_limit",
    };
    Verdict {
        disposition: Disposition::Quarantine,
        score: Score::from_points(8.5),
        required: Score::from_points(5.0),
        evidence: vec![Evidence::Rule(hit("A", 5.0)), classifier, refused, limit],
        shadow: vec![hit("S", 2.0)],
        anomalies: vec!["bare_lf"],
        stage: Stage::EndOfMessage,
        generation: GenerationId::new("0123456789ab"),
        rules_only: false,
        header_edits: HeaderEdits::default(),
    }
}

fn record(transaction: &Transaction, result: DraftResult<'_>) -> MailRecord {
    let summary = MessageSummary {
        sha256: "00".repeat(32),
        message_id: Some("x@y".to_owned()),
        subject: Some("a\u{202e}b\u{9b}".to_owned()),
        from: None,
    };
    let draft = Draft {
        id: &VerdictId::from_number(77),
        time: SystemTime::UNIX_EPOCH + Duration::from_millis(5_001),
        transaction,
        stage: Stage::EndOfMessage,
        result,
        action: Disposition::Defer,
        size: 1234,
        message: Some(&summary),
        facts: Some(&Facts::default()),
        timings: Timings {
            total: Some(900),
            ..Timings::default()
        },
    };
    draft.to_record()
}

#[test]
fn a_record_is_written_and_read_back() {
    let verdict = verdict();
    let faulted = DraftResult::Faulted {
        fault: Fault::Deadline,
        policy: FailurePolicy::Tempfail,
        generation: &GenerationId::new("g"),
    };
    for result in [DraftResult::Judged(&verdict), faulted] {
        let record = record(&transaction(), result);
        let line = record.to_line();
        assert!(line.ends_with("}\n"));
        assert!(
            !line
                .trim_end()
                .contains(|c: char| c.is_control() || c == '\u{202e}')
        );
        assert_eq!(MailRecord::from_line(line.as_bytes()), Ok(record));
    }
}

#[test]
fn decision_and_action_are_two_fields_and_stated_for_each_recipient() {
    let verdict = verdict();
    let record = record(&transaction(), DraftResult::Judged(&verdict));
    assert_eq!(record.verdict_name(), "quarantine");
    assert_eq!(record.action, Disposition::Defer);
    assert_eq!(
        record.recipients,
        [RecipientRecord {
            address: "b@example.com".to_owned(),
            decision: Some(Disposition::Quarantine),
            action: Disposition::Defer,
        }]
    );
    let judgement = record.judgement().unwrap();
    assert_eq!(judgement.shadow[0].rule, "S");
    assert_eq!(judgement.evidence.len(), 4);
}

#[test]
fn lists_are_bounded_at_n_and_n_plus_one_and_state_their_length() {
    let verdict = verdict();
    for (count, truncated) in [(LIST_MAX, None), (LIST_MAX + 1, Some(1_001))] {
        let mut transaction = transaction();
        transaction.envelope.forward_paths = vec![Mailbox::parse(b"<b@example.com>"); count];
        let record = record(&transaction, DraftResult::Judged(&verdict));
        assert_eq!(record.recipients.len(), LIST_MAX);
        assert_eq!(record.truncated.get("recipients").copied(), truncated);
        assert_eq!(record.recipients_count(), count as u64);
    }
}

#[test]
fn texts_are_bounded_at_n_and_n_plus_one() {
    for (text, kept) in [
        ("é".repeat(TEXT_MAX), "é".repeat(TEXT_MAX)),
        ("é".repeat(TEXT_MAX + 1), "é".repeat(TEXT_MAX) + "…"),
    ] {
        let mut transaction = transaction();
        transaction.helo = Some(text);
        let record = record(&transaction, DraftResult::Judged(&verdict()));
        assert_eq!(record.helo, Some(kept));
    }
}

/// Lines that 0.1.0 wrote.
#[test]
fn version_1_is_readable() {
    let lines = include_str!("../fixtures/version-1.jsonl").lines();
    let records: Vec<MailRecord> = lines
        .map(|line| MailRecord::from_line(line.as_bytes()).unwrap())
        .collect();
    let [judged, refused, faulted] = records.as_slice() else {
        panic!("{records:?}")
    };
    assert_eq!(judged.version, MailRecord::VERSION);
    assert_eq!(judged.time.to_string(), "2026-11-23T18:22:04.000Z");
    assert_eq!(judged.stage, Stage::EndOfMessage);
    assert_eq!(judged.verdict_name(), "quarantine");
    assert_eq!(judged.recipients[0].action, Disposition::Quarantine);
    let judgement = judged.judgement().unwrap();
    assert_eq!(judgement.hits().count(), 2);
    assert_eq!(judgement.probability(), Some(0.97));
    assert_eq!(refused.judgement().unwrap().evidence.len(), 1);
    assert_eq!(refused.direction, Direction::Submission);
    assert_eq!(faulted.action, Disposition::Defer);
    assert_eq!(faulted.recipients_count(), 1_001);
}
