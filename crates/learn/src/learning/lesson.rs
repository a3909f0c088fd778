//! What is learned from one mail.

use std::sync::Arc;
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use crate::classifier::{Model, SiteLearner, Slots};
use crate::features::{MilterView, Trust, extract};
use gatepost_mail::Case;
use gatepost_mail::Facts;
use gatepost_mail::{Limits, Message, Transaction};
use gatepost_store::{Digest, Label};
use gatepost_words::Stage;

// What one mail sets fits into a label: else the last windows would be lost, and a replay would
// learn something else.
const _: () = assert!(Slots::LIMIT <= Label::SLOTS_MAX);

/// One mail, ready to be learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Lesson {
    /// What identifies it.
    pub digest: Digest,
    /// What the learner sees of it.
    pub slots: Slots,
    /// What the content model thinks of it, where there is one and it can say: log-odds.
    pub content: Option<f32>,
}

impl Lesson {
    /// The lesson of a mail as it is stored after delivery.
    pub fn of_stored(
        raw: &[u8],
        learner: &SiteLearner,
        model: Option<&Model>,
        trust: &Trust,
        limits: &Limits,
    ) -> Self {
        let view = MilterView::of_stored(raw, trust);
        // Who vouches for the sender is part of what the learner sees, and so is the domain for
        // whose copy it is.
        let digest = Sha256::new()
            .chain_update(view.sender().unwrap_or_default())
            .chain_update([0]);
        let digest = match learner.domain(&view) {
            Some(domain) => digest.chain_update(domain).chain_update([0]),
            None => digest,
        };
        // The length keeps apart what could be shifted from one to the other.
        let length = (view.bytes().len() as u64).to_le_bytes();
        let digest = digest
            .chain_update(length)
            .chain_update(view.bytes())
            .chain_update(view.text());
        let digest = Digest(digest.finalize().into());
        Self {
            digest,
            slots: learner.slots(&view),
            content: model.and_then(|model| content(raw, model, limits)),
        }
    }
}

/// The content model's log-odds. No feature of it depends on when or to whom the mail came.
fn content(raw: &[u8], model: &Model, limits: &Limits) -> Option<f32> {
    let transaction = Transaction::new(Arc::from("learn"), SystemTime::UNIX_EPOCH);
    let message = Message::parse(raw, limits);
    let facts = Facts::default();
    let case = Case {
        stage: Stage::EndOfMessage,
        transaction: &transaction,
        message: &message,
        facts: &facts,
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the stacker needs no more digits"
    )]
    model
        .log_odds(&extract(&case))
        .ok()
        .map(|log_odds| log_odds as f32)
}
