//! Records as 0.1.0 wrote them.

use std::collections::BTreeMap;

use serde::Deserialize;

use gatepost_words::verdict::Disposition;
use gatepost_words::{Direction, FailurePolicy};

use super::evidence::{EvidenceRecord, HitRecord};
use super::mail_record::{
    ClientRecord, Judgement, MailRecord, MessageRecord, Outcome, RecipientRecord, Timings,
};
use super::{Timestamp, named};

/// Version 1. Names and direction, message digest and facts were not recorded.
#[derive(Deserialize)]
pub(super) struct Version1 {
    id: String,
    time: u64,
    queue_id: Option<String>,
    listener: String,
    stage: String,
    verdict: String,
    generation: String,
    client: Client,
    helo: Option<String>,
    authenticated: Option<String>,
    from: String,
    recipients: Vec<String>,
    recipients_count: u64,
    size: u64,
    elapsed_us: u64,
    score: Option<f64>,
    required: Option<f64>,
    #[serde(default)]
    hits: Vec<Hit>,
    #[serde(default)]
    anomalies: Vec<String>,
    #[serde(default)]
    rules_only: bool,
    model: Option<Model>,
    refused: Option<Refused>,
    beyond_limits: Option<String>,
    fault: Option<String>,
    action: Option<String>,
}

#[derive(Deserialize)]
struct Client {
    host: String,
    address: String,
}

#[derive(Deserialize)]
struct Hit {
    rule: String,
    score: f64,
    description: String,
}

#[derive(Deserialize)]
struct Model {
    id: String,
    probability: f64,
    score: f64,
}

#[derive(Deserialize)]
struct Refused {
    list: String,
    entry: String,
}

impl Version1 {
    /// The same in today's form; the error is a name that version 1 did not have.
    pub(super) fn into_record(mut self) -> Result<MailRecord, String> {
        let (outcome, decision, action) = self.outcome()?;
        let recipients = std::mem::take(&mut self.recipients);
        let mut truncated = BTreeMap::new();
        if self.recipients_count > recipients.len() as u64 {
            truncated.insert("recipients".to_owned(), self.recipients_count);
        }
        let recipient = |address| RecipientRecord {
            address,
            decision,
            action,
        };
        let direction = if self.authenticated.is_some() {
            Direction::Submission
        } else {
            Direction::Inbound
        };
        Ok(MailRecord {
            version: MailRecord::VERSION,
            stage: known("stage", &self.stage)?,
            id: self.id,
            queue_id: self.queue_id,
            time: Timestamp::from_unix(self.time),
            node: String::new(),
            direction,
            listener: self.listener,
            generation: self.generation,
            outcome,
            action,
            client: ClientRecord {
                host: self.client.host,
                address: self.client.address,
                port: None,
            },
            helo: self.helo,
            tls: None,
            authenticated: self.authenticated,
            from: self.from,
            recipients: recipients.into_iter().map(recipient).collect(),
            message: MessageRecord {
                size: self.size,
                ..MessageRecord::default()
            },
            facts: Vec::new(),
            timings: Timings {
                total: Some(self.elapsed_us),
                ..Timings::default()
            },
            truncated,
        })
    }

    fn outcome(&mut self) -> Result<(Outcome, Option<Disposition>, Disposition), String> {
        if let Some(fault) = &self.fault {
            let policy: FailurePolicy = known("action", self.action.as_deref().unwrap_or(""))?;
            let outcome = Outcome::Faulted {
                fault: known("fault", fault)?,
                policy,
            };
            return Ok((outcome, None, policy.action()));
        }
        let decision: Disposition = known("verdict", &self.verdict)?;
        let judgement = Judgement {
            decision,
            score: self.score.ok_or("no score")?,
            required: self.required.ok_or("no required score")?,
            evidence: self.evidence(),
            shadow: Vec::new(),
            anomalies: std::mem::take(&mut self.anomalies),
            rules_only: self.rules_only,
        };
        Ok((Outcome::Judged(judgement), Some(decision), decision))
    }

    fn evidence(&mut self) -> Vec<EvidenceRecord> {
        let mut evidence = Vec::new();
        for hit in self.hits.drain(..) {
            evidence.push(EvidenceRecord::Rule(HitRecord {
                rule: hit.rule,
                points: hit.score,
                description: hit.description,
            }));
        }
        if let Some(model) = self.model.take() {
            let (probability, points) = (model.probability, model.score);
            evidence.push(EvidenceRecord::classifier(&model.id, probability, points));
        }
        if let Some(Refused { list, entry }) = self.refused.take() {
            evidence.push(EvidenceRecord::Refused { list, entry });
        }
        if let Some(anomaly) = self.beyond_limits.take() {
            evidence.push(EvidenceRecord::LimitExceeded { anomaly });
        }
        evidence
    }
}

fn known<T: named::Named>(field: &str, name: &str) -> Result<T, String> {
    named::from_name(name).ok_or_else(|| format!("unknown {field} `{name}`"))
}
