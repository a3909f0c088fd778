//! Models and corpora that the command line names, and files that commands write.

use std::path::Path;

use crate::cli::Exit;
use crate::cli::failure::Failure;
use crate::cli::loading::load;
use crate::config::Paths;
use crate::daemon::{load_model, read_model};
use gatepost_learn::classifier::Model;
use gatepost_training::{Corpus, Plot, Split, TrainError};
use gatepost_words::fs::replace;

/// Permission bits of a file that did not exist before.
const MODE: u32 = 0o666;

/// The named model, or the configured one, or the built-in one.
pub(super) fn model_of(paths: &Paths, path: Option<&Path>) -> Result<Model, Failure> {
    if let Some(path) = path {
        return read_model(path)
            .map_err(|diagnostic| Failure::Diagnostics(Exit::BadInput, vec![*diagnostic]));
    }
    let mut settings = load(paths)?.config.model;
    settings.enabled = true;
    load_model(&settings)?
        .ok_or_else(|| Failure::new(Exit::Unavailable, "no model is built in; name a model file"))
}

/// The corpora of these names, each NAME, NAME:train or NAME:test.
pub(super) fn corpora(directory: &Path, names: &[String]) -> Result<Vec<Corpus>, Failure> {
    let corpus = |name: &String| {
        let (name, split) = match name.split_once(':') {
            None => (name.as_str(), None),
            Some((name, "train")) => (name, Some(Split::Train)),
            Some((name, "test")) => (name, Some(Split::Test)),
            Some((_, other)) => {
                let message = format!(
                    "invalid part of a corpus `{other}`: expected NAME, NAME:train or NAME:test"
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

/// The failure for an error of training or measuring.
pub(super) fn failed(error: &TrainError) -> Failure {
    Failure::new(Exit::BadInput, error.to_string())
}

/// Writes a plot as SVG.
pub(super) fn plot(path: &Path, plot: &Plot) -> Result<(), Failure> {
    write(path, plot.to_svg().as_bytes())
}

/// Replaces a file: a daemon that reloads meanwhile sees the old one or the new one, never half of
/// either.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    replace(path, bytes, MODE)
        .map_err(|error| Failure::new(Exit::of_io(&error), format!("{}: {error}", path.display())))
}
