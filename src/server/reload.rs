//! Reloading on its own thread: never two at the same time, and at most one more waits for the one
//! that runs.
//!
//! A request that comes while a reload runs is served by the next one, together with all others
//! that came in the meantime: a file that was changed after the running reload had read it is not
//! overlooked.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::control_protocol::Reloaded;
use super::systemd;

/// How a reload went: what changed, or why the old generation stays.
pub(super) type Report = Result<Reloaded, String>;

/// Where reloads are requested.
#[derive(Debug, Default)]
pub(super) struct Reloader {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The last reload that was requested.
    wanted: u64,
    /// The last that was begun.
    begun: u64,
    /// The last that ended.
    ended: u64,
    report: Option<Report>,
    closed: bool,
}

impl Reloader {
    /// Starts the thread that calls `reload`.
    pub(super) fn start(
        reload: impl Fn() -> Report + Send + 'static,
    ) -> io::Result<(Arc<Self>, JoinHandle<()>)> {
        let reloader = Arc::new(Self::default());
        let worker = Arc::clone(&reloader);
        let thread = std::thread::Builder::new()
            .name("reload".to_owned())
            .spawn(move || worker.work(reload))?;
        Ok((reloader, thread))
    }

    /// Requests a reload; returns the ticket to wait for.
    pub(super) fn request(&self) -> u64 {
        let mut state = self.lock();
        state.wanted = state.begun + 1;
        self.changed.notify_all();
        state.wanted
    }

    /// Waits until the reload of that ticket is over, for at most `timeout`.
    pub(super) fn wait(&self, ticket: u64, timeout: Duration) -> Report {
        let unfinished = |state: &mut State| state.ended < ticket && !state.closed;
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), timeout, unfinished)
            .unwrap_or_else(PoisonError::into_inner);
        match &state.report {
            Some(report) if state.ended >= ticket => report.clone(),
            _ if state.closed => Err("the daemon is shutting down".to_owned()),
            _ => Err(format!(
                "the reload is still running after {} s; its result will be in the log",
                timeout.as_secs()
            )),
        }
    }

    /// Lets the thread end after the reload that runs now.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, reload: impl Fn() -> Report) {
        loop {
            let mut state = self
                .changed
                .wait_while(self.lock(), |state| {
                    state.wanted <= state.begun && !state.closed
                })
                .unwrap_or_else(PoisonError::into_inner);
            if state.closed {
                return;
            }
            state.begun += 1;
            drop(state);
            systemd::notify_reloading();
            let report = catch_unwind(AssertUnwindSafe(&reload))
                .unwrap_or_else(|_| Err("the reload panicked".to_owned()));
            match &report {
                Ok(text) => log::info!("reloaded: {text}"),
                Err(text) => log::error!("reload failed, the old generation stays: {text}"),
            }
            systemd::notify("READY=1");
            let mut state = self.lock();
            state.ended = state.begun;
            state.report = Some(report);
            self.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Reloaded, Reloader};
    use crossbeam::channel::unbounded;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    fn reloaded(number: usize) -> Reloaded {
        Reloaded {
            generation: number.to_string(),
            ..Reloaded::default()
        }
    }

    #[test]
    fn requests_during_a_reload_are_served_by_one_more() {
        let (begun, begins) = unbounded();
        let (release, released) = unbounded::<()>();
        let count = AtomicUsize::new(0);
        let (reloader, thread) = Reloader::start(move || {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            begun.send(number).unwrap();
            released.recv().unwrap();
            Ok(reloaded(number))
        })
        .unwrap();
        let first = reloader.request();
        assert_eq!(begins.recv().unwrap(), 1);
        let later: Vec<u64> = (0..5).map(|_| reloader.request()).collect();
        assert!(later.iter().all(|ticket| *ticket == first + 1), "{later:?}");
        release.send(()).unwrap();
        assert_eq!(begins.recv().unwrap(), 2);
        release.send(()).unwrap();
        assert_eq!(
            reloader.wait(first + 1, Duration::from_mins(1)).unwrap(),
            reloaded(2)
        );
        reloader.close();
        thread.join().unwrap();
        assert!(begins.try_recv().is_err(), "no third reload");
    }

    #[test]
    fn a_panic_is_a_failed_reload_and_the_next_one_works() {
        let count = AtomicUsize::new(0);
        let (reloader, thread) =
            Reloader::start(move || match count.fetch_add(1, Ordering::SeqCst) {
                0 => panic!("planned"),
                number => Ok(reloaded(number)),
            })
            .unwrap();
        assert!(
            reloader
                .wait(reloader.request(), Duration::from_mins(1))
                .unwrap_err()
                .contains("panicked")
        );
        assert_eq!(
            reloader
                .wait(reloader.request(), Duration::from_mins(1))
                .unwrap(),
            reloaded(1)
        );
        reloader.close();
        thread.join().unwrap();
        assert!(
            reloader
                .wait(9, Duration::ZERO)
                .unwrap_err()
                .contains("shutting down")
        );
    }
}
