//! What one mail costs, stage by stage, in one process without sockets.
//!
//! ```text
//! cargo bench --bench judge                 1,200 messages of ../shared/corpora, spamassassin `split=test`; skips what is absent
//! cargo bench --bench judge -- --messages 300
//! cargo bench --bench judge -- --gaps       how long judging goes on without looking at the clock
//! ```
//! Prints a table; `tests/bench/records/` keeps dated results. Wall-clock time on a shared machine:
//! compare within one run.
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads files and the clock"
)]
#![expect(clippy::print_stdout, reason = "its output is the table")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot run has failed"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, hint};

use crossbeam::channel::{Sender, unbounded};
use gatepost::session::{Connection, Session};
use gatepost_engine::{
    Completion, Engine, Generation, Notify, Profile, Scratch, Settings, TimeLeft,
};
use gatepost_engine::{end_of_headers, end_of_message};
use gatepost_mail::Case;
use gatepost_mail::Facts;
use gatepost_mail::{Limits, Message, Transaction};
use gatepost_milter::{
    Action, Event, Macros, MilterHandler, Peer, Protocol, Reply, Response, write_packet,
};
use gatepost_policy::Policy;
use gatepost_rules::{Ruleset, Scanner};
use gatepost_telemetry::Telemetry;
use gatepost_training::{Corpus, Split};
use gatepost_words::FailurePolicy;
use gatepost_words::Stage;
use gatepost_words::clock::Clock;

mod gaps;

fn main() {
    if env::args().any(|argument| argument == "--gaps") {
        gaps::gaps(&shipped());
        return;
    }
    let mut messages = 1_200;
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--messages" {
            messages = arguments
                .next()
                .and_then(|text| text.parse().ok())
                .unwrap_or(messages);
        }
    }
    println!(
        "{:<44} {:>10} {:>10} {:>10}",
        "microseconds", "median", "p90", "p99"
    );
    load();
    wire();
    handover();
    match corpus(messages) {
        Ok(messages) => judge(&messages),
        Err(reason) => println!("judge: skipped: {reason}"),
    }
    println!(
        "resident at the end: {} MiB (peak {} MiB)",
        status("VmRSS:") / 1024,
        status("VmHWM:") / 1024
    );
}

/// One line of the table; times in nanoseconds.
fn tell(name: &str, mut times: Vec<u128>) {
    times.sort_unstable();
    let at = |share: usize| {
        let index = (times.len().saturating_sub(1)) * share / 100;
        times.get(index).map_or(0.0, |nanos| {
            f64::from(u32::try_from(*nanos).unwrap_or(u32::MAX)) / 1_000.0
        })
    };
    println!(
        "{name:<44} {:>10.1} {:>10.1} {:>10.1}",
        at(50),
        at(90),
        at(99)
    );
}

fn time(mut act: impl FnMut()) -> u128 {
    let begin = Instant::now();
    act();
    begin.elapsed().as_nanos()
}

fn status(key: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text
        .lines()
        .find(|line| line.starts_with(key))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

fn corpus(messages: usize) -> Result<Vec<Vec<u8>>, String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    if !directory.join("spamassassin.tar.zst").exists() {
        return Err(format!(
            "{} has no spamassassin.tar.zst",
            directory.display()
        ));
    }
    let corpus = Corpus {
        directory,
        name: "spamassassin".to_owned(),
        split: Some(Split::Test),
    };
    corpus.messages(messages).map_err(|error| error.to_string())
}

fn shipped() -> Generation {
    gatepost::daemon::builtin_generation().unwrap_or_else(|diagnostics| panic!("{diagnostics:?}"))
}

fn load() {
    tell(
        "load rules and model",
        (0..5)
            .map(|_| time(|| drop(hint::black_box(shipped()))))
            .collect(),
    );
    let generation = shipped();
    println!(
        "resident with rules and model: {} MiB",
        status("VmRSS:") / 1024
    );
    drop(generation);
}

/// Answers `Continue` to everything and adds one header: what the protocol itself costs.
struct Trivial;

