//! Tests of the stub resolver: no socket, no waiting, time is an argument.

use gatepost_words::clock::Clock;

use super::super::{Name, Record, RecordData, RecordType, ResponseCode};
use super::*;

const TIMEOUT: Duration = Duration::from_secs(2);

/// A stub and what it has wanted so far.
struct Bench {
    stub: Stub,
    begin: Instant,
    sent: Vec<Sent>,
    closed: Vec<ExchangeId>,
    finished: Vec<(Outcome, u32)>,
}

#[derive(Clone)]
struct Sent {
    exchange: ExchangeId,
    server: u16,
    transport: Transport,
    message: Vec<u8>,
}

impl Bench {
    /// Servers are distinguished by their ports: 0, 1, …
    fn new(servers: u16) -> Self {
        let settings = StubSettings {
            servers: (0..servers)
                .map(|port| ([127, 0, 0, 1], port).into())
                .collect(),
            timeout: TIMEOUT,
        };
        Self {
            stub: Stub::new(&settings),
            begin: Clock::system().now(),
            sent: Vec::new(),
            closed: Vec::new(),
            finished: Vec::new(),
        }
    }

    fn at(&self, milliseconds: u64) -> Instant {
        self.begin + Duration::from_millis(milliseconds)
    }

    fn start(&mut self, name: &str, milliseconds: u64) {
        self.stub.start(address_of(name), self.at(milliseconds));
        self.collect();
    }

    fn tick(&mut self, milliseconds: u64) {
        self.stub.tick(self.at(milliseconds));
        self.collect();
    }

    /// Hands `bytes` in as received by the exchange that was sent as number `index`.
    fn receive(&mut self, index: usize, bytes: &[u8], milliseconds: u64) {
        let exchange = self.sent[index].exchange;
        self.stub.received(exchange, bytes, self.at(milliseconds));
        self.collect();
    }

    fn fail(&mut self, index: usize, milliseconds: u64) {
        self.stub
            .failed(self.sent[index].exchange, self.at(milliseconds));
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(action) = self.stub.next_action() {
            match action {
                Action::Send {
                    exchange,
                    server,
                    transport,
                    message,
                } => self.sent.push(Sent {
                    exchange,
                    server: server.port(),
                    transport,
                    message,
                }),
                Action::Close(exchange) => self.closed.push(exchange),
                Action::Finished { outcome, ttl, .. } => self.finished.push((outcome, ttl)),
            }
        }
        assert_eq!(
            self.sent.len() - self.closed.len(),
            self.stub.exchanges.len(),
            "each exchange is closed once"
        );
    }

    /// The right answer to the query number `index`, to be changed by the test.
    fn answer(&self, index: usize) -> Message {
        let mut message = Message::decode(&self.sent[index].message).unwrap();
        message.is_response = true;
        message.recursion_available = true;
        let owner = message.lookup.clone().unwrap().name;
        message.answers.push(Record {
            name: owner,
            ttl: 60,
            data: ours(),
        });
        message
    }

    /// The bytes of a message as answer to query `index`: in the case in which it was sent.
    fn bytes(&self, index: usize, message: &Message) -> Vec<u8> {
        let mut bytes = message.encode();
        let length = message.lookup.as_ref().unwrap().name.wire().len();
        bytes[12..12 + length].copy_from_slice(&self.sent[index].message[12..12 + length]);
        bytes
    }

    fn answer_bytes(&self, index: usize) -> Vec<u8> {
        self.bytes(index, &self.answer(index))
    }

    fn servers(&self) -> Vec<u16> {
        self.sent.iter().map(|sent| sent.server).collect()
    }
}

fn address_of(name: &str) -> Lookup {
    let name = Name::parse(name).unwrap();
    let kind = RecordType::A;
    Lookup { name, kind }
}

fn ours() -> RecordData {
    RecordData::A([192, 0, 2, 1].into())
}

fn found() -> Outcome {
    Outcome::Found(vec![ours()])
}

