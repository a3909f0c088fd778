//! From corpora to a model file.

use super::corpus::Corpus;
use super::data::Data;
use super::error::TrainError;
use super::export::export;
use super::fit;
use super::settings::{Progress, TrainSettings};
use gatepost_learn::classifier::{BAG_SIZE, Calibration, Manifest};
use gatepost_learn::features::Schema;

/// Messages needed of each class.
const LEAST: usize = 20;

/// The log-odds of a mail are multiplied by this. A new site is a source that was left out of
/// training, and how sure a model may be there does not show on held-out mail of its own sources.
/// With one corpus left out at a time, the factor that fitted the mail of that corpus best was 0.76
/// (trec07p), 0.80 (lists), 0.86 (SpamAssassin) and 1.4 (csdmc2010); this one is careful.
/// (By the scores of `model eval --scores` of models trained `--without` each; the fit itself is no
/// command. 2026-11-28.)
const CAUTION: f64 = 0.66;

/// A model that is ready to be stored.
#[derive(Clone, Debug)]
pub struct TrainedModel {
    /// The file.
    pub onnx: Vec<u8>,
    /// What it says of itself, with its id.
    pub manifest: Manifest,
}

/// Trains a model. `progress` receives how far the work is.
pub fn train(
    settings: &TrainSettings,
    progress: &mut dyn FnMut(Progress),
) -> Result<TrainedModel, TrainError> {
    let mut data = Data::new(settings);
    for corpus in &settings.corpora {
        data.read(corpus, progress)?;
    }
    let (ham, spam) = (data.count(false), data.count(true));
    if spam < LEAST || ham < LEAST {
        return Err(TrainError::TooLittle {
            ham,
            spam,
            least: LEAST,
        });
    }
    let (examples, sample, digest) = data.finish(progress);
    let fitted = fit::fit(examples, settings, progress);
    progress(Progress::Writing);
    let corpora: Vec<_> = settings.corpora.iter().map(Corpus::describe).collect();
    let manifest = Manifest {
        id: String::new(),
        schema_version: Schema::VERSION,
        buckets: Schema::BUCKETS,
        dense: Schema::DENSE,
        bag: BAG_SIZE,
        precision: settings.precision,
        calibration: Calibration {
            slope: CAUTION * fitted.calibration.slope,
            offset: CAUTION * fitted.calibration.offset,
        },
        data_digest: digest,
        data: corpora.join(", "),
        ham,
        spam,
        command: settings.command.clone(),
        date: settings.date.clone(),
    };
    let (onnx, manifest) = export(&fitted.network, &fitted.standardizer, manifest, &sample)?;
    Ok(TrainedModel { onnx, manifest })
}
