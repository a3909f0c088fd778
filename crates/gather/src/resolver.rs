//! The gatherer that the daemon runs: a thread that asks the site's resolver.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use gatepost_words::clock::Clock;
use gatepost_words::fact::Cause;
use mio::{Poll, Waker};

use crate::dns::CacheLimits;
use crate::pending::Pending;
use crate::sockets::WAKE;
use crate::worker::Worker;
use crate::{Done, Gather, Question};

/// What a [`Resolver`] needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The resolvers to ask, the preferred one first; see [`system_servers`](crate::system_servers).
    pub servers: Vec<SocketAddr>,
    /// One look-up ends after this.
    pub timeout: Duration,
    /// Requests that may wait for the thread.
    pub queue: usize,
    /// What is kept of answers.
    pub cache: CacheLimits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            timeout: Duration::from_secs(2),
            queue: 1_024,
            cache: CacheLimits::default(),
        }
    }
}

/// What a resolver has done so far.
#[derive(Debug, Default)]
pub struct Counters {
    requests: AtomicU64,
    overloaded: AtomicU64,
    from_cache: AtomicU64,
    queries: AtomicU64,
    restarts: AtomicU64,
}

impl Counters {
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_from_cache(&self) {
        Self::count(&self.from_cache);
    }

    pub(crate) fn count_query(&self) {
        Self::count(&self.queries);
    }

    pub(crate) fn count_overloaded(&self) {
        Self::count(&self.overloaded);
    }

    /// Requests.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Requests that were refused because too many were waiting.
    pub fn overloaded(&self) -> u64 {
        self.overloaded.load(Ordering::Relaxed)
    }

    /// Look-ups that the cache answered.
    pub fn from_cache(&self) -> u64 {
        self.from_cache.load(Ordering::Relaxed)
    }

    /// Queries that were sent.
    pub fn queries(&self) -> u64 {
        self.queries.load(Ordering::Relaxed)
    }

    /// How often the thread had to begin again after a panic.
    pub fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }
}

/// Asks the site's resolver, in a thread of its own. Dropping it ends the thread; what is not
/// answered by then is `Unknown(Failed)`.
pub struct Resolver {
    requests: Option<SyncSender<Pending>>,
    waker: Arc<Waker>,
    counters: Arc<Counters>,
    thread: Option<JoinHandle<()>>,
}

impl Resolver {
    /// Starts the thread.
    pub fn start(settings: Settings, clock: Clock) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        let counters = Arc::new(Counters::default());
        let (requests, received) = sync_channel(settings.queue.max(1));
        let mut worker = Worker::new(settings, clock, poll, received, Arc::clone(&counters));
        let restarts = Arc::clone(&counters);
        let run = move || {
            while !worker.run_until_panic() {
                Counters::count(&restarts.restarts);
            }
        };
        let thread = std::thread::Builder::new()
            .name("gather-dns".into())
            .spawn(run)?;
        Ok(Self {
            requests: Some(requests),
            waker,
            counters,
            thread: Some(thread),
        })
    }

    /// What it has done so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

impl Gather for Resolver {
    fn ask(&self, questions: Vec<Question>, deadline: Instant, done: Done) {
        Counters::count(&self.counters.requests);
        let pending = Pending::new(questions, deadline, done);
        let Some(requests) = &self.requests else {
            return;
        };
        match requests.try_send(pending) {
            // If waking failed the request would be found a moment later: at the next message, or
            // when the thread wakes up by itself.
            Ok(()) => drop(self.waker.wake()),
            Err(TrySendError::Full(pending)) => {
                self.counters.count_overloaded();
                pending.unknown(Cause::Overloaded);
            }
            Err(TrySendError::Disconnected(pending)) => pending.unknown(Cause::Failed),
        }
    }
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counters = &self.counters;
        f.debug_struct("Resolver")
            .field("counters", counters)
            .finish_non_exhaustive()
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.requests = None;
        drop(self.waker.wake());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
