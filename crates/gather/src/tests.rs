//! The resolver against a server on loopback that answers right, late, wrong and never.
#![expect(clippy::disallowed_methods, reason = "tests read zone files")]

use std::net::IpAddr;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use gatepost_mail::ClientNames;
use gatepost_words::clock::Clock;
use gatepost_words::fact::{Cause, Fact};

use crate::dns::Name;
use crate::testing::{Reply, TestServer, Zone};
use crate::{Answer, Gather, Question, Resolver, Settings};

const ZONES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/zones/clients.zone"
);
/// Of a request, where the answer is expected in time.
const PLENTY: Duration = Duration::from_secs(5);
/// What a busy machine may add to a time.
const SLACK: Duration = Duration::from_millis(400);

type Answered = Receiver<(Instant, Vec<(Question, Answer)>)>;

fn zone() -> Zone {
    Zone::parse(&std::fs::read_to_string(ZONES).unwrap()).unwrap()
}

fn server() -> TestServer {
    TestServer::start(zone()).unwrap()
}

fn now() -> Instant {
    Clock::system().now()
}

fn resolver_of(servers: &[&TestServer], timeout: Duration) -> Resolver {
    let settings = Settings {
        servers: servers.iter().map(|server| server.address()).collect(),
        timeout,
        ..Settings::default()
    };
    Resolver::start(settings, Clock::system()).unwrap()
}

fn question(address: &str) -> Question {
    Question::ClientNames(address.parse().unwrap())
}

fn ask(resolver: &Resolver, address: &str, time: Duration) -> Answered {
    let (send, receive) = channel();
    let done = Box::new(move |answers| send.send((now(), answers)).unwrap());
    resolver.ask(vec![question(address)], now() + time, done);
    receive
}

/// The one answer of a request; that there is no second one is checked too.
fn fact(answered: &Answered) -> (Instant, Fact<ClientNames>) {
    let (at, mut answers) = answered.recv_timeout(PLENTY * 2).expect("an answer");
    assert!(answered.recv().is_err(), "answered twice");
    assert_eq!(answers.len(), 1);
    let (_, Answer::ClientNames(fact)) = answers.remove(0);
    (at, fact)
}

fn names_of(resolver: &Resolver, address: &str) -> Fact<ClientNames> {
    fact(&ask(resolver, address, PLENTY)).1
}

fn known(names: &[&str], confirmed: Option<&str>) -> Fact<ClientNames> {
    Fact::Known(ClientNames {
        names: names.iter().map(ToString::to_string).collect(),
        has_more: false,
        confirmed: Fact::Known(confirmed.map(ToOwned::to_owned)),
    })
}

/// The name under which `address` is asked for.
fn reverse(address: &str) -> Name {
    Name::reverse(address.parse::<IpAddr>().unwrap())
}

#[test]
fn names_are_found_and_confirmed() {
    let server = server();
    let resolver = resolver_of(&[&server], PLENTY);
    let cases = [
        (
            "192.0.2.1",
            known(&["mx.example.org"], Some("mx.example.org")),
        ),
        (
            "::ffff:192.0.2.1",
            known(&["mx.example.org"], Some("mx.example.org")),
        ),
        ("192.0.2.2", known(&["claimed.example.org"], None)),
        ("192.0.2.3", known(&["gone.example.org"], None)),
        (
            "192.0.2.4",
            known(
                &["a.example.org", "b.example.org", "c.example.org"],
                Some("b.example.org"),
            ),
        ),
        (
            "192.0.2.5",
            known(&["mx5.example.org"], Some("mx5.example.org")),
        ),
        ("192.0.2.7", Fact::Unknown(Cause::Failed)),
        ("192.0.2.8", known(&[], None)),
        (
            "192.0.2.9",
            known(&["alias.example.org"], Some("alias.example.org")),
        ),
        ("192.0.2.99", known(&[], None)),
        (
            "2001:db8::1",
            known(&["six.example.org"], Some("six.example.org")),
        ),
        ("2001:db8::2", known(&[], None)),
    ];
    for (address, expected) in cases {
        assert_eq!(names_of(&resolver, address), expected, "{address}");
    }
    let Fact::Known(many) = names_of(&resolver, "192.0.2.6") else {
        panic!("no names");
    };
    assert_eq!((many.names.len(), many.has_more), (10, true));
    assert_eq!(many.confirmed, Fact::Known(Some("n10.example.org".into())));
}