fn soa(ttl: u32, minimum: u32) -> Record {
    Record {
        name: Name::parse("example").unwrap(),
        ttl,
        data: RecordData::Soa { minimum },
    }
}

const NAME: &str = "a-long-name-with-many-letters.example";

#[test]
fn a_right_answer_ends_it() {
    let mut bench = Bench::new(1);
    bench.start(NAME, 0);
    bench.start(NAME, 0);
    assert_eq!(bench.sent.len(), 1, "the same look-up is sent once");
    bench.receive(0, &bench.answer_bytes(0), 10);
    assert_eq!(bench.finished, [(found(), 60)]);
    assert_eq!(bench.stub.next_time(), None);
}

#[test]
fn ids_and_letters_differ_from_query_to_query() {
    let mut bench = Bench::new(1);
    for number in 0..20 {
        bench.start(&format!("{number}.{NAME}"), 0);
    }
    let mut ids: Vec<&[u8]> = bench.sent.iter().map(|sent| &sent.message[..2]).collect();
    ids.sort_unstable();
    ids.dedup();
    assert!(ids.len() >= 18, "{ids:?}");
    let mut names: Vec<&[u8]> = bench
        .sent
        .iter()
        .map(|sent| &sent.message[15..50])
        .collect();
    names.sort_unstable();
    names.dedup();
    assert!(names.len() >= 18);
}

#[test]
fn what_is_not_the_answer_is_passed_over() {
    let mut bench = Bench::new(1);
    bench.start(NAME, 0);
    let mut other_id = bench.answer(0);
    other_id.id ^= 1;
    bench.receive(0, &bench.bytes(0, &other_id), 1);
    let mut other_question = bench.answer(0);
    other_question.lookup = Some(address_of("another.example"));
    bench.receive(0, &other_question.encode(), 1);
    let mut query = bench.answer(0);
    query.is_response = false;
    bench.receive(0, &bench.bytes(0, &query), 1);
    bench.receive(0, b"garbage", 1);
    bench.receive(0, b"", 1);
    assert!(bench.finished.is_empty() && bench.sent.len() == 1);
    bench.receive(0, &bench.answer_bytes(0), 2);
    assert_eq!(bench.finished, [(found(), 60)]);
}

#[test]
fn after_sixteen_wrong_messages_tcp_is_used() {
    let mut bench = Bench::new(1);
    bench.start(NAME, 0);
    for _ in 0..15 {
        bench.receive(0, b"garbage", 1);
    }
    assert_eq!(bench.sent.len(), 1);
    bench.receive(0, b"garbage", 1);
    assert_eq!(bench.sent[1].transport, Transport::Tcp);
}

#[test]
fn letters_in_another_case_are_asked_for_over_tcp() {
    let mut bench = Bench::new(1);
    bench.start(NAME, 0);
    // In lower case: one chance in 2^30 that it was sent so.
    bench.receive(0, &bench.answer(0).encode(), 1);
    assert!(bench.finished.is_empty());
    assert_eq!(bench.sent[1].transport, Transport::Tcp);
    bench.receive(1, &bench.answer(1).encode(), 2);
    assert_eq!(bench.finished, [(found(), 60)]);
}

#[test]
fn a_truncated_answer_is_asked_for_over_tcp_at_the_same_server() {
    let mut bench = Bench::new(2);
    bench.start(NAME, 0);
    let mut short = bench.answer(0);
    short.is_truncated = true;
    short.answers.clear();
    bench.receive(0, &bench.bytes(0, &short), 1);
    assert_eq!(bench.servers(), [0, 0]);
    assert_eq!(bench.sent[1].transport, Transport::Tcp);
    bench.fail(1, 2);
    assert_eq!(bench.servers(), [0, 0, 1], "the connection broke");
}

