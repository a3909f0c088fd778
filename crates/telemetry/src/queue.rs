//! A bounded queue and the one thread that empties it: whatever the sink does, the caller never
//! waits.
//!
//! A sink may block for as long as it likes (a pipe that no process reads, a frozen network disk).
//! The queue then fills, and further items are dropped and counted; the sink reports them once a
//! minute as soon as it can write again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use gatepost_words::clock::Clock;

/// Items that may wait.
const ITEMS_MAX: usize = 8_192;
/// Bytes that may wait.
const BYTES_MAX: usize = 16 << 20;
/// How often losses are reported.
const REPORT_EVERY: Duration = Duration::from_mins(1);
/// How long the thread lets items gather after it wrote some: a wake-up for each item would cost
/// more than to write it, and the processor is wanted for judging.
const GATHER: Duration = Duration::from_millis(5);
/// How often a flush looks whether the queue is empty.
const FLUSH_POLL: Duration = Duration::from_millis(5);

/// What waits in a queue.
pub(crate) trait Item: Send + 'static {
    /// About how many bytes of memory it takes.
    fn weight(&self) -> usize;
}

impl Item for String {
    fn weight(&self) -> usize {
        self.len()
    }
}

/// Where items go. Called by one thread only; may block.
pub(crate) trait Sink: Send + 'static {
    /// What it accepts: for a file, lines that end with a line feed.
    type Item: Item;

    /// Called once, on the thread, before the first item.
    fn open(&mut self) {}

    /// Writes one item.
    fn write(&mut self, item: Self::Item) -> io::Result<()>;

    /// Reports items that did not arrive; called at most once a minute.
    fn report(&mut self, losses: &LossReport);
}

/// What was lost since the last report.
#[derive(Debug)]
pub(crate) struct LossReport {
    /// Items that found the queue full.
    pub(crate) dropped: u64,
    /// Items that the sink failed to write.
    pub(crate) failed: u64,
    /// The last failure, as text.
    pub(crate) error: Option<String>,
}

/// Items lost since the start. Shared with the metrics.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    dropped: AtomicU64,
    failed: AtomicU64,
}

impl Losses {
    /// Items that found the queue full.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Items that the sink failed to write.
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

/// The sending half. The thread ends when it is dropped and everything is written.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    sender: Sender<(T, usize)>,
    waiting: Arc<AtomicUsize>,
    losses: Arc<Losses>,
}

impl<T: Item> Queue<T> {
    /// Starts the thread that writes to `sink`.
    pub(crate) fn start(
        name: &str,
        sink: impl Sink<Item = T>,
        losses: Arc<Losses>,
        clock: Clock,
    ) -> io::Result<Self> {
        let (sender, receiver) = bounded(ITEMS_MAX);
        let waiting = Arc::new(AtomicUsize::new(0));
        let writer = Writer {
            sink,
            waiting: Arc::clone(&waiting),
            losses: Arc::clone(&losses),
            clock,
            last_report: None,
            reported: (0, 0),
            error: None,
        };
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || writer.run(&receiver))?;
        Ok(Self {
            sender,
            waiting,
            losses,
        })
    }

    /// Hands one item over, or drops and counts it. Never blocks.
    pub(crate) fn send(&self, item: T) {
        let weight = item.weight();
        let before = self.waiting.fetch_add(weight, Ordering::AcqRel);
        let fits = before.saturating_add(weight) <= BYTES_MAX;
        if fits && self.sender.try_send((item, weight)).is_ok() {
            return;
        }
        self.waiting.fetch_sub(weight, Ordering::AcqRel);
        self.losses.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until everything is written, at most until `deadline`. Returns whether it is.
    pub(crate) fn flush(&self, clock: &Clock, deadline: Instant) -> bool {
        loop {
            if self.waiting.load(Ordering::Acquire) == 0 {
                return true;
            }
            if clock.now() >= deadline {
                return false;
            }
            std::thread::sleep(FLUSH_POLL);
        }
    }
}

/// The thread's half.
struct Writer<S> {
    sink: S,
    waiting: Arc<AtomicUsize>,
    losses: Arc<Losses>,
    clock: Clock,
    last_report: Option<Instant>,
    /// Losses that are reported already: dropped and failed.
    reported: (u64, u64),
    error: Option<String>,
}

