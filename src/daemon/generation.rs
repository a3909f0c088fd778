//! Putting a generation together: rules, model and policies, as the configuration says.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use super::rule_files;
use crate::config::{self, BUILTIN_MODEL, Config};
use gatepost_engine::{Generation, Profile};
use gatepost_learn::classifier::{Attribution, FrozenSite, Model};
use gatepost_learn::features::TrustedAuthservIds;
use gatepost_learn::learning::{self, LearningSettings};
use gatepost_policy::{self, Policy};
use gatepost_rules::Ruleset;
use gatepost_words::FailurePolicy;
use gatepost_words::diagnostic::{Diagnostic, Source};

/// Loads everything that a verdict depends on. All errors are reported together; warnings come with
/// the generation.
pub fn load_generation(config: &Config) -> Result<(Generation, Vec<Diagnostic>), Vec<Diagnostic>> {
    let rules = rule_files::configured_rules(&config.rules).and_then(|sources| compile(&sources));
    let model = load_model(&config.model);
    let (rules, model) = both(rules, model)?;
    let (ruleset, warnings) = rules;
    Ok((assemble(config, ruleset, model)?, warnings))
}

/// The generation of an installation without any configuration: built-in rules, built-in model,
/// default policy.
pub fn builtin_generation() -> Result<Generation, Vec<Diagnostic>> {
    let loaded = Config::from_sources(Vec::new(), &BTreeMap::new())?;
    let (ruleset, _) = compile(&rule_files::builtin_rules())?;
    assemble(&loaded.config, ruleset, load_model(&loaded.config.model)?)
}

/// Compiles rules; `Err` where one of the diagnostics is an error.
pub fn compile(sources: &[Arc<Source>]) -> Result<(Ruleset, Vec<Diagnostic>), Vec<Diagnostic>> {
    match Ruleset::load(sources) {
        (Some(ruleset), diagnostics) => Ok((ruleset, diagnostics)),
        (None, diagnostics) => Err(diagnostics),
    }
}

/// Puts the parts together with the policies of the listeners.
pub fn assemble(
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
    let trust = TrustedAuthservIds::new(&config.learner.trusted_authservs);
    Ok(Generation::new(ruleset, model, default, profiles)
        .with_limits(config.limits)
        .with_gather(config.dns.gather)
        .with_trust(trust, &config.learner.domains))
}

fn profile(
    settings: &gatepost_policy::Settings,
    on_fault: FailurePolicy,
) -> Result<Profile, Vec<Diagnostic>> {
    // `config` has made the same check with file and line; this is for settings from elsewhere.
    let diagnostics = |errors: Vec<gatepost_policy::SettingError>| {
        errors
            .into_iter()
            .map(|error| Diagnostic::error("C0106", error.to_string()))
            .collect::<Vec<_>>()
    };
    Ok(Profile {
        policy: Policy::new(settings).map_err(diagnostics)?,
        on_fault,
    })
}

/// The model that is configured; `None` where it is switched off, or none is built in.
pub fn load_model(model: &config::Model) -> Result<Option<Model>, Vec<Diagnostic>> {
    if !model.enabled {
        return Ok(None);
    }
    match &model.path {
        Some(path) => read_model(path)
            .map(Some)
            .map_err(|diagnostic| vec![*diagnostic]),
        None if BUILTIN_MODEL.is_empty() => Ok(None),
        None => Model::load(BUILTIN_MODEL).map(Some).map_err(|error| {
            vec![Diagnostic::error(
                "M0105",
                format!("the built-in model does not load: {error}"),
            )]
        }),
    }
}

/// The weights of that model, for taking its answers apart.
pub fn load_attribution(model: &config::Model) -> Result<Option<Attribution>, Vec<Diagnostic>> {
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
        None if BUILTIN_MODEL.is_empty() => return Ok(None),
        None => BUILTIN_MODEL.to_vec(),
    };
    let attribution = Attribution::read(&bytes);
    attribution.map(Some).map_err(|error| {
        vec![Diagnostic::error(
            "M0105",
            format!("cannot load the model: {error}"),
        )]
    })
}

/// Where the labels of the site are stored; `None` where it takes no part.
pub fn learning_settings(config: &Config) -> Option<LearningSettings> {
    let directory = config
        .learner
        .path
        .as_ref()
        .filter(|_| config.learner.enabled)?;
    Some(learning_in(directory, &config.learner))
}

/// How it is learned and kept in that directory.
pub fn learning_in(directory: &Path, learner: &config::Learner) -> LearningSettings {
    let mut settings = LearningSettings::in_directory(directory);
    settings.log_size = learner.log_size as u64;
    settings.learner.domains.clone_from(&learner.domains);
    settings
}

/// What the labels of the site have taught up to now; `None` where the learner takes no part or
/// there are no labels yet. An error names the directory.
pub fn load_site(config: &Config) -> io::Result<Option<Arc<FrozenSite>>> {
    let Some(settings) = learning_settings(config) else {
        return Ok(None);
    };
    learning::info(&settings).map_err(|error| {
        let text = format!("{}: {error}", settings.directory.display());
        io::Error::new(error.kind(), text)
    })
}

/// Reads a model from a file.
pub fn read_model(path: &Path) -> Result<Model, Box<Diagnostic>> {
    let source = Arc::new(Source::new(path.display().to_string(), ""));
    let error_at =
        |code, text: String| Box::new(Diagnostic::error(code, text).at(&source, 0..0, ""));
    let bytes =
        read(path).map_err(|error| error_at("M0101", format!("cannot read the model: {error}")))?;
    Model::load(&bytes)
        .map_err(|error| error_at("M0105", format!("cannot load the model: {error}")))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let limit = Model::FILE_LIMIT as u64;
    let mut bytes = Vec::new();
    // One byte more than allowed, so that the model itself reports its length.
    gatepost_words::open_regular(path)?
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
        (Err(errors), Ok(_)) | (Ok(_), Err(errors)) => Err(errors),
    }
}
