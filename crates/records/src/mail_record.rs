//! One message (or an early stage of one) that is over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use gatepost_words::verdict::Disposition;
use gatepost_words::{Direction, FailurePolicy, Fault, Stage};

use super::evidence::{EvidenceRecord, HitRecord};
use super::message_summary::bare_message_id;
use super::{FactRecord, Timestamp, named};

/// Hits, recipients and entries of other lists that are recorded.
pub const LIST_MAX: usize = 1_000;
/// Characters of one text of a stranger that are recorded.
pub const TEXT_MAX: usize = 500;

/// The record. Its JSON form is one line of the record log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MailRecord {
    /// [`MailRecord::VERSION`] of the program that wrote it.
    pub version: u32,
    /// The verdict's id, by which `gatepost explain` finds it.
    pub id: String,
    /// The MTA's queue id.
    pub queue_id: Option<String>,
    /// When it ended.
    pub time: Timestamp,
    /// The name of the machine; empty where it is not known.
    pub node: String,
    /// Which way the message goes.
    #[serde(with = "named")]
    pub direction: Direction,
    /// The listener that the MTA asked.
    pub listener: String,
    /// The stage at which it ended.
    #[serde(with = "named")]
    pub stage: Stage,
    /// The rules, model, limits and policy that judged, or would have.
    pub generation: String,
    /// Verdict or fault.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What was done in the end: an MTA without quarantine gets a deferral instead.
    #[serde(with = "named")]
    pub action: Disposition,
    /// The SMTP client.
    pub client: ClientRecord,
    /// The argument of HELO or EHLO.
    pub helo: Option<String>,
    /// The TLS version of the session, if it is encrypted.
    pub tls: Option<String>,
    /// The login name.
    pub authenticated: Option<String>,
    /// The reverse path, with angle brackets.
    pub from: String,
    /// The forward paths, and what was decided and done for each.
    pub recipients: Vec<RecipientRecord>,
    /// The message itself.
    pub message: MessageRecord,
    /// What gathering found out.
    pub facts: Vec<FactRecord>,
    /// What each act took.
    pub timings: Timings,
    /// Lists that are longer than what is recorded of them, with their full length.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub truncated: BTreeMap<String, u64>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// With a verdict.
    Judged(Judgement),
    /// With a fault.
    Faulted {
        /// Why it could not be judged.
        #[serde(with = "named")]
        fault: Fault,
        /// The failure policy that applied.
        #[serde(with = "named")]
        policy: FailurePolicy,
    },
}

/// A verdict, as it is recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// What was decided.
    #[serde(with = "named")]
    pub decision: Disposition,
    /// The sum of the evidence, in points.
    pub score: f64,
    /// From which score on a message is marked as spam.
    pub required: f64,
    /// Everything that was found, with its contribution.
    pub evidence: Vec<EvidenceRecord>,
    /// Shadow rules that hit: they do not count.
    pub shadow: Vec<HitRecord>,
    /// What was odd about the message.
    pub anomalies: Vec<String>,
    /// Whether there was no time for the classifier.
    pub rules_only: bool,
}

/// The SMTP client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientRecord {
    /// Its name, as the MTA verified it.
    pub host: String,
    /// Its address, `local` or `unknown`.
    pub address: String,
    /// Its port.
    pub port: Option<u16>,
}

/// One forward path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientRecord {
    /// The address.
    pub address: String,
    /// What was decided; nothing where there was a fault.
    #[serde(with = "named::optional")]
    pub decision: Option<Disposition>,
    /// What was done.
    #[serde(with = "named")]
    pub action: Disposition,
}

/// The message itself; texts are missing where it did not come so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRecord {
    /// Bytes that were received.
    pub size: u64,
    /// SHA-256 over all of them, in hexadecimal digits.
    pub sha256: Option<String>,
    /// The Message-ID, without angle brackets.
    pub message_id: Option<String>,
    /// The subject, decoded.
    pub subject: Option<String>,
    /// The From field, decoded.
    pub from: Option<String>,
}

