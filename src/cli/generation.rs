//! Putting a generation together: rules, model and policies, as the configuration says.
#![expect(clippy::disallowed_methods, reason = "models are files")]

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use super::rule_files;
use super::terminal::say;
use crate::config::{self, Config, SHIPPED_MODEL};
use gatepost_engine::{Generation, Profile};
use gatepost_learn::classifier::{Ledger, Model, SiteOpinion};
use gatepost_learn::features::Trust;
use gatepost_learn::learning::{self, LearningSettings};
use gatepost_policy::{self, Policy};
use gatepost_rules::Ruleset;
use gatepost_words::FailurePolicy;
use gatepost_words::diagnostic::{Diagnostic, Source};

/// Loads everything that a verdict depends on. All complaints are told at once; warnings come with
/// the generation.
pub fn load_generation(config: &Config) -> Result<(Generation, Vec<Diagnostic>), Vec<Diagnostic>> {
    let rules = rule_files::configured(&config.rules).and_then(|sources| compile(&sources));
    let model = load_model(&config.model);
    let (rules, model) = both(rules, model)?;
    let (ruleset, warnings) = rules;
    Ok((assemble(config, ruleset, model)?, warnings))
}

/// The generation of an installation without any configuration: shipped rules, built-in model,
/// default policy.
pub fn shipped_generation() -> Result<Generation, Vec<Diagnostic>> {
    let loaded = Config::from_sources(Vec::new(), &BTreeMap::new())?;
    let (ruleset, _) = compile(&rule_files::shipped())?;
    assemble(&loaded.config, ruleset, load_model(&loaded.config.model)?)
}

/// Compiles rules; `Err` where one of the complaints is an error.
pub(super) fn compile(
    sources: &[Arc<Source>],
) -> Result<(Ruleset, Vec<Diagnostic>), Vec<Diagnostic>> {
    match Ruleset::load(sources) {
        (Some(ruleset), diagnostics) => Ok((ruleset, diagnostics)),
        (None, diagnostics) => Err(diagnostics),
    }
}

/// Puts the parts together with the policies of the listeners.
pub(super) fn assemble(
    config: &Config,
    ruleset: Ruleset,
    model: Option<Model>,
) -> Result<Generation, Vec<Diagnostic>> {
    let default = profile(&config.policy, config.on_fault)?;
    let mut profiles = BTreeMap::new();
    for listener in &config.listeners {
        profiles.insert(
            listener.name.clone(),
            profile(&listener.policy, listener.on_fault)?,
        );
    }
    let trust = Trust::of(&config.learner.trusted_authservs);
    Ok(Generation::new(ruleset, model, default, profiles)
        .with_limits(config.limits)
        .with_trust(trust, &config.learner.domains))
}

fn profile(
    settings: &gatepost_policy::Settings,
    on_fault: FailurePolicy,
) -> Result<Profile, Vec<Diagnostic>> {
    // `config` has made the same check and told the place; this is for settings that came another
    // way.
    let told = |errors: Vec<gatepost_policy::SettingError>| {
        errors
            .into_iter()
            .map(|error| Diagnostic::error("C0106", error.to_string()))
            .collect::<Vec<_>>()
    };
    Ok(Profile {
        policy: Policy::new(settings).map_err(told)?,
        on_fault,
    })
}

/// The model that is configured; `None` where it is switched off, or none is built in.
pub(super) fn load_model(model: &config::Model) -> Result<Option<Model>, Vec<Diagnostic>> {
    if !model.enabled {
        return Ok(None);
    }
    match &model.path {
        Some(path) => read_model(path)
            .map(Some)
            .map_err(|diagnostic| vec![*diagnostic]),
        None if SHIPPED_MODEL.is_empty() => Ok(None),
        None => Model::load(SHIPPED_MODEL).map(Some).map_err(|error| {
            vec![Diagnostic::error(
                "M0105",
                format!("the built-in model does not load: {error}"),
            )]
        }),
    }
}

/// The weights of that model, for taking its answers apart.
pub(super) fn load_ledger(model: &config::Model) -> Result<Option<Ledger>, Vec<Diagnostic>> {
    if !model.enabled {
        return Ok(None);
    }
    let bytes = match &model.path {
        Some(path) => read(path).map_err(|error| {
            vec![Diagnostic::error(
                "M0101",
                format!("{}: cannot read the model: {error}", path.display()),
            )]
        })?,
        None if SHIPPED_MODEL.is_empty() => return Ok(None),
        None => SHIPPED_MODEL.to_vec(),
    };
    let ledger = Ledger::read(&bytes);
    ledger.map(Some).map_err(|error| {
        vec![Diagnostic::error(
            "M0105",
            format!("cannot load the model: {error}"),
        )]
    })
}

/// Where what the site taught is kept; `None` where it takes no part.
pub(super) fn learning_settings(config: &Config) -> Option<LearningSettings> {
    let directory = config
        .learner
        .path
        .as_ref()
        .filter(|_| config.learner.enabled)?;
    Some(learning_in(directory, &config.learner))
}

/// How it is learned and kept in that directory.
pub(super) fn learning_in(directory: &Path, learner: &config::Learner) -> LearningSettings {
    let mut settings = LearningSettings::in_directory(directory);
    settings.log_size = learner.log_size as u64;
    settings.learner.domains.clone_from(&learner.domains);
    settings
}

/// What the site has taught up to now. What cannot be read is told and takes no part: rules and
/// model go on.
pub(super) fn load_site(config: &Config) -> Option<Arc<SiteOpinion>> {
    let settings = learning_settings(config)?;
    learning::info(&settings).unwrap_or_else(|error| {
        say(format_args!(
            "gatepost: warning: {}: {error}; judging without it",
            settings.directory.display()
        ));
        None
    })
}

/// Reads a model from a file.
pub(super) fn read_model(path: &Path) -> Result<Model, Box<Diagnostic>> {
    let source = Arc::new(Source::new(path.display().to_string(), ""));
    let complain =
        |code, text: String| Box::new(Diagnostic::error(code, text).at(&source, 0..0, ""));
    let bytes =
        read(path).map_err(|error| complain("M0101", format!("cannot read the model: {error}")))?;
    Model::load(&bytes)
        .map_err(|error| complain("M0105", format!("cannot load the model: {error}")))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let limit = Model::FILE_LIMIT as u64;
    let mut bytes = Vec::new();
    // One byte more than allowed, so that the model itself complains about its length.
    std::fs::File::open(path)?
        .take(limit + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn both<A, B>(
    a: Result<A, Vec<Diagnostic>>,
    b: Result<B, Vec<Diagnostic>>,
) -> Result<(A, B), Vec<Diagnostic>> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(mut a), Err(b)) => {
            a.extend(b);
            Err(a)
        }
        (Err(wrong), Ok(_)) | (Ok(_), Err(wrong)) => Err(wrong),
    }
}
