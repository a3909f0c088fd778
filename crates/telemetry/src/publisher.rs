//! Everything that is published about messages: log line, counters, record.

use std::io;
use std::time::Duration;

use gatepost_words::clock::Clock;

use super::output_queue::{LossReport, OutputQueue, Sink};
use super::record::Writer;
use super::{Ending, MailLine, MailRecord, Metrics, RecordSettings, log};

/// Log, counters and records of one daemon. Shared by all threads; no method but
/// [`Telemetry::close`] waits for anything.
#[derive(Debug)]
pub struct Telemetry {
    metrics: Metrics,
    records: Option<OutputQueue>,
    log: Option<&'static OutputQueue>,
    clock: Clock,
}

impl Telemetry {
    /// Starts the threads that write the log and the record file. From now on the threads of this
    /// process that log hand their lines over and never wait for standard error.
    ///
    /// # Errors
    ///
    /// Where the operating system refuses a thread.
    pub fn start(settings: &RecordSettings, clock: Clock) -> io::Result<Self> {
        let metrics = Metrics::default();
        let log = log::write_in_background(metrics.log_losses())?;
        let records = match &settings.path {
            None => None,
            Some(path) => {
                let sink = RecordSink::new(Writer::new(path.clone(), settings.size));
                let losses = metrics.record_losses();
                Some(OutputQueue::start("records", sink, losses, clock.clone())?)
            }
        };
        Ok(Self {
            metrics,
            records,
            log,
            clock,
        })
    }

    /// Counts and logs only, without threads: for tests and tools.
    pub fn without_records(clock: Clock) -> Self {
        Self {
            metrics: Metrics::default(),
            records: None,
            log: None,
            clock,
        }
    }

    /// Publishes one message: one log line, the counters, one record. Never fails, never waits.
    pub fn mail(&self, record: &MailRecord<'_>) {
        match record.ending {
            Ending::Judged(_) => ::log::info!(target: "gatepost::mail", "{}", MailLine(record)),
            Ending::Faulted { .. } => {
                ::log::warn!(target: "gatepost::mail", "{}", MailLine(record));
            }
        }
        self.metrics.count(record);
        if let Some(records) = &self.records {
            let mut line = record.to_json().to_string();
            line.push('\n');
            records.send(line);
        }
    }

    /// Waits until log and records are written, at most for `timeout`: before the process exits.
    /// Returns whether everything is written.
    pub fn close(&self, timeout: Duration) -> bool {
        let deadline = self.clock.now() + timeout;
        let mut queues = self.records.iter().chain(self.log);
        queues.all(|queue| queue.flush(&self.clock, deadline))
    }

    /// The counters.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

/// The record file, as the place where lines go.
struct RecordSink {
    writer: Writer,
}

impl RecordSink {
    fn new(writer: Writer) -> Self {
        Self { writer }
    }
}

impl Sink for RecordSink {
    /// Opens the file now: a wrong path is reported before the first message.
    fn open(&mut self) {
        if let Err(error) = self.writer.open() {
            let path = self.writer.path().display();
            ::log::error!("cannot write records to {path}: {error}");
        }
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        self.writer.append(line)
    }

    fn report(&mut self, losses: &LossReport) {
        let path = self.writer.path().display();
        if let Some(error) = &losses.error {
            let failed = losses.failed;
            ::log::error!("cannot write records to {path}: {error} ({failed} lost)");
        }
        if losses.dropped > 0 {
            let dropped = losses.dropped;
            ::log::error!("{dropped} records were dropped: {path} is written too slowly");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::time::SystemTime;

    use super::super::mail::tests::{transaction, verdict};
    use super::*;
    use gatepost_words::Stage;
    use gatepost_words::verdict::VerdictId;

    fn publish(telemetry: &Telemetry, count: u64) {
        let (transaction, verdict) = (transaction(), verdict());
        for number in 0..count {
            telemetry.mail(&MailRecord {
                id: &VerdictId::from_number(number),
                time: SystemTime::UNIX_EPOCH,
                transaction: &transaction,
                size: 1,
                elapsed: Duration::ZERO,
                stage: Stage::EndOfMessage,
                ending: Ending::Judged(&verdict),
            });
        }
    }

    fn telemetry(path: &std::path::Path) -> Telemetry {
        let settings = RecordSettings {
            path: Some(path.to_owned()),
            size: 1 << 20,
        };
        Telemetry::start(&settings, Clock::system()).unwrap()
    }

    #[test]
    fn records_are_written_by_the_time_it_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("r");
        let telemetry = telemetry(&path);
        publish(&telemetry, 3);
        assert!(telemetry.close(Duration::from_secs(10)));
        let file = std::fs::OpenOptions::new().read(true).open(&path).unwrap();
        assert_eq!(BufReader::new(file).lines().count(), 3);
    }

    #[test]
    fn special_files_lose_records_and_delay_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success());
        for path in [fifo.as_path(), "/dev/full".as_ref()] {
            let started = Clock::system().now();
            let telemetry = telemetry(path);
            publish(&telemetry, 100);
            assert!(telemetry.close(Duration::from_secs(10)));
            assert!(Clock::system().now() - started < Duration::from_secs(5));
            assert_eq!(telemetry.metrics().record_losses().failed(), 100);
        }
    }
}
