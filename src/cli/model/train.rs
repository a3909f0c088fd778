//! `gatepost model train`.

use super::arguments::TrainArguments;
use super::source::{corpora, failed, write};
use super::training_progress::TrainingProgress;
use crate::cli::Exit;
use crate::cli::failure::Failure;
use crate::cli::terminal::Output;
use gatepost_training::TrainSettings;
use gatepost_words::CivilTime;
use gatepost_words::clock::Clock;

/// Trains a model and writes it with its manifest.
pub(super) fn train(arguments: &TrainArguments) -> Result<Exit, Failure> {
    let mut settings = TrainSettings {
        corpora: corpora(&arguments.corpora, &trained_on(arguments)?)?,
        ..TrainSettings::default()
    };
    settings.seed = arguments.seed.unwrap_or(settings.seed);
    settings.epochs = arguments.epochs.map_or(settings.epochs, usize::from);
    settings.date = arguments.date.clone().unwrap_or_else(today);
    settings.command = command_line(arguments);
    let bar = TrainingProgress::new();
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
    Ok(bar.exit())
}

/// The corpora that are named, or those of the shipped model, without those that are to be left out.
fn trained_on(arguments: &TrainArguments) -> Result<Vec<String>, Failure> {
    let mut names = arguments.names.clone();
    if names.is_empty() {
        names.extend(gatepost_training::SHIPPED.map(|name| format!("{name}:train")));
    }
    for without in &arguments.without {
        let before = names.len();
        names.retain(|name| name.split(':').next() != Some(without.as_str()));
        if names.len() == before {
            let message = format!(
                "`{without}` is not one of the corpora: {}",
                names.join(", ")
            );
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

/// The day, as YYYY-MM-DD in UTC.
fn today() -> String {
    let now = CivilTime::from_system(Clock::system().wall());
    now.date().to_string()
}
