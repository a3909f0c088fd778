//! The stage end of message: the whole mail is judged. A pure function of transaction, bytes, facts and generation; only the
//! deadline comes in from outside, as a question that a replay answers with "plenty".

use super::{Fault, Generation, Scratch};
use crate::facts::{Case, Facts, Stage};
use crate::features;
use crate::mail::{Anomaly, Limits, Message, Transaction};
use crate::policy::Policy;
use crate::verdict::{Evidence, Verdict};

/// What is left until the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeLeft {
    /// Enough for everything.
    Plenty,
    /// Enough for the rules, too little for the classifier.
    RulesOnly,
    /// Nothing, or nobody waits any more.
    None,
}

/// Judges a message.
pub fn end_of_message(
    generation: &Generation,
    transaction: &Transaction,
    raw: &[u8],
    limits: &Limits,
    scratch: &mut Scratch,
    time_left: &dyn Fn() -> TimeLeft,
) -> Result<Verdict, Fault> {
    let policy = &generation.profile(&transaction.listener).policy;
    let message = Message::parse(raw, limits);
    let facts = Facts::default();
    let case = Case { stage: Stage::EndOfMessage, transaction, message: &message, facts: &facts };

    let expired = || time_left() == TimeLeft::None;
    let scan = scratch.scanner(generation).scan(generation.ruleset(), &case, &expired);
    if !scan.complete {
        return Err(Fault::Deadline);
    }
    let mut evidence: Vec<Evidence> = scan.hits.into_iter().map(Evidence::Rule).collect();

    let rules_only = match time_left() {
        TimeLeft::None => return Err(Fault::Deadline),
        TimeLeft::RulesOnly => true,
        TimeLeft::Plenty => {
            evidence.extend(classify(generation, policy, &case));
            false
        }
    };
    evidence.extend(beyond_limits(&message.anomalies));

    let decision = policy.decide(&evidence);
    Ok(Verdict {
        disposition: decision.disposition,
        score: decision.score,
        required: policy.required(),
        evidence,
        anomalies: anomaly_names(&message.anomalies, &scan.anomalies),
        stage: Stage::EndOfMessage.name(),
        generation: generation.id().clone(),
        rules_only,
    })
}

/// The classifier's evidence; none where no model is loaded, or where it cannot say anything about this mail (a model that
/// fails on one mail is not a reason to defer it: the rules have spoken).
fn classify(generation: &Generation, policy: &Policy, case: &Case<'_>) -> Option<Evidence> {
    let model = generation.model()?;
    let probability = model.probability(&features::extract(case)).ok()?.value();
    let score = policy.classifier_score(probability);
    Some(Evidence::Classifier { model: model.manifest().id.as_str().into(), probability, score })
}

fn beyond_limits(anomalies: &[Anomaly]) -> Option<Evidence> {
    let anomaly = anomalies.iter().find(|anomaly| anomaly.kind.is_limit())?;
    Some(Evidence::BeyondLimits { anomaly: anomaly.kind.name() })
}

/// The names of the anomalies, each once, in the order of their first appearance.
pub(super) fn anomaly_names(of_message: &[Anomaly], of_rules: &[Anomaly]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for anomaly in of_message.iter().chain(of_rules) {
        if !names.contains(&anomaly.kind.name()) {
            names.push(anomaly.kind.name());
        }
    }
    names
}
