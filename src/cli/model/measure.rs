//! `gatepost model eval|robustness|replay`.

use std::io::IsTerminal as _;

use super::arguments::{EvalArguments, ReplayArguments, RobustnessArguments};
use super::source::{corpora, failed, model_of, plot, write};
use super::training_progress::TrainingProgress;
use crate::cli::Exit;
use crate::cli::arguments::Format;
use crate::cli::deprecated::renamed;
use crate::cli::failure::Failure;
use crate::cli::terminal::Output;
use crate::config::Paths;
use gatepost_training::{AttackReport, AttackResult, Plot, ReplaySettings, Report};

/// Measures a model, alone or together with a site learner.
pub(super) fn eval(paths: &Paths, arguments: &EvalArguments) -> Result<Exit, Failure> {
    let model = model_of(paths, arguments.model.as_deref())?;
    let site_labels = [arguments.site_labels.as_slice(), &arguments.old_local].concat();
    let site_corpus = [arguments.site_corpus.as_slice(), &arguments.old_learned].concat();
    if !arguments.old_local.is_empty() {
        renamed("--local", "--site-labels");
    }
    if !arguments.old_learned.is_empty() {
        renamed("--learned", "--site-corpus");
    }
    let mut out = Output::new();
    let bar = TrainingProgress::new();
    let mut show = |progress| bar.show(&progress);
    let site = if site_corpus.is_empty() {
        None
    } else {
        let learned = corpora(&arguments.corpora, &site_corpus)?;
        let site = gatepost_training::teach(&learned, &mut show);
        Some(site.map_err(|error| failed(&error))?)
    };
    let mut all: Vec<Report> = Vec::new();
    for corpus in corpora(&arguments.corpora, &arguments.names)? {
        let reports = if site_labels.is_empty() {
            gatepost_training::evaluate(&model, site.as_ref(), &corpus, &mut show)
                .map(|report| vec![report])
        } else {
            gatepost_training::evaluate_cold_start(&model, &corpus, &site_labels, &mut show)
        };
        for report in reports.map_err(|error| failed(&error))? {
            out.line(serde_json::to_string(&report).unwrap_or_default())?;
            all.push(report);
        }
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
    Ok(bar.exit())
}

/// Measures how much of the spam is still caught under each attack.
pub(super) fn robustness(paths: &Paths, arguments: &RobustnessArguments) -> Result<Exit, Failure> {
    let model = model_of(paths, arguments.model.as_deref())?;
    let attacker_ham = match &arguments.old_known {
        Some(old) => {
            renamed("--known", "--attacker-ham");
            old
        }
        None => &arguments.attacker_ham,
    };
    if arguments.old_taught {
        renamed("--taught", "--with-site");
    }
    let with_site = arguments.with_site || arguments.old_taught;
    let names = [arguments.corpus.clone(), attacker_ham.clone()];
    let [corpus, known] = corpora(&arguments.corpora, &names)?
        .try_into()
        .map_err(|_| Failure::new(Exit::Bug, "two names gave another number of corpora"))?;
    let bar = TrainingProgress::new();
    let mut show = |progress| bar.show(&progress);
    let report = gatepost_training::evaluate_attacks(&model, &corpus, &known, with_site, &mut show);
    let report = report.map_err(|error| failed(&error))?;
    bar.finish();
    let mut out = Output::new();
    match arguments.format {
        Format::Json => out.line(serde_json::to_string(&report).unwrap_or_default())?,
        Format::Text => print_attacks(&report, &mut out)?,
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn print_attacks(report: &AttackReport, out: &mut Output) -> Result<(), Failure> {
    let AttackReport {
        corpus,
        ham,
        spam,
        labels,
        attacks,
    } = report;
    out.line(format_args!(
        "{corpus}: {spam} spam attacked, threshold by {ham} ham, {labels} labels of the site"
    ))?;
    out.line("attack                  caught %   kept %")?;
    for AttackResult {
        attack,
        caught_percent,
        kept_percent,
    } in attacks
    {
        out.line(format_args!(
            "{attack:<22} {caught_percent:>9.2} {kept_percent:>8.2}"
        ))?;
    }
    Ok(())
}

/// Replays a stream of labelled messages.
pub(super) fn replay(arguments: &ReplayArguments) -> Result<Exit, Failure> {
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
    if arguments.old_thick.is_some() {
        renamed("--thick", "--margin");
    }
    settings.learner.margin = arguments.margin.or(arguments.old_thick);
    let bar = TrainingProgress::new();
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
    let default = if on_terminal {
        Format::Text
    } else {
        Format::Json
    };
    let mut out = Output::new();
    match arguments.format.unwrap_or(default) {
        Format::Json => out.line(serde_json::to_string(&report).unwrap_or_default())?,
        Format::Text => out.text(&report.to_string())?,
    }
    out.finish()?;
    Ok(Exit::Done)
}
