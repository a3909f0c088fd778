//! Reloading on its own thread: never two at once, and at most one more waits behind the one that
//! runs.
//!
//! A request that comes while a reload runs is served by the next one, together with all others
//! that came meanwhile: a file that was changed after the running reload had read it is not
//! overlooked.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::systemd;

/// What a reload said: the new generation, or why the old one stays.
pub(super) type Report = Result<String, String>;

/// The desk at which reloads are asked for.
#[derive(Debug, Default)]
pub(super) struct Reloader {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The last reload that was asked for.
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
        let desk = Arc::new(Self::default());
        let worker = Arc::clone(&desk);
        let thread = std::thread::Builder::new()
            .name("reload".to_owned())
            .spawn(move || worker.work(reload))?;
        Ok((desk, thread))
    }

    /// Asks for a reload; returns the ticket to wait for.
    pub(super) fn request(&self) -> u64 {
        let mut state = self.lock();
        state.wanted = state.begun + 1;
        self.changed.notify_all();
        state.wanted
    }

    /// Waits until the reload of that ticket is over, for at most `patience`.
    pub(super) fn wait(&self, ticket: u64, patience: Duration) -> Report {
        let unfinished = |state: &mut State| state.ended < ticket && !state.closed;
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), patience, unfinished)
            .unwrap_or_else(PoisonError::into_inner);
        match &state.report {
            Some(report) if state.ended >= ticket => report.clone(),
            _ if state.closed => Err("the daemon is shutting down".to_owned()),
            _ => Err(format!(
                "the reload is still running after {} s; its result will be in the log",
                patience.as_secs()
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
            systemd::notify("RELOADING=1");
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
    use super::Reloader;
    use crossbeam::channel::unbounded;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[test]
    fn requests_during_a_reload_are_served_by_one_more() {
        let (begun, begins) = unbounded();
        let (release, released) = unbounded::<()>();
        let count = AtomicUsize::new(0);
        let (desk, thread) = Reloader::start(move || {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            begun.send(number).unwrap();
            released.recv().unwrap();
            Ok(format!("generation {number}"))
        })
        .unwrap();
        let first = desk.request();
        assert_eq!(begins.recv().unwrap(), 1);
        let later: Vec<u64> = (0..5).map(|_| desk.request()).collect();
        assert!(later.iter().all(|ticket| *ticket == first + 1), "{later:?}");
        release.send(()).unwrap();
        assert_eq!(begins.recv().unwrap(), 2);
        release.send(()).unwrap();
        assert_eq!(
            desk.wait(first + 1, Duration::from_mins(1)).unwrap(),
            "generation 2"
        );
        desk.close();
        thread.join().unwrap();
        assert!(begins.try_recv().is_err(), "no third reload");
    }

    #[test]
    fn a_panic_is_a_failed_reload_and_the_next_one_works() {
        let count = AtomicUsize::new(0);
        let (desk, thread) = Reloader::start(move || match count.fetch_add(1, Ordering::SeqCst) {
            0 => panic!("planned"),
            _ => Ok("second".to_owned()),
        })
        .unwrap();
        assert!(
            desk.wait(desk.request(), Duration::from_mins(1))
                .unwrap_err()
                .contains("panicked")
        );
        assert_eq!(
            desk.wait(desk.request(), Duration::from_mins(1)).unwrap(),
            "second"
        );
        desk.close();
        thread.join().unwrap();
        assert!(
            desk.wait(9, Duration::ZERO)
                .unwrap_err()
                .contains("shutting down")
        );
    }
}
