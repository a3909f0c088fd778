//! The publisher: everything that is published about messages, from threads that may never delay
//! mail.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gatepost_records::{DurableWriter, MailRecord, Outcome, RecordLog, RecordSettings, SharedLog};
use gatepost_words::clock::Clock;

use super::queue::{Item, LossReport, Queue, Sink};
use super::{Gauges, LogLine, Metrics, log};

/// How long a query for metrics waits for messages that are not counted yet.
const COUNT_TIMEOUT: Duration = Duration::from_millis(200);

/// Log, metrics and records of one daemon. Shared by all threads; publishing never waits.
#[derive(Debug)]
pub struct Telemetry {
    metrics: Arc<Metrics>,
    publisher: Option<Queue<Box<MailRecord>>>,
    records: Option<Arc<Queue<Box<MailRecord>>>>,
    durable: Option<DurableWriter>,
    log: Option<&'static Queue<String>>,
    clock: Clock,
}

impl Telemetry {
    /// Starts the threads that publish, and write the log and the record file. From now on the
    /// threads of this process that log hand their lines over and never wait for standard error.
    ///
    /// # Errors
    ///
    /// Where the operating system refuses a thread.
    pub fn start(settings: &RecordSettings, clock: Clock) -> io::Result<Self> {
        let metrics = Arc::new(Metrics::default());
        let log = log::write_in_background(metrics.log_losses())?;
        let node = node_name();
        let (records, durable) = match &settings.path {
            None => (None, None),
            Some(path) => {
                let log = Arc::new(SharedLog::new(RecordLog::new(path.clone(), settings.size)));
                let durable = DurableWriter::new(Arc::clone(&log), node.clone());
                let path = path.clone();
                let sink = RecordSink { log, path };
                let losses = metrics.record_losses();
                let queue = Queue::start("records", sink, losses, clock.clone())?;
                (Some(Arc::new(queue)), Some(durable))
            }
        };
        let sink = PublisherSink {
            metrics: Arc::clone(&metrics),
            records: records.clone(),
            node,
        };
        let losses = metrics.publisher_losses();
        let publisher = Queue::start("publisher", sink, losses, clock.clone())?;
        Ok(Self {
            metrics,
            publisher: Some(publisher),
            records,
            durable,
            log,
            clock,
        })
    }

    /// Counts and logs only, without threads: for tests and tools.
    pub fn without_records(clock: Clock) -> Self {
        Self {
            metrics: Arc::default(),
            publisher: None,
            records: None,
            durable: None,
            log: None,
            clock,
        }
    }

    /// Publishes one message: one log line, the metrics, one record. Never fails, never waits.
    pub fn publish(&self, record: MailRecord) {
        match &self.publisher {
            Some(publisher) => publisher.send(Box::new(record)),
            None => count_and_log(&self.metrics, &record),
        }
    }

    /// Waits until log and records are written, at most for `timeout`: before the process exits.
    /// Returns whether everything is written.
    pub fn close(&self, timeout: Duration) -> bool {
        let deadline = self.clock.now() + timeout;
        let mut publisher = self.publisher.iter();
        let is_published = publisher.all(|queue| queue.flush(&self.clock, deadline));
        let mut records = self.records.iter();
        let is_recorded = records.all(|queue| queue.flush(&self.clock, deadline));
        let mut log = self.log.into_iter();
        let is_logged = log.all(|queue| queue.flush(&self.clock, deadline));
        is_published && is_recorded && is_logged
    }

    /// What writes records durably before an answer; `None` where records are off.
    pub fn durable_writer(&self) -> Option<DurableWriter> {
        self.durable.clone()
    }

    /// The counters.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// All metrics in Prometheus' text format. Messages that were published are counted in it,
    /// unless the publisher is far behind.
    pub fn render_prometheus(&self, gauges: &Gauges) -> String {
        if let Some(publisher) = &self.publisher {
            let deadline = self.clock.now() + COUNT_TIMEOUT;
            publisher.flush(&self.clock, deadline);
        }
        self.metrics.render_prometheus(gauges)
    }
}

fn count_and_log(metrics: &Metrics, record: &MailRecord) {
    metrics.count(record);
    match &record.outcome {
        Outcome::Judged(_) => ::log::info!(target: "gatepost::mail", "{}", LogLine(record)),
        Outcome::Faulted { .. } => ::log::warn!(target: "gatepost::mail", "{}", LogLine(record)),
    }
}

fn node_name() -> String {
    let name = rustix::system::uname();
    name.nodename().to_string_lossy().into_owned()
}

impl Item for Box<MailRecord> {
    fn weight(&self) -> usize {
        MailRecord::weight(self)
    }
}

/// Where records go: counted, and as lines to the log and the record file. Never blocks itself.
struct PublisherSink {
    metrics: Arc<Metrics>,
    records: Option<Arc<Queue<Box<MailRecord>>>>,
    node: String,
}

impl Sink for PublisherSink {
    type Item = Box<MailRecord>;

    fn write(&mut self, mut record: Box<MailRecord>) -> io::Result<()> {
        count_and_log(&self.metrics, &record);
        if let Some(records) = &self.records {
            record.node.clone_from(&self.node);
            records.send(record);
        }
        Ok(())
    }

    fn report(&mut self, losses: &LossReport) {
        let dropped = losses.dropped;
        ::log::error!("{dropped} messages were neither logged nor recorded: no time left for it");
    }
}

/// The record file, as the place where lines go.
struct RecordSink {
    log: Arc<SharedLog>,
    path: PathBuf,
}

impl Sink for RecordSink {
    type Item = Box<MailRecord>;

    /// Opens the file now: a wrong path is reported before the first message.
    fn open(&mut self) {
        if let Err(error) = self.log.open() {
            let path = self.path.display();
            ::log::error!("cannot write records to {path}: {error}");
        }
    }

    fn write(&mut self, record: Box<MailRecord>) -> io::Result<()> {
        self.log.append(&record)
    }

    fn report(&mut self, losses: &LossReport) {
        let path = self.path.display();
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
    use gatepost_records::RecordReader;

    use super::super::test_records::judged;
    use super::*;

    fn telemetry(path: &std::path::Path) -> Telemetry {
        let settings = RecordSettings {
            path: Some(path.to_owned()),
            size: 1 << 20,
        };
        Telemetry::start(&settings, Clock::system()).unwrap()
    }

    fn publish(telemetry: &Telemetry, count: usize) {
        for _ in 0..count {
            telemetry.publish(judged());
        }
    }

    #[test]
    fn records_are_written_and_counted_by_the_time_it_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("r");
        let telemetry = telemetry(&path);
        publish(&telemetry, 3);
        let text = telemetry.render_prometheus(&Gauges::default());
        assert!(
            text.contains("verdict=\"quarantine\",stage=\"message\"} 3\n"),
            "{text}"
        );
        assert!(telemetry.close(Duration::from_secs(10)));
        let mut records = RecordReader::open(&path).unwrap();
        let record = records.next().unwrap().unwrap();
        assert_eq!(record.node, node_name());
        assert_eq!(records.count(), 2);
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
