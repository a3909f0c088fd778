//! One mail as telemetry sees it, when it is over.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use gatepost_mail::Transaction;
use gatepost_words::Stage;
use gatepost_words::verdict::{Evidence, GenerationId, Verdict, VerdictId};

/// How many hits, recipients and other lists of one mail are recorded.
const LIST_MAX: usize = 1_000;
/// Characters of one text of a stranger that are recorded.
const TEXT_MAX: usize = 500;
/// Version of the record's form; goes up when a field changes its meaning.
const VERSION: u32 = 1;

/// One mail that was judged, or could not be.
#[derive(Clone, Debug)]
pub struct MailRecord<'a> {
    /// The id by which `gatepost explain` finds it.
    pub id: &'a VerdictId,
    /// When it ended.
    pub time: SystemTime,
    /// Who sent what to whom, as far as it was told.
    pub transaction: &'a Transaction,
    /// Bytes of the message that were received.
    pub size: usize,
    /// From the first byte of the message, or from the stage's command, to the answer.
    pub elapsed: Duration,
    /// The stage at which it ended.
    pub stage: Stage,
    /// How it ended.
    pub ending: Ending<'a>,
}

/// How a mail ended.
#[derive(Clone, Debug)]
pub enum Ending<'a> {
    /// With a verdict.
    Judged(&'a Verdict),
    /// With a fault.
    Faulted {
        /// The fault's name, such as `deadline`.
        fault: &'static str,
        /// What the failure policy made of it: `tempfail`, `accept` or `quarantine`.
        action: &'static str,
        /// Under which generation.
        generation: &'a GenerationId,
    },
}

impl MailRecord<'_> {
    /// `accept`, `quarantine`, `reject`, or `fault`.
    pub fn verdict_name(&self) -> &'static str {
        match &self.ending {
            Ending::Judged(verdict) => verdict.disposition.name(),
            Ending::Faulted { .. } => "fault",
        }
    }

    /// The generation's digits.
    pub fn generation(&self) -> &str {
        match &self.ending {
            Ending::Judged(verdict) => verdict.generation.as_str(),
            Ending::Faulted { generation, .. } => generation.as_str(),
        }
    }

    /// Microseconds, as far as 64 bits go.
    pub fn elapsed_us(&self) -> u64 {
        u64::try_from(self.elapsed.as_micros()).unwrap_or(u64::MAX)
    }

    /// The record as JSON: all that `explain` shows.
    pub fn to_json(&self) -> Value {
        let transaction = self.transaction;
        let since_epoch = self
            .time
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let recipients: Vec<String> = transaction
            .envelope
            .forward_paths
            .iter()
            .take(LIST_MAX)
            .map(|path| cut(&path.to_string()))
            .collect();
        let mut record = json!({
            "version": VERSION,
            "id": self.id.as_str(),
            "time": since_epoch.as_secs(),
            "queue_id": transaction.queue_id.as_deref().map(cut),
            "listener": &*transaction.listener,
            "stage": self.stage.name(),
            "verdict": self.verdict_name(),
            "generation": self.generation(),
            "client": { "host": cut(&transaction.client.host), "address": transaction.client.address.to_string() },
            "helo": transaction.helo.as_deref().map(cut),
            "authenticated": transaction.authenticated.as_deref().map(cut),
            "from": cut(&transaction.envelope.reverse_path.to_string()),
            "recipients": recipients,
            "recipients_count": transaction.envelope.forward_paths.len(),
            "size": self.size,
            "elapsed_us": self.elapsed_us(),
        });
        if let Some(fields) = record.as_object_mut() {
            match &self.ending {
                Ending::Judged(verdict) => fields.extend(judged(verdict)),
                Ending::Faulted { fault, action, .. } => {
                    fields.insert("fault".to_owned(), json!(fault));
                    fields.insert("action".to_owned(), json!(action));
                }
            }
        }
        record
    }
}