impl<S: Sink> Writer<S> {
    fn run(mut self, receiver: &Receiver<(S::Item, usize)>) {
        self.sink.open();
        loop {
            match receiver.recv_timeout(REPORT_EVERY) {
                Ok((item, weight)) => {
                    self.write(item, weight);
                    self.write_waiting(receiver);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.report_losses();
            std::thread::sleep(GATHER);
        }
    }

    /// Writes what waits by now, and at most that: losses are to be reported in between.
    fn write_waiting(&mut self, receiver: &Receiver<(S::Item, usize)>) {
        for (item, weight) in receiver.try_iter().take(receiver.len()) {
            self.write(item, weight);
        }
    }

    fn write(&mut self, item: S::Item, weight: usize) {
        if let Err(error) = self.sink.write(item) {
            self.losses.failed.fetch_add(1, Ordering::Relaxed);
            self.error = Some(error.to_string());
        }
        self.waiting.fetch_sub(weight, Ordering::AcqRel);
    }

    fn report_losses(&mut self) {
        let now = (self.losses.dropped(), self.losses.failed());
        if now == self.reported {
            return;
        }
        let time = self.clock.now();
        let is_early = self
            .last_report
            .is_some_and(|last| time.duration_since(last) < REPORT_EVERY);
        if is_early {
            return;
        }
        self.last_report = Some(time);
        let report = LossReport {
            dropped: now.0 - self.reported.0,
            failed: now.1 - self.reported.1,
            error: self.error.take(),
        };
        self.reported = now;
        self.sink.report(&report);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::SystemTime;

    use super::*;

    /// What a test sink has seen; a test holds `gate` to let the sink hang.
    #[derive(Debug, Default)]
    struct Seen {
        gate: Mutex<()>,
        lines: Mutex<Vec<String>>,
        reports: Mutex<Vec<(u64, u64)>>,
    }

    struct TestSink {
        seen: Arc<Seen>,
        fails: bool,
    }

    impl Sink for TestSink {
        type Item = String;

        fn write(&mut self, line: String) -> io::Result<()> {
            drop(self.seen.gate.lock().unwrap());
            if self.fails {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.seen.lines.lock().unwrap().push(line);
            Ok(())
        }

        fn report(&mut self, losses: &LossReport) {
            let report = (losses.dropped, losses.failed);
            self.seen.reports.lock().unwrap().push(report);
        }
    }

    fn start(fails: bool, clock: &Clock) -> (Queue<String>, Arc<Seen>, Arc<Losses>) {
        let (seen, losses) = (Arc::new(Seen::default()), Arc::new(Losses::default()));
        let sink = TestSink {
            seen: Arc::clone(&seen),
            fails,
        };
        let queue = Queue::start("test", sink, Arc::clone(&losses), clock.clone()).unwrap();
        (queue, seen, losses)
    }

    fn soon() -> Instant {
        Clock::system().now() + Duration::from_secs(10)
    }

    #[test]
    fn a_sink_that_hangs_delays_no_caller_and_what_finds_no_room_is_counted() {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let (queue, seen, losses) = start(false, &clock);
        let held = seen.gate.lock().unwrap();
        // The sink holds one line, ITEMS_MAX wait, the rest is dropped.
        queue.send("first\n".to_owned());
        while !queue.sender.is_empty() {
            std::thread::yield_now();
        }
        let started = Clock::system().now();
        for _ in 0..ITEMS_MAX + 10 {
            queue.send("x\n".to_owned());
        }
        let took = Clock::system().now() - started;
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert_eq!(losses.dropped(), 10);
        let deadline = Clock::system().now() + Duration::from_millis(20);
        assert!(!queue.flush(&Clock::system(), deadline), "it still hangs");
        drop(held);
        assert!(queue.flush(&Clock::system(), soon()));
        assert_eq!(seen.lines.lock().unwrap().len(), ITEMS_MAX + 1);
        assert_eq!(*seen.reports.lock().unwrap(), [(10, 0)], "reported once");
    }

    #[test]
    fn bytes_are_bounded_at_n_and_n_plus_one() {
        for (bytes, dropped) in [(BYTES_MAX, 0), (BYTES_MAX + 1, 1)] {
            let (queue, _, losses) = start(false, &Clock::system());
            queue.send("x".repeat(bytes));
            assert_eq!(losses.dropped(), dropped);
        }
    }

    #[test]
    fn failures_are_reported_once_a_minute() {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let (queue, seen, losses) = start(true, &clock);
        let send = |count| {
            for _ in 0..count {
                queue.send("x\n".to_owned());
                assert!(queue.flush(&Clock::system(), soon()));
            }
        };
        send(5);
        clock.advance(REPORT_EVERY);
        send(1);
        // The report follows the write; one more line makes sure that it is made.
        send(1);
        assert_eq!(losses.failed(), 7);
        let reports = seen.reports.lock().unwrap().clone();
        assert_eq!(reports.len(), 2, "{reports:?}");
        assert_eq!(reports[0], (0, 1));
    }
}
