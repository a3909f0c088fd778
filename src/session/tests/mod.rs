//! Tests of the session over a real engine: events in, responses out; the pool is real, the wire is
//! not there.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crossbeam::channel::Receiver;

use super::{Connection, Delivery, Session};
use gatepost_engine::testing::{Inbox, generation};
use gatepost_engine::{CommitSettings, Completion, Engine, Generation, Services, Settings};
use gatepost_gather::Gather;
use gatepost_mail::Limits;
use gatepost_milter::{Action, Event, Macros, MilterHandler, Peer, Reply, Response};
use gatepost_policy::{self, AdminLists};
use gatepost_telemetry::Telemetry;
use gatepost_words::FailurePolicy;
use gatepost_words::clock::Clock;

mod commit;
mod defer;
mod dns;
mod later;

const WAIT: Duration = Duration::from_secs(10);

const RULES: &str = r"
header HEADER_STRONG  X-Bad =~ /yes/
score  HEADER_STRONG  30
header HEADER_WEAK    X-Weak =~ /yes/
score  HEADER_WEAK    16
body   BODY_GOOD      /friend/
score  BODY_GOOD      -2
body   BODY_BAD       /terrible/
score  BODY_BAD       20
body   BODY_HOLD      /dubious/
score  BODY_HOLD      9
";

fn one_worker() -> Settings {
    Settings {
        workers: 1,
        ..Settings::default()
    }
}

struct Harness {
    session: Session,
    engine: Arc<Engine>,
    telemetry: Arc<Telemetry>,
    clock: Clock,
    reports: Receiver<Completion>,
}

impl Harness {
    fn with(
        settings: Settings,
        policy: &gatepost_policy::Settings,
        on_fault: FailurePolicy,
    ) -> Self {
        Self::of(settings, generation(RULES, policy, on_fault))
    }

    fn of(settings: Settings, generation: Generation) -> Self {
        Self::serving(settings, generation, None, None)
    }

    fn serving(
        settings: Settings,
        generation: Generation,
        gather: Option<Arc<dyn Gather>>,
        commit: Option<CommitSettings>,
    ) -> Self {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000));
        let telemetry = Arc::new(Telemetry::without_records(clock.clone()));
        let services = Services {
            clock: clock.clone(),
            telemetry: Arc::clone(&telemetry),
            gather,
            commit,
        };
        let engine = Engine::start_with(settings, generation, services).unwrap();
        let (inbox, reports) = Inbox::open();
        let session = Session::new(engine.clone(), "inbound".into(), inbox);
        Self {
            session,
            engine,
            telemetry,
            clock,
            reports,
        }
    }

    fn new() -> Self {
        Self::with(
            one_worker(),
            &gatepost_policy::Settings::default(),
            FailurePolicy::Tempfail,
        )
    }

    fn connect(&mut self) -> Reply {
        let peer = Peer::Ip("192.0.2.7".parse().unwrap(), 4711);
        let macros = Macros::default();
        self.session
            .on_event(Event::Connect {
                host: b"mail.example.net",
                peer,
                macros: &macros,
            })
            .reply
    }

    fn mail(&mut self, path: &str) -> Reply {
        let macros = Macros::default();
        self.session
            .on_event(Event::MailFrom {
                path: path.as_bytes(),
                parameters: &[],
                macros: &macros,
            })
            .reply
    }

    fn rcpt(&mut self, path: &str) -> Reply {
        let macros = Macros::default();
        self.session
            .on_event(Event::RcptTo {
                path: path.as_bytes(),
                parameters: &[],
                macros: &macros,
            })
            .reply
    }

    fn header(&mut self, name: &str, value: &str) -> Reply {
        self.session
            .on_event(Event::Header {
                name: name.as_bytes(),
                value: value.as_bytes(),
            })
            .reply
    }

    fn body(&mut self, text: &str) -> Reply {
        self.session
            .on_event(Event::Body {
                chunk: text.as_bytes(),
            })
            .reply
    }

    /// The answer to a stage that may wait for the pool.
    fn awaited(&mut self, response: Response) -> Response {
        if response.reply != Reply::Pending {
            return response;
        }
        loop {
            let completion = self.reports.recv_timeout(WAIT).expect("a report");
            match self.session.on_completed(completion) {
                Delivery::Respond(response) => return response,
                Delivery::Noted => {}
                Delivery::Late => panic!("a report that is late"),
            }
        }
    }

    fn end_of_headers(&mut self) -> Response {
        let macros = Macros::default();
        let response = self
            .session
            .on_event(Event::EndOfHeaders { macros: &macros });
        self.awaited(response)
    }

    fn end(&mut self) -> Response {
        let mut macros = Macros::default();
        macros.set(b"i", b"4bQueueId");
        let response = self
            .session
            .on_event(Event::EndOfMessage { macros: &macros });
        self.awaited(response)
    }

    /// One whole mail with that body.
    fn whole(&mut self, body: &str) -> Response {
        assert_eq!(self.mail("<a@example.net>"), Reply::Continue);
        assert_eq!(self.rcpt("<b@example.com>"), Reply::Continue);
        self.header("Subject", "hello");
        assert_eq!(self.end_of_headers().reply, Reply::Continue);
        self.body(body);
        self.end()
    }
}

