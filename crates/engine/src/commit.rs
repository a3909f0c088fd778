//! Commit: what must be durable before the answer.
//!
//! A record that the admin wants on disk before a message is refused or held is written here, by
//! threads of their own behind a bounded queue. The MTA of that message waits, no other does. A
//! queue that is full, a disk that fails, one that is too slow: each is a fault, and the failure
//! policy decides; the answer never says that something is kept which is not.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, Sender, bounded};

use super::outcome::{Completion, Notify, Report, Ticket};
use super::settle::Outcome;
use gatepost_telemetry::MailRecord;
use gatepost_words::clock::Clock;
use gatepost_words::verdict::Disposition;
use gatepost_words::{Fault, Stage};

/// Outcomes that may wait for a thread. With more than this the disk is behind for good.
const QUEUE_MAX: usize = 1_024;
/// While one thread waits for the disk another can go on.
const THREADS: usize = 2;

/// Makes a record durable; returns when it is. May take long, and may fail; it logs why, since the
/// caller only counts.
pub trait Commit: Send + Sync {
    /// Writes the record so that it survives a loss of power.
    ///
    /// # Errors
    ///
    /// Where it is not certain that the record is kept.
    fn commit(&self, record: &MailRecord<'_>) -> io::Result<()>;
}

/// Which messages are recorded durably before they are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durable {
    /// None: records are published after the answer.
    #[default]
    Nothing,
    /// Messages that are refused or held.
    Held,
    /// Every message.
    All,
}

impl Durable {
    /// Whether that outcome must be durable before its answer. Commands that are refused before
    /// there is a message are not: anyone could make us write for each of them.
    pub(super) fn covers(self, outcome: &Outcome) -> bool {
        let is_message = outcome.stage >= Stage::EndOfHeaders;
        let is_kept = match &outcome.result {
            Ok(verdict) => verdict.disposition >= Disposition::Quarantine,
            Err(_) => outcome.action >= Disposition::Quarantine,
        };
        match self {
            Self::Nothing => false,
            Self::Held => is_message && is_kept,
            Self::All => is_message,
        }
    }
}

/// How commits are made.
#[derive(Clone)]
pub struct CommitSettings {
    /// Which outcomes.
    pub durable: Durable,
    /// From the decision to the answer; then it is a fault.
    pub timeout: Duration,
    /// Who writes.
    pub writer: Arc<dyn Commit>,
}

/// An outcome to make durable.
pub(super) struct CommitJob {
    pub(super) ticket: Ticket,
    pub(super) outcome: Arc<Outcome>,
    pub(super) due: Instant,
    pub(super) notify: Arc<dyn Notify>,
}

/// The threads that commit. Dropped, they finish what is queued.
pub(super) struct Committer {
    queue: Option<Sender<CommitJob>>,
    threads: Vec<JoinHandle<()>>,
    failures: Arc<AtomicUsize>,
}

impl Committer {
    pub(super) fn start(writer: &Arc<dyn Commit>, clock: &Clock) -> io::Result<Self> {
        let (queue, jobs) = bounded(QUEUE_MAX);
        let failures = Arc::new(AtomicUsize::new(0));
        let mut threads = Vec::new();
        for number in 0..THREADS {
            let worker = Worker {
                jobs: jobs.clone(),
                writer: Arc::clone(writer),
                clock: clock.clone(),
                failures: Arc::clone(&failures),
            };
            let thread = std::thread::Builder::new().name(format!("commit-{number}"));
            threads.push(thread.spawn(move || worker.run())?);
        }
        Ok(Self {
            queue: Some(queue),
            threads,
            failures,
        })
    }

    /// Hands an outcome over; never waits.
    pub(super) fn submit(&self, job: CommitJob) -> Result<(), Fault> {
        let queue = self.queue.as_ref().ok_or(Fault::Commit)?;
        queue.try_send(job).map_err(|_| Fault::Commit)
    }

    /// Commits that failed since the start.
    pub(super) fn failures(&self) -> usize {
        self.failures.load(Ordering::Relaxed)
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

struct Worker {
    jobs: Receiver<CommitJob>,
    writer: Arc<dyn Commit>,
    clock: Clock,
    failures: Arc<AtomicUsize>,
}

impl Worker {
    fn run(&self) {
        while let Ok(job) = self.jobs.recv() {
            let result = self.commit(&job);
            if result.is_err() {
                self.failures.fetch_add(1, Ordering::Relaxed);
            }
            let CommitJob { ticket, notify, .. } = job;
            let report = Report::Committed(result);
            notify.completed(Completion { ticket, report });
        }
    }

    fn commit(&self, job: &CommitJob) -> Result<(), Fault> {
        // What is over is not written: its MTA was told something else.
        if self.clock.now() >= job.due {
            return Err(Fault::Commit);
        }
        let record = job.outcome.to_record();
        self.writer.commit(&record).map_err(|_| Fault::Commit)
    }
}
