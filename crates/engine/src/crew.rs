//! The worker threads: judging, noticing who is stuck, and replacing it.
//!
//! A loop over a message that does not ask for the time keeps its worker however late it is. The
//! event loop answers at the deadline all the same; here such a worker is counted, and another thread
//! takes its place, so that the queue goes on. When the stuck one comes back, it ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam::channel::Receiver;

use super::pool::{Job, Judge};
use super::slow::SlowMessages;
use super::{
    Budget, Completion, Judged, ReceivedMail, Report, Scratch, TimeLeft, held_for_judging_time,
};
use gatepost_records::MessageSummary;
use gatepost_words::clock::Clock;
use gatepost_words::verdict::Verdict;
use gatepost_words::{Fault, Stage};

/// A worker that is so long beyond the deadline of its job is taken for stuck. Loops that ask for
/// the time end within milliseconds; a machine that swaps may need seconds.
pub(super) const STUCK_AFTER: Duration = Duration::from_secs(5);

/// Stuck workers that are replaced at the same time, for each worker: beyond that the queue fills,
/// and new messages are deferred.
const REPLACED_PER_WORKER: usize = 2;

/// The classifier needs a tenth of a millisecond; with less than this left, a machine in trouble
/// does without it.
pub(super) const CLASSIFIER_RESERVE: Duration = Duration::from_millis(50);

/// What all workers share.
pub(super) struct Crew {
    pub(super) jobs: Receiver<Job>,
    pub(super) judge: Box<Judge>,
    pub(super) clock: Clock,
    /// From the end of a message to its answer.
    pub(super) deadline: Duration,
    pub(super) budget: Arc<Budget>,
    /// Workers at work when none is stuck.
    pub(super) size: usize,
    pub(super) slow: SlowMessages,
    pub(super) panics: AtomicUsize,
    /// Workers that were found stuck since the start.
    pub(super) stuck: AtomicUsize,
    /// Workers that were replaced and have not come back.
    pub(super) lost: AtomicUsize,
    pub(super) workers: Mutex<Vec<Worker>>,
}

/// One thread.
pub(super) struct Worker {
    activity: Arc<Mutex<Activity>>,
    thread: JoinHandle<()>,
}

/// What a worker does.
enum Activity {
    Waiting,
    Judging {
        mail: Arc<ReceivedMail>,
        stage: Stage,
        deadline: Instant,
        is_counted: bool,
    },
    /// Another one has its place: it ends when it comes back.
    Replaced,
}

impl Crew {
    /// Starts one more worker.
    pub(super) fn hire(self: &Arc<Self>, workers: &mut Vec<Worker>) -> std::io::Result<()> {
        let activity = Arc::new(Mutex::new(Activity::Waiting));
        let (crew, own) = (Arc::clone(self), Arc::clone(&activity));
        let thread = std::thread::Builder::new()
            .name(format!("judge-{}", workers.len()))
            .spawn(move || crew.work(&own))?;
        workers.push(Worker { activity, thread });
        Ok(())
    }

    /// Counts and replaces the workers that are stuck.
    pub(super) fn replace_stuck(self: &Arc<Self>) {
        let now = self.clock.now();
        let mut workers = lock(&self.workers);
        let (stuck, mut left): (Vec<_>, Vec<_>) = std::mem::take(&mut *workers)
            .into_iter()
            .partition(|worker| self.is_to_be_replaced(&worker.activity, now));
        if !stuck.is_empty() {
            let lost = self.lost.load(Ordering::Relaxed);
            log::error!(
                "{} workers are stuck beyond the deadline and were replaced; {lost} have not come back",
                stuck.len()
            );
        }
        for _ in stuck {
            // Where the system refuses a thread, the others have more to do.
            drop(self.hire(&mut left));
        }
        *workers = left;
    }

    fn is_to_be_replaced(&self, activity: &Mutex<Activity>, now: Instant) -> bool {
        let mut activity = lock(activity);
        let Activity::Judging {
            mail,
            stage,
            deadline,
            is_counted,
        } = &mut *activity
        else {
            return false;
        };
        if now < *deadline + STUCK_AFTER {
            return false;
        }
        if !std::mem::replace(is_counted, true) {
            self.stuck.fetch_add(1, Ordering::Relaxed);
            if *stage == Stage::EndOfMessage {
                self.slow.remember(&mail.raw);
            }
        }
        if self.lost.load(Ordering::Relaxed) >= self.size * REPLACED_PER_WORKER {
            return false;
        }
        self.lost.fetch_add(1, Ordering::Relaxed);
        *activity = Activity::Replaced;
        true
    }