fn code(reply: &Reply) -> u16 {
    match reply {
        Reply::Code { code, .. } => *code,
        Reply::Continue => 250,
        other => panic!("{other:?}"),
    }
}

fn header_value<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
    response.actions.iter().find_map(|action| match action {
        Action::AddHeader { name: found, value } if found == name => Some(value.as_str()),
        _ => None,
    })
}

#[test]
fn verdicts_at_the_end_of_a_message() {
    let mut harness = Harness::new();
    harness.connect();
    let accepted = harness.whole("a friend writes");
    assert_eq!(accepted.reply, Reply::Continue);
    assert_eq!(header_value(&accepted, "X-Spam-Score"), Some("-2.0"));
    assert_eq!(header_value(&accepted, "X-Spam-Flag"), None);

    let held = harness.whole("dubious");
    assert!(matches!(
        held.actions.last(),
        Some(Action::Quarantine { .. })
    ));
    assert_eq!(header_value(&held, "X-Spam-Flag"), Some("YES"));

    let refused = harness.whole("terrible");
    assert_eq!(code(&refused.reply), 550);
    assert!(refused.actions.is_empty());
}

#[test]
fn a_refused_recipient_does_not_refuse_the_others() {
    let refuse = AdminLists {
        recipients: vec!["gone@example.com".to_owned()],
        ..AdminLists::default()
    };
    let policy = gatepost_policy::Settings {
        refuse,
        ..gatepost_policy::Settings::default()
    };
    let mut harness = Harness::with(one_worker(), &policy, FailurePolicy::Tempfail);
    harness.connect();
    harness.mail("<a@example.net>");
    assert_eq!(harness.rcpt("<b@example.com>"), Reply::Continue);
    assert_eq!(code(&harness.rcpt("<Gone@Example.COM>")), 550);
    assert_eq!(harness.rcpt("<c@example.com>"), Reply::Continue);
    harness.header("Subject", "hello");
    harness.end_of_headers();
    assert_eq!(harness.end().reply, Reply::Continue);
}

#[test]
fn every_early_stage_can_refuse() {
    let refuse = AdminLists {
        clients: vec!["192.0.2.0/24".to_owned()],
        helo: vec!["mx.example.com".to_owned()],
        senders: vec!["*@bulk.example".to_owned()],
        recipients: Vec::new(),
    };
    let policy = gatepost_policy::Settings {
        refuse,
        ..gatepost_policy::Settings::default()
    };
    let mut harness = Harness::with(one_worker(), &policy, FailurePolicy::Tempfail);
    assert_eq!(code(&harness.connect()), 550);
    let macros = Macros::default();
    let greeting = harness.session.on_event(Event::Helo {
        name: b"MX.example.com",
        macros: &macros,
    });
    assert_eq!(code(&greeting.reply), 550);
    let greeting = harness.session.on_event(Event::Helo {
        name: b"mail.example.net",
        macros: &macros,
    });
    assert_eq!(greeting.reply, Reply::Continue);
    assert_eq!(code(&harness.mail("<x@bulk.example>")), 550);
    assert!(!harness.session.in_transaction());
    assert_eq!(harness.mail("<x@example.net>"), Reply::Continue);
    assert!(harness.session.in_transaction());
}

#[test]
fn a_header_verdict_comes_before_the_body_and_only_when_nothing_later_can_undo_it() {
    let mut harness = Harness::new();
    harness.connect();
    harness.mail("<a@example.net>");
    harness.rcpt("<b@example.com>");
    harness.header("X-Bad", "yes");
    assert_eq!(code(&harness.end_of_headers().reply), 550);
    assert!(!harness.session.in_transaction());

    // 16 points reject, but the body could still take 2 off: it has to be seen.
    harness.mail("<a@example.net>");
    harness.rcpt("<b@example.com>");
    harness.header("X-Weak", "yes");
    assert_eq!(harness.end_of_headers().reply, Reply::Continue);
    harness.body("a friend writes");
    let response = harness.end();
    assert_eq!(response.reply, Reply::Continue);
    assert_eq!(header_value(&response, "X-Spam-Score"), Some("14.0"));
}

#[test]
fn nothing_of_one_mail_leaks_into_the_next() {
    let mut harness = Harness::new();
    harness.connect();
    harness.mail("<a@example.net>");
    harness.rcpt("<b@example.com>");
    harness.header("x-spam-flag", "NO");
    harness.header("X-Spam-Flag", "NO");
    harness.header("X-GATEPOST", "accept");
    harness.end_of_headers();
    harness.body("terrible");
    harness.session.on_event(Event::Abort);
    let next = harness.whole("hello");
    assert_eq!(
        next.reply,
        Reply::Continue,
        "the terrible body was forgotten"
    );
    assert!(
        !next
            .actions
            .iter()
            .any(|action| matches!(action, Action::ChangeHeader { .. }))
    );
}

