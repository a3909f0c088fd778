//! The counters, and their text form for Prometheus.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::hits::Hits;
use super::names::{self, METRICS};
use super::output_queue::Losses;
use super::{Ending, MailRecord};

/// Upper bounds of the buckets of time, in microseconds: from a header verdict to the deadline.
const BUCKETS_US: [u64; 12] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 20_000_000,
];
/// The stages, as `facts::Stage::name` gives them.
const STAGES: [&str; 6] = ["connect", "helo", "mail", "rcpt", "headers", "message"];
/// What a mail can end with.
const VERDICTS: [&str; 5] = ["accept", "defer", "quarantine", "reject", "fault"];
/// The faults, as `engine::Fault::name` gives them.
const FAULTS: [&str; 7] = [
    "deadline",
    "panic",
    "overload",
    "too_large",
    "cancelled",
    "shutting_down",
    "commit",
];

/// What happens to milter connections, as `server::Observation::name` gives it.
const CONNECTION_EVENTS: [&str; 9] = [
    "opened",
    "closed",
    "refused",
    "idle_timeout",
    "protocol_error",
    "handler_panic",
    "over_memory",
    "accept_error",
    "late_completion",
];

/// All counters of the daemon. Counting is lock-free but for the first hit of a rule.
#[derive(Debug, Default)]
pub struct Metrics {
    mails: [[AtomicU64; STAGES.len()]; VERDICTS.len()],
    faults: [AtomicU64; FAULTS.len()],
    hits: Hits,
    seconds: [Histogram; STAGES.len()],
    bytes: AtomicU64,
    log: Arc<Losses>,
    records: Arc<Losses>,
    connections: [AtomicU64; CONNECTION_EVENTS.len()],
}

/// What the daemon knows at the moment of asking.
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
    /// The generation in force.
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

fn at(names: &[&str], name: &str) -> Option<usize> {
    names.iter().position(|known| *known == name)
}

impl Metrics {
    /// Counts one mail that ended.
    pub fn count(&self, record: &MailRecord<'_>) {
        let stage = at(&STAGES, record.stage.name());
        let verdict = at(&VERDICTS, record.verdict_name());
        let mails = verdict
            .zip(stage)
            .and_then(|(verdict, stage)| self.mails.get(verdict)?.get(stage));
        if let Some(mails) = mails {
            add(mails, 1);
        }
        match &record.ending {
            Ending::Judged(verdict) => {
                if let Some(seconds) = stage.and_then(|stage| self.seconds.get(stage)) {
                    seconds.observe(record.elapsed_us());
                }
                add(&self.bytes, record.size as u64);
                verdict.hits().for_each(|hit| self.hits.count(&hit.rule));
            }
            Ending::Faulted { fault, .. } => {
                if let Some(faults) = at(&FAULTS, fault).and_then(|fault| self.faults.get(fault)) {
                    add(faults, 1);
                }
            }
        }
    }

    /// Where lost log lines are counted.
    pub(crate) fn log_losses(&self) -> Arc<Losses> {
        Arc::clone(&self.log)
    }

    /// Where lost records are counted.
    pub(crate) fn record_losses(&self) -> Arc<Losses> {
        Arc::clone(&self.records)
    }

    /// Counts something that happened to a milter connection; false where that name is not known.
    pub fn count_connection(&self, event: &str) -> bool {
        let counter = at(&CONNECTION_EVENTS, event).and_then(|event| self.connections.get(event));
        counter.inspect(|counter| add(counter, 1)).is_some()
    }

    /// All metrics in Prometheus' text format, version 0.0.4.
    pub fn render_prometheus(&self, gauges: &Gauges) -> String {
        let mut text = String::new();
        for metric in METRICS {
            writeln!(
                text,
                "# HELP {} {}\n# TYPE {} {}",
                metric.name,
                metric.help,
                metric.name,
                metric.kind.name()
            )
            .unwrap_or_default();
            self.samples(metric.name, gauges, &mut text);
        }
        text
    }

