//! The counters, and their text form for Prometheus.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::hits::Hits;
use super::names::{self, METRICS};
use super::queue::Losses;
use gatepost_records::{MailRecord, Outcome};
use gatepost_words::verdict::Disposition;
use gatepost_words::{ConnectionEvent, Fault, Stage};

/// Upper bounds of the buckets of time, in microseconds: from a header verdict to the deadline.
const BUCKETS_US: [u64; 12] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 20_000_000,
];
/// Number of verdicts: the dispositions, and a fault.
const VERDICTS: usize = Disposition::ALL.len() + 1;

/// All counters of the daemon. Counting is lock-free but for the first hit of a rule.
#[derive(Debug, Default)]
pub struct Metrics {
    messages: [[AtomicU64; Stage::ALL.len()]; VERDICTS],
    faults: [AtomicU64; Fault::ALL.len()],
    hits: Hits,
    shadow_hits: Hits,
    scan_duration: [Histogram; Stage::ALL.len()],
    bytes: AtomicU64,
    publisher: Arc<Losses>,
    log: Arc<Losses>,
    records: Arc<Losses>,
    connections: [AtomicU64; ConnectionEvent::ALL.len()],
}

/// What the daemon knows at the moment of the query.
#[derive(Clone, Debug, Default)]
pub struct Gauges {
    /// Messages that wait for a worker.
    pub queue_depth: usize,
    /// Bytes of messages held in memory.
    pub bytes_in_flight: usize,
    /// Panics that were caught since the start.
    pub panics: usize,
    /// Workers that were found stuck since the start.
    pub stuck_workers: usize,
    /// The active generation.
    pub generation: String,
}

#[derive(Debug, Default)]
struct Histogram {
    buckets: [AtomicU64; BUCKETS_US.len()],
    count: AtomicU64,
    sum_us: AtomicU64,
}

