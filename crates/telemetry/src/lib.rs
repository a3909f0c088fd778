//! What people and machines learn of the daemon's work: one log line and one record for each mail,
//! and counters.
//!
//! Nothing here can stop mail: a file that cannot be written is reported once a minute, and the
//! mail goes on. Text of strangers is escaped in logs; records are JSON, which escapes by itself.

mod hits;
mod line;
mod log;
mod mail;
mod metrics;
mod names;
mod record;
mod sink;

pub use self::log::{LogSettings, date, init as init_log};
pub use hits::SERIES_MAX;
pub use line::MailLine;
pub use mail::{Ending, MailRecord};
pub use metrics::{Gauges, Metrics};
pub use names::{METRICS, Metric, MetricKind};
pub use record::{RecordSettings, find};
pub use sink::Telemetry;
