//! A generation: everything that judging reads (rules, model, policies, trust, limits, what is asked
//! of the world), loaded together, immutable, named by a digest over all of it.
//!
//! What the site has taught goes with it, and changes with every label: it makes a new generation
//! of the same parts and the same name. A verdict tells it apart by the classifier's own name
//! ([`FrozenSite::name`]).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use gatepost_gather::Wanted;
use gatepost_learn::classifier::{FrozenSite, Model};
use gatepost_learn::features::TrustedAuthservIds;
use gatepost_mail::{Limits, PublicSuffixList};
use gatepost_policy::Policy;
use gatepost_rules::{Rule, Ruleset};
use gatepost_words::FailurePolicy;
use gatepost_words::Stage;
use gatepost_words::canonical::{Canonical, Encoder};
use gatepost_words::verdict::{GenerationId, Score};

/// How one listener's mail is treated.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Thresholds and refuse lists.
    pub policy: Policy,
    /// The outcome for mail that cannot be judged.
    pub on_fault: FailurePolicy,
}

/// What is asked of the world, and how long it is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GatherSettings {
    /// The questions that are asked at all.
    pub wanted: Wanted,
    /// From a question to its answer; then the fact is unknown.
    pub timeout: Duration,
    /// The first stage that is judged with facts. The stages before it look into the admin's lists
    /// only and do not wait.
    pub awaited_from: Stage,
}

impl Default for GatherSettings {
    fn default() -> Self {
        Self {
            wanted: Wanted::default(),
            timeout: Duration::from_secs(5),
            awaited_from: Stage::EndOfHeaders,
        }
    }
}

/// Everything that a verdict depends on, apart from the message itself.
#[derive(Clone, Debug)]
pub struct Generation {
    id: GenerationId,
    ruleset: Arc<Ruleset>,
    model: Option<Arc<Model>>,
    site: Option<Arc<FrozenSite>>,
    trust: TrustedAuthservIds,
    domains: Arc<[String]>,
    limits: Limits,
    gather: GatherSettings,
    default: Arc<Profile>,
    profiles: Arc<BTreeMap<Arc<str>, Profile>>,
    headers_may_decide: bool,
}

impl Generation {
    /// Puts a generation together. `default` treats mail of listeners without a profile of their
    /// own, and offline scans.
    pub fn new(
        ruleset: Ruleset,
        model: Option<Model>,
        default: Profile,
        profiles: BTreeMap<Arc<str>, Profile>,
    ) -> Self {
        let generation = Self {
            id: GenerationId::new(""),
            ruleset: Arc::new(ruleset),
            model: model.map(Arc::new),
            site: None,
            trust: TrustedAuthservIds::none(),
            domains: Arc::default(),
            limits: Limits::default(),
            gather: GatherSettings::default(),
            default: Arc::new(default),
            profiles: Arc::new(profiles),
            headers_may_decide: false,
        };
        generation.considered().named()
    }

    /// The same with what the site has taught.
    #[must_use]
    pub fn with_site(&self, site: Option<Arc<FrozenSite>>) -> Self {
        Self {
            site,
            ..self.clone()
        }
        .considered()
    }

    /// The same with trust in these servers' word on authentication, and with copies of what the
    /// site taught for these recipient domains.
    #[must_use]
    pub fn with_trust(&self, trust: TrustedAuthservIds, domains: &[String]) -> Self {
        Self {
            trust,
            domains: domains.into(),
            ..self.clone()
        }
        .named()
    }

    /// The same with the profiles of `running` that it does not have itself: a listener that left the
    /// configuration serves until the restart, and mail that was refused must not pass meanwhile.
    #[must_use]
    pub fn keeping_profiles(&self, running: &Self) -> Self {
        let mut profiles = (*running.profiles).clone();
        for (name, profile) in &*self.profiles {
            profiles.insert(Arc::clone(name), profile.clone());
        }
        Self {
            profiles: Arc::new(profiles),
            ..self.clone()
        }
        .considered()
        .named()
    }

    /// The same with other limits of reading.
    #[must_use]
    pub fn with_limits(&self, limits: Limits) -> Self {
        Self {
            limits,
            ..self.clone()
        }
        .named()
    }

    /// The same with other settings of gathering.
    #[must_use]
    pub fn with_gather(&self, gather: GatherSettings) -> Self {
        Self {
            gather,
            ..self.clone()
        }
        .named()
    }

    /// Works out the name.
    fn named(mut self) -> Self {
        self.id = identify(&self);
        self
    }

    /// Works out whether the header may decide.
    fn considered(mut self) -> Self {
        self.headers_may_decide = self.highest_at_headers() >= self.least_to_reject_at_headers();
        self
    }

