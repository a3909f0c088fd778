//! The verdict: the disposition of a message, why, and under which generation of rules, model and
//! policy.

use std::fmt;
use std::sync::Arc;

use super::{Disposition, Evidence, Hit, Score};
use crate::Stage;

/// Names one loaded set of rules, model and policy: the first twelve hexadecimal digits of a digest
/// over all three.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GenerationId(Arc<str>);

impl GenerationId {
    /// From the digest's hexadecimal digits.
    pub fn new(digits: &str) -> Self {
        Self(digits.into())
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one verdict, for `gatepost explain`: 13 characters of base 32, unique on one machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VerdictId(String);

impl VerdictId {
    /// Crockford's base 32, lower case: no letter can be mistaken for a digit when read aloud.
    const DIGITS: &'static [u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

    /// From a number that is not used twice.
    pub fn from_number(mut number: u64) -> Self {
        let mut digits = [b'0'; 13];
        for digit in digits.iter_mut().rev() {
            // The remainder is below 32, so the lookup never falls back.
            *digit = Self::DIGITS
                .get((number % 32) as usize)
                .copied()
                .unwrap_or(b'0');
            number /= 32;
        }
        Self(digits.iter().map(|digit| char::from(*digit)).collect())
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VerdictId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The outcome of judging one message.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What is to be done with the message.
    pub disposition: Disposition,
    /// The sum of the evidence.
    pub score: Score,
    /// From which score on the message is marked as spam.
    pub required: Score,
    /// Everything that was found, rules first in the order of the rule files.
    pub evidence: Vec<Evidence>,
    /// Rules marked `tflags NAME shadow` that hit: counted and recorded, never scored.
    pub shadow: Vec<Hit>,
    /// The names of the message's anomalies, each once.
    pub anomalies: Vec<&'static str>,
    /// The stage at which it was given.
    pub stage: Stage,
    /// Under which rules, model and policy.
    pub generation: GenerationId,
    /// True when the deadline left no time for the classifier and only the rules were applied.
    pub rules_only: bool,
    /// What the rule files want to be written to the message.
    pub header_edits: HeaderEdits,
}

/// What rule files want to be written to a message (SpamAssassin's `add_header`, `rewrite_header` and
/// the like).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderEdits {
    /// Fields that replace our own `X-Spam-…`; `None` where no rule file mentions them.
    pub fields: Option<Vec<(String, String)>>,
    /// Fields of the message itself, by name, with their new values.
    pub rewritten: Vec<(&'static str, String)>,
}

impl Verdict {
    /// Whether the message is marked as spam. Deferring alone says nothing about it.
    pub fn is_spam(&self) -> bool {
        self.score >= self.required || self.disposition >= Disposition::Quarantine
    }

    /// The rules that hit.
    pub fn hits(&self) -> impl Iterator<Item = &Hit> {
        self.evidence.iter().filter_map(|evidence| match evidence {
            Evidence::Rule(hit) => Some(hit),
            _ => None,
        })
    }

    /// The classifier's probability and model id, if it was asked.
    pub fn classifier(&self) -> Option<(&str, f64)> {
        self.evidence.iter().find_map(|evidence| match evidence {
            Evidence::Classifier {
                model, probability, ..
            } => Some((&**model, *probability)),
            _ => None,
        })
    }

    /// The kinds of evidence against the message, each once, in words that may be sent to a stranger.
    pub fn kinds(&self) -> Vec<&'static str> {
        let mut kinds = Vec::new();
        for evidence in &self.evidence {
            let against = evidence.score() > Score::ZERO
                || matches!(
                    evidence,
                    Evidence::Refused { .. }
                        | Evidence::Deferred { .. }
                        | Evidence::LimitExceeded { .. }
                );
            if against && !kinds.contains(&evidence.kind()) {
                kinds.push(evidence.kind());
            }
        }
        kinds
    }
}
