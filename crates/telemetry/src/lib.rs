//! What people and machines learn of the daemon's work: one log line and one record for each mail,
//! and counters.
//!
//! Nothing here can stop mail: two threads write the log and the record file, each from a bounded
//! queue of its own. A sink that blocks loses lines, which are counted and reported once a minute.
//! Text of strangers is escaped in logs; records are JSON, which escapes on its own.

mod hits;
mod line;
mod log;
mod mail;
mod metrics;
mod names;
mod output_queue;
mod publisher;
mod record;

pub use self::log::{LogSettings, init as init_log, log_panics};
pub use hits::SERIES_MAX;
pub use line::MailLine;
pub use mail::{Ending, MailRecord};
pub use metrics::{Gauges, Metrics};
pub use names::{METRICS, Metric, MetricKind};
pub use publisher::Telemetry;
pub use record::{RecordSettings, find};
