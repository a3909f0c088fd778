//! `gatepost model train|eval|replay|attack|explain|info`
#![expect(clippy::disallowed_methods, reason = "models are files")]

use std::io::IsTerminal as _;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

use super::arguments::{
    AttackArguments, EvalArguments, Format, ModelCommand, ReplayArguments, TrainArguments,
};
use super::failure::Failure;
use super::loading::{load, load_site};
use super::terminal::Output;
use super::{Exit, model_explain};
use crate::config::Paths;
use crate::daemon::{load_model, read_model};
use gatepost_learn::classifier::{Claim, Model, Probability, SiteOpinion, ham_needed};
use gatepost_training::{
    self, Corpus, Plot, Progress, ReplaySettings, Report, Siege, SiegeReport, Split, TrainError,
    TrainSettings,
};
use gatepost_words::clock::Clock;
use gatepost_words::{CivilTime, fs};

/// Trains, measures or describes.
pub(super) fn model(paths: &Paths, command: ModelCommand) -> Result<Exit, Failure> {
    match command {
        ModelCommand::Train(arguments) => train(&arguments),
        ModelCommand::Eval(arguments) => eval(paths, &arguments),
        ModelCommand::Replay(arguments) => replay(&arguments),
        ModelCommand::Attack(arguments) => attack(paths, &arguments),
        ModelCommand::Explain { path, words, state } => {
            model_explain::explain(&load(paths)?, &path, words, &state)
        }
        ModelCommand::Info { path, format } => info(paths, path.as_deref(), format),
    }
}

fn train(arguments: &TrainArguments) -> Result<Exit, Failure> {
    let mut settings = TrainSettings {
        corpora: corpora(&arguments.corpora, &trained_on(arguments)?)?,
        ..TrainSettings::default()
    };
    settings.seed = arguments.seed.unwrap_or(settings.seed);
    settings.epochs = arguments.epochs.map_or(settings.epochs, usize::from);
    settings.date = arguments.date.clone().unwrap_or_else(|| {
        let now = CivilTime::from_system(Clock::system().wall());
        now.date().to_string()
    });
    settings.command = command_line(arguments);
    let mut bar = Bar::new();
    let trained = gatepost_training::train(&settings, &mut |progress| bar.show(&progress))
        .map_err(|error| failed(&error))?;
    bar.finish();
    let manifest_path = arguments.out.with_extension("json");
    let manifest = serde_json::to_string_pretty(&trained.manifest).unwrap_or_default() + "\n";
    for (path, bytes) in [
        (&arguments.out, trained.onnx.as_slice()),
        (&manifest_path, manifest.as_bytes()),
    ] {
        write(path, bytes)?;
    }
    let mut out = Output::new();
    out.line(format_args!(
        "{}  model {}",
        arguments.out.display(),
        trained.manifest.id
    ))?;
    out.finish()?;
    Ok(Exit::Done)
}

/// The corpora that are named, or those of the shipped model, without those that shall be left out.
fn trained_on(arguments: &TrainArguments) -> Result<Vec<String>, Failure> {
    let mut names = arguments.names.clone();
    if names.is_empty() {
        names.extend(gatepost_training::SHIPPED.map(|name| format!("{name}:train")));
    }
    for without in &arguments.without {
        let before = names.len();
        names.retain(|name| name.split(':').next() != Some(without.as_str()));
        if names.len() == before {
            let message = format!("`{without}` is none of the corpora: {}", names.join(", "));
            return Err(Failure::new(Exit::Usage, message));
        }
    }
    Ok(names)
}

/// The command as a person would type it; part of the file, so that the same command gives the same
/// file.
fn command_line(arguments: &TrainArguments) -> String {
    let mut line = format!(
        "gatepost model train --corpora {} --out {}",
        arguments.corpora.display(),
        arguments.out.display()
    );
    line.extend(
        arguments
            .names
            .iter()
            .map(|name| format!(" --corpus {name}")),
    );
    line.extend(
        arguments
            .without
            .iter()
            .map(|name| format!(" --without {name}")),
    );
    line.extend(arguments.seed.map(|seed| format!(" --seed {seed}")));
    line.extend(arguments.epochs.map(|epochs| format!(" --epochs {epochs}")));
    line
}