#[test]
fn forged_copies_of_our_fields_are_removed_last_first() {
    let mut harness = Harness::new();
    harness.connect();
    harness.mail("<a@example.net>");
    harness.rcpt("<b@example.com>");
    for name in ["X-Spam-Flag", "Subject", "x-spam-flag", "X-Gatepost"] {
        harness.header(name, "forged");
    }
    harness.end_of_headers();
    let response = harness.end();
    let removed: Vec<(String, u32)> = response
        .actions
        .iter()
        .filter_map(|action| match action {
            Action::ChangeHeader { index, name, value } if value.is_empty() => {
                Some((name.clone(), *index))
            }
            _ => None,
        })
        .collect();
    let expected = [("X-Spam-Flag", 2), ("X-Spam-Flag", 1), ("X-Gatepost", 1)];
    assert_eq!(
        removed,
        expected.map(|(name, index)| (name.to_owned(), index))
    );
    let first_added = response
        .actions
        .iter()
        .position(|action| matches!(action, Action::AddHeader { .. }));
    assert_eq!(
        first_added,
        Some(3),
        "our own fields come after the deletions"
    );
}

#[test]
fn a_message_of_the_limit_is_judged_and_one_byte_more_is_deferred() {
    let header_bytes = "Subject: hello\r\n\r\n".len();
    for (on_fault, expected) in [
        (FailurePolicy::Tempfail, 451),
        (FailurePolicy::Accept, 250),
        (FailurePolicy::Quarantine, 250),
    ] {
        for (extra, fault) in [(0, false), (1, true)] {
            let limits = Limits {
                message: 1_000,
                ..Limits::default()
            };
            let policy = gatepost_policy::Settings::default();
            let generation = generation(RULES, &policy, on_fault).with_limits(limits);
            let mut harness = Harness::of(one_worker(), generation);
            harness.connect();
            // One reserve of four bytes covers colon, space and line end of the field.
            let response = harness.whole(&"x".repeat(1_000 - header_bytes + extra));
            let unjudged = header_value(&response, "X-Gatepost")
                .is_some_and(|value| value.starts_with("unjudged"));
            match (fault, expected) {
                (true, 451) => assert_eq!(code(&response.reply), 451),
                (true, _) => assert!(unjudged, "{on_fault:?}"),
                (false, _) => assert!(response.reply == Reply::Continue && !unjudged),
            }
            assert_eq!(
                harness.engine.budget().used(),
                0,
                "the memory is given back"
            );
        }
    }
}

#[test]
fn recipients_are_bounded_at_n_and_n_plus_one() {
    let limits = Limits {
        recipients: 3,
        ..Limits::default()
    };
    let policy = gatepost_policy::Settings::default();
    let generation = generation(RULES, &policy, FailurePolicy::Tempfail).with_limits(limits);
    let mut harness = Harness::of(one_worker(), generation);
    harness.connect();
    harness.mail("<a@example.net>");
    for number in 0..3 {
        assert_eq!(
            harness.rcpt(&format!("<r{number}@example.com>")),
            Reply::Continue
        );
    }
    assert_eq!(code(&harness.rcpt("<r3@example.com>")), 452);
}

#[test]
fn memory_in_flight_is_bounded_over_all_connections() {
    let settings = Settings {
        workers: 1,
        bytes_in_flight: 500,
        ..Settings::default()
    };
    let mut harness = Harness::with(
        settings,
        &gatepost_policy::Settings::default(),
        FailurePolicy::Tempfail,
    );
    harness.connect();
    let response = harness.whole(&"x".repeat(600));
    assert_eq!(code(&response.reply), 451);
    assert_eq!(harness.engine.budget().used(), 0);
    assert_eq!(harness.whole("small").reply, Reply::Continue);
}

#[test]
fn an_abort_cancels_the_job_and_a_late_answer_is_dropped() {
    let mut harness = Harness::new();
    harness.connect();
    harness.mail("<a@example.net>");
    harness.rcpt("<b@example.com>");
    harness.end_of_headers();
    let macros = Macros::default();
    let response = harness
        .session
        .on_event(Event::EndOfMessage { macros: &macros });
    assert_eq!(response.reply, Reply::Pending);
    harness.session.on_event(Event::Abort);
    assert!(!harness.session.in_transaction());
    let late = harness.reports.recv_timeout(WAIT).unwrap();
    assert_eq!(harness.session.on_completed(late), Delivery::Late);
    assert_eq!(harness.whole("hello").reply, Reply::Continue);
}

#[test]
fn an_end_without_a_beginning_lets_nothing_pass() {
    let mut harness = Harness::new();
    assert_eq!(code(&harness.end().reply), 451);
}

#[test]
fn folded_fields_get_their_line_ends_back() {
    let mut harness = Harness::new();
    harness.connect();
    harness.mail("<a@example.net>");
    harness.rcpt("<b@example.com>");
    // The rule looks for "yes"; folding must not turn the rest into a body.
    harness.header("X-Bad", "no,\n\tyes");
    assert_eq!(code(&harness.end_of_headers().reply), 550);
}