    fn samples(&self, name: &str, gauges: &Gauges, text: &mut String) {
        let mut plain = |value: u64| {
            writeln!(text, "{name} {value}").unwrap_or_default();
        };
        match name {
            names::BYTES => plain(get(&self.bytes)),
            names::RECORDS_LOST => plain(self.records.failed()),
            names::DROPPED => {
                for (sink, losses) in [("log", &self.log), ("records", &self.records)] {
                    writeln!(text, "{name}{{sink=\"{sink}\"}} {}", losses.dropped())
                        .unwrap_or_default();
                }
            }
            names::QUEUE => plain(gauges.queue_depth as u64),
            names::IN_FLIGHT => plain(gauges.bytes_in_flight as u64),
            names::PANICS => plain(gauges.panics as u64),
            names::STUCK => plain(gauges.stuck_workers as u64),
            names::HITS_OTHER => plain(self.hits.read().1),
            names::GENERATION => {
                writeln!(
                    text,
                    "{name}{{generation=\"{}\"}} 1",
                    label(&gauges.generation)
                )
                .unwrap_or_default();
            }
            names::MAILS => {
                for (verdict, stages) in VERDICTS.iter().zip(&self.mails) {
                    for (stage, count) in STAGES.iter().zip(stages) {
                        writeln!(
                            text,
                            "{name}{{verdict=\"{verdict}\",stage=\"{stage}\"}} {}",
                            get(count)
                        )
                        .unwrap_or_default();
                    }
                }
            }
            names::FAULTS => {
                for (fault, count) in FAULTS.iter().zip(&self.faults) {
                    writeln!(text, "{name}{{fault=\"{fault}\"}} {}", get(count))
                        .unwrap_or_default();
                }
            }
            names::CONNECTIONS => {
                for (event, count) in CONNECTION_EVENTS.iter().zip(&self.connections) {
                    writeln!(text, "{name}{{event=\"{event}\"}} {}", get(count))
                        .unwrap_or_default();
                }
            }
            names::HITS => {
                for (rule, count) in self.hits.read().0 {
                    writeln!(text, "{name}{{rule=\"{}\"}} {count}", label(&rule))
                        .unwrap_or_default();
                }
            }
            names::SECONDS => self.histograms(name, text),
            _ => {}
        }
    }

    fn histograms(&self, name: &str, text: &mut String) {
        for (stage, histogram) in STAGES.iter().zip(&self.seconds) {
            let mut sum = 0;
            for (bound, bucket) in BUCKETS_US.iter().zip(&histogram.buckets) {
                sum += get(bucket);
                writeln!(
                    text,
                    "{name}_bucket{{stage=\"{stage}\",le=\"{}\"}} {sum}",
                    seconds(*bound)
                )
                .unwrap_or_default();
            }
            let count = get(&histogram.count).max(sum);
            writeln!(
                text,
                "{name}_bucket{{stage=\"{stage}\",le=\"+Inf\"}} {count}"
            )
            .unwrap_or_default();
            writeln!(
                text,
                "{name}_sum{{stage=\"{stage}\"}} {}",
                seconds(get(&histogram.sum_us))
            )
            .unwrap_or_default();
            writeln!(text, "{name}_count{{stage=\"{stage}\"}} {count}").unwrap_or_default();
        }
    }
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
    use std::time::{Duration, SystemTime};

    use super::super::mail::tests::{transaction, verdict};
    use super::*;
    use gatepost_words::Stage;
    use gatepost_words::verdict::{GenerationId, VerdictId};

    #[test]
    fn every_metric_is_exposed_and_every_mail_is_counted() {
        let (metrics, id, transaction, verdict) = (
            Metrics::default(),
            VerdictId::from_number(1),
            transaction(),
            verdict(),
        );
        let generation = GenerationId::new("g");
        let endings = [
            Ending::Judged(&verdict),
            Ending::Faulted {
                fault: "overload",
                action: "tempfail",
                generation: &generation,
            },
        ];
        for ending in endings {
            metrics.count(&MailRecord {
                id: &id,
                time: SystemTime::UNIX_EPOCH,
                transaction: &transaction,
                size: 10,
                elapsed: Duration::from_micros(100),
                stage: Stage::EndOfMessage,
                ending,
            });
        }
        let text = metrics.render_prometheus(&Gauges {
            generation: "a\"b".to_owned(),
            ..Gauges::default()
        });
        for metric in METRICS {
            assert!(
                text.contains(&format!("# TYPE {} ", metric.name)),
                "{}",
                metric.name
            );
            let samples = text
                .lines()
                .filter(|line| line.starts_with(metric.name))
                .count();
            assert!(samples > 0, "{} has no sample", metric.name);
        }
        for line in [
            "gatepost_mails_total{verdict=\"quarantine\",stage=\"message\"} 1",
            "gatepost_faults_total{fault=\"overload\"} 1",
            "gatepost_rule_hits_total{rule=\"A\"} 1",
            "gatepost_judge_seconds_bucket{stage=\"message\",le=\"0.00005\"} 0",
            "gatepost_judge_seconds_bucket{stage=\"message\",le=\"0.0001\"} 1",
            "gatepost_judge_seconds_sum{stage=\"message\"} 0.0001",
            "gatepost_generation_info{generation=\"a\\\"b\"} 1",
        ] {
            assert!(
                text.lines().any(|there| there == line),
                "{line} not in\n{text}"
            );
        }
    }
}
