//! What must be durable before the answer: a disk that works, fails, is slow, is far behind.

use std::io;
use std::sync::Mutex;

use crossbeam::channel::{Sender, unbounded};

use super::*;
use gatepost_engine::{Commit, Durable};
use gatepost_records::MailRecord;
use gatepost_telemetry::Gauges;

/// A disk that the test controls.
struct Disk {
    /// Waited for before each write; a closed gate is open.
    gate: Receiver<()>,
    fails: bool,
    written: Mutex<Vec<String>>,
}

impl Commit for Disk {
    fn commit(&self, record: &MailRecord) -> io::Result<()> {
        self.gate.recv().unwrap_or_default();
        if self.fails {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.written
            .lock()
            .unwrap()
            .push(record.verdict_name().to_owned());
        Ok(())
    }
}

/// A disk, and the gate that lets one write through for each message sent.
fn disk(fails: bool) -> (Arc<Disk>, Sender<()>) {
    let (open, gate) = unbounded();
    let disk = Disk {
        gate,
        fails,
        written: Mutex::default(),
    };
    (Arc::new(disk), open)
}

fn harness(disk: &Arc<Disk>, durable: Durable, on_fault: FailurePolicy) -> Harness {
    let policy = gatepost_policy::Settings::default();
    let commit = CommitSettings {
        durable,
        timeout: Duration::from_secs(3),
        writer: Arc::clone(disk) as Arc<dyn Commit>,
    };
    let generation = generation(RULES, &policy, on_fault);
    let mut harness = Harness::serving(one_worker(), generation, None, Some(commit));
    harness.connect();
    harness
}

fn faults(harness: &mut Harness) -> bool {
    harness.session.publish();
    let metrics = harness.telemetry.metrics();
    let figures = metrics.render_prometheus(&Gauges::default());
    figures.contains("gatepost_faults_total{fault=\"commit\"} 1")
}

#[test]
fn held_and_refused_messages_are_durable_before_they_are_answered() {
    let (disk, open) = disk(false);
    drop(open);
    let mut harness = harness(&disk, Durable::Held, FailurePolicy::Tempfail);
    assert_eq!(harness.whole("a friend writes").reply, Reply::Continue);
    let held = harness.whole("dubious");
    assert!(matches!(
        held.actions.last(),
        Some(Action::Quarantine { .. })
    ));
    assert_eq!(code(&harness.whole("terrible").reply), 550);
    assert_eq!(*disk.written.lock().unwrap(), ["quarantine", "reject"]);
    assert!(!harness.session.in_transaction());
}

#[test]
fn every_message_is_durable_where_that_is_wanted() {
    let (disk, open) = disk(false);
    drop(open);
    let mut harness = harness(&disk, Durable::All, FailurePolicy::Tempfail);
    assert_eq!(harness.whole("a friend writes").reply, Reply::Continue);
    assert_eq!(*disk.written.lock().unwrap(), ["accept"]);
}

#[test]
fn a_full_disk_is_a_fault_and_the_failure_policy_decides() {
    for (on_fault, expected) in [
        (FailurePolicy::Tempfail, 451),
        (FailurePolicy::Accept, 250),
        (FailurePolicy::Quarantine, 250),
    ] {
        let (disk, open) = disk(true);
        drop(open);
        let mut harness = harness(&disk, Durable::Held, on_fault);
        let response = harness.whole("terrible");
        assert_eq!(code(&response.reply), expected, "{on_fault:?}");
        if expected == 250 {
            let field = header_value(&response, "X-Gatepost").unwrap();
            assert!(field.starts_with("unjudged fault=commit"), "{field}");
        }
        assert!(faults(&mut harness));
    }
}

#[test]
fn a_slow_disk_is_a_fault_at_the_deadline_and_no_other_message_waits() {
    let (disk, open) = disk(false);
    let mut harness = harness(&disk, Durable::Held, FailurePolicy::Tempfail);
    harness.mail("<a@example.net>");
    harness.rcpt("<b@example.com>");
    harness.header("Subject", "hello");
    harness.end_of_headers();
    harness.body("terrible");
    let macros = Macros::default();
    let end = Event::EndOfMessage { macros: &macros };
    assert_eq!(harness.session.on_event(end).reply, Reply::Pending);
    let judged = harness.reports.recv_timeout(WAIT).unwrap();
    assert_eq!(harness.session.on_completed(judged), Delivery::Noted);
    assert!(harness.session.in_transaction(), "a drain waits for it");
    let due = harness.session.deadline().expect("a deadline");
    assert_eq!(due, harness.clock.now() + Duration::from_secs(3));
    let response = harness.session.on_deadline(due).expect("an answer");
    assert_eq!(code(&response.reply), 451);
    assert!(faults(&mut harness));
    // A message that need not be durable passes while the disk stands still.
    assert_eq!(harness.whole("a friend writes").reply, Reply::Continue);
    open.send(()).unwrap();
    let late = harness.reports.recv_timeout(WAIT).unwrap();
    assert_eq!(harness.session.on_completed(late), Delivery::Late);
}

#[test]
fn an_abort_while_the_disk_is_awaited_takes_the_answer_back() {
    let (disk, open) = disk(false);
    let mut harness = harness(&disk, Durable::All, FailurePolicy::Tempfail);
    harness.mail("<a@example.net>");
    harness.rcpt("<b@example.com>");
    harness.end_of_headers();
    let macros = Macros::default();
    let end = Event::EndOfMessage { macros: &macros };
    assert_eq!(harness.session.on_event(end).reply, Reply::Pending);
    let judged = harness.reports.recv_timeout(WAIT).unwrap();
    assert_eq!(harness.session.on_completed(judged), Delivery::Noted);
    harness.session.on_event(Event::Abort);
    assert!(!harness.session.in_transaction());
    open.send(()).unwrap();
    let late = harness.reports.recv_timeout(WAIT).unwrap();
    assert_eq!(harness.session.on_completed(late), Delivery::Late);
}
