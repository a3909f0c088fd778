//! A generation: rules, model and policy loaded together, immutable, named by a digest over all of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::FailurePolicy;
use crate::classifier::Model;
use crate::facts::Stage;
use crate::policy::Policy;
use crate::rules::{Rule, Ruleset};
use crate::verdict::{GenerationId, Score};

/// How one listener's mail is treated.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Thresholds and refuse lists.
    pub policy: Policy,
    /// What becomes of mail that cannot be judged.
    pub on_fault: FailurePolicy,
}

/// Everything that a verdict depends on, beside the mail itself.
#[derive(Debug)]
pub struct Generation {
    id: GenerationId,
    ruleset: Ruleset,
    model: Option<Model>,
    default: Profile,
    profiles: BTreeMap<Arc<str>, Profile>,
    headers_may_decide: bool,
}

impl Generation {
    /// Puts a generation together. `default` treats mail of listeners without a profile of their own, and offline scans.
    pub fn new(
        ruleset: Ruleset,
        model: Option<Model>,
        default: Profile,
        profiles: BTreeMap<Arc<str>, Profile>,
    ) -> Self {
        let id = digest(&ruleset, model.as_ref(), &default, &profiles);
        let mut generation = Self { id, ruleset, model, default, profiles, headers_may_decide: false };
        generation.headers_may_decide = generation.highest_at_headers() >= generation.least_to_reject_at_headers();
        generation
    }

    /// Its name, told in every verdict.
    pub fn id(&self) -> &GenerationId {
        &self.id
    }

    /// The rules.
    pub fn ruleset(&self) -> &Ruleset {
        &self.ruleset
    }

    /// The content model, if one is loaded.
    pub fn model(&self) -> Option<&Model> {
        self.model.as_ref()
    }

    /// How mail of that listener is treated.
    pub fn profile(&self, listener: &str) -> &Profile {
        self.profiles.get(listener).unwrap_or(&self.default)
    }

    /// Whether it is worth judging at the end of the header: whether the header rules can add up to a reject that nothing
    /// later can undo.
    pub fn headers_may_decide(&self) -> bool {
        self.headers_may_decide
    }

    /// The fewest points that can still come after the header was judged.
    pub fn lowest_after_headers(&self, policy: &Policy) -> Score {
        let classifier = if self.model.is_some() { policy.classifier_lowest() } else { Score::ZERO };
        self.ruleset.lowest_remaining(Stage::EndOfHeaders) + classifier
    }

    /// The sum of all positive scores that the header can bring.
    fn highest_at_headers(&self) -> Score {
        let counts =
            |rule: &&Rule| rule.stage() <= Stage::EndOfHeaders && rule.disabled().is_none() && !rule.flags().shadow;
        self.ruleset.rules().iter().filter(counts).map(Rule::score).filter(|score| *score > Score::ZERO).sum()
    }

    fn least_to_reject_at_headers(&self) -> Score {
        let policies = self.profiles.values().chain([&self.default]).map(|profile| &profile.policy);
        let least = policies.map(|policy| policy.reject().minus(self.lowest_after_headers(policy)));
        least.min().unwrap_or(Score::ZERO)
    }
}

fn digest(
    ruleset: &Ruleset,
    model: Option<&Model>,
    default: &Profile,
    profiles: &BTreeMap<Arc<str>, Profile>,
) -> GenerationId {
    let mut hash = Sha256::new();
    hash.update(ruleset.digest());
    hash.update(model.map_or("", |model| model.manifest().id.as_str()));
    hash.update(format!("{default:?}"));
    hash.update(format!("{profiles:?}"));
    let digest = hash.finalize();
    let number = digest.iter().take(6).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    GenerationId::new(&format!("{number:012x}"))
}
