//! What a set asks for and does not get: rules that can never hit here, and settings that change
//! nothing, each with why.

use crate::ruleset::ignored_setting::IgnoredSetting;

use crate::ruleset::kind::RuleKind;
use crate::ruleset::rule::{Rule, Test};
use crate::ruleset::ruleset::Ruleset;
use crate::ruleset::{interval, metas};
use crate::syntax::settings;

/// Why a rule can never hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MissingFeature {
    /// It asks the network.
    Network,
    /// It calls a function that is not there.
    Function,
    /// It is of a kind that is not there.
    Kind,
    /// Its regular expression uses something that is not there.
    Expression,
    /// It combines rules that can never hit.
    Needs,
}

impl MissingFeature {
    /// In one word, for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Function => "function",
            Self::Kind => "kind",
            Self::Expression => "expression",
            Self::Needs => "needs",
        }
    }
}

/// A rule that can never hit.
#[derive(Clone, Debug)]
pub struct Unsupported<'r> {
    /// Which.
    pub rule: &'r Rule,
    /// Why.
    pub missing: MissingFeature,
    /// Why, in words.
    pub reason: String,
}

impl Ruleset {
    /// The rules that can never hit because something is missing here, in the order of the rules.
    /// Rules that a score of 0 switches off are not reported.
    pub fn unsupported(&self) -> Vec<Unsupported<'_>> {
        let values = interval::all(self.rules(), &self.metas);
        let mut all: Vec<Option<(MissingFeature, String)>> =
            self.rules().iter().map(own_missing_feature).collect();
        // A meta that is always 0 may be so for its own sake: only what names a rule that lacks
        // something is reported.
        for number in &self.metas {
            let Some(Rule {
                test: Test::Meta(program),
                ..
            }) = self.rules().get(*number)
            else {
                continue;
            };
            let is_never = values.get(*number).is_some_and(|value| value.is_never());
            let needed = metas::names(program).find(|at| all.get(*at).is_some_and(Option::is_some));
            let (Some(needed), true) = (needed.and_then(|at| self.rules().get(at)), is_never)
            else {
                continue;
            };
            if let Some(slot) = all.get_mut(*number) {
                *slot = Some((MissingFeature::Needs, format!("it needs {}", needed.name())));
            }
        }
        let pairs = self.rules().iter().zip(all);
        pairs
            .filter_map(|(rule, missing)| {
                missing.map(|(missing, reason)| Unsupported {
                    rule,
                    missing,
                    reason,
                })
            })
            .collect()
    }

    /// The settings that change nothing here, each once, in the order of the files.
    pub fn ignored_settings(&self) -> &[IgnoredSetting] {
        &self.extras.ignored
    }
}

fn own_missing_feature(rule: &Rule) -> Option<(MissingFeature, String)> {
    let is_off =
        rule.has_score && !rule.is_subrule() && rule.score == gatepost_words::verdict::Score::ZERO;
    if is_off {
        return None;
    }
    if let Test::Eval(eval, _) = &rule.test {
        return crate::evals::table::asks_network(eval).then(|| {
            (
                MissingFeature::Network,
                format!("`{}` asks the network or what was learned", eval.name),
            )
        });
    }
    if !matches!(rule.test, Test::Never | Test::Template(_)) {
        return None;
    }
    let why = rule.disabled.clone()?;
    let missing = if rule.flags.net || settings::needs_network(&why) {
        MissingFeature::Network
    } else if rule.kind == RuleKind::Unsupported {
        MissingFeature::Kind
    } else if rule.definition.starts_with("eval:") || rule.definition.starts_with("rbleval:") {
        MissingFeature::Function
    } else {
        MissingFeature::Expression
    };
    Some((missing, why))
}