#[test]
fn what_is_known_is_not_asked_again() {
    let server = server();
    let resolver = resolver_of(&[&server], PLENTY);
    for address in ["192.0.2.1", "192.0.2.99"] {
        let first = names_of(&resolver, address);
        let queries = server.queries();
        assert_eq!(names_of(&resolver, address), first);
        assert_eq!(server.queries(), queries);
    }
}

#[test]
fn forged_answers_are_not_believed() {
    let server = server();
    let wrong = [
        Reply::OtherId,
        Reply::OtherQuestion,
        Reply::OtherPort,
        Reply::Garbage,
    ];
    for (number, reply) in wrong.into_iter().enumerate() {
        let address = format!("192.0.2.{}", 20 + number);
        let name = format!("mx{}.example.org", 20 + number);
        // The forger is first, the right answer comes a little later.
        let script = [reply, Reply::Late(Duration::from_millis(50))];
        server.script(&reverse(&address), &script);
        server.script(&Name::parse(&name).unwrap(), &script);
        let resolver = resolver_of(&[&server], PLENTY);
        assert_eq!(
            names_of(&resolver, &address),
            known(&[&name], Some(&name)),
            "{reply:?}"
        );
    }
    assert_eq!(server.queries_over_tcp(), 0);
}

#[test]
fn only_wrong_answers_are_none() {
    for reply in [
        Reply::OtherId,
        Reply::OtherQuestion,
        Reply::OtherPort,
        Reply::Garbage,
    ] {
        let server = server();
        server.script(&reverse("192.0.2.1"), &[reply]);
        let resolver = resolver_of(&[&server], Duration::from_millis(300));
        let fact = names_of(&resolver, "192.0.2.1");
        assert_eq!(fact, Fact::Unknown(Cause::Timeout), "{reply:?}");
    }
}

#[test]
fn another_case_and_a_truncated_answer_lead_to_tcp() {
    for reply in [Reply::OtherCase, Reply::Truncated] {
        let server = server();
        server.script(&reverse("192.0.2.1"), &[reply]);
        let resolver = resolver_of(&[&server], PLENTY);
        let expected = known(&["mx.example.org"], Some("mx.example.org"));
        assert_eq!(names_of(&resolver, "192.0.2.1"), expected, "{reply:?}");
        assert_eq!(server.queries_over_tcp(), 1);
    }
}

#[test]
fn garbage_over_tcp_is_a_failure() {
    let server = server();
    server.script(&reverse("192.0.2.1"), &[Reply::Truncated]);
    server.script_tcp(&reverse("192.0.2.1"), &[Reply::Garbage]);
    let resolver = resolver_of(&[&server], PLENTY);
    assert_eq!(
        names_of(&resolver, "192.0.2.1"),
        Fact::Unknown(Cause::Failed)
    );
}

#[test]
fn a_failure_is_reported_immediately_and_kept_for_a_moment() {
    let server = server();
    server.script(&reverse("192.0.2.1"), &[Reply::ServerFailure]);
    let resolver = resolver_of(&[&server], PLENTY);
    let begin = now();
    for _ in 0..2 {
        assert_eq!(
            names_of(&resolver, "192.0.2.1"),
            Fact::Unknown(Cause::Failed)
        );
    }
    assert!(now() - begin < PLENTY);
    assert_eq!(server.queries(), 1);
}

#[test]
fn the_deadline_is_kept_and_others_do_not_wait() {
    let server = server();
    server.script(&reverse("192.0.2.20"), &[]);
    server.script(
        &reverse("192.0.2.21"),
        &[Reply::Late(Duration::from_secs(1))],
    );
    let resolver = resolver_of(&[&server], Duration::from_secs(2));
    let time = Duration::from_millis(300);
    let begin = now();
    let never = ask(&resolver, "192.0.2.20", time);
    let late = ask(&resolver, "192.0.2.21", time);
    let patient = ask(&resolver, "192.0.2.21", PLENTY);
    let (at, fact_of_other) = fact(&ask(&resolver, "192.0.2.1", PLENTY));
    assert!(
        fact_of_other.known().is_some() && at - begin < time,
        "others waited"
    );
    for answered in [never, late] {
        let (at, fact) = fact(&answered);
        assert_eq!(fact, Fact::Unknown(Cause::Timeout));
        let took = at - begin;
        assert!(took + SLACK >= time && took < time + SLACK, "{took:?}");
    }
    let expected = known(&["mx21.example.org"], Some("mx21.example.org"));
    assert_eq!(
        fact(&patient).1,
        expected,
        "late, and still in time for this one"
    );
    let queries = server.queries();
    assert_eq!(names_of(&resolver, "192.0.2.21"), expected);
    assert_eq!(server.queries(), queries, "the late answer was kept");
}

