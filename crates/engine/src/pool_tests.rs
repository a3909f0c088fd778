//! Tests of the pool: every accepted job is reported exactly once, whatever happens to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use crossbeam::channel::bounded;

use super::*;
use crate::crew::{CLASSIFIER_RESERVE, STUCK_AFTER};
use crate::testing::{Inbox, generation};
use crate::{Budget, Completion, Permit, Report};
use gatepost_mail::Transaction;
use gatepost_policy::Settings;
use gatepost_words::FailurePolicy;
use gatepost_words::verdict::Disposition;

const WAIT: Duration = Duration::from_secs(10);

const RAW: &[u8] = b"From: a@example.com\r\n\r\nhello\r\n";

fn mail_of(raw: &[u8]) -> Arc<ReceivedMail> {
    Arc::new(ReceivedMail {
        transaction: Arc::new(Transaction::new("test".into(), SystemTime::UNIX_EPOCH)),
        raw: raw.to_vec(),
        permit: None,
    })
}

fn mail(permit: Option<Permit>) -> Arc<ReceivedMail> {
    let ReceivedMail {
        transaction, raw, ..
    } = Arc::into_inner(mail_of(RAW)).unwrap();
    Arc::new(ReceivedMail {
        transaction,
        raw,
        permit,
    })
}

/// A pool without a watch: a test looks after the workers itself.
fn pool(
    workers: usize,
    capacity: usize,
    clock: &Clock,
    judge: impl Fn(&Job, &mut Scratch, &dyn Fn() -> TimeLeft) -> Result<Verdict, Fault>
    + Send
    + Sync
    + 'static,
) -> std::io::Result<Pool> {
    let settings = PoolSettings {
        workers,
        capacity,
        deadline: Duration::from_secs(20),
        budget: Budget::new(1 << 30),
    };
    Pool::with_judge(settings, clock, Box::new(judge))
}

/// How the job ended.
fn result(completion: Completion) -> Result<Verdict, Fault> {
    let Report::Judged(judged) = completion.report else {
        panic!("{completion:?}")
    };
    judged.result
}

fn job(ticket: u64, clock: &Clock, notify: Arc<dyn Notify>) -> Job {
    Job {
        ticket,
        stage: Stage::EndOfMessage,
        generation: Arc::new(generation(
            "",
            &Settings::default(),
            FailurePolicy::Tempfail,
        )),
        mail: mail(None),
        facts: Facts::default(),
        deadline: clock.now() + Duration::from_secs(20),
        cancelled: Arc::new(AtomicBool::new(false)),
        notify,
    }
}

#[test]
fn a_panic_faults_its_job_and_the_worker_lives() {
    let clock = Clock::system();
    let pool = pool(
        1,
        8,
        &clock,
        |job: &Job, _: &mut Scratch, _: &dyn Fn() -> TimeLeft| {
            assert!(job.ticket != 1, "made for this test");
            Err(Fault::Deadline)
        },
    )
    .unwrap();
    let (inbox, reports) = Inbox::open();
    for ticket in [1, 2] {
        pool.submit(job(ticket, &clock, inbox.clone())).unwrap();
    }
    let first = reports.recv_timeout(WAIT).unwrap();
    assert_eq!(first.ticket, 1);
    assert_eq!(result(first), Err(Fault::Panic));
    let second = reports.recv_timeout(WAIT).unwrap();
    assert_eq!(second.ticket, 2);
    assert_eq!(result(second), Err(Fault::Deadline));
    assert_eq!(pool.panics(), 1);
}

#[test]
fn the_queue_takes_n_jobs_and_refuses_the_next() {
    let clock = Clock::system();
    let (open, gate) = bounded::<()>(0);
    let pool = pool(
        1,
        3,
        &clock,
        move |_: &Job, _: &mut Scratch, _: &dyn Fn() -> TimeLeft| {
            gate.recv().expect("the test opens the gate");
            Err(Fault::Deadline)
        },
    )
    .unwrap();
    let (inbox, reports) = Inbox::open();
    // The first goes to the worker, which stands at the gate; three wait; the fifth finds no room.
    pool.submit(job(0, &clock, inbox.clone())).unwrap();
    while pool.depth() > 0 {
        std::thread::yield_now();
    }
    for ticket in 1..=3 {
        pool.submit(job(ticket, &clock, inbox.clone())).unwrap();
    }
    assert!(pool.is_tight());
    assert_eq!(
        pool.submit(job(4, &clock, inbox.clone())),
        Err(Fault::Overload)
    );
    for _ in 0..4 {
        open.send(()).unwrap();
    }
    let mut tickets: Vec<u64> = (0..4)
        .map(|_| reports.recv_timeout(WAIT).unwrap().ticket)
        .collect();
    tickets.sort_unstable();
    assert_eq!(tickets, [0, 1, 2, 3]);
    assert!(reports.try_recv().is_err(), "nothing is reported twice");
}

