//! Tests of the pipeline with a gatherer that is the test itself: it answers late, never, twice,
//! after the hang-up, and from another thread.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crossbeam::channel::Receiver;

use super::*;
use crate::testing::{Inbox, generation};
use crate::{GatherSettings, Services, Settings};
use gatepost_gather::{Answer, Done, Gather, Question, Wanted};
use gatepost_mail::{ClientAddress, ClientNames};
use gatepost_telemetry::Telemetry;
use gatepost_words::FailurePolicy;
use gatepost_words::clock::Clock;
use gatepost_words::fact::{Cause, Fact};

const WAIT: Duration = Duration::from_secs(10);

/// Keeps what it is asked; with an answer given in advance it answers before `ask` returns.
#[derive(Default)]
struct Fake {
    asked: Mutex<Vec<(Vec<Question>, Done)>>,
    cached: Option<Answer>,
}

impl Gather for Fake {
    fn ask(&self, questions: Vec<Question>, _deadline: Instant, done: Done) {
        match &self.cached {
            Some(answer) => {
                let answers = questions.into_iter().map(|asked| (asked, answer.clone()));
                done(answers.collect());
            }
            None => self.asked.lock().unwrap().push((questions, done)),
        }
    }
}

impl Fake {
    /// Answers the oldest request, from another thread.
    fn answer(&self, answer: &Answer) {
        let (questions, done) = self.asked.lock().unwrap().remove(0);
        let answers = questions
            .into_iter()
            .map(|asked| (asked, answer.clone()))
            .collect();
        std::thread::spawn(move || done(answers)).join().unwrap();
    }