#[test]
fn it_is_sent_three_times_and_ends_at_its_time() {
    let mut bench = Bench::new(2);
    bench.start(NAME, 0);
    for (time, count) in [
        (499, 1),
        (500, 2),
        (999, 2),
        (1000, 3),
        (1500, 3),
        (1999, 3),
    ] {
        bench.tick(time);
        assert_eq!(bench.sent.len(), count, "at {time} ms");
    }
    assert_eq!(bench.servers(), [0, 1, 0]);
    assert!(bench.finished.is_empty());
    bench.tick(2000);
    assert_eq!(
        bench.finished,
        [(Outcome::Unknown(Cause::Timeout), FAILURE_TTL)]
    );
}

#[test]
fn a_late_answer_to_the_first_query_counts() {
    let mut bench = Bench::new(1);
    bench.start(NAME, 0);
    bench.tick(500);
    bench.tick(1000);
    bench.receive(0, &bench.answer_bytes(0), 1900);
    assert_eq!(bench.finished, [(found(), 60)]);
}

#[test]
fn a_server_that_failed_is_not_asked_again() {
    let mut bench = Bench::new(2);
    bench.start(NAME, 0);
    for index in 0..2 {
        let mut failure = bench.answer(index);
        failure.code = ResponseCode::SERVER_FAILURE;
        bench.receive(index, &bench.bytes(index, &failure), 1);
    }
    assert_eq!(bench.servers(), [0, 1]);
    assert_eq!(
        bench.finished,
        [(Outcome::Unknown(Cause::Failed), FAILURE_TTL)]
    );
}

#[test]
fn who_does_not_understand_edns_is_asked_without() {
    let mut bench = Bench::new(1);
    bench.start(NAME, 0);
    let mut refusal = bench.answer(0);
    refusal.code = ResponseCode::FORMAT_ERROR;
    bench.receive(0, &bench.bytes(0, &refusal), 1);
    assert!(!Message::decode(&bench.sent[1].message).unwrap().has_edns);
    bench.receive(1, &bench.answer_bytes(1), 2);
    assert_eq!(bench.finished, [(found(), 60)]);
}

#[test]
fn no_name_and_no_data_are_known_and_last_as_the_zone_says() {
    for (code, outcome) in [
        (ResponseCode::NO_NAME, Outcome::NoName),
        (ResponseCode::OK, Outcome::NoData),
    ] {
        for (zone, ttl) in [
            (Some(soa(300, 30)), 30),
            (Some(soa(30, 300)), 30),
            (None, 0),
        ] {
            let mut bench = Bench::new(1);
            bench.start(NAME, 0);
            let mut negative = bench.answer(0);
            negative.code = code;
            negative.answers.clear();
            negative.authorities.extend(zone);
            bench.receive(0, &bench.bytes(0, &negative), 1);
            assert_eq!(bench.finished, [(outcome.clone(), ttl)]);
        }
    }
}

#[test]
fn a_referral_is_no_answer() {
    let mut bench = Bench::new(1);
    bench.start(NAME, 0);
    let mut referral = bench.answer(0);
    referral.answers.clear();
    referral.recursion_available = false;
    bench.receive(0, &bench.bytes(0, &referral), 1);
    assert_eq!(
        bench.finished,
        [(Outcome::Unknown(Cause::Failed), FAILURE_TTL)]
    );
}

/// Answers query `index` with a chain of `count` aliases, with or without an address at the end.
fn chain(bench: &Bench, index: usize, count: usize, address: bool) -> Vec<u8> {
    let mut message = bench.answer(index);
    let mut last = message.answers.pop().unwrap();
    for number in 0..count {
        let target = Name::parse(&format!("n{index}-{number}.example")).unwrap();
        message.answers.push(Record {
            name: last.name,
            ttl: 10,
            data: RecordData::Cname(target.clone()),
        });
        last.name = target;
    }
    if address {
        message.answers.push(last);
    }
    bench.bytes(index, &message)
}

