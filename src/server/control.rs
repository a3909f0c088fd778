//! The control socket: `gatepost reload` and `gatepost stats` ask the running daemon.
//!
//! One line comes, one text goes back, and the connection is closed. The answer begins with a line
//! `ok` or `error`. Whoever may open the socket (mode 0600) may command; a short-lived thread
//! serves each, so the event loop never waits.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::reload::Reloader;

/// Bytes of a command line.
pub(super) const COMMAND_MAX: u64 = 128;
/// Bytes of an answer that the client reads.
const ANSWER_MAX: u64 = 16 << 20;
/// Bytes of a command that is too long which are still read, so that its sender can read our
/// answer.
const DISCARDED_MAX: u64 = 64 * 1024;
/// Commands served at once; more are hung up on.
const SERVED_MAX: usize = 4;
/// How long either side waits for the other's bytes.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a reload may take before the asking person is sent to the log.
const RELOAD_PATIENCE: Duration = Duration::from_mins(2);

/// Answers commands.
#[derive(Clone)]
pub(super) struct Desk {
    stats: Arc<dyn Fn() -> String + Send + Sync>,
    reloader: Arc<Reloader>,
    served: Arc<AtomicUsize>,
}

/// One of the [`SERVED_MAX`] places; free again when dropped.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Desk {
    /// A desk that asks `stats` for figures and `reloader` for reloads.
    pub(super) fn new(
        stats: Arc<dyn Fn() -> String + Send + Sync>,
        reloader: Arc<Reloader>,
    ) -> Self {
        Self {
            stats,
            reloader,
            served: Arc::default(),
        }
    }

    /// Takes a connection that was just accepted; returns at once.
    pub(super) fn receive(&self, stream: UnixStream) {
        let taken = self.served.fetch_add(1, Ordering::AcqRel);
        let place = Place(Arc::clone(&self.served));
        if taken >= SERVED_MAX {
            return;
        }
        let desk = self.clone();
        let started = std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || {
                desk.serve(&stream);
                drop(place);
            });
        if let Err(error) = started {
            log::warn!("cannot start a thread for a control command: {error}");
        }
    }

    fn serve(&self, stream: &UnixStream) {
        let result = read_command(stream)
            .map_err(|error| error.to_string())
            .and_then(|command| self.run(&command));
        answer(stream, &result);
    }

    fn run(&self, command: &str) -> Result<String, String> {
        match command {
            "ping" => Ok("pong".to_owned()),
            "stats" => Ok((self.stats)()),
            "reload" => self.reloader.wait(self.reloader.request(), RELOAD_PATIENCE),
            _ => Err("unknown command; there are: ping, reload, stats".to_owned()),
        }
    }
}

/// Reads one line; the limit counts without its line end.
fn read_command(stream: &UnixStream) -> io::Result<String> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.take(COMMAND_MAX + 1));
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    if line.len() as u64 > COMMAND_MAX && !line.ends_with(b"\n") {
        // Closing with unread bytes would reset the connection, and the answer with it.
        io::copy(&mut stream.take(DISCARDED_MAX), &mut io::sink())?;
        return Err(io::Error::other("the command is too long"));
    }
    let line = String::from_utf8(line).map_err(|_| io::Error::other("the command is not UTF-8"))?;
    Ok(line.trim().to_owned())
}

fn answer(mut stream: &UnixStream, result: &Result<String, String>) {
    let text = match result {
        Ok(text) => format!("ok\n{text}"),
        Err(text) => format!("error\n{text}"),
    };
    if let Err(error) = stream.write_all(text.as_bytes()) {
        log::debug!("the asker of a control command went away: {error}");
    }
}

/// Sends `command` to the daemon whose control socket is at `path`, and returns what it says:
/// `ping`, `stats`, `reload`.
pub fn control(path: &Path, command: &str) -> io::Result<String> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(RELOAD_PATIENCE + PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let text = exchange(&mut stream, command).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => busy(),
        _ => error,
    })?;
    match text.split_once('\n') {
        None if text.is_empty() => Err(busy()),
        Some(("ok", rest)) => Ok(rest.to_owned()),
        Some(("error", rest)) => Err(io::Error::other(rest.to_owned())),
        _ => Err(io::Error::new(
            ErrorKind::InvalidData,
            "the answer is none of a Gatepost daemon",
        )),
    }
}

fn exchange(stream: &mut UnixStream, command: &str) -> io::Result<String> {
    stream.write_all(command.as_bytes())?;
    stream.write_all(b"\n")?;
    stream.shutdown(Shutdown::Write)?;
    let mut text = String::new();
    stream.take(ANSWER_MAX).read_to_string(&mut text)?;
    Ok(text)
}

fn busy() -> io::Error {
    io::Error::new(
        ErrorKind::WouldBlock,
        "the daemon hung up: it is ending, or busy with other commands; try again",
    )
}

#[cfg(test)]
mod tests {
    use super::{COMMAND_MAX, Desk, Place, SERVED_MAX, control};
    use crate::server::reload::Reloader;
    use std::os::unix::net::UnixListener;
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    fn desk() -> (Desk, Arc<Reloader>) {
        let (reloader, _thread) = Reloader::start(|| Err("line 3 is wrong".to_owned())).unwrap();
        (
            Desk::new(Arc::new(|| "mails 7\n".to_owned()), Arc::clone(&reloader)),
            reloader,
        )
    }

    #[test]
    fn commands_are_answered_and_limited() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control");
        let listener = UnixListener::bind(&path).unwrap();
        let (desk, reloader) = desk();
        let long = |length: u64| "x".repeat(usize::try_from(length).unwrap());
        let cases = [
            ("ping", Ok("pong")),
            ("stats", Ok("mails 7\n")),
            ("reload", Err("line 3 is wrong")),
            ("", Err("unknown command")),
            (&*long(COMMAND_MAX), Err("unknown command")),
            (&*long(COMMAND_MAX + 1), Err("too long")),
        ];
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..cases.len() {
                    desk.receive(listener.accept().unwrap().0);
                }
            });
            for (command, expected) in cases {
                match (control(&path, command), expected) {
                    (Ok(text), Ok(expected)) => assert_eq!(text, expected),
                    (Err(error), Err(expected)) => {
                        assert!(error.to_string().contains(expected), "{error}");
                    }
                    (found, _) => panic!("{command:.10}: {found:?}"),
                }
            }
        });
        reloader.close();
    }

    #[test]
    fn concurrency_is_bounded_at_n_and_n_plus_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control");
        let listener = UnixListener::bind(&path).unwrap();
        let (desk, reloader) = desk();
        for (taken, busy) in [(SERVED_MAX - 1, false), (SERVED_MAX, true)] {
            desk.served.store(taken, Ordering::SeqCst);
            let result = std::thread::scope(|scope| {
                scope.spawn(|| desk.receive(listener.accept().unwrap().0));
                control(&path, "ping")
            });
            assert_eq!(
                result.is_err_and(|error| error.to_string().contains("busy")),
                busy
            );
        }
        reloader.close();
        desk.served.store(1, Ordering::SeqCst);
        drop(Place(Arc::clone(&desk.served)));
        assert_eq!(desk.served.load(Ordering::SeqCst), 0);
    }
}