impl MilterHandler for Trivial {
    fn on_event(&mut self, event: Event<'_>) -> Response {
        let mut response = Response::from(Reply::Continue);
        if matches!(event, Event::EndOfMessage { .. }) {
            response.actions.push(Action::AddHeader {
                name: "X-Test".to_owned(),
                value: "yes".to_owned(),
            });
        }
        response
    }
}

/// A mail of 15 header fields and 2,000 bytes on a connection that is open, as Postfix sends it.
fn one_mail() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut packet = |command: u8, payload: &[u8]| write_packet(&mut bytes, command, &[payload]);
    packet(b'D', b"Mi\x004bQueueId\0");
    packet(b'M', b"<anna@example.net>\0SIZE=2500\0");
    packet(b'D', b"R{rcpt_addr}\0ben@example.com\0");
    packet(b'R', b"<ben@example.com>\0");
    packet(b'T', b"");
    for number in 0..15 {
        packet(b'D', b"Li\x004bQueueId\0");
        packet(
            b'L',
            format!("X-Field-{number}\0 a value of ordinary length, to be read and left alone\0")
                .as_bytes(),
        );
    }
    packet(b'N', b"");
    packet(
        b'B',
        "The minutes of Thursday's meeting are on the shelf.\r\n"
            .repeat(38)
            .as_bytes(),
    );
    packet(b'E', b"");
    packet(b'A', b"");
    bytes
}

fn opened() -> Vec<u8> {
    let mut bytes = Vec::new();
    let offer = [6_u32, 0x1ff, 0x1f_ffff].map(u32::to_be_bytes).concat();
    write_packet(&mut bytes, b'O', &[&offer]);
    write_packet(
        &mut bytes,
        b'C',
        &[b"mail.example.net\x004\x11\x22192.0.2.7\0"],
    );
    write_packet(&mut bytes, b'H', &[b"mail.example.net\0"]);
    bytes
}

fn wire() {
    let mail = one_mail();
    let mut protocol = Protocol::new();
    let (mut handler, mut out) = (Trivial, Vec::new());
    let mut serve = |bytes: &[u8]| {
        protocol.receive(bytes);
        protocol
            .serve(&mut handler, &mut out)
            .expect("a clean dialogue");
        out.clear();
    };
    serve(&opened());
    tell(
        "codec and protocol, trivial handler, a mail",
        (0..20_000).map(|_| time(|| serve(&mail))).collect(),
    );
}

struct Inbox(Sender<Completion>);

impl Notify for Inbox {
    fn completed(&self, completion: Completion) {
        self.0.send(completion).expect("the benchmark listens");
    }
}

/// From the end of a message to its answer with rules and model that cost nothing: what the
/// hand-over costs, two threads waking each other included.
fn handover() {
    let (ruleset, _) = Ruleset::load(&[]);
    let policy = Policy::new(&gatepost_policy::Settings::default()).expect("defaults are good");
    let profile = Profile {
        policy,
        on_fault: FailurePolicy::Tempfail,
    };
    let generation = Generation::new(
        ruleset.expect("no rules, no mistake"),
        None,
        profile,
        BTreeMap::new(),
    );
    let clock = Clock::system();
    let telemetry = Arc::new(Telemetry::without_records(clock.clone()));
    let settings = Settings {
        workers: 1,
        ..Settings::default()
    };
    let engine = Engine::start(settings, generation, clock, telemetry).expect("a thread");
    let (sender, reports) = unbounded();
    let mut session = Session::new(engine, "inbound".into(), Arc::new(Inbox(sender)));
    let macros = Macros::default();
    let peer = Peer::Ip([192, 0, 2, 7].into(), 4711);
    session.on_event(Event::Connect {
        host: b"mail.example.net",
        peer,
        macros: &macros,
    });
    let mut times = Vec::new();
    for _ in 0..5_000 {
        session.on_event(Event::MailFrom {
            path: b"<a@example.net>",
            parameters: &[],
            macros: &macros,
        });
        session.on_event(Event::RcptTo {
            path: b"<b@example.com>",
            parameters: &[],
            macros: &macros,
        });
        session.on_event(Event::Header {
            name: b"Subject",
            value: b" hello",
        });
        session.on_event(Event::EndOfHeaders { macros: &macros });
        session.on_event(Event::Body {
            chunk: b"hello\r\n",
        });
        times.push(time(|| {
            session.on_event(Event::EndOfMessage { macros: &macros });
            let completion = reports
                .recv_timeout(Duration::from_secs(10))
                .expect("a report");
            hint::black_box(session.on_completed(completion));
        }));
        session.publish();
    }
    tell("pool hand-over and back, empty generation", times);
}