fn judged(verdict: &Verdict) -> serde_json::Map<String, Value> {
    let hits: Vec<Value> = verdict
        .hits()
        .take(LIST_MAX)
        .map(|hit| json!({ "rule": &*hit.rule, "score": hit.score.points(), "description": cut(&hit.description) }))
        .collect();
    let mut fields = serde_json::Map::new();
    fields.insert("score".to_owned(), json!(verdict.score.points()));
    fields.insert("required".to_owned(), json!(verdict.required.points()));
    fields.insert("hits".to_owned(), Value::Array(hits));
    fields.insert("anomalies".to_owned(), json!(verdict.anomalies));
    fields.insert("rules_only".to_owned(), json!(verdict.rules_only));
    for evidence in &verdict.evidence {
        match evidence {
            Evidence::Rule(_) => {}
            Evidence::Classifier {
                model,
                probability,
                score,
            } => {
                let model =
                    json!({ "id": &**model, "probability": probability, "score": score.points() });
                fields.insert("model".to_owned(), model);
            }
            Evidence::Refused { list, entry } => {
                fields.insert(
                    "refused".to_owned(),
                    json!({ "list": list, "entry": cut(entry) }),
                );
            }
            Evidence::Deferred { list, entry } => {
                fields.insert(
                    "deferred".to_owned(),
                    json!({ "list": list, "entry": cut(entry) }),
                );
            }
            Evidence::LimitExceeded { anomaly } => {
                fields.insert("beyond_limits".to_owned(), json!(anomaly));
            }
        }
    }
    fields
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_MAX).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::*;
    use gatepost_mail::{ClientAddress, Mailbox, ReversePath};
    use gatepost_words::verdict::{Disposition, HeaderEdits, Hit, Score};

    pub(crate) fn transaction() -> Transaction {
        let mut transaction = Transaction::new(Arc::from("inbound"), SystemTime::UNIX_EPOCH);
        transaction.client.host = "mail.example.net".to_owned();
        transaction.client.address = ClientAddress::Ip("192.0.2.7".parse().unwrap());
        transaction.queue_id = Some("4bXyz".to_owned());
        transaction.envelope.reverse_path = ReversePath::parse(b"<a@example.net>");
        transaction.envelope.forward_paths = vec![Mailbox::parse(b"<b@example.com>")];
        transaction
    }

    pub(crate) fn verdict() -> Verdict {
        let hit = |rule: &str, points| {
            Evidence::Rule(Hit {
                rule: rule.into(),
                score: Score::from_points(points),
                description: "d".into(),
            })
        };
        let classifier = Evidence::Classifier {
            model: "m1".into(),
            probability: 0.97,
            score: Score::from_points(3.5),
        };
        Verdict {
            disposition: Disposition::Quarantine,
            score: Score::from_points(8.5),
            required: Score::from_points(5.0),
            evidence: vec![hit("A", 4.0), hit("B", 1.0), classifier],
            shadow: Vec::new(),
            anomalies: vec!["bare_lf"],
            stage: Stage::EndOfMessage,
            generation: GenerationId::new("0123456789ab"),
            rules_only: false,
            header_edits: HeaderEdits::default(),
        }
    }

    #[test]
    fn the_record_has_all_that_explain_shows() {
        let (id, transaction, verdict) = (VerdictId::from_number(77), transaction(), verdict());
        let record = MailRecord {
            id: &id,
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(5),
            transaction: &transaction,
            size: 1234,
            elapsed: Duration::from_micros(900),
            stage: Stage::EndOfMessage,
            ending: Ending::Judged(&verdict),
        };
        let json = record.to_json();
        for (pointer, value) in [
            ("/id", json!(id.as_str())),
            ("/time", json!(5)),
            ("/verdict", json!("quarantine")),
            ("/score", json!(8.5)),
            ("/hits/1/rule", json!("B")),
            ("/model/probability", json!(0.97)),
            ("/client/address", json!("192.0.2.7")),
            ("/recipients/0", json!("b@example.com")),
            ("/elapsed_us", json!(900)),
            ("/anomalies/0", json!("bare_lf")),
        ] {
            assert_eq!(json.pointer(pointer), Some(&value), "{pointer}");
        }
    }

    #[test]
    fn texts_and_lists_are_bounded_at_n_and_n_plus_one() {
        assert_eq!(cut(&"x".repeat(TEXT_MAX + 1)).len(), TEXT_MAX);
        assert_eq!(cut(&"x".repeat(TEXT_MAX)).len(), TEXT_MAX);
        for (count, kept) in [(LIST_MAX, LIST_MAX), (LIST_MAX + 1, LIST_MAX)] {
            let mut transaction = transaction();
            transaction.envelope.forward_paths = vec![Mailbox::parse(b"<b@example.com>"); count];
            let (id, generation) = (VerdictId::from_number(1), GenerationId::new("g"));
            let ending = Ending::Faulted {
                fault: "deadline",
                action: "tempfail",
                generation: &generation,
            };
            let record = MailRecord {
                id: &id,
                time: SystemTime::UNIX_EPOCH,
                transaction: &transaction,
                size: 0,
                elapsed: Duration::ZERO,
                stage: Stage::EndOfMessage,
                ending,
            };
            let json = record.to_json();
            assert_eq!(json["recipients"].as_array().unwrap().len(), kept);
            assert_eq!(json["recipients_count"], json!(count));
            assert_eq!(json["fault"], json!("deadline"));
        }
    }
}