    /// Its name, part of every verdict.
    pub fn id(&self) -> &GenerationId {
        &self.id
    }

    /// The rules.
    pub fn ruleset(&self) -> &Ruleset {
        &self.ruleset
    }

    /// The content model, if one is loaded.
    pub fn model(&self) -> Option<&Model> {
        self.model.as_deref()
    }

    /// What the site has taught, if anything.
    pub fn site(&self) -> Option<&Arc<FrozenSite>> {
        self.site.as_ref()
    }

    /// Whose word on authentication is taken.
    pub fn trust(&self) -> &TrustedAuthservIds {
        &self.trust
    }

    /// The limits of reading a message.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What is asked of the world.
    pub fn gather(&self) -> &GatherSettings {
        &self.gather
    }

    /// Whether that stage is judged with facts, and so awaits those that were asked for.
    pub fn awaits_facts(&self, stage: Stage) -> bool {
        stage >= self.gather.awaited_from
    }

    /// How mail of that listener is treated.
    pub fn profile(&self, listener: &str) -> &Profile {
        self.profiles.get(listener).unwrap_or(&self.default)
    }

    /// Whether it is worth judging at the end of the header: whether the header rules can add up to
    /// a reject that nothing later can undo.
    pub fn headers_may_decide(&self) -> bool {
        self.headers_may_decide
    }

    /// The fewest points that can still come after the header was judged.
    pub fn lowest_after_headers(&self, policy: &Policy) -> Score {
        let is_asked = self.model.is_some() || self.site.is_some();
        let classifier = if is_asked {
            policy.classifier_lowest()
        } else {
            Score::ZERO
        };
        self.ruleset.lowest_remaining(Stage::EndOfHeaders) + classifier
    }

    /// The sum of all positive scores that the header can bring.
    fn highest_at_headers(&self) -> Score {
        let counts = |rule: &&Rule| {
            rule.stage() <= Stage::EndOfHeaders && rule.disabled().is_none() && !rule.flags().shadow
        };
        self.ruleset
            .rules()
            .iter()
            .filter(counts)
            .map(Rule::score)
            .filter(|score| *score > Score::ZERO)
            .sum()
    }

    fn least_to_reject_at_headers(&self) -> Score {
        let policies = self
            .profiles
            .values()
            .chain([&*self.default])
            .map(|profile| &profile.policy);
        let least = policies.map(|policy| policy.reject().minus(self.lowest_after_headers(policy)));
        least.min().unwrap_or(Score::ZERO)
    }
}

/// The version of the form in which a generation's inputs are written; goes up when the same inputs
/// are to have another name.
const FORM: u32 = 3;

/// The name: twelve hexadecimal digits of a digest over all that judging reads. What the site has
/// taught is not in it: it changes with every label, and has a name of its own.
fn identify(generation: &Generation) -> GenerationId {
    let Generation {
        id: _,
        ruleset,
        model,
        site: _,
        trust,
        domains,
        limits,
        gather,
        default,
        profiles,
        // Follows from the others.
        headers_may_decide: _,
    } = generation;
    let mut out = Encoder::new("generation", FORM);
    out.bytes("rules", ruleset.digest().as_ref());
    let model = model.as_ref().map(|model| model.manifest().id.as_str());
    out.list("model", model);
    out.nested("trust", trust);
    out.list("domains", domains.iter().map(String::as_str));
    out.nested("limits", limits);
    out.nested("gather", gather);
    // One for the whole process, read in the depths of parsing and rules.
    let suffixes = PublicSuffixList::current().digest();
    out.text("public_suffixes", &format!("{suffixes:016x}"));
    out.nested("default", &**default);
    for (name, profile) in &**profiles {
        out.text("profile", name);
        out.nested("of", profile);
    }
    let digest = Sha256::digest(out.as_bytes());
    let number = digest
        .iter()
        .take(6)
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    GenerationId::new(&format!("{number:012x}"))
}

impl Canonical for Profile {
    fn encode(&self, out: &mut Encoder) {
        let Self { policy, on_fault } = self;
        out.nested("policy", policy);
        out.text("on_fault", on_fault.name());
    }
}

impl Canonical for GatherSettings {
    fn encode(&self, out: &mut Encoder) {
        let Self {
            wanted: Wanted { client_names },
            timeout,
            awaited_from,
        } = self;
        out.flag("client_names", *client_names);
        out.float("timeout", timeout.as_secs_f64());
        out.text("awaited_from", awaited_from.name());
    }
}

#[cfg(test)]
#[path = "generation_tests.rs"]
mod tests;
