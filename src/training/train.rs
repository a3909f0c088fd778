//! From corpora to a model file.

use sha2::{Digest, Sha256};

use super::evaluate::features_of;
use super::export::export;
use super::fit::{self, Example};
use super::{Progress, TrainError, TrainSettings};
use crate::classifier::{BAG_SIZE, Manifest, hex};
use crate::features::{FeatureVector, Schema};

/// Messages needed of each class.
const LEAST: usize = 20;

/// A model that is ready to be stored.
#[derive(Clone, Debug)]
pub struct TrainedModel {
    /// The file.
    pub onnx: Vec<u8>,
    /// What it says of itself, with its id.
    pub manifest: Manifest,
}

/// Trains a model. `progress` is told how far the work is.
pub fn train(settings: &TrainSettings, progress: &mut dyn FnMut(Progress)) -> Result<TrainedModel, TrainError> {
    let mut examples = Vec::new();
    let mut sample = FeatureVector::default();
    let mut digest = Sha256::new();
    for corpus in &settings.corpora {
        corpus.read(progress, |message| {
            let Some(spam) = message.spam else { return };
            let (vector, group) = features_of(&message.raw);
            digest.update(format!("{}\t{spam}\t{}\n", message.path, message.sha256));
            examples.push(example(&vector, spam, group));
            if examples.len() == 1 {
                sample = vector;
            }
        })?;
    }
    let spam = examples.iter().filter(|example| example.spam).count();
    let ham = examples.len() - spam;
    if spam < LEAST || ham < LEAST {
        return Err(TrainError::TooLittle { ham, spam, least: LEAST });
    }
    let fitted = fit::fit(examples, settings, progress);
    progress(Progress::Writing);
    let data: Vec<_> = settings.corpora.iter().map(super::Corpus::describe).collect();
    let manifest = Manifest {
        id: String::new(),
        schema_version: Schema::VERSION,
        buckets: Schema::BUCKETS,
        dense: Schema::DENSE,
        bag: BAG_SIZE,
        precision: settings.precision,
        calibration: fitted.calibration,
        data_digest: hex(&digest.finalize()),
        data: data.join(", "),
        ham,
        spam,
        command: settings.command.clone(),
        date: settings.date.clone(),
    };
    let (onnx, manifest) = export(&fitted.network, &fitted.standard, manifest, &sample)?;
    Ok(TrainedModel { onnx, manifest })
}

fn example(vector: &FeatureVector, spam: bool, group: u64) -> Example {
    Example {
        tokens: vector.tokens.iter().filter_map(|&token| u32::try_from(token).ok()).collect(),
        weight: vector.weight(),
        dense: vector.dense.clone(),
        spam,
        group,
    }
}