#[test]
fn stale_and_cancelled_jobs_are_not_judged() {
    let clock = Clock::manual(SystemTime::UNIX_EPOCH);
    let pool = pool(
        1,
        8,
        &clock,
        |_: &Job, _: &mut Scratch, _: &dyn Fn() -> TimeLeft| panic!("must not be judged"),
    )
    .unwrap();
    let (inbox, reports) = Inbox::open();
    let mut stale = job(1, &clock, inbox.clone());
    stale.deadline = clock.now();
    pool.submit(stale).unwrap();
    assert_eq!(
        result(reports.recv_timeout(WAIT).unwrap()),
        Err(Fault::Deadline)
    );
    let cancelled = job(2, &clock, inbox.clone());
    cancelled.cancelled.store(true, Ordering::Relaxed);
    pool.submit(cancelled).unwrap();
    assert_eq!(
        result(reports.recv_timeout(WAIT).unwrap()),
        Err(Fault::Cancelled)
    );
    assert_eq!(pool.panics(), 0);
}

#[test]
fn the_time_left_follows_deadline_and_cancel_mark() {
    let clock = Clock::manual(SystemTime::UNIX_EPOCH);
    let turn = clock.clone();
    let pool = pool(
        1,
        8,
        &clock,
        move |job: &Job, _: &mut Scratch, left: &dyn Fn() -> TimeLeft| {
            assert_eq!(left(), TimeLeft::Plenty);
            turn.advance(Duration::from_secs(20).saturating_sub(CLASSIFIER_RESERVE));
            assert_eq!(left(), TimeLeft::Plenty);
            turn.advance(Duration::from_millis(1));
            assert_eq!(left(), TimeLeft::RulesOnly);
            turn.advance(CLASSIFIER_RESERVE);
            assert_eq!(left(), TimeLeft::None);
            job.cancelled.store(true, Ordering::Relaxed);
            assert_eq!(left(), TimeLeft::None);
            Err(Fault::Deadline)
        },
    )
    .unwrap();
    let (inbox, reports) = Inbox::open();
    pool.submit(job(1, &clock, inbox)).unwrap();
    assert_eq!(
        result(reports.recv_timeout(WAIT).unwrap()),
        Err(Fault::Deadline),
        "one of the assertions above failed"
    );
}

#[test]
fn dropping_the_pool_finishes_what_is_queued_and_gives_the_budget_back() {
    let clock = Clock::system();
    let budget = Budget::new(1_000);
    let (inbox, reports) = Inbox::open();
    let settings = PoolSettings {
        workers: 2,
        capacity: 64,
        deadline: Duration::from_secs(20),
        budget: Arc::clone(&budget),
    };
    let pool = Pool::start(settings, &clock).unwrap();
    for ticket in 0..50 {
        let mut permit = Permit::new(&budget);
        assert!(permit.grow(10));
        pool.submit(Job {
            mail: mail(Some(permit)),
            ..job(ticket, &clock, inbox.clone())
        })
        .unwrap();
    }
    drop(pool);
    let mut tickets: Vec<u64> = reports
        .try_iter()
        .map(|completion| completion.ticket)
        .collect();
    tickets.sort_unstable();
    assert_eq!(tickets, (0..50).collect::<Vec<_>>());
    assert_eq!(budget.used(), 0);
}

#[test]
fn many_submitters_and_workers_lose_and_double_nothing() {
    let clock = Clock::system();
    let pool = pool(
        4,
        100_000,
        &clock,
        |_: &Job, _: &mut Scratch, _: &dyn Fn() -> TimeLeft| Err(Fault::Deadline),
    )
    .unwrap();
    let (inbox, reports) = Inbox::open();
    std::thread::scope(|scope| {
        for submitter in 0..4 {
            let (pool, inbox, clock) = (&pool, inbox.clone(), &clock);
            scope.spawn(move || {
                for number in 0..500 {
                    pool.submit(job(submitter * 500 + number, clock, inbox.clone()))
                        .unwrap();
                }
            });
        }
    });
    drop(pool);
    let mut tickets: Vec<u64> = reports
        .try_iter()
        .map(|completion| completion.ticket)
        .collect();
    tickets.sort_unstable();
    assert_eq!(tickets, (0..2_000).collect::<Vec<_>>());
}

