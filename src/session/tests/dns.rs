//! Facts of a real resolver: its thread asks a server on loopback that answers right, late, wrong
//! or never, and rules see what became known.
#![expect(clippy::disallowed_methods, reason = "tests read a zone file")]

use std::net::IpAddr;
use std::time::Instant;

use super::*;
use gatepost_engine::GatherSettings;
use gatepost_gather::dns::Name;
use gatepost_gather::testing::{Reply as DnsReply, TestServer, Zone};
use gatepost_gather::{Resolver, Wanted};

/// Scores that show which of them hit.
const DNS_RULES: &str = r"
header NO_NAME      eval:check_client_has_no_name()
score  NO_NAME      1
header CONFIRMED    eval:check_client_name_confirmed()
score  CONFIRMED    2
header UNCONFIRMED  eval:check_client_name_unconfirmed()
score  UNCONFIRMED  4
";

/// How long a message may wait for facts.
const TIMEOUT: Duration = Duration::from_secs(1);
/// What a busy machine may add.
const SLACK: Duration = Duration::from_secs(3);

fn dns_server() -> TestServer {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/zones/clients.zone");
    let text = std::fs::read_to_string(path).unwrap();
    TestServer::start(Zone::parse(&text).unwrap()).unwrap()
}

fn harness(server: &TestServer) -> Harness {
    let dns = gatepost_gather::Settings {
        servers: vec![server.address()],
        ..gatepost_gather::Settings::default()
    };
    let resolver = Resolver::start(dns, Clock::system()).unwrap();
    let settings = GatherSettings {
        wanted: Wanted { client_names: true },
        timeout: TIMEOUT,
        ..GatherSettings::default()
    };
    let policy = gatepost_policy::Settings::default();
    let generation = generation(DNS_RULES, &policy, FailurePolicy::Tempfail).with_gather(settings);
    Harness::serving(one_worker(), generation, Some(Arc::new(resolver)), None)
}

fn connect_from(harness: &mut Harness, address: &str) -> Reply {
    let macros = Macros::default();
    let connect = Event::Connect {
        host: b"unknown",
        peer: Peer::Ip(address.parse().unwrap(), 4711),
        macros: &macros,
    };
    harness.session.on_event(connect).reply
}

/// The score of a message of that client, and how long it took.
fn judged(harness: &mut Harness, address: &str) -> (String, Duration) {
    let begin = Instant::now();
    assert_eq!(
        connect_from(harness, address),
        Reply::Continue,
        "CONNECT does not wait"
    );
    assert_eq!(harness.mail("<a@example.net>"), Reply::Continue);
    assert_eq!(harness.rcpt("<b@example.com>"), Reply::Continue);
    harness.header("Subject", "hello");
    assert_eq!(harness.end_of_headers().reply, Reply::Continue);
    harness.body("text");
    let response = harness.end();
    let took = begin.elapsed();
    let score = header_value(&response, "X-Spam-Score").unwrap_or_default();
    (score.to_owned(), took)
}

fn reverse(address: &str) -> Name {
    Name::reverse(address.parse::<IpAddr>().unwrap())
}

#[test]
fn rules_see_what_the_dns_knows() {
    let server = dns_server();
    for (address, score) in [
        ("192.0.2.1", "2.0"),
        ("192.0.2.2", "4.0"),
        ("192.0.2.99", "1.0"),
        ("2001:db8::1", "2.0"),
    ] {
        let mut harness = harness(&server);
        assert_eq!(judged(&mut harness, address).0, score, "{address}");
    }
}

#[test]
fn a_late_answer_is_waited_for_and_one_that_is_too_late_or_wrong_is_unknown() {
    let late = Duration::from_millis(200);
    for (script, score) in [
        (vec![DnsReply::Late(late)], "2.0"),
        (vec![DnsReply::Late(TIMEOUT * 2)], "0.0"),
        (vec![DnsReply::OtherId], "0.0"),
        (vec![DnsReply::OtherPort], "0.0"),
        (vec![DnsReply::Garbage], "0.0"),
        (vec![DnsReply::ServerFailure], "0.0"),
        (vec![], "0.0"),
    ] {
        let server = dns_server();
        server.script(&reverse("192.0.2.1"), &script);
        let mut harness = harness(&server);
        let (found, took) = judged(&mut harness, "192.0.2.1");
        assert_eq!(found, score, "{script:?}");
        assert!(took < TIMEOUT + SLACK, "{script:?}: {took:?}");
    }
}

#[test]
fn others_are_judged_while_one_waits() {
    let server = dns_server();
    server.script(&reverse("192.0.2.20"), &[]);
    let mut waiting = harness(&server);
    connect_from(&mut waiting, "192.0.2.20");
    waiting.mail("<a@example.net>");
    waiting.rcpt("<b@example.com>");
    waiting.header("Subject", "hello");
    // No rule of the header can reject here: facts are awaited at the end of the message only.
    assert_eq!(waiting.end_of_headers().reply, Reply::Continue);
    waiting.body("text");
    let macros = Macros::default();
    let end = Event::EndOfMessage { macros: &macros };
    let pending = waiting.session.on_event(end);
    assert_eq!(pending.reply, Reply::Pending);
    // Another session of the same engine and resolver.
    let (inbox, reports) = Inbox::open();
    let mut other = Harness {
        session: Session::new(waiting.engine.clone(), "inbound".into(), inbox),
        engine: waiting.engine.clone(),
        telemetry: waiting.telemetry.clone(),
        clock: waiting.clock.clone(),
        reports,
    };
    assert_eq!(judged(&mut other, "192.0.2.1").0, "2.0");
    assert!(waiting.reports.is_empty(), "the first one is still waiting");
    assert_eq!(waiting.awaited(pending).reply, Reply::Continue);
}
