//! `records.durable`: the record is on the disk before the client has its answer; where it cannot be
//! put there the message is deferred, never refused and never let through.

use std::fs;
use std::os::unix::net::UnixStream;

use super::daemon::Daemon;
use super::postfix::{PATIENCE, wait_until};
use crate::support::mta::{Message, MtaConnection, Options};

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
    let stream = UnixStream::connect(daemon.path("milter.sock")).expect("the daemon");
    let mut mta = MtaConnection::new(stream, Options::postfix());
    mta.set_timeout(PATIENCE).expect("a time-out");
    mta.negotiate().expect("an answer to the offer");
    mta.connect("mail.example.net", "192.0.2.7", 40_000)
        .expect("an answer to CONNECT");
    mta.helo("mail.example.net").expect("an answer to HELO");
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
    // The log is written after the answer.
    let is_logged = wait_until(PATIENCE, || daemon.log().contains("fault=commit"));
    assert!(is_logged, "{}", daemon.log());
}
