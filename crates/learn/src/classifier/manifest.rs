//! What a model file says of itself, in the `metadata_props` of the ONNX file (keys `gatepost.*`).

use serde::{Deserialize, Serialize};
use tract_onnx::pb;

use super::error::ModelError;
use super::probability::Calibration;
use crate::features::{FeatureVector, Schema};

/// Longest list of tokens in a stored example.
const EXAMPLE_TOKENS: usize = 100;

/// How the rows of the embedding are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floating point: for tests of parity.
    Float,
    /// 8-bit integers with one scale a column: a quarter of the size.
    Int8,
}

impl Precision {
    /// The name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Int8 => "int8",
        }
    }
}

/// Where a model comes from and how to read it. The same fields are in `models/manifest.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// First twelve hexadecimal digits of the SHA-256 of the file: the name of the model in
    /// verdicts and logs. Empty until the file is written.
    pub id: String,
    /// [`Schema::VERSION`] at training.
    pub schema_version: u32,
    /// [`Schema::BUCKETS`] at training.
    pub buckets: usize,
    /// [`Schema::DENSE`] at training.
    pub dense: usize,
    /// Columns of the embedding.
    pub bag: usize,
    /// How the rows are stored.
    pub precision: Precision,
    /// From logits to probabilities.
    pub calibration: Calibration,
    /// SHA-256 over path, label and digest of each message trained on, in order.
    pub data_digest: String,
    /// The corpora and parts, such as `spamassassin train`.
    pub data: String,
    /// Ham trained on.
    pub ham: usize,
    /// Spam trained on.
    pub spam: usize,
    /// The command that trained it.
    pub command: String,
    /// When, as the caller of `train` said; part of the file, so the same date is needed for the
    /// same bytes.
    pub date: String,
}

/// An input with the answer that the model gave to it when it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The input.
    pub features: FeatureVector,
    /// The answer, not calibrated.
    pub logit: f32,
}

impl Manifest {
    /// The entries for `metadata_props`, the example included; [`super::seal`] adds the digest.
    pub fn to_metadata(&self, example: &Example) -> Vec<pb::StringStringEntryProto> {
        let Calibration { slope, offset } = self.calibration;
        let tokens: Vec<_> = example
            .features
            .tokens
            .iter()
            .map(ToString::to_string)
            .collect();
        let segments: Vec<_> = example
            .features
            .segments
            .iter()
            .map(ToString::to_string)
            .collect();
        let dense: Vec<_> = example
            .features
            .dense
            .iter()
            .map(ToString::to_string)
            .collect();
        [
            ("schema_version", self.schema_version.to_string()),
            ("buckets", self.buckets.to_string()),
            ("dense", self.dense.to_string()),
            ("bag", self.bag.to_string()),
            ("precision", self.precision.name().to_owned()),
            ("calibration.slope", slope.to_string()),
            ("calibration.offset", offset.to_string()),
            ("data_digest", self.data_digest.clone()),
            ("data", self.data.clone()),
            ("ham", self.ham.to_string()),
            ("spam", self.spam.to_string()),
            ("command", self.command.clone()),
            ("date", self.date.clone()),
            ("example.tokens", tokens.join(",")),
            ("example.segments", segments.join(",")),
            ("example.dense", dense.join(",")),
            ("example.logit", example.logit.to_string()),
        ]
        .map(|(key, value)| pb::StringStringEntryProto {
            key: format!("gatepost.{key}"),
            value,
        })
        .into()
    }

    /// Reads them back; `id` names the file they come from.
    pub(super) fn from_metadata(
        entries: &[pb::StringStringEntryProto],
        id: String,
    ) -> Result<(Self, Example), ModelError> {
        let read = Entries(entries);
        let precision = match read.text("precision")? {
            "float" => Precision::Float,
            "int8" => Precision::Int8,
            other => return Err(foreign(&format!("a known precision (it says {other:?})"))),
        };
        let manifest = Self {
            id,
            schema_version: read.number("schema_version")?,
            buckets: read.number("buckets")?,
            dense: read.number("dense")?,
            bag: read.number("bag")?,
            precision,
            calibration: Calibration {
                slope: read.number("calibration.slope")?,
                offset: read.number("calibration.offset")?,
            },
            data_digest: read.text("data_digest")?.to_owned(),
            data: read.text("data")?.to_owned(),
            ham: read.number("ham")?,
            spam: read.number("spam")?,
            command: read.text("command")?.to_owned(),
            date: read.text("date")?.to_owned(),
        };
        let features = FeatureVector {
            tokens: read.list("example.tokens", EXAMPLE_TOKENS)?,
            segments: read.list("example.segments", Schema::SEGMENTS)?,
            dense: read.list("example.dense", 1_000)?,
        };
        Ok((
            manifest,
            Example {
                features,
                logit: read.number("example.logit")?,
            },
        ))
    }

    /// Refuses a model that was trained for other features.
    pub(super) fn check_schema(&self) -> Result<(), ModelError> {
        let describe = |version: u32, buckets: usize, dense: usize| {
            format!("{version} ({buckets} buckets, {dense} dense)")
        };
        let found = describe(self.schema_version, self.buckets, self.dense);
        let expected = describe(Schema::VERSION, Schema::BUCKETS, Schema::DENSE);
        if found == expected {
            Ok(())
        } else {
            Err(ModelError::Schema { found, expected })
        }
    }
}

struct Entries<'a>(&'a [pb::StringStringEntryProto]);

impl<'a> Entries<'a> {
    fn text(&self, key: &str) -> Result<&'a str, ModelError> {
        let entry = self
            .0
            .iter()
            .find(|entry| entry.key.strip_prefix("gatepost.") == Some(key));
        entry
            .map(|entry| entry.value.as_str())
            .ok_or_else(|| foreign(&format!("the metadata `gatepost.{key}`")))
    }

    fn number<T: std::str::FromStr>(&self, key: &str) -> Result<T, ModelError> {
        self.text(key)?
            .parse()
            .map_err(|_| foreign(&format!("a number in the metadata `gatepost.{key}`")))
    }

    fn list<T: std::str::FromStr>(&self, key: &str, limit: usize) -> Result<Vec<T>, ModelError> {
        let items = self.text(key)?.split(',').take(limit + 1);
        let numbers: Option<Vec<T>> = items.map(|item| item.parse().ok()).collect();
        numbers
            .filter(|numbers| numbers.len() <= limit)
            .ok_or_else(|| {
                foreign(&format!(
                    "a list of at most {limit} numbers in the metadata `gatepost.{key}`"
                ))
            })
    }
}

fn foreign(what: &str) -> ModelError {
    ModelError::Foreign {
        what: what.to_owned(),
    }
}