#[test]
fn a_stuck_worker_is_counted_and_replaced_and_ends_when_it_comes_back() {
    let clock = Clock::manual(SystemTime::UNIX_EPOCH);
    let (open, gate) = bounded::<()>(0);
    let pool = pool(
        1,
        8,
        &clock,
        move |job: &Job, _: &mut Scratch, _: &dyn Fn() -> TimeLeft| {
            if job.ticket == 1 {
                gate.recv().expect("the test opens the gate");
            }
            Err(Fault::Panic)
        },
    )
    .unwrap();
    let (inbox, reports) = Inbox::open();
    pool.submit(job(1, &clock, inbox.clone())).unwrap();
    while pool.depth() > 0 {
        std::thread::yield_now();
    }
    // Only what waits behind the stuck one: another job, and the same message again.
    let mut other = job(2, &clock, inbox.clone());
    other.mail = mail_of(b"Subject: another\r\n\r\n");
    other.deadline += Duration::from_mins(1);
    pool.submit(other).unwrap();
    clock.advance((Duration::from_secs(20) + STUCK_AFTER).saturating_sub(Duration::from_millis(1)));
    pool.crew.replace_stuck();
    assert_eq!((pool.stuck_workers(), pool.depth()), (0, 1), "not yet");
    clock.advance(Duration::from_millis(1));
    pool.crew.replace_stuck();
    pool.crew.replace_stuck();
    assert_eq!(pool.stuck_workers(), 1, "counted once");
    let second = reports.recv_timeout(WAIT).unwrap();
    assert_eq!((second.ticket, result(second)), (2, Err(Fault::Panic)));

    // The message that nothing could stop is held at its second try.
    pool.submit(job(3, &clock, inbox.clone())).unwrap();
    let verdict = result(reports.recv_timeout(WAIT).unwrap()).unwrap();
    assert_eq!(verdict.disposition, Disposition::Quarantine);
    assert_eq!(verdict.anomalies, ["judging_time"]);

    open.send(()).unwrap();
    assert_eq!(reports.recv_timeout(WAIT).unwrap().ticket, 1);
    while pool.crew.lost.load(Ordering::Relaxed) > 0 {
        std::thread::yield_now();
    }
    drop(pool);
}

#[test]
fn as_many_stuck_workers_as_the_limit_are_replaced_and_no_more() {
    let clock = Clock::manual(SystemTime::UNIX_EPOCH);
    let (open, gate) = bounded::<()>(0);
    let pool = pool(
        1,
        8,
        &clock,
        move |_: &Job, _: &mut Scratch, _: &dyn Fn() -> TimeLeft| {
            // A closed gate is an open one.
            gate.recv().unwrap_or_default();
            Err(Fault::Panic)
        },
    )
    .unwrap();
    let (inbox, _reports) = Inbox::open();
    // Each is begun at the moment at which the one in front of it is found stuck.
    let round = Duration::from_secs(20) + STUCK_AFTER;
    for ticket in 1..=4_u32 {
        let mut stuck = job(u64::from(ticket), &clock, inbox.clone());
        stuck.mail = mail_of(format!("Subject: {ticket}\r\n\r\n").as_bytes());
        stuck.deadline = clock.now() + (round * ticket).saturating_sub(STUCK_AFTER);
        pool.submit(stuck).unwrap();
    }
    for (stuck, lost, waiting) in [(1, 1, 3), (2, 2, 2), (3, 2, 1)] {
        while pool.depth() > waiting || !pool.crew.is_judging() {
            std::thread::yield_now();
        }
        clock.advance(round);
        pool.crew.replace_stuck();
        assert_eq!(pool.stuck_workers(), stuck);
        assert_eq!(pool.crew.lost.load(Ordering::Relaxed), lost);
    }
    assert_eq!(pool.depth(), 1, "the last one waits");
    drop(open);
}

#[test]
fn a_message_that_took_the_deadline_alone_is_held_at_its_second_try() {
    let clock = Clock::manual(SystemTime::UNIX_EPOCH);
    let turn = clock.clone();
    let pool = pool(
        1,
        8,
        &clock,
        move |_: &Job, _: &mut Scratch, _: &dyn Fn() -> TimeLeft| {
            turn.advance(Duration::from_secs(20));
            Err(Fault::Deadline)
        },
    )
    .unwrap();
    let (inbox, reports) = Inbox::open();
    let submit = |ticket| {
        pool.submit(job(ticket, &clock, inbox.clone())).unwrap();
        result(reports.recv_timeout(WAIT).unwrap())
    };
    assert_eq!(submit(1), Err(Fault::Deadline));
    let verdict = submit(2).unwrap();
    assert_eq!(verdict.disposition, Disposition::Quarantine);
    assert_eq!(verdict.anomalies, ["judging_time"]);
}
