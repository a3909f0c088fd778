//! Time-outs of the client's reads, and reading what was not asked for.

use std::io::{self, Read, Write};
use std::time::Duration;

use super::MtaConnection;

/// A stream whose reads can be given a time-out.
pub(crate) trait Timed: Read + Write {
    /// Sets it; `None` waits for ever.
    fn read_timeout(&self, timeout: Option<Duration>) -> io::Result<()>;
}

impl Timed for std::net::TcpStream {
    fn read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.set_read_timeout(timeout)
    }
}

impl Timed for std::os::unix::net::UnixStream {
    fn read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.set_read_timeout(timeout)
    }
}

impl<S: Timed> MtaConnection<S> {
    /// Sets the time-out of all later reads.
    pub(crate) fn set_timeout(&self, timeout: Duration) -> io::Result<()> {
        self.stream.read_timeout(Some(timeout))
    }

    /// Reads, for so long, what comes without being asked for; returns how many answers did.
    /// `timeout` becomes the time-out of later reads.
    pub(crate) fn drain(&mut self, wait: Duration, timeout: Duration) -> io::Result<usize> {
        self.flush()?;
        self.stream.read_timeout(Some(wait))?;
        let mut count = 0;
        loop {
            match self.packet() {
                Ok(_) => count += 1,
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    ) =>
                {
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(error),
            }
        }
        self.unsolicited += count;
        self.stream.read_timeout(Some(timeout))?;
        Ok(count)
    }
}
