//! What is published about the daemon's work: one log line and one record for each message, and
//! metrics.
//!
//! Nothing here can stop mail. The publisher's thread receives records from a bounded queue, counts
//! them and makes their lines; two more threads write the log and the record file, each from a
//! bounded queue of its own, so that neither waits for the other. A sink that blocks loses lines,
//! which are counted and reported once a minute. Text of strangers is escaped in both.

mod hits;
mod log;
mod log_line;
mod metrics;
mod names;
mod publisher;
mod queue;
#[cfg(test)]
mod test_records;

pub use self::log::{LogSettings, init as init_log, log_panics};
pub use hits::SERIES_MAX;
pub use log_line::LogLine;
pub use metrics::{Gauges, Metrics};
pub use names::{METRICS, Metric, MetricKind};
pub use publisher::Telemetry;
