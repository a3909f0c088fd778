//! Where every mail that ended is told: log, counters, record.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::record::Writer;
use super::{Ending, MailLine, MailRecord, Metrics, RecordSettings};
use gatepost_words::clock::Clock;

/// How often a record file that cannot be written is complained about.
const COMPLAIN_EVERY: Duration = Duration::from_mins(1);

/// Log, counters and records of one daemon. Shared by all threads.
#[derive(Debug)]
pub struct Telemetry {
    metrics: Metrics,
    records: Option<Mutex<Records>>,
    clock: Clock,
}

#[derive(Debug)]
struct Records {
    writer: Writer,
    complained: Option<Instant>,
}

impl Telemetry {
    /// With a record file as the settings say; it is opened with the first mail.
    pub fn new(settings: &RecordSettings, clock: Clock) -> Self {
        let records = settings.path.clone().map(|path| {
            Mutex::new(Records {
                writer: Writer::new(path, settings.size),
                complained: None,
            })
        });
        Self {
            metrics: Metrics::default(),
            records,
            clock,
        }
    }

    /// Counts and logs only: for tests and tools.
    pub fn without_records(clock: Clock) -> Self {
        Self {
            metrics: Metrics::default(),
            records: None,
            clock,
        }
    }

    /// Tells of one mail: one log line, the counters, one record. Never fails.
    pub fn mail(&self, record: &MailRecord<'_>) {
        match record.ending {
            Ending::Judged(_) => log::info!(target: "gatepost::mail", "{}", MailLine(record)),
            Ending::Faulted { .. } => log::warn!(target: "gatepost::mail", "{}", MailLine(record)),
        }
        self.metrics.count(record);
        let Some(records) = &self.records else { return };
        let json = record.to_json();
        let mut records = records.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = records.writer.append(&json) {
            self.metrics.count_lost_record();
            let now = self.clock.now();
            let silent = records
                .complained
                .is_some_and(|last| now.duration_since(last) < COMPLAIN_EVERY);
            if !silent {
                records.complained = Some(now);
                log::error!("cannot write the verdict record: {error}");
            }
        }
    }

    /// The counters.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}
