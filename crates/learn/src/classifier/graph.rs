//! The one graph that a model may have: its names, its shapes and the digest over all of it.
//!
//! ```text
//! tokens i64[N] ─▶ Gather(rows) ─▶ Cast ─┬▶ MatMul(bags f32[3,N], ·) ─▶ Mul(scale) ─▶ Flatten ────────────────────────┐
//!                                        └▶ MatMul(windows f32[8,N], ·) ─▶ Mul(scale) ─▶ MatMul(w0) ─▶ Add(b0)        │
//!                                                                                 ─▶ Relu ─▶ ReduceMax(windows) ──────┤
//! dense f32[1,D] ─▶ Sub(mean) ─▶ Mul(inverse) ─▶ Clip(-4, 4) ─────────────────────────────────────────────────────────┴▶ Concat
//!         ─▶ MatMul(w1) ─▶ Add(b1) ─▶ Relu ─▶ MatMul(w2) ─▶ Add(b2) ─▶ logit f32[1,1]
//! ```
//!
//! Each window of the text is looked at by itself and the strongest answer of each unit counts:
//! what is put around a text does not make it weaker.

use gatepost_words::hex;
use prost::Message;
use sha2::{Digest, Sha256};
use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};

use super::error::ModelError;
use super::manifest::{Manifest, Precision};
use crate::features::Schema;

/// Columns of the embedding.
pub const BAG_SIZE: usize = 16;
/// Bags that enter as they are: whole text, shape, subject.
pub const WHOLE_BAGS: usize = 1 + Schema::FIRST_WINDOW;
/// Units that look at each window of the text.
pub const WINDOW_SIZE: usize = 16;
/// Units of the hidden layer.
pub const HIDDEN_SIZE: usize = 32;
/// Key of the digest in the metadata.
const DIGEST: &str = "gatepost.digest";
/// No weight of a sound model is larger.
const WEIGHT_LIMIT: f32 = 1e6;

/// The names in the graph, for the one who writes it (`training`) and the one who checks it.
#[derive(Clone, Copy, Debug)]
pub struct Names;

