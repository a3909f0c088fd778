//! `records.durable`: the record is on the disk before the client has its answer; where it cannot be
//! put there the message is deferred, never refused and never let through.

use std::fs;

use super::daemon::Daemon;
use crate::support::mta::Message;

/// A daemon with this line in `[records]`, and with records in this file of its directory.
fn daemon(line: &str, records: &str) -> Daemon {
    let mut daemon = Daemon::start("");
    daemon.terminate();
    let path = daemon.path("gatepost.toml");
    let text = fs::read_to_string(&path).expect("the configuration");
    let text = text
        .replace("[records]\n", &format!("[records]\n{line}\n"))
        .replace("records.jsonl", records);
    fs::write(&path, text).expect("the configuration");
    daemon.start_again();
    daemon
}

/// The answer to one message with that body, and the records that are there at that moment.
fn judged(daemon: &Daemon, body: &str) -> (String, String) {
    let mut mta = daemon.greet();
    let message = Message {
        sender: "<anna@example.net>",
        recipients: &["<ben@example.com>"],
        header: &[("From", " anna@example.net"), ("Subject", " minutes")],
        body: body.as_bytes(),
        queue_id: "4Durable",
    };
    let answer = mta.message(&message).expect("an answer");
    (format!("{answer:?}"), daemon.records())
}

const HELD: &str = "gatepost-test-hold-me\r\n";

#[test]
fn the_record_is_there_before_the_answer() {
    let daemon = daemon("durable = \"held\"", "records.jsonl");
    let (answer, records) = judged(&daemon, HELD);
    assert!(answer.contains("Quarantine"), "{answer}");
    let lines: Vec<&str> = records.lines().collect();
    assert_eq!(lines.len(), 1, "{records}");
    assert!(lines[0].contains("4Durable"), "{records}");
}

#[test]
fn what_cannot_be_recorded_is_deferred() {
    let daemon = daemon("durable = \"held\"", "missing/records.jsonl");
    let (answer, _) = judged(&daemon, HELD);
    assert!(answer.contains("451"), "{answer}");
    assert!(!answer.contains("Quarantine"), "{answer}");
    // A message that need not be recorded first passes.
    let (answer, _) = judged(&daemon, "The minutes of Thursday.\r\n");
    assert!(!answer.contains("451"), "{answer}");
    daemon.expect_log("fault=commit");
}
