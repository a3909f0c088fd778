//! Loads a model and asks it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use gatepost_words::hex;
use prost::Message;
use sha2::{Digest, Sha256};
use tract_onnx::pb;
use tract_onnx::prelude::{
    Datum, Framework, InferenceFact, InferenceModelExt, IntoRunnable, Tensor, TypedRunnableModel,
    tvec,
};

use super::error::ModelError;
use super::graph::{self, BAG_SIZE, Names, WHOLE_BAGS};
use super::manifest::{Example, Manifest};
use super::probability::Probability;
use super::rows::{Rows, Sums};
use crate::features::{FeatureVector, Schema};

/// How far the answer to the stored example may be off: other processors add in another order.
const SELF_TEST_TOLERANCE: f32 = 2e-3;

/// A loaded model: immutable, shared by all workers.
pub struct Model {
    manifest: Manifest,
    rows: Rows,
    /// The network above the sums of the rows.
    plan: Arc<TypedRunnableModel>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("manifest", &self.manifest)
            .finish_non_exhaustive()
    }
}

impl Model {
    /// Longest model file, in bytes.
    pub const FILE_LIMIT: usize = 32 << 20;

    /// Reads a model file. Whatever is wrong with it is an error, never a panic.
    pub fn load(bytes: &[u8]) -> Result<Self, ModelError> {
        let (model, example) = Self::read(bytes)?;
        model.self_test(&example)?;
        Ok(model)
    }

    /// As [`Model::load`] without the self-test: for the trainer, which asks such a model for the
    /// answer that the example shall have.
    pub fn load_untested(bytes: &[u8]) -> Result<Self, ModelError> {
        Self::read(bytes).map(|(model, _)| model)
    }

    fn read(bytes: &[u8]) -> Result<(Self, Example), ModelError> {
        if bytes.len() > Self::FILE_LIMIT {
            return Err(ModelError::TooLarge {
                size: bytes.len(),
                limit: Self::FILE_LIMIT,
            });
        }
        let mut proto = pb::ModelProto::decode(bytes).map_err(|error| damaged(&error))?;
        if proto.graph.is_none() {
            return Err(damaged(&"it holds no graph"));
        }
        graph::check_seal(&mut proto)?;
        let id: String = hex::encode(&Sha256::digest(bytes))
            .chars()
            .take(12)
            .collect();
        let (manifest, example) = Manifest::from_metadata(&proto.metadata_props, id)?;
        manifest.check_schema()?;
        graph::check(&proto, &manifest)?;
        // tract panics on some malformed graphs; nothing of it survives a panic here.
        let plan = catch_unwind(AssertUnwindSafe(|| prepare(&proto)))
            .map_err(|_| unusable("the engine panicked while it read the graph"))?
            .map_err(|error| unusable(&format!("{error:#}")))?;
        let rows = Rows::of(proto.graph.as_ref(), manifest.precision)?;
        Ok((
            Self {
                manifest,
                rows,
                plan,
            },
            example,
        ))
    }

    /// What the file says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The calibrated probability that the mail is spam.
    pub fn probability(&self, features: &FeatureVector) -> Result<Probability, ModelError> {
        self.log_odds(features).map(Probability::from_logit)
    }

    /// The calibrated natural log-odds: finer than the probability near 0 and 1, for ranking and
    /// for a stacker.
    pub fn log_odds(&self, features: &FeatureVector) -> Result<f64, ModelError> {
        Ok(self
            .manifest
            .calibration
            .log_odds(f64::from(self.logit(features)?)))
    }

    /// The output of the network, not calibrated; finite.
    pub fn logit(&self, features: &FeatureVector) -> Result<f32, ModelError> {
        let inside =
            |&token: &i64| usize::try_from(token).is_ok_and(|token| token < self.manifest.buckets);
        if features.tokens.is_empty()
            || features.tokens.len() > Schema::TOKENS
            || !features.tokens.iter().all(inside)
        {
            return Err(run(
                "the feature vector has no tokens, too many, or one outside of the schema",
            ));
        }
        let sum = features
            .segments
            .iter()
            .fold(0usize, |sum, &length| sum.saturating_add(length));
        if features.segments.len() != Schema::SEGMENTS || sum != features.tokens.len() {
            return Err(run(
                "the segments of the tokens are not those of the schema",
            ));
        }
        if features.dense.len() != self.manifest.dense
            || !features.dense.iter().all(|value| value.is_finite())
        {
            return Err(run("the structure features are not those of the schema"));
        }
        let logit = catch_unwind(AssertUnwindSafe(|| self.infer(features)))
            .map_err(|_| run("the engine panicked"))?
            .map_err(|error| run(&format!("{error:#}")))?;
        if logit.is_finite() {
            Ok(logit)
        } else {
            Err(run("the answer is not a finite number"))
        }
    }

    fn infer(&self, features: &FeatureVector) -> anyhow::Result<f32> {
        let Sums { bags, windows } = self.rows.sums(features);
        let inputs = tvec!(
            Tensor::from_shape(&[WHOLE_BAGS, BAG_SIZE], &bags)?.into(),
            Tensor::from_shape(&[Schema::WINDOWS, BAG_SIZE], &windows)?.into(),
            Tensor::from_shape(&[1, features.dense.len()], &features.dense)?.into(),
        );
        let outputs = self.plan.run(inputs)?;
        let output = outputs
            .first()
            .ok_or_else(|| anyhow::anyhow!("no output"))?;
        let view = output.try_as_plain_ram()?;
        view.as_slice::<f32>()?
            .first()
            .copied()
            .ok_or_else(|| anyhow::anyhow!("empty output"))
    }

    fn self_test(&self, example: &Example) -> Result<(), ModelError> {
        let found = self.logit(&example.features)?;
        if (found - example.logit).abs() <= SELF_TEST_TOLERANCE * example.logit.abs().max(1.0) {
            Ok(())
        } else {
            Err(ModelError::SelfTest {
                found: found.to_string(),
                expected: example.logit.to_string(),
            })
        }
    }
}

/// The network from the sums of the rows on: everything below is cut off.
fn prepare(proto: &pb::ModelProto) -> anyhow::Result<Arc<TypedRunnableModel>> {
    let [bags, windows] = Names::SUMS;
    let sums = |rows: usize| InferenceFact::dt_shape(f32::datum_type(), [rows, BAG_SIZE]);
    tract_onnx::onnx()
        .model_for_proto_model(proto)?
        .with_input_names([bags, windows, "dense"])?
        .with_input_fact(0, sums(WHOLE_BAGS))?
        .with_input_fact(1, sums(Schema::WINDOWS))?
        .into_optimized()?
        .into_runnable()
}

fn damaged(cause: &dyn std::fmt::Display) -> ModelError {
    ModelError::Damaged {
        cause: cause.to_string(),
    }
}

fn unusable(cause: &str) -> ModelError {
    ModelError::Unusable {
        cause: cause.to_owned(),
    }
}

fn run(cause: &str) -> ModelError {
    ModelError::Run {
        cause: cause.to_owned(),
    }
}
