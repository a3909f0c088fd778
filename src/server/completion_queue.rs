//! How workers report to the event loop: one bounded queue for all, each report addressed to one
//! entry of one slot.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};

use super::loop_requests::LoopRequests;
use super::slots::Key;
use gatepost_engine::{Completion, Notify};

/// Reports that wait for the loop. The pool takes as many jobs as there may be connections (5,000),
/// and the loop empties the queue at every turn; a worker that finds it full waits a moment, which
/// slows the pool and nothing else.
const REPORTS_MAX: usize = 16_384;

/// How long a worker waits for a full queue before its report is dropped: the loop has then been
/// stuck for so long that its MTAs have hung up.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A report and its addressee.
#[derive(Debug)]
pub(super) struct Delivered {
    /// The connection that it is for.
    pub(super) key: Key,
    /// The report itself.
    pub(super) completion: Completion,
}

/// The loop's end of the queue.
#[derive(Debug)]
pub(super) struct CompletionQueue {
    reports: Receiver<Delivered>,
    sender: Sender<Delivered>,
    /// True while a wake-up is under way: a hundred reports need one system call.
    woken: Arc<AtomicBool>,
    requests: Arc<LoopRequests>,
}

impl CompletionQueue {
    /// An empty one, which wakes the loop through `requests`.
    pub(super) fn new(requests: Arc<LoopRequests>) -> Self {
        let (sender, reports) = bounded(REPORTS_MAX);
        Self {
            reports,
            sender,
            woken: Arc::default(),
            requests,
        }
    }

    /// Where the workers of one connection report to.
    pub(super) fn sender(&self, key: Key) -> Arc<dyn Notify> {
        let (sender, woken, requests) = (
            self.sender.clone(),
            Arc::clone(&self.woken),
            Arc::clone(&self.requests),
        );
        Arc::new(CompletionSender {
            key,
            sender,
            woken,
            requests,
        })
    }

    /// To be called before the queue is emptied: the next report wakes the loop again.
    pub(super) fn rearm(&self) {
        self.woken.store(false, Ordering::SeqCst);
    }

    /// The next report.
    pub(super) fn next(&self) -> Option<Delivered> {
        // Never disconnected: we hold a sender ourselves.
        self.reports.try_recv().ok()
    }

    /// Whether none waits.
    pub(super) fn is_empty(&self) -> bool {
        self.reports.is_empty()
    }
}

struct CompletionSender {
    key: Key,
    sender: Sender<Delivered>,
    woken: Arc<AtomicBool>,
    requests: Arc<LoopRequests>,
}

impl Notify for CompletionSender {
    fn completed(&self, completion: Completion) {
        match self.sender.try_send(Delivered {
            key: self.key,
            completion,
        }) {
            // The loop is gone: the daemon ends.
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(report)) => {
                if self.sender.send_timeout(report, TIMEOUT).is_err() {
                    log::error!(
                        "the event loop has taken no reports for {} s; one is lost",
                        TIMEOUT.as_secs()
                    );
                }
            }
        }
        if !self.woken.swap(true, Ordering::SeqCst) {
            self.requests.wake();
        }
    }
}