    /// Waits until the workers are done, but not for those that are beyond their deadline.
    pub(super) fn dismiss(&self) {
        for worker in lock(&self.workers).drain(..) {
            while !worker.thread.is_finished() && !self.is_late(&worker.activity) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }

    /// Whether a worker has begun a job.
    #[cfg(test)]
    pub(super) fn is_judging(&self) -> bool {
        let workers = lock(&self.workers);
        let mut activities = workers.iter().map(|worker| lock(&worker.activity));
        activities.any(|activity| matches!(*activity, Activity::Judging { .. }))
    }

    fn is_late(&self, activity: &Mutex<Activity>) -> bool {
        match &*lock(activity) {
            Activity::Waiting => false,
            Activity::Judging { deadline, .. } => self.clock.now() > *deadline,
            Activity::Replaced => true,
        }
    }

    fn work(&self, activity: &Mutex<Activity>) {
        let mut scratch = Scratch::within(&self.budget);
        while let Ok(job) = self.jobs.recv() {
            *lock(activity) = Activity::Judging {
                mail: Arc::clone(&job.mail),
                stage: job.stage,
                deadline: job.deadline,
                is_counted: false,
            };
            self.judge_and_report(job, &mut scratch, activity);
            if matches!(*lock(activity), Activity::Replaced) {
                self.lost.fetch_sub(1, Ordering::Relaxed);
                return;
            }
        }
    }

    fn judge_and_report(&self, job: Job, scratch: &mut Scratch, activity: &Mutex<Activity>) {
        let began = self.clock.now();
        let judged = catch_unwind(AssertUnwindSafe(|| {
            let verdict = self.judge(&job, scratch)?;
            Ok((verdict, summary(&job)))
        }));
        let judged = judged.unwrap_or_else(|_| {
            self.panics.fetch_add(1, Ordering::Relaxed);
            *scratch = Scratch::within(&self.budget);
            Err(Fault::Panic)
        });
        let (result, summary) = match judged {
            Ok((verdict, summary)) => (Ok(verdict), summary),
            Err(fault) => (Err(fault), None),
        };
        scratch.hold(0);
        let ended = self.clock.now();
        let elapsed = ended.saturating_duration_since(began);
        // Most of the time was its own, not that of the queue, and its client still waited.
        let took_the_deadline = ended >= job.deadline && elapsed >= self.deadline / 2;
        if result == Err(Fault::Deadline) && took_the_deadline && job.stage == Stage::EndOfMessage {
            self.slow.remember(&job.mail.raw);
        }
        {
            let mut activity = lock(activity);
            if matches!(*activity, Activity::Judging { .. }) {
                *activity = Activity::Waiting;
            }
        }
        let Job {
            ticket,
            notify,
            mail,
            facts,
            ..
        } = job;
        let report = Report::Judged(Box::new(Judged {
            mail,
            facts,
            summary,
            result,
            elapsed,
        }));
        notify.completed(Completion { ticket, report });
    }

    fn judge(&self, job: &Job, scratch: &mut Scratch) -> Result<Verdict, Fault> {
        if job.cancelled.load(Ordering::Relaxed) {
            return Err(Fault::Cancelled);
        }
        if self.clock.now() >= job.deadline {
            return Err(Fault::Deadline);
        }
        if job.stage == Stage::EndOfMessage && self.slow.contains(&job.mail.raw) {
            return Ok(held_for_judging_time(
                &job.generation,
                &job.mail.transaction,
            ));
        }
        let time_left = || {
            let left = job.deadline.saturating_duration_since(self.clock.now());
            if left.is_zero() || job.cancelled.load(Ordering::Relaxed) {
                TimeLeft::None
            } else if left < CLASSIFIER_RESERVE {
                TimeLeft::RulesOnly
            } else {
                TimeLeft::Plenty
            }
        };
        (self.judge)(job, scratch, &time_left)
    }
}

/// What is recorded of a whole message.
fn summary(job: &Job) -> Option<MessageSummary> {
    let is_whole = job.stage == Stage::EndOfMessage;
    is_whole.then(|| MessageSummary::of(&job.mail.raw, job.generation.limits()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
