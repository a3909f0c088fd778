//! Settling: what happened to a message, in the form in which telemetry keeps it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gatepost_mail::{Facts, Transaction};
use gatepost_telemetry::{Ending, MailRecord};
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
    pub(super) fn to_record(&self) -> MailRecord<'_> {
        MailRecord {
            id: &self.id,
            time: self.decided,
            transaction: &self.transaction,
            size: self.size,
            elapsed: self.timings.total.unwrap_or_default(),
            stage: self.stage,
            ending: match &self.result {
                Ok(verdict) => Ending::Judged(verdict),
                Err(unjudged) => Ending::Faulted {
                    fault: unjudged.fault.name(),
                    action: unjudged.policy.name(),
                    generation: &unjudged.generation,
                },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepost_telemetry::{Gauges, Telemetry};
    use gatepost_words::clock::Clock;

    /// Telemetry may not name the engine, so it lists the faults by name: a new one must be in that
    /// list too.
    #[test]
    fn every_fault_is_counted() {
        let clock = Clock::system();
        let telemetry = Telemetry::without_records(clock.clone());
        for fault in Fault::ALL {
            let unjudged = Unjudged {
                fault,
                policy: FailurePolicy::Tempfail,
                generation: GenerationId::new("g"),
            };
            let outcome = Outcome {
                id: VerdictId::from_number(1),
                transaction: Arc::new(Transaction::new("test".into(), SystemTime::UNIX_EPOCH)),
                stage: Stage::EndOfMessage,
                result: Err(unjudged),
                action: Disposition::Defer,
                facts: Facts::default(),
                size: 0,
                decided: SystemTime::UNIX_EPOCH,
                timings: Timings::default(),
            };
            telemetry.mail(&outcome.to_record());
            let text = telemetry.metrics().render_prometheus(&Gauges::default());
            assert!(
                text.contains(&format!("gatepost_faults_total{{fault=\"{fault}\"}} 1")),
                "{fault} is not counted"
            );
        }
    }
}
