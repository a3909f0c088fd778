//! Commit: what must be durable before the answer.
//!
//! A record that the admin wants on disk before a message is refused or held is written here, by
//! threads of their own behind a bounded queue. The MTA of that message waits, no other does. A
//! queue that is full, a disk that fails, one that is too slow: each is a fault, and the failure
//! policy decides; the answer never says that something is kept which is not.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, Sender, bounded};

use super::outcome::{Completion, Notify, Report, Ticket};
use super::settle::Outcome;
use gatepost_records::{DurableWriter, MailRecord};
use gatepost_words::clock::Clock;
use gatepost_words::verdict::Disposition;
use gatepost_words::{Fault, Stage};

/// Outcomes that may wait for a thread. With more than this the disk is behind for good.
const QUEUE_MAX: usize = 1_024;
/// While one thread waits for the disk another can go on.
const THREADS: usize = 2;

/// Makes a record durable; returns when it is. May take long, and may fail; it logs why, since the
/// engine only counts the fault.
pub trait Commit: Send + Sync {
    /// Writes the record so that it survives a loss of power.
    ///
    /// # Errors
    ///
    /// Where it is not certain that the record is kept.
    fn commit(&self, record: &MailRecord) -> io::Result<()>;
}

impl Commit for DurableWriter {
    fn commit(&self, record: &MailRecord) -> io::Result<()> {
        let result = Self::commit(self, record);
        if let Err(error) = &result {
            log::error!("cannot make the record {} durable: {error}", record.id);
        }
        result
    }
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

/// The threads that commit. They are not waited for: a disk that stands still must not keep the
/// daemon from ending, and a drain has answered every session before.
pub(super) struct Committer {
    queue: Sender<CommitJob>,
}

impl Committer {
    pub(super) fn start(writer: &Arc<dyn Commit>, clock: &Clock) -> io::Result<Self> {
        let (queue, jobs) = bounded(QUEUE_MAX);
        for number in 0..THREADS {
            let worker = Worker {
                jobs: jobs.clone(),
                writer: Arc::clone(writer),
                clock: clock.clone(),
            };
            let thread = std::thread::Builder::new().name(format!("commit-{number}"));
            thread.spawn(move || worker.run())?;
        }
        Ok(Self { queue })
    }

    /// Hands an outcome over; never waits.
    pub(super) fn submit(&self, job: CommitJob) -> Result<(), Fault> {
        self.queue.try_send(job).map_err(|_| Fault::Commit)
    }
}

struct Worker {
    jobs: Receiver<CommitJob>,
    writer: Arc<dyn Commit>,
    clock: Clock,
}

impl Worker {
    fn run(&self) {
        while let Ok(job) = self.jobs.recv() {
            // A writer that panics faults its outcome; the thread lives.
            let committed = catch_unwind(AssertUnwindSafe(|| self.commit(&job)));
            let result = committed.unwrap_or(Err(Fault::Commit));
            let CommitJob { ticket, notify, .. } = job;
            let report = Report::Committed(result);
            notify.completed(Completion { ticket, report });
        }
    }

    fn commit(&self, job: &CommitJob) -> Result<(), Fault> {
        // What is over is not written: its MTA was answered otherwise.
        if self.clock.now() >= job.due {
            return Err(Fault::Commit);
        }
        let record = job.outcome.to_record();
        self.writer.commit(&record).map_err(|_| Fault::Commit)
    }
}
