//! Settling: what happened to a mail, in the form in which telemetry keeps it.

use std::time::Duration;

use gatepost_mail::Transaction;
use gatepost_telemetry::{Ending, MailRecord};
use gatepost_words::clock::Clock;
use gatepost_words::verdict::{GenerationId, Verdict, VerdictId};
use gatepost_words::{FailurePolicy, Fault, Stage};

/// One mail (or an early stage of one) that is over.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// The reference that the client was told, or that stands in the header.
    pub id: &'a VerdictId,
    /// The SMTP side, as far as it went.
    pub transaction: &'a Transaction,
    /// The stage at which it ended.
    pub stage: Stage,
    /// The verdict, or the fault with what was made of it and the generation that would have
    /// judged.
    pub result: Result<&'a Verdict, (Fault, FailurePolicy, &'a GenerationId)>,
    /// Bytes of the message that were received.
    pub size: usize,
    /// From the end of the message (before that: from MAIL) to the answer; `None` before MAIL.
    pub elapsed: Option<Duration>,
}

impl<'a> Outcome<'a> {
    pub(super) fn to_record(&self, clock: &Clock) -> MailRecord<'a> {
        MailRecord {
            id: self.id,
            time: clock.wall(),
            transaction: self.transaction,
            size: self.size,
            elapsed: self.elapsed.unwrap_or_default(),
            stage: self.stage,
            ending: match self.result {
                Ok(verdict) => Ending::Judged(verdict),
                Err((fault, policy, generation)) => Ending::Faulted {
                    fault: fault.name(),
                    action: policy.name(),
                    generation,
                },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use gatepost_telemetry::{Gauges, Telemetry};

    /// Telemetry may not name the engine, so it lists the faults by name: a new one must be in that
    /// list too.
    #[test]
    fn every_fault_is_counted() {
        let clock = Clock::system();
        let telemetry = Telemetry::without_records(clock.clone());
        let (id, generation) = (VerdictId::from_number(1), GenerationId::new("g"));
        let transaction = Transaction::new("test".into(), SystemTime::UNIX_EPOCH);
        for fault in Fault::ALL {
            let result = Err((fault, FailurePolicy::Tempfail, &generation));
            let outcome = Outcome {
                id: &id,
                transaction: &transaction,
                stage: Stage::EndOfMessage,
                result,
                size: 0,
                elapsed: None,
            };
            telemetry.mail(&outcome.to_record(&clock));
            let text = telemetry.metrics().render_prometheus(&Gauges::default());
            assert!(
                text.contains(&format!("gatepost_faults_total{{fault=\"{fault}\"}} 1")),
                "{fault} is not counted"
            );
        }
    }
}
