//! The control socket: `gatepost reload`, `gatepost metrics` and `gatepost config show --running`
//! query the running daemon.
//!
//! One request comes, one answer goes back ([`super::control_protocol`]), and the connection is closed. The
//! mode of the socket, 0600, says who may send commands; a short-lived thread serves each, so the
//! event loop never waits.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::control_protocol::{Answer, Request};
use super::reload::Reloader;

/// Bytes of a command line.
pub(super) const COMMAND_MAX: u64 = 1024;
/// Bytes of an answer that the client reads.
const ANSWER_MAX: u64 = 16 << 20;
/// Bytes of a command that is too long which are still read, so that its sender can read our
/// answer.
const DISCARDED_MAX: u64 = 64 * 1024;
/// Commands served at the same time; the connections of more are closed.
const SERVED_MAX: usize = 4;
/// How long either side waits for the other's bytes.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long a reload may take before its client is referred to the log.
const RELOAD_TIMEOUT: Duration = Duration::from_mins(2);

/// What answers a command other than `ping` and `reload`.
pub(super) type Query = Arc<dyn Fn(&Request) -> Result<String, String> + Send + Sync>;

/// Answers commands.
#[derive(Clone)]
pub(super) struct ControlServer {
    query: Query,
    reloader: Arc<Reloader>,
    served: Arc<AtomicUsize>,
}

/// Permission to serve one command, one of [`SERVED_MAX`]; free again when dropped.
struct CommandPermit(Arc<AtomicUsize>);

impl Drop for CommandPermit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl ControlServer {
    /// A server that asks `reloader` for reloads and `query` for all else.
    pub(super) fn new(query: Query, reloader: Arc<Reloader>) -> Self {
        Self {
            query,
            reloader,
            served: Arc::default(),
        }
    }

    /// Serves a connection that was just accepted, on a thread of its own.
    pub(super) fn receive(&self, stream: UnixStream) {
        let taken = self.served.fetch_add(1, Ordering::AcqRel);
        let permit = CommandPermit(Arc::clone(&self.served));
        if taken >= SERVED_MAX {
            return;
        }
        let server = self.clone();
        let started = std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || {
                server.serve(&stream);
                drop(permit);
            });
        if let Err(error) = started {
            log::warn!("cannot start a thread for a control command: {error}");
        }
    }

    fn serve(&self, stream: &UnixStream) {
        let line = read_command(stream).map_err(|error| error.to_string());
        let request = line.and_then(|line| Request::parse(&line));
        match request {
            Ok((request, is_word)) => send(stream, &self.run(&request), is_word),
            // What it was is not known: the form that every client can read.
            Err(text) => send(stream, &refused(text), true),
        }
    }

    fn run(&self, request: &Request) -> Answer {
        match request {
            Request::Ping => done("pong".to_owned()),
            Request::Metrics | Request::Config { .. } => {
                (self.query)(request).map_or_else(refused, done)
            }
            Request::Reload => match self.reloader.wait(self.reloader.request(), RELOAD_TIMEOUT) {
                Ok(reloaded) => Answer {
                    reload: Some(reloaded.clone()),
                    ..done(reloaded.to_string())
                },
                Err(text) => refused(text),
            },
        }
    }
}

fn done(text: String) -> Answer {
    Answer {
        ok: true,
        text,
        reload: None,
    }
}

fn refused(text: String) -> Answer {
    Answer {
        ok: false,
        text,
        reload: None,
    }
}

/// Reads one line; the limit counts without its line end.
fn read_command(stream: &UnixStream) -> io::Result<String> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
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

fn send(mut stream: &UnixStream, answer: &Answer, as_words: bool) {
    let text = if as_words {
        let word = if answer.ok { "ok" } else { "error" };
        format!("{word}\n{}", answer.text)
    } else {
        serde_json::to_string(answer).unwrap_or_default() + "\n"
    };
    if let Err(error) = stream.write_all(text.as_bytes()) {
        log::debug!("the client of a control command went away: {error}");
    }
}

