//! Deferring by policy: a verdict with a code of its own, no fault.

use super::*;
use gatepost_telemetry::Gauges;

#[test]
fn lists_defer_at_their_stage_and_a_recipient_alone() {
    let defer = AdminLists {
        clients: vec!["192.0.2.0/24".to_owned()],
        helo: vec!["new.example".to_owned()],
        senders: vec!["*@bulk.example".to_owned()],
        recipients: vec!["busy@example.com".to_owned()],
    };
    let policy = gatepost_policy::Settings {
        defer,
        ..gatepost_policy::Settings::default()
    };
    let mut harness = Harness::with(one_worker(), &policy, FailurePolicy::Accept);
    assert_deferred(&harness.connect());
    let macros = Macros::default();
    let greeting = harness.session.on_event(Event::Helo {
        name: b"new.example",
        macros: &macros,
    });
    assert_deferred(&greeting.reply);
    assert_deferred(&harness.mail("<x@bulk.example>"));
    assert!(!harness.session.in_transaction());
    assert_eq!(harness.mail("<a@example.net>"), Reply::Continue);
    assert_eq!(harness.rcpt("<b@example.com>"), Reply::Continue);
    assert_deferred(&harness.rcpt("<busy@example.com>"));
    assert_eq!(harness.rcpt("<c@example.com>"), Reply::Continue);
    harness.header("Subject", "hello");
    harness.end_of_headers();
    assert_eq!(harness.end().reply, Reply::Continue);
    harness.session.publish();
    let figures = harness
        .telemetry
        .metrics()
        .render_prometheus(&Gauges::default());
    let faults = figures
        .lines()
        .filter(|line| line.starts_with("gatepost_faults_total"));
    for line in faults {
        assert!(line.ends_with(" 0"), "deferring is no fault: {line}");
    }
}

/// 451 4.7.1: deferred by policy.
fn assert_deferred(reply: &Reply) {
    let Reply::Code { code, enhanced, .. } = reply else {
        panic!("{reply:?}")
    };
    assert_eq!((*code, enhanced.as_str()), (451, "4.7.1"));
}