/// What each act took, in microseconds; nothing where it did not happen or was not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timings {
    /// Which questions to ask.
    pub plan: Option<u64>,
    /// Waiting for their answers.
    pub gather: Option<u64>,
    /// From the job to the verdict, waiting in the queue included.
    pub judge: Option<u64>,
    /// Making durable what must be before the answer.
    pub commit: Option<u64>,
    /// Writing the answer.
    pub reply: Option<u64>,
    /// From the end of the message, or the stage's command, to the answer.
    pub total: Option<u64>,
}

/// Who chose an id, the most trusted first: we, the MTA, the sender. What a sender writes must not
/// hide a record of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum IdKind {
    Verdict,
    Queue,
    Message,
}

impl IdKind {
    /// Every kind.
    pub(super) const ALL: [Self; 3] = [Self::Verdict, Self::Queue, Self::Message];
}

impl MailRecord {
    /// The version that this program writes. It goes up when a field changes its meaning; the
    /// version before it stays readable.
    pub const VERSION: u32 = 2;

    /// As which of its ids this one is known; `None` where it is none of them. A verdict id matches in
    /// any case, a Message-ID with or without angle brackets.
    pub(super) fn kind_of_id(&self, id: &str) -> Option<IdKind> {
        let message_id = self.message.message_id.as_deref();
        if self.id.eq_ignore_ascii_case(id) {
            Some(IdKind::Verdict)
        } else if self.queue_id.as_deref() == Some(id) {
            Some(IdKind::Queue)
        } else {
            (message_id == Some(bare_message_id(id))).then_some(IdKind::Message)
        }
    }

    /// All by which it is found.
    pub(super) fn ids(&self) -> impl Iterator<Item = (IdKind, &str)> {
        let others = [
            (IdKind::Queue, &self.queue_id),
            (IdKind::Message, &self.message.message_id),
        ];
        let others = others
            .into_iter()
            .filter_map(|(kind, id)| Some((kind, id.as_deref()?)));
        std::iter::once((IdKind::Verdict, self.id.as_str())).chain(others)
    }

    /// About how many bytes of memory it takes.
    pub fn weight(&self) -> usize {
        const FIXED: usize = 2_048;
        const HIT: usize = 256;
        let recipients: usize = self
            .recipients
            .iter()
            .map(|recipient| recipient.address.len() + 64)
            .sum();
        let evidence = self.judgement().map_or(0, |judgement| {
            judgement.evidence.len() + judgement.shadow.len()
        });
        FIXED + recipients + HIT * evidence
    }

    /// The verdict, unless there was a fault.
    pub fn judgement(&self) -> Option<&Judgement> {
        match &self.outcome {
            Outcome::Judged(judgement) => Some(judgement),
            Outcome::Faulted { .. } => None,
        }
    }

    /// `accept`, `defer`, `quarantine`, `reject`, or `fault`.
    pub fn verdict_name(&self) -> &'static str {
        match &self.outcome {
            Outcome::Judged(judgement) => judgement.decision.name(),
            Outcome::Faulted { .. } => "fault",
        }
    }

    /// The number of recipients, those that are not recorded included.
    pub fn recipients_count(&self) -> u64 {
        let named = self.recipients.len() as u64;
        let count = self.truncated.get("recipients").copied();
        count.map_or(named, |count| count.max(named))
    }
}

impl Judgement {
    /// The rules that hit.
    pub fn hits(&self) -> impl Iterator<Item = &HitRecord> {
        self.evidence.iter().filter_map(|evidence| match evidence {
            EvidenceRecord::Rule(hit) => Some(hit),
            EvidenceRecord::Classifier { .. }
            | EvidenceRecord::LimitExceeded { .. }
            | EvidenceRecord::Refused { .. }
            | EvidenceRecord::Deferred { .. } => None,
        })
    }

    /// The classifier's probability, if it had one.
    pub fn probability(&self) -> Option<f64> {
        self.evidence.iter().find_map(|evidence| match evidence {
            EvidenceRecord::Classifier { probability, .. } => Some(*probability),
            _ => None,
        })
    }
}