/// Sends `request` to the daemon whose control socket is at `path`, and returns what it answers.
pub fn control(path: &Path, request: &Request) -> io::Result<Answer> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(RELOAD_TIMEOUT + TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let line = serde_json::to_string(request)?;
    let text = exchange(&mut stream, &line).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => busy(),
        _ => error,
    })?;
    if text.is_empty() {
        return Err(busy());
    }
    if let Some(why) = text.strip_prefix("error\n") {
        return Ok(refused(why.to_owned()));
    }
    serde_json::from_str(&text).map_err(|_| {
        let message = "the answer is not that of a Gatepost daemon of this version";
        io::Error::new(ErrorKind::InvalidData, message)
    })
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
        "the daemon closed the connection: it is shutting down, or busy with other commands; try again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    fn server() -> (ControlServer, Arc<Reloader>) {
        let (reloader, _thread) = Reloader::start(|| Err("line 3 is wrong".to_owned())).unwrap();
        let query = |request: &Request| match request {
            Request::Config { key: Some(key), .. } => Err(format!("there is no key `{key}`")),
            other => Ok(format!("{other:?}")),
        };
        let server = ControlServer::new(Arc::new(query), Arc::clone(&reloader));
        (server, reloader)
    }

    /// What a client that sends this line reads.
    fn exchanged(path: &Path, line: &str) -> String {
        exchange(&mut UnixStream::connect(path).unwrap(), line).unwrap()
    }

    #[test]
    fn commands_are_answered_and_limited() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control");
        let listener = UnixListener::bind(&path).unwrap();
        let (server, reloader) = server();
        let long = |length: u64| "x".repeat(usize::try_from(length).unwrap());
        let cases = [
            ("ping", "ok\npong"),
            ("stats", "ok\nMetrics"),
            ("metrics", "ok\nMetrics"),
            ("reload", "error\nline 3 is wrong"),
            ("", "error\nunknown command"),
            (&*long(COMMAND_MAX), "error\nunknown command"),
            (&*long(COMMAND_MAX + 1), "error\nthe command is too long"),
            (r#"{"command":"ping"}"#, r#"{"ok":true,"text":"pong"}"#),
            (
                r#"{"command":"reload"}"#,
                r#"{"ok":false,"text":"line 3 is wrong"}"#,
            ),
            (
                r#"{"command":"config","key":"x"}"#,
                r#"{"ok":false,"text":"there is no key `x`"}"#,
            ),
            (r#"{"command":"dance"}"#, "error\ninvalid request"),
        ];
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..=cases.len() {
                    server.receive(listener.accept().unwrap().0);
                }
            });
            for (command, expected) in cases {
                let text = exchanged(&path, command);
                assert!(text.starts_with(expected), "{command:.20}: {text}");
            }
            assert_eq!(
                control(&path, &Request::Ping).unwrap(),
                done("pong".to_owned())
            );
        });
        reloader.close();
    }

    #[test]
    fn concurrency_is_bounded_at_n_and_n_plus_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control");
        let listener = UnixListener::bind(&path).unwrap();
        let (server, reloader) = server();
        for (taken, busy) in [(SERVED_MAX - 1, false), (SERVED_MAX, true)] {
            server.served.store(taken, Ordering::SeqCst);
            let result = std::thread::scope(|scope| {
                scope.spawn(|| server.receive(listener.accept().unwrap().0));
                control(&path, &Request::Ping)
            });
            assert_eq!(
                result.is_err_and(|error| error.to_string().contains("busy")),
                busy
            );
        }
        reloader.close();
        server.served.store(1, Ordering::SeqCst);
        drop(CommandPermit(Arc::clone(&server.served)));
        assert_eq!(server.served.load(Ordering::SeqCst), 0);
    }
}