impl Names {
    /// The inputs, in the order in which they are given.
    pub const INPUTS: [&'static str; 4] = ["tokens", "bags", "windows", "dense"];
    /// The nodes of the sums of rows, which [`super::Model`] works out in place of the graph.
    pub const SUMS: [&'static str; 2] = ["bag_sums", "window_sums"];
    /// The only output.
    pub const OUTPUT: &'static str = "logit";
    /// The operators, in order.
    pub const OPERATORS: [&'static str; 20] = [
        "Gather",
        "Cast",
        "MatMul",
        "Mul",
        "Flatten",
        "MatMul",
        "Mul",
        "MatMul",
        "Add",
        "Relu",
        "ReduceMax",
        "Sub",
        "Mul",
        "Clip",
        "Concat",
        "MatMul",
        "Add",
        "Relu",
        "MatMul",
        "Add",
    ];
    /// The initialisers, in order.
    pub const WEIGHTS: [&'static str; 12] = [
        "rows", "scale", "w0", "b0", "mean", "inverse", "clip_min", "clip_max", "w1", "b1", "w2",
        "b2",
    ];

    /// The dimensions of those initialisers.
    pub fn dimensions(buckets: usize, dense: usize) -> [Vec<usize>; 12] {
        [
            vec![buckets, BAG_SIZE],
            vec![1, BAG_SIZE],
            vec![BAG_SIZE, WINDOW_SIZE],
            vec![1, WINDOW_SIZE],
            vec![1, dense],
            vec![1, dense],
            vec![],
            vec![],
            vec![WHOLE_BAGS * BAG_SIZE + WINDOW_SIZE + dense, HIDDEN_SIZE],
            vec![1, HIDDEN_SIZE],
            vec![HIDDEN_SIZE, 1],
            vec![1, 1],
        ]
    }
}

/// Writes the digest over everything else into the metadata. Call it last.
pub fn seal(model: &mut pb::ModelProto) {
    let value = digest(model);
    model.metadata_props.push(pb::StringStringEntryProto {
        key: DIGEST.to_owned(),
        value,
    });
}

/// SHA-256, in hexadecimal digits, of the encoded model without the digest itself.
fn digest(model: &mut pb::ModelProto) -> String {
    model.metadata_props.retain(|entry| entry.key != DIGEST);
    hex::encode(&Sha256::digest(model.encode_to_vec()))
}

/// Whether the file is as it was sealed. Takes the digest out of the metadata.
pub(super) fn check_seal(model: &mut pb::ModelProto) -> Result<(), ModelError> {
    let Some(stored) = model
        .metadata_props
        .iter()
        .find(|entry| entry.key == DIGEST)
        .map(|entry| entry.value.clone())
    else {
        return Err(ModelError::Foreign {
            what: format!("the metadata `{DIGEST}`"),
        });
    };
    if digest(model) == stored {
        Ok(())
    } else {
        Err(ModelError::Damaged {
            cause: "its content does not match its digest".to_owned(),
        })
    }
}

/// Whether the graph is the one above, with numbers that can be: what passes here holds no
/// surprise for the engine.
pub(super) fn check(model: &pb::ModelProto, manifest: &Manifest) -> Result<(), ModelError> {
    let graph = model
        .graph
        .as_ref()
        .ok_or_else(|| unusable("it has no graph"))?;
    if manifest.bag != BAG_SIZE {
        return Err(unusable(&format!(
            "its bag has {} columns instead of {BAG_SIZE}",
            manifest.bag
        )));
    }
    if !manifest.calibration.is_valid() {
        return Err(unusable(
            "its calibration has no positive slope or is not finite",
        ));
    }
    let operators: Vec<&str> = graph
        .node
        .iter()
        .map(|node| node.op_type.as_str())
        .collect();
    let inputs: Vec<&str> = graph
        .input
        .iter()
        .map(|input| input.name.as_str())
        .collect();
    if operators != Names::OPERATORS || inputs != Names::INPUTS {
        return Err(unusable(
            "its graph is not the one that this program writes",
        ));
    }
    if !(graph.output.iter().map(|output| output.name.as_str())).eq([Names::OUTPUT]) {
        return Err(unusable("it has another output than `logit`"));
    }
    if graph.initializer.len() != Names::WEIGHTS.len() {
        return Err(unusable("it has another number of weights"));
    }
    let expected = Names::WEIGHTS
        .into_iter()
        .zip(Names::dimensions(manifest.buckets, manifest.dense));
    for (tensor, (name, dimensions)) in graph.initializer.iter().zip(expected) {
        let precision = if name == "rows" {
            manifest.precision
        } else {
            Precision::Float
        };
        check_tensor(tensor, name, &dimensions, precision)?;
    }
    Ok(())
}

fn check_tensor(
    tensor: &pb::TensorProto,
    name: &str,
    dimensions: &[usize],
    precision: Precision,
) -> Result<(), ModelError> {
    let (kind, width) = match precision {
        Precision::Float => (DataType::Float, 4),
        Precision::Int8 => (DataType::Int8, 1),
    };
    let same_dimensions = tensor
        .dims
        .iter()
        .map(|&d| usize::try_from(d).ok())
        .eq(dimensions.iter().map(|&d| Some(d)));
    let bytes = dimensions.iter().product::<usize>() * width;
    let external = tensor.data_location == Some(DataLocation::External as i32);
    if tensor.name != name
        || tensor.data_type != kind as i32
        || !same_dimensions
        || external
        || tensor.raw_data.len() != bytes
    {
        return Err(unusable(&format!(
            "the weights `{name}` have another type or shape"
        )));
    }
    let (floats, _) = tensor.raw_data.as_chunks::<4>();
    let sane = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes).abs() <= WEIGHT_LIMIT;
    if precision == Precision::Float && !floats.iter().all(sane) {
        return Err(unusable(&format!(
            "the weights `{name}` hold a number that is not finite or far too large"
        )));
    }
    Ok(())
}

fn unusable(cause: &str) -> ModelError {
    ModelError::Unusable {
        cause: cause.to_owned(),
    }
}
