//! What is learned from one message.

use sha2::{Digest as _, Sha256};

use crate::classifier::{Model, SiteLearner, Slots};
use crate::features::{SiteView, TrustedAuthservIds, extract, sent_header};
use gatepost_mail::{Limits, Specimen};
use gatepost_store::PackedSlots;
use gatepost_words::MessageDigest;

// The slots of one message fit into a label: else the last windows would be lost, and a replay would
// learn something else.
const _: () = assert!(Slots::LIMIT <= PackedSlots::MAX);

/// One message, ready to be learned.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingExample {
    /// What identifies it.
    pub digest: MessageDigest,
    /// Its slots in the learner's tables.
    pub slots: Slots,
    /// The content model's log-odds, where there is a model and it has an answer.
    pub content: Option<f32>,
}

impl TrainingExample {
    /// The example of a message as it is stored after delivery.
    pub fn of_stored(
        raw: &[u8],
        learner: &SiteLearner,
        model: Option<&Model>,
        trust: &TrustedAuthservIds,
        limits: &Limits,
    ) -> Self {
        let view = SiteView::of_stored(raw, trust);
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
        // The sent message and each delivered copy of it are one message: what a user says of one
        // takes back what was said of another.
        let header = sent_header(raw);
        let length = (header.len() as u64).to_le_bytes();
        let digest = digest
            .chain_update(length)
            .chain_update(header)
            .chain_update(view.text());
        let digest = MessageDigest(digest.finalize().into());
        Self {
            digest,
            slots: learner.slots(&view),
            content: model.and_then(|model| content(raw, model, limits)),
        }
    }
}

/// The content model's log-odds. No feature of it depends on when or to whom the message came.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the stacker needs no more digits"
)]
fn content(raw: &[u8], model: &Model, limits: &Limits) -> Option<f32> {
    let specimen = Specimen::stored(raw);
    let message = specimen.message(limits);
    let features = extract(&specimen.case(&message));
    let log_odds = model.log_odds(&features).ok()?;
    Some(log_odds as f32)
}
