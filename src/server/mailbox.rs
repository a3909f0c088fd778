//! How workers report to the event loop: one bounded queue for all, each report addressed to one
//! tenant of one slot.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};

use super::orders::Orders;
use super::slots::Key;
use gatepost_engine::{Completion, Notify};

/// Reports that wait for the loop. The pool takes as many jobs as there may be connections (5,000),
/// and the loop empties the queue at every turn; a worker that finds it full waits a moment, which
/// slows the pool and nothing else.
const REPORTS_MAX: usize = 16_384;

/// How long a worker waits for a full queue before its report is dropped: the loop has then been
/// stuck for so long that its MTAs have hung up.
const PATIENCE: Duration = Duration::from_mins(1);

/// A report and its addressee.
#[derive(Debug)]
pub(super) struct Report {
    /// Whom it is for.
    pub(super) key: Key,
    /// What it says.
    pub(super) completion: Completion,
}

/// The loop's end of the queue.
#[derive(Debug)]
pub(super) struct Mailbox {
    reports: Receiver<Report>,
    sender: Sender<Report>,
    /// True while a wake-up is under way: a hundred reports need one system call.
    woken: Arc<AtomicBool>,
    orders: Arc<Orders>,
}

impl Mailbox {
    /// An empty one, beside the waker in `orders`.
    pub(super) fn new(orders: Arc<Orders>) -> Self {
        let (sender, reports) = bounded(REPORTS_MAX);
        Self {
            reports,
            sender,
            woken: Arc::default(),
            orders,
        }
    }

    /// An address for the workers of one connection.
    pub(super) fn address(&self, key: Key) -> Arc<dyn Notify> {
        let (sender, woken, orders) = (
            self.sender.clone(),
            Arc::clone(&self.woken),
            Arc::clone(&self.orders),
        );
        Arc::new(Sending {
            key,
            sender,
            woken,
            orders,
        })
    }

    /// Says that the reports will be looked at from here on: the next one wakes the loop again.
    pub(super) fn attend(&self) {
        self.woken.store(false, Ordering::SeqCst);
    }

    /// The next report.
    pub(super) fn next(&self) -> Option<Report> {
        // Never disconnected: we hold a sender ourselves.
        self.reports.try_recv().ok()
    }

    /// Whether none waits.
    pub(super) fn is_empty(&self) -> bool {
        self.reports.is_empty()
    }
}

struct Sending {
    key: Key,
    sender: Sender<Report>,
    woken: Arc<AtomicBool>,
    orders: Arc<Orders>,
}

impl Notify for Sending {
    fn completed(&self, completion: Completion) {
        match self.sender.try_send(Report {
            key: self.key,
            completion,
        }) {
            // Nobody listens any more: the daemon ends.
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(report)) => {
                if self.sender.send_timeout(report, PATIENCE).is_err() {
                    log::error!(
                        "the event loop has taken no reports for {} s; one is lost",
                        PATIENCE.as_secs()
                    );
                }
            }
        }
        if !self.woken.swap(true, Ordering::SeqCst) {
            self.orders.wake();
        }
    }
}