#[test]
fn a_name_whose_address_comes_too_late_is_not_called_unconfirmed() {
    let server = server();
    server.script(&Name::parse("mx.example.org").unwrap(), &[]);
    let resolver = resolver_of(&[&server], Duration::from_secs(2));
    let answered = ask(&resolver, "192.0.2.1", Duration::from_millis(300));
    let Fact::Known(names) = fact(&answered).1 else {
        panic!("the name came in time");
    };
    assert_eq!(names.names, ["mx.example.org"]);
    assert_eq!(names.confirmed, Fact::Unknown(Cause::Timeout));
}

#[test]
fn the_second_server_is_asked_when_the_first_is_silent_or_not_there() {
    let silent = server();
    silent.script(&Name::parse(".").unwrap(), &[]);
    let gone = server();
    let second = server();
    let expected = known(&["mx.example.org"], Some("mx.example.org"));
    let resolver = resolver_of(&[&silent, &second], Duration::from_millis(800));
    assert_eq!(names_of(&resolver, "192.0.2.1"), expected);
    let resolver = resolver_of(&[&gone, &second], PLENTY);
    drop(gone);
    let begin = now();
    assert_eq!(names_of(&resolver, "192.0.2.1"), expected);
    assert!(
        now() - begin < Duration::from_secs(1),
        "a refusal is no silence"
    );
}

#[test]
fn a_full_queue_answers_immediately() {
    let server = server();
    server.script(&Name::parse(".").unwrap(), &[]);
    let settings = Settings {
        servers: vec![server.address()],
        queue: 1,
        ..Settings::default()
    };
    let resolver = Resolver::start(settings, Clock::system()).unwrap();
    let time = Duration::from_millis(500);
    let begin = now();
    let asked: Vec<Answered> = (0..20_000)
        .map(|number| {
            ask(
                &resolver,
                &format!("10.0.{}.{}", number / 250, number % 250),
                time,
            )
        })
        .collect();
    let took = now() - begin;
    let causes: Vec<Fact<ClientNames>> = asked.iter().map(|answered| fact(answered).1).collect();
    let overloaded = Fact::Unknown(Cause::Overloaded);
    let refused = causes.iter().filter(|fact| **fact == overloaded).count();
    assert!(
        refused > 0 && resolver.counters().overloaded() > 0,
        "{took:?}"
    );
    assert!(causes.iter().all(|fact| fact.known().is_none()));
    assert!(now() - begin < took + time + SLACK * 4);
}

#[test]
fn each_request_is_answered_when_the_resolver_is_closed() {
    let server = server();
    server.script(&Name::parse(".").unwrap(), &[]);
    let resolver = resolver_of(&[&server], PLENTY);
    let asked: Vec<Answered> = (0..50)
        .map(|number| ask(&resolver, &format!("192.0.2.{number}"), PLENTY))
        .collect();
    drop(resolver);
    for answered in asked {
        assert_eq!(fact(&answered).1, Fact::Unknown(Cause::Failed));
    }
}

#[test]
fn a_panic_of_the_one_who_asked_harms_no_one_else() {
    let server = server();
    let resolver = resolver_of(&[&server], PLENTY);
    let done = Box::new(|_| panic!("by the test"));
    resolver.ask(vec![question("192.0.2.1")], now() + PLENTY, done);
    assert!(names_of(&resolver, "192.0.2.1").known().is_some());
    assert_eq!(resolver.counters().restarts(), 0);
}

#[test]
fn a_request_without_questions_is_answered() {
    let server = server();
    let resolver = resolver_of(&[&server], PLENTY);
    let (send, receive) = channel();
    let done = Box::new(move |answers: Vec<_>| send.send(answers.len()).unwrap());
    resolver.ask(Vec::new(), now() + PLENTY, done);
    assert_eq!(receive.recv_timeout(PLENTY), Ok(0));
}

#[test]
fn a_dead_server_is_left_alone_and_used_again_within_five_seconds() {
    let server = server();
    let address = server.address();
    let resolver = resolver_of(&[&server], Duration::from_millis(200));
    drop(server);
    for number in 0..10 {
        let fact = names_of(&resolver, &format!("192.0.2.{number}"));
        assert!(fact.known().is_none());
    }
    let sent = resolver.counters().queries();
    assert!(sent <= 4, "{sent} queries to a server that refuses");
    let _server = TestServer::start_at(zone(), address).unwrap();
    let begin = now();
    while names_of(&resolver, "192.0.2.20").known().is_none() {
        assert!(now() - begin < Duration::from_secs(5), "still left alone");
        std::thread::sleep(Duration::from_millis(100));
    }
}
