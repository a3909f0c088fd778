//! The worker pool: a fixed number of threads behind one bounded lock-free queue (crossbeam's array
//! flavour).
//!
//! One owned job a message. A worker checks the deadline and the cancel mark before it starts and
//! between the stages of judging; a panic faults its job, and the worker goes on with fresh scratch
//! memory. Every job that was accepted is reported exactly once, whatever happens to it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, Sender, bounded};

use super::{
    Completion, Generation, Judged, Notify, ReceivedMail, Report, Scratch, Ticket, TimeLeft,
    end_of_headers, end_of_message,
};
use gatepost_mail::Facts;
use gatepost_words::Fault;
use gatepost_words::Stage;
use gatepost_words::clock::Clock;
use gatepost_words::verdict::Verdict;

/// One piece of work: a header or a message to judge.
pub struct Job {
    /// The number under which the session waits for it.
    pub ticket: Ticket,
    /// [`Stage::EndOfHeaders`] or [`Stage::EndOfMessage`].
    pub stage: Stage,
    /// Under which rules, model and policy.
    pub generation: Arc<Generation>,
    /// The header, or the whole message; it comes back with the report.
    pub mail: Arc<ReceivedMail>,
    /// What is known of the world.
    pub facts: Facts,
    /// When the answer is due.
    pub deadline: Instant,
    /// Set by the session when the MTA does not wait any more.
    pub cancelled: Arc<AtomicBool>,
    /// Where to report.
    pub notify: Arc<dyn Notify>,
}

/// The classifier needs a tenth of a millisecond; with less than this left, a machine in trouble
/// does without it.
const CLASSIFIER_RESERVE: Duration = Duration::from_millis(50);

/// The pool. Dropping it lets the workers finish what is queued and waits for them.
pub(super) struct Pool {
    queue: Option<Sender<Job>>,
    workers: Vec<JoinHandle<()>>,
    panics: Arc<AtomicUsize>,
    capacity: usize,
}

impl Pool {
    /// Starts `workers` threads behind a queue of `capacity` jobs.
    pub(super) fn start(workers: usize, capacity: usize, clock: &Clock) -> std::io::Result<Self> {
        Self::with_judge(workers, capacity, clock, |job, scratch, time_left| {
            let judge = if job.stage == Stage::EndOfHeaders {
                end_of_headers
            } else {
                end_of_message
            };
            judge(
                &job.generation,
                &job.mail.transaction,
                &job.mail.raw,
                &job.facts,
                scratch,
                time_left,
            )
        })
    }

    fn with_judge<J: Judge>(
        workers: usize,
        capacity: usize,
        clock: &Clock,
        judge: J,
    ) -> std::io::Result<Self> {
        let (queue, jobs) = bounded(capacity.max(1));
        let panics = Arc::new(AtomicUsize::new(0));
        let judge = Arc::new(judge);
        let mut threads = Vec::new();
        for number in 0..workers.max(1) {
            let worker = Worker {
                jobs: jobs.clone(),
                judge: judge.clone(),
                clock: clock.clone(),
                panics: panics.clone(),
            };
            let thread = std::thread::Builder::new().name(format!("judge-{number}"));
            threads.push(thread.spawn(move || worker.run())?);
        }
        Ok(Self {
            queue: Some(queue),
            workers: threads,
            panics,
            capacity: capacity.max(1),
        })
    }

    /// Hands a job over; never waits. A job that is not accepted is dropped, and its caller settles
    /// the fault.
    pub(super) fn submit(&self, job: Job) -> Result<(), Fault> {
        let queue = self.queue.as_ref().ok_or(Fault::ShuttingDown)?;
        queue.try_send(job).map_err(|_| Fault::Overload)
    }

    /// Jobs that wait.
    pub(super) fn depth(&self) -> usize {
        self.queue.as_ref().map_or(0, Sender::len)
    }

    /// Whether more than three quarters of the queue are taken: the time to refuse new work.
    pub(super) fn is_tight(&self) -> bool {
        self.depth() > self.capacity / 4 * 3
    }

    /// Jobs that ended in a panic since the start.
    pub(super) fn panics(&self) -> usize {
        self.panics.load(Ordering::Relaxed)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.queue = None;
        for worker in self.workers.drain(..) {
            // A worker catches the panics of its jobs; if it died all the same there is nothing
            // left to wait for.
            drop(worker.join());
        }
    }
}

/// What a worker does with a job.
trait Judge:
    Fn(&Job, &mut Scratch, &dyn Fn() -> TimeLeft) -> Result<Verdict, Fault> + Send + Sync + 'static
{
}

impl<J> Judge for J where
    J: Fn(&Job, &mut Scratch, &dyn Fn() -> TimeLeft) -> Result<Verdict, Fault>
        + Send
        + Sync
        + 'static
{
}

struct Worker<J> {
    jobs: Receiver<Job>,
    judge: Arc<J>,
    clock: Clock,
    panics: Arc<AtomicUsize>,
}

impl<J: Judge> Worker<J> {
    fn run(&self) {
        let mut scratch = Scratch::default();
        while let Ok(job) = self.jobs.recv() {
            let began = self.clock.now();
            let judged = catch_unwind(AssertUnwindSafe(|| self.judge(&job, &mut scratch)));
            let result = judged.unwrap_or_else(|_| {
                self.panics.fetch_add(1, Ordering::Relaxed);
                scratch = Scratch::default();
                Err(Fault::Panic)
            });
            let Job {
                ticket,
                notify,
                mail,
                facts,
                ..
            } = job;
            let report = Report::Judged(Judged {
                mail,
                facts,
                result,
                elapsed: self.clock.now().saturating_duration_since(began),
            });
            notify.completed(Completion { ticket, report });
        }
    }

    fn judge(&self, job: &Job, scratch: &mut Scratch) -> Result<Verdict, Fault> {
        if job.cancelled.load(Ordering::Relaxed) {
            return Err(Fault::Cancelled);
        }
        if self.clock.now() >= job.deadline {
            return Err(Fault::Deadline);
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

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