fn eval(paths: &Paths, arguments: &EvalArguments) -> Result<Exit, Failure> {
    let model = model_of(paths, arguments.model.as_deref())?;
    let mut out = Output::new();
    let mut bar = Bar::new();
    let site = if arguments.learned.is_empty() {
        None
    } else {
        let learned = corpora(&arguments.corpora, &arguments.learned)?;
        Some(
            gatepost_training::teach(&learned, &mut |progress| bar.show(&progress))
                .map_err(|error| failed(&error))?,
        )
    };
    let mut all: Vec<Report> = Vec::new();
    for corpus in corpora(&arguments.corpora, &arguments.names)? {
        if !arguments.local.is_empty() {
            let show = &mut |progress| bar.show(&progress);
            let reports =
                gatepost_training::evaluate_local(&model, &corpus, &arguments.local, show);
            for report in reports.map_err(|error| failed(&error))? {
                out.line(serde_json::to_string(&report).unwrap_or_default())?;
                all.push(report);
            }
            continue;
        }
        let report = gatepost_training::evaluate(&model, site.as_ref(), &corpus, &mut |progress| {
            bar.show(&progress);
        })
        .map_err(|error| failed(&error))?;
        out.line(serde_json::to_string(&report).unwrap_or_default())?;
        all.push(report);
    }
    bar.finish();
    if let Some(directory) = &arguments.plots {
        plot(&directory.join("roc.svg"), &Plot::roc(&all))?;
        plot(&directory.join("reliability.svg"), &Plot::reliability(&all))?;
    }
    if let Some(path) = &arguments.scores {
        let lines: String = all.iter().map(|report| report.scores.as_str()).collect();
        write(path, lines.as_bytes())?;
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn plot(path: &Path, plot: &Plot) -> Result<(), Failure> {
    write(path, plot.to_svg().as_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::replace(path, bytes, 0o666)
        .map_err(|error| Failure::new(Exit::of_io(&error), format!("{}: {error}", path.display())))
}

fn attack(paths: &Paths, arguments: &AttackArguments) -> Result<Exit, Failure> {
    let model = model_of(paths, arguments.model.as_deref())?;
    let names = [arguments.corpus.clone(), arguments.known.clone()];
    let [corpus, known] = corpora(&arguments.corpora, &names)?
        .try_into()
        .map_err(|_| Failure::new(Exit::Bug, "two names gave another number of corpora"))?;
    let mut bar = Bar::new();
    let report =
        gatepost_training::besiege(&model, &corpus, &known, arguments.taught, &mut |progress| {
            bar.show(&progress);
        })
        .map_err(|error| failed(&error))?;
    bar.finish();
    let mut out = Output::new();
    if arguments.format == Format::Json {
        out.line(serde_json::to_string(&report).unwrap_or_default())?;
    } else {
        let SiegeReport {
            corpus,
            ham,
            spam,
            labels,
            attacks,
        } = report;
        out.line(format_args!(
            "{corpus}: {spam} spam attacked, threshold by {ham} ham, {labels} labels taught"
        ))?;
        out.line("attack                  caught %   kept %")?;
        for Siege {
            attack,
            caught_percent,
            kept_percent,
        } in attacks
        {
            out.line(format_args!(
                "{attack:<22} {caught_percent:>9.2} {kept_percent:>8.2}"
            ))?;
        }
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn replay(arguments: &ReplayArguments) -> Result<Exit, Failure> {
    let mut settings = ReplaySettings {
        index: arguments.index.clone(),
        delay: usize::try_from(arguments.delay).unwrap_or(usize::MAX),
        partial: arguments.partial,
        first: arguments.first,
        noise_percent: arguments.noise,
        budget_percent: arguments.budget,
        seed: arguments.seed,
        ..ReplaySettings::default()
    };
    settings.learner.thick = arguments.thick;
    let mut bar = Bar::new();
    let report = gatepost_training::replay(&settings, &mut |progress| bar.show(&progress))
        .map_err(|error| failed(&error))?;
    bar.finish();
    if let Some(path) = &arguments.plot {
        plot(path, &Plot::learning(&report.learning_curve))?;
    }
    if let Some(path) = &arguments.scores {
        write(path, report.scores.as_bytes())?;
    }
    let on_terminal = std::io::stdout().is_terminal();
    let format = arguments.format.unwrap_or(if on_terminal {
        Format::Text
    } else {
        Format::Json
    });
    let mut out = Output::new();
    match format {
        Format::Json => out.line(serde_json::to_string(&report).unwrap_or_default())?,
        Format::Text => out.text(&report.to_string())?,
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn info(paths: &Paths, path: Option<&Path>, format: Format) -> Result<Exit, Failure> {
    let model = model_of(paths, path)?;
    let manifest = model.manifest();
    // A file that is named is looked at by itself; what is configured, with what the site has
    // taught beside it.
    let site = if path.is_none() {
        load_site(&load(paths)?.config)
    } else {
        None
    };
    let mut out = Output::new();
    if format == Format::Json {
        let mut line = serde_json::to_value(manifest).unwrap_or_default();
        if let (Some(fields), Some(site)) = (line.as_object_mut(), &site) {
            fields.insert("site".to_owned(), site_json(site));
        }
        out.line(line)?;
    } else {
        out.line(format_args!("model        {}", manifest.id))?;
        out.line(format_args!(
            "trained on   {} ({} ham, {} spam)",
            manifest.data, manifest.ham, manifest.spam
        ))?;
        out.line(format_args!("date         {}", manifest.date))?;
        out.line(format_args!("command      {}", manifest.command))?;
        out.line(format_args!(
            "schema       {}, {} buckets, {} dense, {} columns",
            manifest.schema_version, manifest.buckets, manifest.dense, manifest.bag
        ))?;
        out.line(format_args!("precision    {}", manifest.precision.name()))?;
        let calibration = &manifest.calibration;
        out.line(format_args!(
            "calibration  slope {:.4}, offset {:.4}",
            calibration.slope, calibration.offset
        ))?;
        out.line(format_args!("data digest  {}", manifest.data_digest))?;
        for line in site.as_deref().map_or_else(site_unknown, site_lines) {
            out.line(line)?;
        }
    }
    out.finish()?;
    Ok(Exit::Done)
}

pub(super) fn site_json(site: &SiteOpinion) -> serde_json::Value {
    let (ham, spam) = site.learner().labels();
    let (stacker, claim) = (site.stacker(), site.claim());
    serde_json::json!({
        "record": site.sequence(),
        "ham": ham,
        "spam": spam,
        "effective": stacker.effective,
        "weights": { "content": stacker.content, "site": stacker.site, "offset": stacker.offset },
        "claim": {
            "ham_loss_percent": 100.0 * Claim::LOSS,
            "confidence_percent": 100.0 * Claim::CONFIDENCE,
            "ham": claim.ham,
            "needed": claim.needed,
            "missing": claim.needed.saturating_sub(claim.ham),
            "log_odds": claim.threshold,
        },
    })
}

fn site_unknown() -> Vec<String> {
    vec![
        "site         no labels yet: the model alone judges (`gatepost learn`)".to_owned(),
        format!(
            "ham loss     0.1 % cannot be claimed: {} ham labels are missing",
            ham_needed(Claim::LOSS, Claim::CONFIDENCE)
        ),
    ]
}

/// What the site has taught, and what may be claimed from it.
fn site_lines(site: &SiteOpinion) -> Vec<String> {
    let (ham, spam) = site.learner().labels();
    let stacker = site.stacker();
    vec![
        format!(
            "site         {ham} ham, {spam} spam labels (sequence {})",
            site.sequence()
        ),
        format!(
            "weights      content model {:.3}, site learner {:.3}, offset {:+.3}; {:.0} labels in effect",
            stacker.content, stacker.site, stacker.offset, stacker.effective
        ),
        format!("ham loss     {}", loss(site.claim())),
    ]
}

/// What may be claimed about lost ham, or what is missing for it.
pub(super) fn loss(claim: &Claim) -> String {
    match claim.threshold {
        Some(log_odds) => format!(
            "at most 0.1 % above probability {:.5}, at 95 % confidence ({} ham labels)",
            Probability::from_logit(log_odds).value(),
            claim.ham
        ),
        None => format!(
            "0.1 % cannot be claimed at 95 % confidence: {} of {} ham labels, {} are missing",
            claim.ham,
            claim.needed,
            claim.needed.saturating_sub(claim.ham)
        ),
    }
}

/// The named model, or the configured one, or the built-in one.
fn model_of(paths: &Paths, path: Option<&Path>) -> Result<Model, Failure> {
    if let Some(path) = path {
        return read_model(path)
            .map_err(|diagnostic| Failure::Diagnostics(Exit::BadInput, vec![*diagnostic]));
    }
    let mut settings = load(paths)?.config.model;
    settings.enabled = true;
    load_model(&settings)?
        .ok_or_else(|| Failure::new(Exit::Unavailable, "no model is built in; name a model file"))
}

fn corpora(directory: &Path, names: &[String]) -> Result<Vec<Corpus>, Failure> {
    let corpus = |name: &String| {
        let (name, split) = match name.split_once(':') {
            None => (name.as_str(), None),
            Some((name, "train")) => (name, Some(Split::Train)),
            Some((name, "test")) => (name, Some(Split::Test)),
            Some((_, other)) => {
                let message = format!(
                    "`{other}` is no part of a corpus; write NAME, NAME:train or NAME:test"
                );
                return Err(Failure::new(Exit::Usage, message));
            }
        };
        Ok(Corpus {
            directory: directory.to_owned(),
            name: name.to_owned(),
            split,
        })
    };
    names.iter().map(corpus).collect()
}

fn failed(error: &TrainError) -> Failure {
    Failure::new(Exit::BadInput, error.to_string())
}

/// How far training is; on a terminal only.
struct Bar(Option<ProgressBar>);

impl Bar {
    fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            bar.set_style(
                ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}")
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar
        });
        Self(bar)
    }

    fn show(&mut self, progress: &Progress) {
        let Some(bar) = &self.0 else { return };
        match progress {
            Progress::Reading {
                corpus,
                done,
                total,
            } => at(bar, format!("reading {corpus}"), *done, *total),
            Progress::Learning { epoch, done, total } => {
                at(bar, format!("learning, pass {epoch}"), *done, *total);
            }
            Progress::Attacking { done, total } => {
                at(bar, "attacked copies".to_owned(), *done, *total);
            }
            Progress::Epoch {
                epoch,
                held_out_loss,
                one_minus_roca_percent,
            } => {
                bar.println(format!(
                    "pass {epoch}: held-out loss {held_out_loss:.5}, 1-ROCA {one_minus_roca_percent:.4} %"
                ));
            }
            Progress::Writing => bar.set_message("writing"),
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

fn at(bar: &ProgressBar, message: String, done: usize, total: usize) {
    bar.set_message(message);
    bar.set_length(total as u64);
    bar.set_position(done as u64);
}
