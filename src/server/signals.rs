//! SIGTERM and SIGINT drain, SIGHUP reloads: each signal writes one byte into a socket pair that
//! the event loop watches.

use std::io::{self, Read};
use std::os::unix::net::UnixStream as StdStream;
use std::sync::Arc;

use mio::net::UnixStream;
use mio::{Interest, Registry, Token};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::low_level::{pipe, unregister};
use signal_hook::{SigId, flag};

/// What the signals that came since the last look ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// How many times to end.
    pub(super) terminations: usize,
    /// Whether to reload.
    pub(super) reload: bool,
}

/// The watched signals; they get their old meaning back when this is dropped.
#[derive(Debug)]
pub(super) struct Signals {
    ids: Vec<SigId>,
    terminate: UnixStream,
    reload: UnixStream,
}

impl Signals {
    /// Watches SIGTERM, SIGINT and SIGHUP; readiness comes with `token`.
    pub(super) fn watch(registry: &Registry, token: Token) -> io::Result<Self> {
        let (terminate, terminate_write) = StdStream::pair()?;
        let (reload, reload_write) = StdStream::pair()?;
        for stream in [&terminate, &reload, &terminate_write, &reload_write] {
            stream.set_nonblocking(true)?;
        }
        let (mut terminate, mut reload) = (
            UnixStream::from_std(terminate),
            UnixStream::from_std(reload),
        );
        registry.register(&mut terminate, token, Interest::READABLE)?;
        registry.register(&mut reload, token, Interest::READABLE)?;
        let mut signals = Self {
            ids: Vec::new(),
            terminate,
            reload,
        };
        signals
            .ids
            .push(pipe::register(SIGTERM, terminate_write.try_clone()?)?);
        signals.ids.push(pipe::register(SIGINT, terminate_write)?);
        signals.ids.push(pipe::register(SIGHUP, reload_write)?);
        // A file at its limit of size (RLIMIT_FSIZE) is then an error of the write, as a full disk
        // is, and does not end the daemon.
        signals.ids.push(flag::register(SIGXFSZ, Arc::default())?);
        Ok(signals)
    }

    /// Takes what came since the last call.
    pub(super) fn take(&mut self) -> Asked {
        Asked {
            terminations: drain(&mut self.terminate),
            reload: drain(&mut self.reload) > 0,
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.ids.drain(..) {
            unregister(id);
        }
    }
}

/// Reads until nothing is left; returns how many bytes there were.
fn drain(stream: &mut UnixStream) -> usize {
    let mut buffer = [0; 64];
    let mut count = 0;
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return count,
            Ok(read) => count += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return count,
        }
    }
}
