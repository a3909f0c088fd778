//! What a record is made of, borrowed from the session that ends; and the bounds of what is kept.

use std::collections::BTreeMap;
use std::time::SystemTime;

use gatepost_mail::{Facts, Transaction};
use gatepost_words::verdict::{Disposition, GenerationId, Verdict, VerdictId};
use gatepost_words::{FailurePolicy, Fault, Stage};

use super::evidence::{EvidenceRecord, HitRecord};
use super::mail_record::{
    ClientRecord, Judgement, LIST_MAX, MailRecord, MessageRecord, Outcome, RecipientRecord,
    TEXT_MAX, Timings,
};
use super::{MessageSummary, Timestamp, facts};

/// Everything that [`MailRecord`] keeps, before it is bounded.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// The verdict's id.
    pub id: &'a VerdictId,
    /// When it ended.
    pub time: SystemTime,
    /// The SMTP side, as far as it went.
    pub transaction: &'a Transaction,
    /// The stage at which it ended.
    pub stage: Stage,
    /// The verdict, or the fault.
    pub result: Result<'a>,
    /// What was done.
    pub action: Disposition,
    /// Bytes of the message that were received.
    pub size: usize,
    /// The message, where it was read.
    pub message: Option<&'a MessageSummary>,
    /// What gathering found out; nothing where it did not happen.
    pub facts: Option<&'a Facts>,
    /// What each act took.
    pub timings: Timings,
}

/// How it ended.
#[derive(Clone, Copy, Debug)]
pub enum Result<'a> {
    /// With a verdict.
    Judged(&'a Verdict),
    /// With a fault.
    Faulted {
        /// Which.
        fault: Fault,
        /// The failure policy that applied.
        policy: FailurePolicy,
        /// The generation that would have judged.
        generation: &'a GenerationId,
    },
}

impl Draft<'_> {
    /// The record. The node's name is added when it is published.
    pub fn to_record(&self) -> MailRecord {
        let mut truncated = BTreeMap::new();
        let transaction = self.transaction;
        let text = |text: &Option<String>| text.as_deref().map(truncate);
        let (outcome, decision, generation) = match self.result {
            Result::Judged(verdict) => (
                Outcome::Judged(judgement(verdict, &mut truncated)),
                Some(verdict.disposition),
                &verdict.generation,
            ),
            Result::Faulted {
                fault,
                policy,
                generation,
            } => (Outcome::Faulted { fault, policy }, None, generation),
        };
        let paths = &transaction.envelope.forward_paths;
        let recipients = bounded("recipients", paths, &mut truncated, |path| {
            RecipientRecord {
                address: truncate(&path.to_string()),
                decision,
                action: self.action,
            }
        });
        MailRecord {
            version: MailRecord::VERSION,
            id: self.id.as_str().to_owned(),
            queue_id: text(&transaction.queue_id),
            time: Timestamp::from_system(self.time),
            node: String::new(),
            direction: transaction.direction(),
            listener: transaction.listener.to_string(),
            stage: self.stage,
            generation: generation.as_str().to_owned(),
            outcome,
            action: self.action,
            client: ClientRecord {
                host: truncate(&transaction.client.host),
                address: transaction.client.address.to_string(),
                port: transaction.client.port,
            },
            helo: text(&transaction.helo),
            tls: text(&transaction.tls),
            authenticated: text(&transaction.authenticated),
            from: truncate(&transaction.envelope.reverse_path.to_string()),
            recipients,
            message: self.message_record(),
            facts: self.facts.map(facts::records_of).unwrap_or_default(),
            timings: self.timings,
            truncated,
        }
    }

    fn message_record(&self) -> MessageRecord {
        let size = self.size as u64;
        match self.message {
            None => MessageRecord {
                size,
                ..MessageRecord::default()
            },
            Some(summary) => MessageRecord {
                size,
                sha256: Some(summary.sha256.clone()),
                message_id: summary.message_id.clone(),
                subject: summary.subject.clone(),
                from: summary.from.clone(),
            },
        }
    }
}

fn judgement(verdict: &Verdict, truncated: &mut BTreeMap<String, u64>) -> Judgement {
    Judgement {
        decision: verdict.disposition,
        score: verdict.score.points(),
        required: verdict.required.points(),
        evidence: bounded("evidence", &verdict.evidence, truncated, EvidenceRecord::of),
        shadow: bounded("shadow", &verdict.shadow, truncated, HitRecord::of),
        anomalies: bounded("anomalies", &verdict.anomalies, truncated, |name| {
            (*name).to_owned()
        }),
        rules_only: verdict.rules_only,
    }
}

/// The first [`LIST_MAX`] entries; the full length is noted where there are more.
fn bounded<T, R>(
    name: &str,
    list: &[T],
    truncated: &mut BTreeMap<String, u64>,
    keep: impl Fn(&T) -> R,
) -> Vec<R> {
    if list.len() > LIST_MAX {
        truncated.insert(name.to_owned(), list.len() as u64);
    }
    list.iter().take(LIST_MAX).map(keep).collect()
}

/// The first [`TEXT_MAX`] characters, with an ellipsis where there are more.
pub(super) fn truncate(text: &str) -> String {
    match text.char_indices().nth(TEXT_MAX) {
        None => text.to_owned(),
        Some((end, _)) => {
            let (kept, _) = text.split_at_checked(end).unwrap_or((text, ""));
            format!("{kept}…")
        }
    }
}