fn judge(messages: &[Vec<u8>]) {
    let generation = shipped();
    let bytes: usize = messages.iter().map(Vec::len).sum();
    println!(
        "{} messages, {} bytes each on average",
        messages.len(),
        bytes / messages.len().max(1)
    );
    let mut scratch = Scratch::default();
    // Once without measuring: lazy automata are built while they are used.
    for raw in messages {
        whole(&generation, raw, &mut scratch);
    }
    acts(&generation, messages);
    let times = messages
        .iter()
        .map(|raw| time(|| header_alone(&generation, raw, &mut scratch)))
        .collect();
    tell("end of headers, whole", times);
    let times = messages
        .iter()
        .map(|raw| time(|| whole(&generation, raw, &mut scratch)))
        .collect();
    tell("end of message, whole", times);
}

/// Each act of judging alone.
fn acts(generation: &Generation, messages: &[Vec<u8>]) {
    let limits = Limits::default();
    let parse = |raw: &Vec<u8>| time(|| drop(hint::black_box(Message::parse(raw, &limits))));
    tell("parse", messages.iter().map(parse).collect());
    let parsed: Vec<Message<'_>> = messages
        .iter()
        .map(|raw| Message::parse(raw, &limits))
        .collect();
    let transaction = transaction();
    let facts = Facts::default();
    let cases: Vec<Case<'_>> = parsed
        .iter()
        .map(|message| Case {
            stage: Stage::EndOfMessage,
            transaction: &transaction,
            message,
            facts: &facts,
        })
        .collect();
    let mut scanner = Scanner::new(generation.ruleset());
    let mut scan = |case| {
        drop(hint::black_box(scanner.scan(
            generation.ruleset(),
            case,
            &|| false,
        )));
    };
    // Its caches are cold too.
    cases.iter().for_each(&mut scan);
    tell(
        "rules",
        cases.iter().map(|case| time(|| scan(case))).collect(),
    );
    let extract = |case| drop(hint::black_box(gatepost_learn::features::extract(case)));
    tell(
        "features",
        cases.iter().map(|case| time(|| extract(case))).collect(),
    );
    if let Some(model) = generation.model() {
        let vectors: Vec<_> = cases
            .iter()
            .map(gatepost_learn::features::extract)
            .collect();
        let run = |vector| time(|| drop(hint::black_box(model.probability(vector))));
        tell("model", vectors.iter().map(run).collect());
    }
}

fn transaction() -> Transaction {
    Transaction::new("bench".into(), SystemTime::UNIX_EPOCH)
}

fn whole(generation: &Generation, raw: &[u8], scratch: &mut Scratch) {
    drop(hint::black_box(end_of_message(
        generation,
        &transaction(),
        raw,
        &Facts::default(),
        scratch,
        &|| TimeLeft::Plenty,
    )));
}

fn header_alone(generation: &Generation, raw: &[u8], scratch: &mut Scratch) {
    let end = raw.windows(2).position(|pair| pair == b"\n\n");
    let header = end.and_then(|end| raw.get(..end + 2)).unwrap_or(raw);
    drop(hint::black_box(end_of_headers(
        generation,
        &transaction(),
        header,
        &Facts::default(),
        scratch,
        &|| TimeLeft::Plenty,
    )));
}
