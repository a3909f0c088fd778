//! The log: lines on standard error, as journald, a terminal, or a log shipper wants them.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::sync::{Arc, OnceLock};

use log::{Level, LevelFilter, Log, Metadata, Record};
use serde_json::json;

use gatepost_words::CivilTime;
use gatepost_words::clock::Clock;
use gatepost_words::escape::ForLog;

use super::queue::{LossReport, Losses, Queue, Sink};

/// Characters of a panic's message that are logged.
const PANIC_MAX: usize = 500;

/// What is logged, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// The least important level that is logged.
    pub level: LevelFilter,
    /// One JSON object a line instead of text.
    pub json: bool,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            level: LevelFilter::Info,
            json: false,
        }
    }
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// `<6>message`: journald keeps the time itself and takes the level from the prefix
    /// (sd-daemon(3)).
    Journal,
    /// `2026-11-23T09:51:07Z INFO message`
    Text,
    /// `{"time":…,"level":…,"target":…,"message":…}`
    Json,
}

/// How a line is made.
#[derive(Clone, Debug)]
struct Format {
    style: Style,
    clock: Clock,
}

/// The log of the process: lines go to standard error directly, or through a queue once
/// [`write_in_background`] was called.
#[derive(Debug)]
struct Logger {
    format: Format,
    queue: OnceLock<Queue<String>>,
}

static LOGGER: OnceLock<Logger> = OnceLock::new();

/// Makes this the log of the process. A second call changes the level only.
pub fn init(settings: LogSettings, clock: Clock) {
    let journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let style = match (settings.json, journal) {
        (true, _) => Style::Json,
        (false, true) => Style::Journal,
        (false, false) => Style::Text,
    };
    let logger = LOGGER.get_or_init(|| Logger {
        format: Format { style, clock },
        queue: OnceLock::new(),
    });
    log::set_max_level(settings.level);
    // The only error is that a logger is already set, which is then ours.
    log::set_logger(logger).unwrap_or_default();
}

/// From now on a thread of its own writes to standard error, and no other thread ever waits for it.
/// `None` where [`init`] was not called.
pub(crate) fn write_in_background(
    losses: Arc<Losses>,
) -> io::Result<Option<&'static Queue<String>>> {
    let Some(logger) = LOGGER.get() else {
        return Ok(None);
    };
    if logger.queue.get().is_none() {
        let sink = StandardError {
            // Not `io::stderr()`: its lock would be held while a full pipe blocks.
            file: File::from(io::stderr().as_fd().try_clone_to_owned()?),
            format: logger.format.clone(),
        };
        let clock = logger.format.clock.clone();
        let queue = Queue::start("log", sink, losses, clock)?;
        // The only error is that another thread was faster: then its queue is as good.
        logger.queue.set(queue).unwrap_or_default();
    }
    Ok(logger.queue.get())
}

/// A panic of this process becomes a line of the log: Rust's own message goes to standard error
/// directly, and would block a worker where no process reads that.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("no message");
        let place = panic.location().map(ToString::to_string);
        let place = place.as_deref().unwrap_or("an unknown place");
        let message = ForLog::short(message, PANIC_MAX);
        log::error!("panic at {place}: {message}");
    }));
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Libraries (tract, mio) speak to developers: only their warnings are passed on.
        metadata.target().starts_with("gatepost") || metadata.level() <= Level::Warn
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let message = record.args().to_string();
        let line = self.format.line(record.level(), record.target(), &message);
        match self.queue.get() {
            Some(queue) => queue.send(line),
            // One write for one line, so that lines of threads do not mix. Where standard error is
            // gone there is no place left to report that.
            None => io::stderr()
                .lock()
                .write_all(line.as_bytes())
                .unwrap_or_default(),
        }
    }

    fn flush(&self) {}
}

/// Standard error, as the place where lines go.
struct StandardError {
    file: File,
    format: Format,
}

impl Sink for StandardError {
    type Item = String;

    fn write(&mut self, line: String) -> io::Result<()> {
        self.file.write_all(line.as_bytes())
    }

    fn report(&mut self, losses: &LossReport) {
        let lost = losses.dropped.saturating_add(losses.failed);
        let message = format!("{lost} log lines were lost: standard error did not accept them");
        let line = self.format.line(Level::Warn, "gatepost", &message);
        // Where this fails too, the next report is due in a minute.
        self.write(line).unwrap_or_default();
    }
}

impl Format {
    /// One line with its line feed.
    fn line(&self, level: Level, target: &str, message: &str) -> String {
        let message = one_line(message);
        let time = CivilTime::from_system(self.clock.wall());
        let mut line = match self.style {
            Style::Journal => format!("<{}>{message}", priority(level)),
            Style::Text => format!("{time} {level} {message}"),
            Style::Json => json!({
                "time": time.to_string(),
                "level": level.as_str().to_ascii_lowercase(),
                "target": target,
                "message": message,
            })
            .to_string(),
        };
        line.push('\n');
        line
    }
}

/// What is one event stays one line: control characters that came through all the same (an error
/// text with a file name in it) are escaped. Lines of ours are already clean and are not changed.
fn one_line(message: &str) -> String {
    if message.chars().any(char::is_control) {
        ForLog::new(message).to_string()
    } else {
        message.to_owned()
    }
}

/// syslog(3)'s number.
fn priority(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn formatted(style: Style, message: &str) -> String {
        let clock = Clock::manual(UNIX_EPOCH + Duration::from_secs(1_782_259_267));
        let line = Format { style, clock }.line(Level::Warn, "gatepost", message);
        line.strip_suffix('\n').unwrap().to_owned()
    }

    #[test]
    fn styles() {
        assert_eq!(formatted(Style::Journal, "x y"), "<4>x y");
        assert_eq!(formatted(Style::Text, "x"), "2026-06-24T00:01:07Z WARN x");
        assert_eq!(
            formatted(Style::Json, "a\"b"),
            r#"{"level":"warn","message":"a\"b","target":"gatepost","time":"2026-06-24T00:01:07Z"}"#
        );
    }

    #[test]
    fn one_event_is_one_line() {
        assert_eq!(formatted(Style::Journal, "a\n<3>b"), "<4>a\\n<3>b");
    }
}