#[test]
fn eight_aliases_are_followed_in_one_answer_or_over_several_and_no_more() {
    let failed = (Outcome::Unknown(Cause::Failed), FAILURE_TTL);
    for (count, expected) in [(1, (found(), 10)), (8, (found(), 10)), (9, failed.clone())] {
        let mut bench = Bench::new(1);
        bench.start(NAME, 0);
        bench.receive(0, &chain(&bench, 0, count, true), 1);
        assert_eq!(bench.finished, [expected], "{count}");
    }
    for (rounds, expected) in [(8, (found(), 10)), (9, failed)] {
        let mut bench = Bench::new(1);
        bench.start(NAME, 0);
        for index in 0..rounds {
            bench.receive(index, &chain(&bench, index, 1, false), 1);
        }
        if bench.finished.is_empty() {
            bench.receive(rounds, &bench.answer_bytes(rounds), 1);
        }
        assert_eq!(bench.finished, [expected], "{rounds}");
    }
}

#[test]
fn aliases_in_a_circle_end() {
    let mut bench = Bench::new(1);
    bench.start(NAME, 0);
    let mut message = bench.answer(0);
    let name = Name::parse(NAME).unwrap();
    message.answers[0].data = RecordData::Cname(name);
    bench.receive(0, &bench.bytes(0, &message), 1);
    assert_eq!(
        bench.finished,
        [(Outcome::Unknown(Cause::Failed), FAILURE_TTL)]
    );
}

#[test]
fn a_dead_server_is_left_alone_after_three_look_ups_and_tried_again() {
    let mut bench = Bench::new(1);
    for number in 0..3 {
        bench.start(&format!("{number}.{NAME}"), 0);
    }
    bench.tick(500);
    bench.tick(1000);
    assert_eq!(bench.stub.servers_left_alone(), 0);
    bench.tick(2000);
    assert_eq!(bench.stub.servers_left_alone(), 1);
    let before = bench.sent.len();
    bench.start("now.example", 2001);
    assert_eq!(bench.sent.len(), before, "nothing was sent");
    assert_eq!(
        bench.finished[3],
        (Outcome::Unknown(Cause::Failed), 0),
        "immediately"
    );
    bench.start("probe.example", 4001);
    bench.start("not-yet.example", 4001);
    assert_eq!(bench.sent.len(), before + 1);
    bench.receive(before, &bench.answer_bytes(before), 4010);
    assert_eq!(bench.stub.servers_left_alone(), 0);
    bench.start("again.example", 4011);
    assert_eq!(bench.sent.len(), before + 2);
}

#[test]
fn a_silent_first_server_is_left_alone_while_the_second_answers() {
    let mut bench = Bench::new(2);
    let mut time = 0;
    for number in 0..3 {
        bench.start(&format!("{number}.{NAME}"), time);
        bench.tick(time + 500);
        let last = bench.sent.len() - 1;
        assert_eq!(bench.sent[last].server, 1);
        bench.receive(last, &bench.answer_bytes(last), time + 510);
        time += 600;
    }
    bench.start("now.example", time);
    assert_eq!(bench.sent.last().unwrap().server, 1);
}

#[test]
fn dead_zones_do_not_count_against_a_server_that_answers_others() {
    let mut bench = Bench::new(1);
    for number in 0..20 {
        bench.start(&format!("{number}.dead.example"), 0);
    }
    bench.start(NAME, 1);
    bench.receive(20, &bench.answer_bytes(20), 2);
    bench.tick(500);
    bench.tick(2000);
    assert_eq!(bench.finished.len(), 21);
    assert_eq!(bench.stub.servers_left_alone(), 0);
}

#[test]
fn more_look_ups_than_may_be_in_flight_are_refused_immediately() {
    let mut bench = Bench::new(1);
    for number in 0..LOOKUPS_MAX {
        bench.start(&format!("{number}.{NAME}"), 0);
    }
    assert!(bench.finished.is_empty());
    bench.start(NAME, 0);
    assert_eq!(bench.finished, [(Outcome::Unknown(Cause::Overloaded), 0)]);
}

#[test]
fn without_servers_it_fails_immediately() {
    let mut bench = Bench::new(0);
    bench.start(NAME, 0);
    assert_eq!(bench.finished, [(Outcome::Unknown(Cause::Failed), 0)]);
}
