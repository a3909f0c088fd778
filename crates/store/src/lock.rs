//! The lock of a directory: one writer at a time, whatever happens to the process that holds it.
#![expect(clippy::disallowed_methods, reason = "the lock is a file")]

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use gatepost_words::fs::open_or_create;
use rustix::fs::{FlockOperation, flock};

/// How often it is tried again.
const PAUSE: Duration = Duration::from_millis(20);

/// Held until it is dropped; the system gives it back when the process ends in any way.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, waiting for at most `patience`; [`io::ErrorKind::WouldBlock`] where another
    /// keeps it.
    pub fn take(path: &Path, patience: Duration) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true);
        let file = open_or_create(path, &options, 0o660)?;
        let begun = Instant::now();
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self { _file: file }),
                Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR)
                    if begun.elapsed() < patience =>
                {
                    std::thread::sleep(PAUSE);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let first = Lock::take(&path, Duration::ZERO).unwrap();
        assert_eq!(
            Lock::take(&path, Duration::ZERO).unwrap_err().kind(),
            io::ErrorKind::WouldBlock
        );
        drop(first);
        assert!(Lock::take(&path, Duration::ZERO).is_ok());
    }
}
