//! Answers that come later at the early stages, because a fact is awaited there.

use std::sync::Mutex;
use std::time::Instant;

use super::*;
use gatepost_engine::GatherSettings;
use gatepost_gather::{Answer, Done, Question, Wanted};
use gatepost_words::Stage;
use gatepost_words::fact::Cause;

/// Keeps what it is asked.
#[derive(Default)]
struct Asked(Mutex<Vec<(Vec<Question>, Done)>>);

impl Gather for Asked {
    fn ask(&self, questions: Vec<Question>, _deadline: Instant, done: Done) {
        self.0.lock().unwrap().push((questions, done));
    }
}

impl Asked {
    fn answer(&self) {
        let (questions, done) = self.0.lock().unwrap().remove(0);
        let answers = questions.into_iter().map(|question| {
            let answer = Answer::unknown(&question, Cause::Failed);
            (question, answer)
        });
        done(answers.collect());
    }
}

/// A session whose stages from `awaited_from` on wait for the names of the client.
fn harness(awaited_from: Stage) -> (Harness, Arc<Asked>) {
    let gather = Arc::new(Asked::default());
    let policy = gatepost_policy::Settings::default();
    let settings = GatherSettings {
        wanted: Wanted { client_names: true },
        awaited_from,
        ..GatherSettings::default()
    };
    let generation = generation(RULES, &policy, FailurePolicy::Tempfail).with_gather(settings);
    let harness = Harness::serving(one_worker(), generation, Some(gather.clone()), None);
    (harness, gather)
}

/// Goes on to that stage, which is answered with what comes back.
fn up_to(harness: &mut Harness, stage: Stage) -> Reply {
    let macros = Macros::default();
    let mut reply = harness.connect();
    if stage >= Stage::Helo {
        assert_eq!(reply, Reply::Continue);
        let name = b"mail.example.net";
        let greeting = Event::Helo {
            name,
            macros: &macros,
        };
        reply = harness.session.on_event(greeting).reply;
    }
    if stage >= Stage::MailFrom {
        assert_eq!(reply, Reply::Continue);
        reply = harness.mail("<a@example.net>");
    }
    if stage >= Stage::RcptTo {
        assert_eq!(reply, Reply::Continue);
        reply = harness.rcpt("<b@example.com>");
    }
    reply
}

const EARLY: [Stage; 4] = [Stage::Connect, Stage::Helo, Stage::MailFrom, Stage::RcptTo];

#[test]
fn an_early_stage_waits_for_the_fact_and_the_session_goes_on() {
    for stage in EARLY {
        let (mut harness, gather) = harness(stage);
        assert_eq!(up_to(&mut harness, stage), Reply::Pending, "{stage}");
        gather.answer();
        let response = harness.awaited(Reply::Pending.into());
        assert_eq!(response.reply, Reply::Continue, "{stage}");
        // A recipient that was waited for is one of the message.
        let message = harness.whole("a friend writes");
        assert_eq!(message.reply, Reply::Continue, "{stage}");
    }
}

#[test]
fn an_early_stage_that_gets_no_answer_goes_on_at_its_deadline() {
    for stage in EARLY {
        let (mut harness, gather) = harness(stage);
        assert_eq!(up_to(&mut harness, stage), Reply::Pending, "{stage}");
        let due = harness.session.deadline().expect("a deadline");
        let early = due.checked_sub(Duration::from_millis(1)).unwrap();
        assert_eq!(harness.session.on_deadline(early), None);
        let response = harness.session.on_deadline(due).expect("an answer");
        assert_eq!(response.reply, Reply::Continue, "{stage}");
        assert_eq!(harness.session.deadline(), None);
        gather.answer();
        let late = harness.reports.recv_timeout(WAIT).unwrap();
        assert_eq!(harness.session.on_completed(late), Delivery::Late);
    }
}

#[test]
fn after_an_abort_or_a_hang_up_nothing_is_answered() {
    for event in [Event::Abort, Event::Close] {
        let (mut harness, gather) = harness(Stage::RcptTo);
        assert_eq!(up_to(&mut harness, Stage::RcptTo), Reply::Pending);
        harness.session.on_event(event);
        assert!(!harness.session.in_transaction());
        assert_eq!(harness.session.deadline(), None);
        gather.answer();
        let report = harness.reports.recv_timeout(WAIT).unwrap();
        assert_eq!(harness.session.on_completed(report), Delivery::Noted);
    }
}

#[test]
fn a_worker_that_never_reports_is_answered_for_at_the_deadline() {
    let mut harness = Harness::new();
    harness.connect();
    harness.mail("<a@example.net>");
    harness.rcpt("<b@example.com>");
    harness.end_of_headers();
    let macros = Macros::default();
    let end = Event::EndOfMessage { macros: &macros };
    assert_eq!(harness.session.on_event(end).reply, Reply::Pending);
    let due = harness.session.deadline().expect("a deadline");
    assert_eq!(due, harness.clock.now() + harness.engine.deadline());
    let response = harness.session.on_deadline(due).expect("an answer");
    assert_eq!(code(&response.reply), 451);
    let late = harness.reports.recv_timeout(WAIT).unwrap();
    assert_eq!(harness.session.on_completed(late), Delivery::Late);
    assert_eq!(harness.whole("hello").reply, Reply::Continue);
}
