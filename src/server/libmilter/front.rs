//! Starting and stopping libmilter next to the event loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ::milter::Milter;

use super::bridge::{self, HOST, Host, Observe, Open};
use super::{callbacks, system};
use crate::server::listener::{SocketFile, clear_path, set_access};
use crate::server::loop_requests::LoopRequests;
use crate::server::serve_error::ServeError;
use crate::server::settings::{Address, Listener, Settings};
use gatepost_words::clock::Clock;

/// How often we look whether libmilter listens, and how long one look lasts.
const LOOKS: u32 = 500;
const LOOK: Duration = Duration::from_millis(10);

/// What libmilter's time-out can be, in seconds; with a time-out of 0 it would not wait at all.
const TIMEOUT_MAX: Duration = Duration::from_secs(7210);

/// How long libmilter is given to write the last answers: our part ends when a callback returns,
/// before it writes.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// The running front-end. Dropped, it is asked to stop; its thread then needs up to five seconds and
/// may not end at all, so the process is expected to.
#[derive(Debug)]
pub(in crate::server) struct Front {
    host: &'static Host,
    _file: Option<SocketFile>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}

impl Front {
    /// Starts libmilter on its own thread and waits until it listens. Signals are ours to handle:
    /// the caller is the main thread, which the kernel prefers over libmilter's own signal
    /// thread.
    pub(in crate::server) fn start(
        listener: &Listener,
        settings: &Settings,
        (index, open, observe): (usize, Open, Observe),
        requests: &Arc<LoopRequests>,
    ) -> Result<Self, ServeError> {
        let host = Host {
            open,
            observe,
            index,
            requests: Arc::clone(requests),
            progress_interval: settings.progress_interval,
            clock: Clock::system(),
            connections_max: settings.connections_max,
            connections: AtomicUsize::new(0),
            in_hand: AtomicUsize::new(0),
            is_full: AtomicBool::new(false),
            draining: AtomicBool::new(false),
        };
        HOST.set(host).map_err(|_| ServeError::LibmilterTwice)?;
        let host = HOST.get().ok_or(ServeError::LibmilterTwice)?;
        let address = &listener.address;
        if let Address::Unix { path, .. } = address {
            clear_path(path, address)?;
        }
        system::raise_packet_limit();
        let mut milter = Milter::new(&address.to_string());
        callbacks::install(&mut milter);
        milter
            .name("gatepost")
            .actions(bridge::actions_wanted())
            .timeout(
                settings
                    .idle_timeout
                    .clamp(Duration::from_secs(1), TIMEOUT_MAX),
            )
            .remove_socket(false);
        let requests_of_failure = Arc::clone(requests);
        std::thread::Builder::new()
            .name("libmilter".to_owned())
            .spawn(move || {
                let result = milter.run();
                if !HOST
                    .get()
                    .is_some_and(|host| host.draining.load(Ordering::Acquire))
                {
                    requests_of_failure.fail(
                        result
                            .err()
                            .map_or("ended by itself".to_owned(), |error| error.to_string()),
                    );
                }
            })
            .map_err(|error| ServeError::System("start libmilter's thread", error))?;
        for _ in 0..LOOKS {
            if system::prepare_listening_socket(address) {
                return Ok(Self {
                    host,
                    _file: claim(address)?,
                });
            }
            if let Some(why) = requests.take_failure() {
                return Err(ServeError::Libmilter(why));
            }
            std::thread::sleep(LOOK);
        }
        Err(ServeError::Libmilter(format!(
            "does not listen on {address}"
        )))
    }

    /// No new mail from here on: CONNECT and MAIL are deferred. libmilter itself is stopped only
    /// when nothing is in hand, for once it is, no connection is served any more.
    pub(in crate::server) fn drain(&self) {
        self.host.draining.store(true, Ordering::Release);
    }

    /// Whether messages are in progress.
    pub(in crate::server) fn is_busy(&self) -> bool {
        self.host.in_hand.load(Ordering::Acquire) > 0
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.drain();
        if self.host.connections.load(Ordering::Acquire) > 0 {
            std::thread::sleep(LAST_WORDS);
        }
        ::milter::shutdown();
    }
}

/// Gives the socket that libmilter made its mode and group; from then on it is ours to remove, for
/// libmilter run by root refuses to. For a moment it has the mode that the umask leaves it.
fn claim(address: &Address) -> Result<Option<SocketFile>, ServeError> {
    let Address::Unix { path, mode, group } = address else {
        return Ok(None);
    };
    set_access(path, *mode, group.as_deref(), address)?;
    SocketFile::claim(path)
        .map(Some)
        .map_err(|error| ServeError::System("look at libmilter's socket", error))
}