    fn requests(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn names(confirmed: &str) -> ClientNames {
    ClientNames {
        names: vec![confirmed.to_owned()],
        has_more: false,
        confirmed: Fact::Known(Some(confirmed.to_owned())),
    }
}

fn known() -> Answer {
    Answer::ClientNames(Fact::Known(names("mail.example.net")))
}

struct Harness {
    pipeline: Pipeline,
    gather: Arc<Fake>,
    clock: Clock,
    reports: Receiver<Completion>,
    generation: Arc<Generation>,
}

impl Harness {
    fn new(awaited_from: Stage, cached: Option<Answer>) -> Self {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let gather = Arc::new(Fake {
            cached,
            ..Fake::default()
        });
        let settings = GatherSettings {
            wanted: Wanted { client_names: true },
            timeout: Duration::from_secs(5),
            awaited_from,
        };
        let policy = gatepost_policy::Settings::default();
        let generation = generation("", &policy, FailurePolicy::Tempfail).with_gather(settings);
        let services = Services {
            clock: clock.clone(),
            telemetry: Arc::new(Telemetry::without_records(clock.clone())),
            gather: Some(gather.clone()),
            commit: None,
        };
        let one = Settings {
            workers: 1,
            ..Settings::default()
        };
        let engine = Engine::start_with(one, generation, services).unwrap();
        let generation = engine.generation();
        let (inbox, reports) = Inbox::open();
        Self {
            pipeline: Pipeline::new(engine, inbox),
            gather,
            clock,
            reports,
            generation,
        }
    }

    fn begin(&mut self, point: Point) -> Begun {
        let mut transaction = Transaction::new("test".into(), SystemTime::UNIX_EPOCH);
        transaction.client.address = ClientAddress::Ip("192.0.2.7".parse().unwrap());
        transaction.helo = Some("mail.example.net".to_owned());
        self.pipeline.begin(Work {
            point,
            generation: Arc::clone(&self.generation),
            transaction: Arc::new(transaction),
        })
    }

    fn report(&mut self) -> Progress {
        let completion = self.reports.recv_timeout(WAIT).expect("a report");
        self.pipeline.completed(completion)
    }

    /// Reports until the stage is over.
    fn end(&mut self) -> Ended {
        for _ in 0..10 {
            match self.report() {
                Progress::Over(ended) => return *ended,
                Progress::Noted => {}
                other => panic!("{other:?}"),
            }
        }
        panic!("it does not end")
    }

    /// The time goes on to the session's own deadline.
    fn time_out(&mut self) -> Progress {
        let due = self.pipeline.deadline().expect("a deadline");
        self.clock
            .advance(due.saturating_duration_since(self.clock.now()));
        self.pipeline.expired(self.clock.now())
    }
}

fn mail() -> Arc<ReceivedMail> {
    Arc::new(ReceivedMail {
        transaction: Arc::new(Transaction::new("test".into(), SystemTime::UNIX_EPOCH)),
        raw: b"Subject: x\r\n\r\ny\r\n".to_vec(),
        permit: None,
    })
}

fn point(stage: Stage) -> Point {
    match stage {
        Stage::Connect => Point::Connect,
        Stage::Helo => Point::Helo,
        Stage::MailFrom => Point::MailFrom,
        Stage::RcptTo => Point::RcptTo(Mailbox::parse(b"<b@example.com>")),
        Stage::EndOfHeaders => Point::EndOfHeaders(mail()),
        Stage::EndOfMessage => Point::EndOfMessage(mail()),
    }
}

#[test]
fn each_stage_can_wait_for_facts_and_hands_them_on() {
    for stage in Stage::ALL {
        let mut harness = Harness::new(stage, None);
        if stage != Stage::Connect {
            let begun = harness.begin(Point::Connect);
            assert!(matches!(begun, Begun::Now(_)), "CONNECT does not wait");
        }
        assert!(
            matches!(harness.begin(point(stage)), Begun::Later),
            "{stage}"
        );
        harness.gather.answer(&known());
        let ended = harness.end();
        assert_eq!(ended.work.point.stage(), stage);
        assert!(ended.result.is_ok(), "{stage}: {:?}", ended.result);
        let expected = Fact::Known(names("mail.example.net"));
        assert_eq!(ended.facts.client_names, expected, "{stage}");
        assert!(!harness.pipeline.is_waiting());
        // What is known reaches every later stage; nothing is asked again.
        if let Begun::Now(ended) = harness.begin(Point::MailFrom) {
            assert_eq!(ended.facts.client_names, expected);
        }
        assert_eq!(harness.gather.requests(), 0);
    }
}

#[test]
fn stages_without_facts_answer_inline_while_a_question_is_open() {
    let mut harness = Harness::new(Stage::EndOfHeaders, None);
    for stage in [Stage::Connect, Stage::Helo, Stage::MailFrom, Stage::RcptTo] {
        assert!(
            matches!(harness.begin(point(stage)), Begun::Now(_)),
            "{stage}"
        );
    }
    assert_eq!(harness.gather.requests(), 1);
    assert_eq!(harness.pipeline.deadline(), None, "nothing waits");
}

#[test]
fn an_answer_from_a_cache_is_there_without_a_wait() {
    let mut harness = Harness::new(Stage::Connect, Some(known()));
    let Begun::Now(ended) = harness.begin(Point::Connect) else {
        panic!("it waits")
    };
    assert!(ended.facts.client_names.known().is_some());
    assert!(harness.reports.try_recv().is_err(), "nothing is reported");
}

#[test]
fn without_an_answer_the_fact_times_out_and_a_late_answer_changes_nothing() {
    for stage in Stage::ALL {
        let mut harness = Harness::new(stage, None);
        if stage != Stage::Connect {
            harness.begin(Point::Connect);
        }
        assert!(matches!(harness.begin(point(stage)), Begun::Later));
        let ended = match harness.time_out() {
            Progress::Over(ended) => *ended,
            Progress::Noted => harness.end(),
            other => panic!("{stage}: {other:?}"),
        };
        assert!(ended.result.is_ok(), "{stage}: {:?}", ended.result);
        let unknown = Fact::Unknown(Cause::Timeout);
        assert_eq!(ended.facts.client_names, unknown, "{stage}");
        harness.gather.answer(&known());
        assert!(matches!(harness.report(), Progress::Late));
        assert_eq!(harness.pipeline.facts().client_names, unknown);
    }
}

#[test]
fn a_second_answer_is_late() {
    let mut harness = Harness::new(Stage::Connect, None);
    harness.begin(Point::Connect);
    harness.gather.answer(&known());
    let first = harness.reports.recv_timeout(WAIT).unwrap();
    let again = Completion {
        ticket: first.ticket,
        report: Report::Gathered(Vec::new()),
    };
    assert!(matches!(
        harness.pipeline.completed(first),
        Progress::Over(_)
    ));
    assert!(matches!(harness.pipeline.completed(again), Progress::Late));
    assert!(harness.pipeline.facts().client_names.known().is_some());
}

#[test]
fn an_answer_that_lacks_the_question_is_a_failure_and_not_a_fact() {
    let mut harness = Harness::new(Stage::Connect, None);
    harness.begin(Point::Connect);
    let (_, done) = harness.gather.asked.lock().unwrap().remove(0);
    let other = Question::ClientNames("192.0.2.8".parse().unwrap());
    done(vec![(other, known())]);
    let ended = harness.end();
    assert_eq!(ended.facts.client_names, Fact::Unknown(Cause::Failed));
}

#[test]
fn after_a_cancel_the_answer_is_kept_for_the_session_and_another_client_forgets_it() {
    let mut harness = Harness::new(Stage::MailFrom, None);
    harness.begin(Point::Connect);
    assert!(matches!(harness.begin(Point::MailFrom), Begun::Later));
    harness.pipeline.cancel();
    harness.gather.answer(&known());
    assert!(matches!(harness.report(), Progress::Noted));
    assert!(matches!(harness.begin(Point::MailFrom), Begun::Now(_)));
    harness.pipeline.forget_client();
    assert_eq!(*harness.pipeline.facts(), Facts::default());
    // An answer for the client before is not taken for this one.
    harness.begin(Point::Connect);
    harness.pipeline.forget_client();
    harness.gather.answer(&known());
    assert!(matches!(harness.report(), Progress::Late));
    assert_eq!(*harness.pipeline.facts(), Facts::default());
}

#[test]
fn the_message_comes_back_with_the_memory_that_it_takes() {
    let mut harness = Harness::new(Stage::EndOfMessage, Some(known()));
    let budget = crate::Budget::new(100);
    let mut permit = crate::Permit::new(&budget);
    assert!(permit.grow(17));
    let mail = Arc::new(ReceivedMail {
        transaction: Arc::new(Transaction::new("test".into(), SystemTime::UNIX_EPOCH)),
        raw: b"Subject: x\r\n\r\ny\r\n".to_vec(),
        permit: Some(permit),
    });
    harness.begin(Point::Connect);
    assert!(matches!(
        harness.begin(Point::EndOfMessage(mail)),
        Begun::Later
    ));
    let ended = harness.end();
    let Point::EndOfMessage(mail) = &ended.work.point else {
        panic!("another point")
    };
    assert_eq!(mail.raw.len(), 17);
    let user = Arc::clone(mail);
    drop(ended);
    assert_eq!(budget.used(), 17, "someone still uses it");
    drop(user);
    assert_eq!(budget.used(), 0);
}
