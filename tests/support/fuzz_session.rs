//! What the fuzz target `session` does: a milter byte stream, cut as the first byte says, through
//! the protocol into a handler that answers as an engine would at every stage (verdicts, faults,
//! late answers), and what comes back is counted.
//!
//! The law that matters most: never one answer more than commands, whatever the stranger and the
//! handler do.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crossbeam::channel::{Sender, unbounded};
use gatepost::session::{Connection, Session};
use gatepost_engine::{Completion, Engine, Generation, Notify, Profile, Settings};
use gatepost_milter::{Action, Event, MilterHandler, Protocol, Reply, Response};
use gatepost_policy::{AdminLists, Policy};
use gatepost_rules::Ruleset;
use gatepost_telemetry::Telemetry;
use gatepost_words::FailurePolicy;
use gatepost_words::clock::Clock;
use gatepost_words::diagnostic::Source;

/// Answers by a fixed stream of choices, so that an input always means the same.
struct Chooser<'d> {
    choices: std::iter::Cycle<std::slice::Iter<'d, u8>>,
    events: usize,
}

impl MilterHandler for Chooser<'_> {
    fn on_event(&mut self, event: Event<'_>) -> Response {
        self.events += 1;
        let at_end = matches!(event, Event::EndOfMessage { .. });
        let choice = self.choices.next().copied().unwrap_or(0);
        let actions = vec![
            Action::AddHeader {
                name: "X-Gatepost".to_owned(),
                value: "accept\r\nX-Forged: yes".to_owned(),
            },
            Action::Quarantine {
                reason: "content rules".to_owned(),
            },
        ];
        let reply = match choice % 16 {
            0 => Reply::Accept,
            1 => Reply::Tempfail,
            2 | 3 => Reply::Code {
                code: 550,
                enhanced: "5.7.1".to_owned(),
                lines: vec!["no %s".to_owned()],
            },
            _ => Reply::Continue,
        };
        Response {
            actions: if at_end { actions } else { Vec::new() },
            reply,
        }
    }
}

/// The first byte says in which pieces the rest comes, the next sixteen how the handler chooses.
pub fn session(data: &[u8]) {
    let Some((&pieces, rest)) = data.split_first() else {
        return;
    };
    let (choices, stream) = rest.split_at(rest.len().min(16));
    let mut handler = Chooser {
        choices: choices.iter().cycle(),
        events: 0,
    };
    let mut protocol = Protocol::new();
    let mut out = Vec::new();
    for piece in stream.chunks(usize::from(pieces).max(1)) {
        protocol.receive(piece);
        if protocol.serve(&mut handler, &mut out).is_err() {
            break;
        }
    }
    protocol.hang_up();
    let _closed = protocol.serve(&mut handler, &mut out);
    let answers = packets(&out)
        .iter()
        .filter(|command| b"acdfrty4sO".contains(command))
        .count();
    let commands = stream.len() / 5;
    assert!(
        answers <= commands,
        "{answers} answers to at most {commands} commands"
    );
    let text = String::from_utf8_lossy(&out);
    assert!(
        !text.contains("\nX-Forged"),
        "a header value broke out of its line"
    );
    real_session(usize::from(pieces).max(1), stream);
}

/// The same stream into the real thing: session, engine, pool and rules. Every answer that is due
/// is given exactly once, and none is a reject without an id to explain it.
fn real_session(pieces: usize, stream: &[u8]) {
    let (sender, reports) = unbounded();
    let mut session = Session::new(engine(), "fuzz".into(), Arc::new(Inbox(sender)));
    let mut protocol = Protocol::new();
    let mut out = Vec::new();
    for piece in stream.chunks(pieces) {
        protocol.receive(piece);
        if protocol.serve(&mut session, &mut out).is_err() {
            return;
        }
        while protocol.owes_answer() {
            let completion = reports
                .recv_timeout(Duration::from_secs(20))
                .expect("every job is reported");
            session.publish();
            let Some(response) = session.on_completed(completion).response() else {
                continue;
            };
            assert_ne!(
                response.reply,
                Reply::Pending,
                "a late answer that is later still"
            );
            if let Reply::Code { code, lines, .. } = &response.reply {
                assert!(
                    (400..600).contains(code) && lines.iter().any(|line| line.contains("id=")),
                    "{response:?}"
                );
            }
            protocol.respond(&response, &mut out);
            if protocol.serve(&mut session, &mut out).is_err() {
                return;
            }
        }
    }
    protocol.hang_up();
    let _closed = protocol.serve(&mut session, &mut out);
    assert!(
        !session.in_transaction(),
        "a mail is in hand behind the end of the connection"
    );
}

struct Inbox(Sender<Completion>);

impl Notify for Inbox {
    fn completed(&self, completion: Completion) {
        // No receiver is left where the stream broke off.
        drop(self.0.send(completion));
    }
}

/// One engine for all inputs: a few rules for each stage, no model.
fn engine() -> Arc<Engine> {
    static ENGINE: OnceLock<Arc<Engine>> = OnceLock::new();
    let start = || {
        let text = "header FUZZ_HEADER exists:X-Bad\nscore FUZZ_HEADER 30\nbody FUZZ_BODY /bad/\nscore FUZZ_BODY 9\n";
        let (ruleset, diagnostics) = Ruleset::load(&[Arc::new(Source::new("fuzz.cf", text))]);
        let ruleset = ruleset.unwrap_or_else(|| panic!("{diagnostics:?}"));
        let refuse = AdminLists {
            recipients: vec!["gone@*".to_owned()],
            ..AdminLists::default()
        };
        let settings = gatepost_policy::Settings {
            refuse,
            ..gatepost_policy::Settings::default()
        };
        let profile = Profile {
            policy: Policy::new(&settings).expect("good"),
            on_fault: FailurePolicy::Tempfail,
        };
        let generation = Generation::new(ruleset, None, profile, BTreeMap::new());
        let clock = Clock::system();
        let telemetry = Arc::new(Telemetry::without_records(clock.clone()));
        let settings = Settings {
            workers: 1,
            ..Settings::default()
        };
        Engine::start(settings, generation, clock, telemetry).expect("a thread")
    };
    ENGINE.get_or_init(start).clone()
}

/// The command letters of the packets in what we sent; panics when the stream is not made of whole
/// packets.
fn packets(mut out: &[u8]) -> Vec<u8> {
    let mut commands = Vec::new();
    while let Some((length, rest)) = out.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        assert!(
            (1..=rest.len()).contains(&length),
            "a packet of {length} bytes with {} left",
            rest.len()
        );
        commands.push(rest[0]);
        out = &rest[length..];
    }
    assert!(out.is_empty(), "{} bytes behind the last packet", out.len());
    commands
}
