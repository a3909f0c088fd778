//! Measures a model on a corpus.

use std::sync::Arc;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::measure::Scored;
use super::{Corpus, Progress, Report, TrainError};
use crate::classifier::{Model, ModelError, Probability};
use crate::facts::{Case, Facts, Stage};
use crate::features::{FeatureVector, extract};
use crate::mail::{Limits, Message, Transaction};

/// Scores every selected message of `corpus` and compares with the labels.
pub fn evaluate(model: &Model, corpus: &Corpus, progress: &mut dyn FnMut(Progress)) -> Result<Report, TrainError> {
    let mut scored = Vec::new();
    let mut failed: Option<ModelError> = None;
    corpus.read(progress, |message| match model.log_odds(&features_of(&message.raw).0) {
        Ok(score) => {
            let probability = Probability::from_logit(score).value();
            scored.push(Scored { score, probability, spam: message.spam });
        }
        Err(error) => failed = failed.take().or(Some(error)),
    })?;
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(Report::of(corpus.describe(), &scored)),
    }
}

/// The features of a message without its SMTP session, and a number that messages with the same body share.
pub(super) fn features_of(raw: &[u8]) -> (FeatureVector, u64) {
    // The session is not part of a corpus, so an empty one stands in; no feature depends on when it began.
    let transaction = Transaction::new(Arc::from("training"), SystemTime::UNIX_EPOCH);
    let message = Message::parse(raw, &Limits::default());
    let facts = Facts::default();
    let case = Case { stage: Stage::EndOfMessage, transaction: &transaction, message: &message, facts: &facts };
    let body = Sha256::digest(message.body().trim_ascii());
    let (first, _) = body.split_at(8);
    let group = first.iter().fold(0u64, |group, &byte| group << 8 | u64::from(byte));
    (extract(&case), group)
}
