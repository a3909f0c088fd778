//! Every metric: name, kind, labels, help. One table projects to the exposition and to the manual.

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only goes up.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts in buckets of seconds.
    Histogram,
}

impl MetricKind {
    /// The word of the exposition format.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: MetricKind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it counts.
    pub help: &'static str,
}

/// Messages by verdict.
pub(super) const MESSAGES: &str = "gatepost_messages_total";
/// Faults by kind.
pub(super) const FAULTS: &str = "gatepost_faults_total";
/// Hits by rule.
pub(super) const HITS: &str = "gatepost_rule_hits_total";
/// Hits of rules beyond the limit of series.
pub(super) const HITS_OTHER: &str = "gatepost_rule_hits_other_total";
/// Hits of shadow rules by rule.
pub(super) const SHADOW_HITS: &str = "gatepost_rule_shadow_hits_total";
/// Time to the verdict by stage.
pub(super) const SCAN_DURATION: &str = "gatepost_scan_duration_seconds";
/// Bytes of messages.
pub(super) const BYTES: &str = "gatepost_message_bytes_total";
/// Records that could not be written.
pub(super) const RECORDS_LOST: &str = "gatepost_records_lost_total";
/// Lines that found the publisher's queue full.
pub(super) const DROPPED: &str = "gatepost_published_dropped_total";
/// What happened to milter connections.
pub(super) const CONNECTIONS: &str = "gatepost_connection_events_total";
/// Jobs in the queue.
pub(super) const QUEUE: &str = "gatepost_queue_depth";
/// Bytes in flight.
pub(super) const IN_FLIGHT: &str = "gatepost_bytes_in_flight";
/// Panics that were caught.
pub(super) const PANICS: &str = "gatepost_panics_total";
/// Workers that were stuck.
pub(super) const STUCK: &str = "gatepost_stuck_workers_total";
/// The generation in force.
pub(super) const GENERATION: &str = "gatepost_generation_info";

const fn metric(
    name: &'static str,
    kind: MetricKind,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric {
        name,
        kind,
        labels,
        help,
    }
}

/// All metrics, in the order of the exposition.
pub const METRICS: &[Metric] = &[
    metric(
        MESSAGES,
        MetricKind::Counter,
        &["verdict", "stage"],
        "Messages that ended, by verdict and stage.",
    ),
    metric(
        FAULTS,
        MetricKind::Counter,
        &["fault"],
        "Messages that could not be judged, by fault.",
    ),
    metric(
        HITS,
        MetricKind::Counter,
        &["rule"],
        "Rule hits, for the first 2000 rules that hit.",
    ),
    metric(
        HITS_OTHER,
        MetricKind::Counter,
        &[],
        "Hits of rules beyond the first 2000.",
    ),
    metric(
        SHADOW_HITS,
        MetricKind::Counter,
        &["rule"],
        "Hits of shadow rules, which do not count, for the first 2000 that hit.",
    ),
    metric(
        SCAN_DURATION,
        MetricKind::Histogram,
        &["stage"],
        "Time from the last byte that was needed to the verdict, by stage.",
    ),
    metric(
        BYTES,
        MetricKind::Counter,
        &[],
        "Bytes of messages that were judged.",
    ),
    metric(
        RECORDS_LOST,
        MetricKind::Counter,
        &[],
        "Verdict records that could not be written.",
    ),
    metric(
        DROPPED,
        MetricKind::Counter,
        &["sink"],
        "Messages, log lines and records that were dropped because their sink was too slow.",
    ),
    metric(
        CONNECTIONS,
        MetricKind::Counter,
        &["event"],
        "What happened to milter connections; opened minus closed are open.",
    ),
    metric(
        QUEUE,
        MetricKind::Gauge,
        &[],
        "Messages that wait for a worker.",
    ),
    metric(
        IN_FLIGHT,
        MetricKind::Gauge,
        &[],
        "Bytes of messages held in memory.",
    ),
    metric(
        PANICS,
        MetricKind::Counter,
        &[],
        "Panics that were caught while judging; each is a bug.",
    ),
    metric(
        STUCK,
        MetricKind::Counter,
        &[],
        "Workers that went on far beyond the deadline of their message; each was replaced, up to a limit.",
    ),
    metric(
        GENERATION,
        MetricKind::Gauge,
        &["generation"],
        "The generation of rules, model and policy in force; always 1.",
    ),
];
