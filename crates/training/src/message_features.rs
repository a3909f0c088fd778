//! What training and measuring read from one message of a corpus.

use sha2::{Digest as _, Sha256};

use super::near_duplicates::Sketch;
use gatepost_learn::features::{FeatureVector, Schema, extract};
use gatepost_mail::{Limits, Specimen};

/// The features of a message without its SMTP session, and a number that messages with the same
/// body share. The session is not part of a corpus; no feature depends on it.
pub(super) fn features_of(raw: &[u8]) -> (FeatureVector, u64) {
    let specimen = Specimen::stored(raw);
    let message = specimen.message(&Limits::default());
    let body = Sha256::digest(message.body().trim_ascii());
    let (first, _) = body.split_at(8);
    let group = first
        .iter()
        .fold(0, |group, &byte| group << 8 | u64::from(byte));
    let features = extract(&specimen.case(&message));
    (features, group)
}

/// The sketch of a message by the windows of its text.
pub(super) fn sketch(vector: &FeatureVector, group: u64) -> Sketch {
    let first_window = vector.ranges().nth(Schema::FIRST_WINDOW);
    let start = first_window.map_or(0, |window| window.start);
    let mut buckets = Vec::new();
    for &token in vector.tokens.iter().skip(start) {
        buckets.extend(u32::try_from(token).ok());
    }
    Sketch::of(&buckets, group)
}
