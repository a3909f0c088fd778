//! Settling: what happened to a message, in the form in which it is published and kept.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gatepost_mail::{Facts, Transaction};
use gatepost_records::{self as records, Draft, DraftResult, MailRecord, MessageSummary};
use gatepost_words::verdict::{Disposition, GenerationId, Verdict, VerdictId};
use gatepost_words::{FailurePolicy, Fault, Stage};

/// One message (or an early stage of one) that is over: decided, answered, not yet published.
#[derive(Debug)]
pub struct Outcome {
    /// The reference in the reply or the header.
    pub id: VerdictId,
    /// The SMTP side, as far as it went.
    pub transaction: Arc<Transaction>,
    /// The stage at which it ended.
    pub stage: Stage,
    /// What was decided, or why nothing was.
    pub result: Result<Verdict, Unjudged>,
    /// What was done. Differs from the decision where the MTA cannot do that, and says what the
    /// failure policy did where nothing was decided.
    pub action: Disposition,
    /// The facts that it was judged with.
    pub facts: Facts,
    /// Digest and header fields of the message, where a worker has read all of it.
    pub message: Option<MessageSummary>,
    /// Bytes of the message that were received.
    pub size: usize,
    /// When it was decided.
    pub decided: SystemTime,
    /// How long the acts took.
    pub timings: Timings,
}

/// A message that could not be judged.
#[derive(Clone, Debug)]
pub struct Unjudged {
    /// Why.
    pub fault: Fault,
    /// What was to be done then.
    pub policy: FailurePolicy,
    /// The generation that would have judged.
    pub generation: GenerationId,
}

/// How long the acts took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Waiting for facts.
    pub gathering: Duration,
    /// Judging, without the wait for a worker.
    pub judging: Duration,
    /// From the end of the message (earlier: from MAIL) to the answer; `None` before MAIL.
    pub total: Option<Duration>,
}

impl Outcome {
    pub(super) fn to_record(&self) -> MailRecord {
        let result = match &self.result {
            Ok(verdict) => DraftResult::Judged(verdict),
            Err(unjudged) => DraftResult::Faulted {
                fault: unjudged.fault,
                policy: unjudged.policy,
                generation: &unjudged.generation,
            },
        };
        let draft = Draft {
            id: &self.id,
            time: self.decided,
            transaction: &self.transaction,
            stage: self.stage,
            result,
            action: self.action,
            size: self.size,
            message: self.message.as_ref(),
            facts: Some(&self.facts),
            timings: self.timings.to_record(),
        };
        draft.to_record()
    }
}

impl Timings {
    /// In whole microseconds; acts that took no time did not happen.
    fn to_record(self) -> records::Timings {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let act = |time: Duration| (!time.is_zero()).then(|| micros(time));
        records::Timings {
            gather: act(self.gathering),
            judge: act(self.judging),
            total: self.total.map(micros),
            ..records::Timings::default()
        }
    }
}
