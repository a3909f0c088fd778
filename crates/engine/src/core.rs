//! The engine: the current generation, the pool, the budget, and the limits that all sessions
//! share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use arc_swap::ArcSwap;

use super::commit::{CommitJob, CommitSettings, Committer};
use super::pool::{Pool, PoolSettings};
use super::{Budget, Generation, Job, Notify, Outcome, Ticket};
use gatepost_gather::Gather;
use gatepost_learn::classifier::FrozenSite;
use gatepost_telemetry::Telemetry;
use gatepost_words::Fault;
use gatepost_words::clock::Clock;
use gatepost_words::verdict::VerdictId;

/// How much work the engine takes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Worker threads; 0 means one for each core.
    pub workers: usize,
    /// Jobs that may wait: as many as there may be connections, so that a burst waits instead of
    /// being deferred.
    pub queue: usize,
    /// From the end of a message to its answer; Postfix waits 300 s, clients often only 60.
    pub deadline: Duration,
    /// Bytes of all messages that are being received or wait to be judged.
    pub bytes_in_flight: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: 0,
            queue: 5_000,
            deadline: Duration::from_secs(20),
            bytes_in_flight: 1 << 30,
        }
    }
}

impl Settings {
    /// Worker threads that are started.
    pub fn worker_threads(&self) -> usize {
        if self.workers > 0 {
            return self.workers;
        }
        std::thread::available_parallelism().map_or(1, usize::from)
    }
}

/// The engine. Shared by all connections.
pub struct Engine {
    generation: ArcSwap<Generation>,
    pool: Pool,
    budget: Arc<Budget>,
    settings: Settings,
    clock: Clock,
    telemetry: Arc<Telemetry>,
    gather: Option<Arc<dyn Gather>>,
    commit: Option<(CommitSettings, Committer)>,
    last_id: AtomicU64,
}

/// What the engine works with.
#[derive(Clone)]
pub struct Services {
    /// The time.
    pub clock: Clock,
    /// Where outcomes are published.
    pub telemetry: Arc<Telemetry>,
    /// Who answers questions; `None` where nothing is asked.
    pub gather: Option<Arc<dyn Gather>>,
    /// What is made durable before the answer; `None` where nothing is.
    pub commit: Option<CommitSettings>,
}

impl Engine {
    /// Starts the workers of an engine that asks nothing.
    ///
    /// # Errors
    ///
    /// Where the operating system refuses a thread.
    pub fn start(
        settings: Settings,
        generation: Generation,
        clock: Clock,
        telemetry: Arc<Telemetry>,
    ) -> std::io::Result<Arc<Self>> {
        let services = Services {
            clock,
            telemetry,
            gather: None,
            commit: None,
        };
        Self::start_with(settings, generation, services)
    }

    /// Starts the workers.
    ///
    /// # Errors
    ///
    /// Where the operating system refuses a thread.
    pub fn start_with(
        settings: Settings,
        generation: Generation,
        services: Services,
    ) -> std::io::Result<Arc<Self>> {
        let Services {
            clock,
            telemetry,
            gather,
            commit,
        } = services;
        let commit = match commit {
            Some(commit) => {
                let committer = Committer::start(&commit.writer, &clock)?;
                Some((commit, committer))
            }
            None => None,
        };
        let workers = settings.worker_threads();
        let budget = Budget::new(settings.bytes_in_flight);
        let pool = PoolSettings {
            workers,
            capacity: settings.queue,
            deadline: settings.deadline,
            budget: Arc::clone(&budget),
        };
        let pool = Pool::start(pool, &clock)?;
        Ok(Arc::new(Self {
            generation: ArcSwap::from_pointee(generation),
            pool,
            budget,
            settings,
            clock,
            telemetry,
            gather,
            commit,
            last_id: AtomicU64::new(0),
        }))
    }

    /// The generation that new messages are judged by.
    pub fn generation(&self) -> Arc<Generation> {
        self.generation.load_full()
    }

    /// Swaps the generation; messages that have begun keep theirs. What the site has taught stays.
    pub fn replace_generation(&self, generation: Generation) {
        let generation = Arc::new(generation);
        self.generation
            .rcu(|old| generation.with_site(old.site().cloned()));
    }

    /// Swaps what the site has taught, or takes it out; messages that have begun keep what they began
    /// with.
    pub fn replace_site(&self, site: Option<&Arc<FrozenSite>>) {
        self.generation.rcu(|old| old.with_site(site.cloned()));
    }

    /// Hands a job to the workers; never waits.
    pub fn submit(&self, job: Job) -> Result<(), Fault> {
        self.pool.submit(job)
    }

    /// Whether the queue or the memory is nearly full: new mail of strangers is better deferred
    /// before its body comes.
    pub fn is_tight(&self) -> bool {
        self.pool.is_tight() || self.budget.is_tight()
    }

    /// Jobs that wait for a worker.
    pub fn queue_depth(&self) -> usize {
        self.pool.depth()
    }

    /// Jobs that ended in a panic since the start.
    pub fn panics(&self) -> usize {
        self.pool.panics()
    }

    /// Workers that were found stuck since the start: beyond the deadline of their message, and not
    /// to be stopped. Each was replaced, up to a limit.
    pub fn stuck_workers(&self) -> usize {
        self.pool.stuck_workers()
    }

    /// The budget of bytes in flight.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// From the end of a message to its answer.
    pub fn deadline(&self) -> Duration {
        self.settings.deadline
    }

    /// The clock that everybody reads.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// A new verdict id: time in microseconds with twelve bits to count on, so that ids stay unique
    /// over restarts and sort by time.
    pub fn next_id(&self) -> VerdictId {
        let since_epoch = self
            .clock
            .wall()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let micros = u64::try_from(since_epoch.as_micros()).unwrap_or(0) & ((1 << 52) - 1);
        let from_time = micros << 12;
        let update = |last: u64| Some(from_time.max(last.wrapping_add(1)));
        let before = self
            .last_id
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, update)
            .unwrap_or_default();
        VerdictId::from_number(from_time.max(before.wrapping_add(1)))
    }

    /// Who answers questions.
    pub fn gather(&self) -> Option<&Arc<dyn Gather>> {
        self.gather.as_ref()
    }

    /// Whether that outcome must be durable before its answer.
    pub fn must_commit(&self, outcome: &Outcome) -> bool {
        let commit = self.commit.as_ref();
        commit.is_some_and(|(settings, _)| settings.durable.covers(outcome))
    }

    /// Hands an outcome to the threads that make it durable; never waits. Returns when the answer
    /// is due at the latest.
    pub(super) fn commit(
        &self,
        ticket: Ticket,
        outcome: &Arc<Outcome>,
        notify: &Arc<dyn Notify>,
    ) -> Result<Instant, Fault> {
        let (settings, committer) = self.commit.as_ref().ok_or(Fault::Commit)?;
        let due = self.clock.now() + settings.timeout;
        committer.submit(CommitJob {
            ticket,
            outcome: Arc::clone(outcome),
            due,
            notify: Arc::clone(notify),
        })?;
        Ok(due)
    }

    /// Publishes one outcome: log line, metrics, record. Never fails.
    pub fn publish(&self, outcome: &Outcome) {
        self.telemetry.publish(outcome.to_record());
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("generation", self.generation().id())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
