//! From a verdict or a fault to an answer and an outcome: reply, commit, and what is to be published.

use std::sync::Arc;
use std::time::Duration;

use super::answer;
use super::machine::Session;
use super::message_in_progress::MessageInProgress;
use gatepost_engine::{Outcome, Timings, Unjudged};
use gatepost_mail::{Facts, Transaction};
use gatepost_milter::{Action, Reply, Response};
use gatepost_records::MessageSummary;
use gatepost_words::verdict::Verdict;
use gatepost_words::{FailurePolicy, Fault, Stage};

/// An answer that may be given once its outcome is durable.
pub(super) struct HeldAnswer {
    response: Response,
    pub(super) outcome: Arc<Outcome>,
    /// What is done where it cannot be made durable.
    on_fault: FailurePolicy,
    removals: Vec<Action>,
}

/// What the pipeline measured on the way to an outcome.
#[derive(Debug, Default)]
pub(super) struct Measured {
    pub(super) facts: Facts,
    pub(super) summary: Option<MessageSummary>,
    pub(super) gathering: Duration,
    pub(super) judging: Duration,
}

impl Measured {
    fn timings(&self, total: Option<Duration>) -> Timings {
        Timings {
            gathering: self.gathering,
            judging: self.judging,
            total,
        }
    }
}

impl Session {
    pub(super) fn settle_verdict(
        &mut self,
        verdict: Verdict,
        transaction: Arc<Transaction>,
        measured: Measured,
    ) -> Response {
        let id = self.engine.next_id();
        let message = self.message.as_ref();
        let removals = message.map(MessageInProgress::removals).unwrap_or_default();
        let answer = answer::to_verdict(&verdict, &id, self.may_quarantine, removals.clone());
        let outcome = Outcome {
            id,
            transaction,
            stage: verdict.stage,
            result: Ok(verdict),
            action: answer.action,
            size: message.map_or(0, |message| message.size),
            decided: self.engine.clock().wall(),
            timings: measured.timings(self.elapsed()),
            facts: measured.facts,
            message: measured.summary,
        };
        let generation = message.map_or_else(
            || self.engine.generation(),
            |message| Arc::clone(&message.generation),
        );
        let on_fault = generation.profile(&self.listener).on_fault;
        self.finish(answer.response, outcome, on_fault, removals)
    }

    pub(super) fn settle_fault(
        &mut self,
        fault: Fault,
        stage: Stage,
        measured: Measured,
    ) -> Response {
        let id = self.engine.next_id();
        let elapsed = self.elapsed();
        let message = self.message.take();
        let generation = message.as_ref().map_or_else(
            || self.engine.generation(),
            |message| Arc::clone(&message.generation),
        );
        let configured = generation.profile(&self.listener).on_fault;
        let policy = answer::policy_at(stage, configured);
        let removals = message
            .as_ref()
            .map(MessageInProgress::removals)
            .unwrap_or_default();
        let answer = answer::to_fault(fault, &id, policy, self.may_quarantine, removals.clone());
        let size = message.as_ref().map_or(0, |message| message.size);
        let transaction = match message {
            Some(message) => message.transaction,
            None => Arc::new(self.early_transaction()),
        };
        let outcome = Outcome {
            id,
            transaction,
            stage,
            result: Err(Unjudged {
                fault,
                policy,
                generation: generation.id().clone(),
            }),
            action: answer.action,
            size,
            decided: self.engine.clock().wall(),
            timings: measured.timings(elapsed),
            facts: measured.facts,
            message: measured.summary,
        };
        self.finish(answer.response, outcome, configured, removals)
    }

    /// Commit: the answer is given now, or once its outcome is durable.
    fn finish(
        &mut self,
        response: Response,
        outcome: Outcome,
        on_fault: FailurePolicy,
        removals: Vec<Action>,
    ) -> Response {
        let outcome = Arc::new(outcome);
        if !self.engine.must_commit(&outcome) {
            self.outcomes.push(outcome);
            return response;
        }
        let held = HeldAnswer {
            response,
            on_fault: answer::policy_at(outcome.stage, on_fault),
            outcome: Arc::clone(&outcome),
            removals,
        };
        match self.pipeline.commit(&outcome) {
            Ok(()) => {
                self.held = Some(held);
                Reply::Pending.into()
            }
            Err(fault) => self.commit_failed(held, fault),
        }
    }

    /// The outcome is durable, or could not be made so.
    pub(super) fn committed(&mut self, result: Result<(), Fault>) -> Option<Response> {
        let held = self.held.take()?;
        Some(match result {
            Ok(()) => {
                self.outcomes.push(held.outcome);
                held.response
            }
            Err(fault) => self.commit_failed(held, fault),
        })
    }

    /// What was decided does not hold without its record: the failure policy decides.
    fn commit_failed(&mut self, held: HeldAnswer, fault: Fault) -> Response {
        let HeldAnswer {
            outcome,
            on_fault: policy,
            removals,
            ..
        } = held;
        let answer = answer::to_fault(fault, &outcome.id, policy, self.may_quarantine, removals);
        let generation = match &outcome.result {
            Ok(verdict) => verdict.generation.clone(),
            Err(unjudged) => unjudged.generation.clone(),
        };
        self.outcomes.push(Arc::new(Outcome {
            id: outcome.id.clone(),
            transaction: Arc::clone(&outcome.transaction),
            result: Err(Unjudged {
                fault,
                policy,
                generation,
            }),
            action: answer.action,
            facts: outcome.facts.clone(),
            message: outcome.message.clone(),
            ..*outcome
        }));
        answer.response
    }

    /// From the end of the message, or from MAIL, until now.
    fn elapsed(&self) -> Option<Duration> {
        let message = self.message.as_ref()?;
        let now = self.engine.clock().now();
        Some(now.saturating_duration_since(message.began))
    }
}