impl Histogram {
    fn observe(&self, us: u64) {
        if let Some(bucket) = BUCKETS_US
            .iter()
            .zip(&self.buckets)
            .find(|(bound, _)| us <= **bound)
        {
            add(bucket.1, 1);
        }
        add(&self.count, 1);
        add(&self.sum_us, us);
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// The place of a stage in an array of counters.
const fn stage_index(stage: Stage) -> usize {
    match stage {
        Stage::Connect => 0,
        Stage::Helo => 1,
        Stage::MailFrom => 2,
        Stage::RcptTo => 3,
        Stage::EndOfHeaders => 4,
        Stage::EndOfMessage => 5,
    }
}

const fn fault_index(fault: Fault) -> usize {
    match fault {
        Fault::Deadline => 0,
        Fault::Panic => 1,
        Fault::Overload => 2,
        Fault::TooLarge => 3,
        Fault::Cancelled => 4,
        Fault::ShuttingDown => 5,
        Fault::Commit => 6,
    }
}

const fn event_index(event: ConnectionEvent) -> usize {
    match event {
        ConnectionEvent::Opened => 0,
        ConnectionEvent::Closed => 1,
        ConnectionEvent::Refused => 2,
        ConnectionEvent::IdleTimeout => 3,
        ConnectionEvent::ProtocolError => 4,
        ConnectionEvent::HandlerPanic => 5,
        ConnectionEvent::OverMemory => 6,
        ConnectionEvent::AcceptError => 7,
        ConnectionEvent::LateCompletion => 8,
    }
}

/// `None` is a fault.
const fn verdict_index(decision: Option<Disposition>) -> usize {
    match decision {
        Some(Disposition::Accept) => 0,
        Some(Disposition::Defer) => 1,
        Some(Disposition::Quarantine) => 2,
        Some(Disposition::Reject) => 3,
        None => 4,
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "each index function stays below the length of the array that it is for; a test counts"
)]
impl Metrics {
    /// Counts one message that ended.
    pub fn count(&self, record: &MailRecord) {
        let stage = stage_index(record.stage);
        let decision = record.judgement().map(|judgement| judgement.decision);
        add(&self.messages[verdict_index(decision)][stage], 1);
        match &record.outcome {
            Outcome::Judged(judgement) => {
                self.scan_duration[stage].observe(record.timings.total.unwrap_or(0));
                add(&self.bytes, record.message.size);
                judgement.hits().for_each(|hit| self.hits.count(&hit.rule));
                let shadow = judgement.shadow.iter();
                shadow.for_each(|hit| self.shadow_hits.count(&hit.rule));
            }
            Outcome::Faulted { fault, .. } => add(&self.faults[fault_index(*fault)], 1),
        }
    }

    /// Counts something that happened to a milter connection.
    pub fn count_connection(&self, event: ConnectionEvent) {
        add(&self.connections[event_index(event)], 1);
    }

    fn message_samples(&self, name: &str, text: &mut String) {
        let decisions = Disposition::ALL.into_iter().map(Some);
        for decision in decisions.chain([None]) {
            let verdict = decision.map_or("fault", Disposition::name);
            for stage in Stage::ALL {
                let count = &self.messages[verdict_index(decision)][stage_index(stage)];
                sample(
                    text,
                    name,
                    &format!("verdict=\"{verdict}\",stage=\"{stage}\""),
                    get(count),
                );
            }
        }
    }

    fn fault_samples(&self, name: &str, text: &mut String) {
        for fault in Fault::ALL {
            let count = get(&self.faults[fault_index(fault)]);
            sample(text, name, &format!("fault=\"{fault}\""), count);
        }
    }

    fn connection_samples(&self, name: &str, text: &mut String) {
        for event in ConnectionEvent::ALL {
            let count = get(&self.connections[event_index(event)]);
            sample(text, name, &format!("event=\"{event}\""), count);
        }
    }

    fn duration_samples(&self, name: &str, text: &mut String) {
        for stage in Stage::ALL {
            let histogram = &self.scan_duration[stage_index(stage)];
            let mut sum = 0;
            for (bound, bucket) in BUCKETS_US.iter().zip(&histogram.buckets) {
                sum += get(bucket);
                let labels = format!("stage=\"{stage}\",le=\"{}\"", seconds(*bound));
                sample(text, &format!("{name}_bucket"), &labels, sum);
            }
            let count = get(&histogram.count).max(sum);
            let labels = format!("stage=\"{stage}\"");
            let infinite = format!("{labels},le=\"+Inf\"");
            sample(text, &format!("{name}_bucket"), &infinite, count);
            let total = seconds(get(&histogram.sum_us));
            sample(text, &format!("{name}_sum"), &labels, total);
            sample(text, &format!("{name}_count"), &labels, count);
        }
    }
}

impl Metrics {
    /// Where messages that were not published are counted.
    pub(crate) fn publisher_losses(&self) -> Arc<Losses> {
        Arc::clone(&self.publisher)
    }

    /// Where lost log lines are counted.
    pub(crate) fn log_losses(&self) -> Arc<Losses> {
        Arc::clone(&self.log)
    }

    /// Where lost records are counted.
    pub(crate) fn record_losses(&self) -> Arc<Losses> {
        Arc::clone(&self.records)
    }

    /// All metrics in Prometheus' text format, version 0.0.4.
    pub fn render_prometheus(&self, gauges: &Gauges) -> String {
        let mut text = String::new();
        for metric in METRICS {
            let (name, kind) = (metric.name, metric.kind.name());
            line(
                &mut text,
                format_args!("# HELP {name} {}\n# TYPE {name} {kind}", metric.help),
            );
            self.samples(name, gauges, &mut text);
        }
        text
    }

    fn samples(&self, name: &str, gauges: &Gauges, text: &mut String) {
        let mut plain = |value: u64| line(text, format_args!("{name} {value}"));
        match name {
            names::BYTES => plain(get(&self.bytes)),
            names::RECORDS_LOST => plain(self.records.failed()),
            names::QUEUE => plain(gauges.queue_depth as u64),
            names::IN_FLIGHT => plain(gauges.bytes_in_flight as u64),
            names::PANICS => plain(gauges.panics as u64),
            names::STUCK => plain(gauges.stuck_workers as u64),
            names::HITS_OTHER => plain(self.hits.read().1 + self.shadow_hits.read().1),
            names::GENERATION => {
                let generation = label(&gauges.generation);
                sample(text, name, &format!("generation=\"{generation}\""), 1);
            }
            names::MESSAGES => self.message_samples(name, text),
            names::FAULTS => self.fault_samples(name, text),
            names::CONNECTIONS => self.connection_samples(name, text),
            names::HITS => hit_samples(&self.hits, name, text),
            names::SHADOW_HITS => hit_samples(&self.shadow_hits, name, text),
            names::SCAN_DURATION => self.duration_samples(name, text),
            names::DROPPED => {
                for (sink, losses) in [
                    ("publisher", &self.publisher),
                    ("log", &self.log),
                    ("records", &self.records),
                ] {
                    sample(text, name, &format!("sink=\"{sink}\""), losses.dropped());
                }
            }
            _ => {}
        }
    }
}

fn hit_samples(hits: &Hits, name: &str, text: &mut String) {
    for (rule, count) in hits.read().0 {
        sample(text, name, &format!("rule=\"{}\"", label(&rule)), count);
    }
}

fn sample(text: &mut String, name: &str, labels: &str, value: impl fmt::Display) {
    line(text, format_args!("{name}{{{labels}}} {value}"));
}

/// One line. Writing to a string does not fail.
fn line(text: &mut String, line: fmt::Arguments<'_>) {
    writeln!(text, "{line}").unwrap_or_default();
}

/// Microseconds as seconds, exactly.
fn seconds(us: u64) -> String {
    let text = format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A label's value, escaped as the format wants it.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::super::test_records::{faulted, judged};
    use super::*;

    fn render(metrics: &Metrics) -> String {
        metrics.render_prometheus(&Gauges {
            generation: "a\"b".to_owned(),
            ..Gauges::default()
        })
    }

    #[test]
    fn every_metric_is_exposed_and_every_message_is_counted() {
        let metrics = Metrics::default();
        let mut record = judged();
        let Outcome::Judged(judgement) = &mut record.outcome else {
            panic!("a judged message")
        };
        judgement.shadow = judgement.hits().take(1).cloned().collect();
        metrics.count(&record);
        metrics.count(&faulted());
        let text = render(&metrics);
        for metric in METRICS {
            let name = metric.name;
            assert!(text.contains(&format!("# TYPE {name} ")), "{name}");
            let samples = text.lines().filter(|line| line.starts_with(name)).count();
            assert!(samples > 0, "{name} has no sample");
        }
        for line in [
            "gatepost_messages_total{verdict=\"quarantine\",stage=\"message\"} 1",
            "gatepost_messages_total{verdict=\"fault\",stage=\"message\"} 1",
            "gatepost_faults_total{fault=\"overload\"} 1",
            "gatepost_rule_hits_total{rule=\"A\"} 1",
            "gatepost_rule_shadow_hits_total{rule=\"A\"} 1",
            "gatepost_scan_duration_seconds_bucket{stage=\"message\",le=\"0.00005\"} 0",
            "gatepost_scan_duration_seconds_bucket{stage=\"message\",le=\"0.0001\"} 1",
            "gatepost_scan_duration_seconds_sum{stage=\"message\"} 0.0001",
            "gatepost_generation_info{generation=\"a\\\"b\"} 1",
        ] {
            let is_there = text.lines().any(|there| there == line);
            assert!(is_there, "{line} not in\n{text}");
        }
    }

    #[test]
    fn every_value_of_an_enum_has_a_counter_of_its_own() {
        fn indexes<T>(all: impl IntoIterator<Item = T>, index: impl Fn(T) -> usize) -> Vec<usize> {
            all.into_iter().map(index).collect()
        }
        let decisions = Disposition::ALL.into_iter().map(Some).chain([None]);
        for (indexes, count) in [
            (indexes(Stage::ALL, stage_index), Stage::ALL.len()),
            (indexes(Fault::ALL, fault_index), Fault::ALL.len()),
            (
                indexes(ConnectionEvent::ALL, event_index),
                ConnectionEvent::ALL.len(),
            ),
            (indexes(decisions, verdict_index), VERDICTS),
        ] {
            let expected: Vec<usize> = (0..count).collect();
            assert_eq!(indexes, expected);
        }
    }
}
