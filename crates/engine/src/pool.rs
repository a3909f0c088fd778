//! The worker pool: a fixed number of threads behind one bounded lock-free queue (crossbeam's array
//! flavour).
//!
//! One owned job a message. A worker checks the deadline and the cancel mark before it starts and
//! between the stages of judging; a panic faults its job, and the worker goes on with fresh scratch
//! memory. A worker that is stuck is replaced ([`super::crew`]). Every job that was accepted is reported
//! exactly once, when its worker is done with it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam::channel::{RecvTimeoutError, Sender, bounded};

use super::crew::Crew;
use super::slow::SlowMessages;
use super::{
    Budget, Generation, Notify, ReceivedMail, Scratch, Ticket, TimeLeft, end_of_headers,
    end_of_message,
};
use gatepost_mail::Facts;
use gatepost_words::clock::Clock;
use gatepost_words::verdict::Verdict;
use gatepost_words::{Fault, Stage};

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

/// What a worker does with a job.
pub(super) type Judge =
    dyn Fn(&Job, &mut Scratch, &dyn Fn() -> TimeLeft) -> Result<Verdict, Fault> + Send + Sync;

/// How often the workers are looked at.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);

/// How large a pool is.
pub(super) struct PoolSettings {
    /// Threads that judge.
    pub(super) workers: usize,
    /// Jobs that may wait.
    pub(super) capacity: usize,
    /// From the end of a message to its answer.
    pub(super) deadline: Duration,
    /// What judging makes of a message counts here while it is judged.
    pub(super) budget: Arc<Budget>,
}

/// The pool. Dropping it lets the workers finish what is queued and waits for them.
pub(super) struct Pool {
    queue: Option<Sender<Job>>,
    crew: Arc<Crew>,
    /// Looks after the workers until its channel is closed.
    watch: Option<(Sender<()>, JoinHandle<()>)>,
    capacity: usize,
}

impl Pool {
    /// Starts the workers.
    pub(super) fn start(settings: PoolSettings, clock: &Clock) -> std::io::Result<Self> {
        let judge = |job: &Job, scratch: &mut Scratch, time_left: &dyn Fn() -> TimeLeft| {
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
        };
        let mut pool = Self::with_judge(settings, clock, Box::new(judge))?;
        let (stop, is_stopped) = bounded(0);
        let crew = Arc::clone(&pool.crew);
        let watch = move || {
            while is_stopped.recv_timeout(WATCH_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                crew.replace_stuck();
            }
        };
        let thread = std::thread::Builder::new().name("judge-watch".to_owned());
        pool.watch = Some((stop, thread.spawn(watch)?));
        Ok(pool)
    }

    fn with_judge(
        settings: PoolSettings,
        clock: &Clock,
        judge: Box<Judge>,
    ) -> std::io::Result<Self> {
        let capacity = settings.capacity.max(1);
        let (queue, jobs) = bounded(capacity);
        let crew = Arc::new(Crew {
            jobs,
            judge,
            clock: clock.clone(),
            deadline: settings.deadline,
            budget: settings.budget,
            size: settings.workers.max(1),
            slow: SlowMessages::default(),
            panics: AtomicUsize::new(0),
            stuck: AtomicUsize::new(0),
            lost: AtomicUsize::new(0),
            workers: Mutex::default(),
        });
        let mut workers = Vec::new();
        for _ in 0..crew.size {
            crew.hire(&mut workers)?;
        }
        *crew.workers.lock().unwrap_or_else(PoisonError::into_inner) = workers;
        Ok(Self {
            queue: Some(queue),
            crew,
            watch: None,
            capacity,
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
        self.crew.panics.load(Ordering::Relaxed)
    }

    /// Workers that were found stuck since the start.
    pub(super) fn stuck_workers(&self) -> usize {
        self.crew.stuck.load(Ordering::Relaxed)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.queue = None;
        if let Some((stop, thread)) = self.watch.take() {
            drop(stop);
            drop(thread.join());
        }
        self.crew.dismiss();
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
