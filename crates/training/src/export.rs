//! Writes a trained network as an ONNX file, in the one graph that `classifier` reads.

use gatepost_learn::onnx::pb;
use gatepost_learn::onnx::pb::tensor_proto::DataType;
use gatepost_learn::onnx::pb::tensor_shape_proto::{Dimension, dimension};
use prost::Message;

use super::error::TrainError;
use super::network::Network;
use super::standardize::Standardizer;
use gatepost_learn::classifier::{
    BAG_SIZE, Example, Manifest, Model, Names, Precision, WHOLE_BAGS, seal,
};
use gatepost_learn::features::{FeatureVector, Schema};

/// Tokens of each segment in the stored example.
const EXAMPLE_TOKENS: usize = 6;

/// The file, and the manifest with the id that the file got. `sample` becomes the stored example.
pub(super) fn export(
    network: &Network,
    standardizer: &Standardizer,
    mut manifest: Manifest,
    sample: &FeatureVector,
) -> Result<(Vec<u8>, Manifest), TrainError> {
    let features = shortened(sample);
    let graph = graph(network, standardizer, &manifest);
    // The first file only serves to ask the engine for the answer that the second one stores.
    let mut example = Example {
        features,
        logit: 0.0,
    };
    let untested = Model::load_untested(&encode(graph.clone(), &manifest, &example))?;
    example.logit = untested.logit(&example.features)?;
    let bytes = encode(graph, &manifest, &example);
    manifest = Model::load(&bytes)?.manifest().clone();
    Ok((bytes, manifest))
}

/// The first tokens of each segment.
fn shortened(sample: &FeatureVector) -> FeatureVector {
    let mut tokens = Vec::new();
    let mut segments = Vec::new();
    for part in sample.parts() {
        let (first, _) = part.split_at(part.len().min(EXAMPLE_TOKENS));
        tokens.extend_from_slice(first);
        segments.push(first.len());
    }
    FeatureVector {
        tokens,
        segments,
        dense: sample.dense.clone(),
    }
}

fn encode(graph: pb::GraphProto, manifest: &Manifest, example: &Example) -> Vec<u8> {
    let mut model = pb::ModelProto {
        ir_version: 8,
        opset_import: vec![pb::OperatorSetIdProto {
            domain: String::new(),
            version: 13,
        }],
        producer_name: "gatepost".to_owned(),
        graph: Some(graph),
        metadata_props: manifest.to_metadata(example),
        ..Default::default()
    };
    seal(&mut model);
    model.encode_to_vec()
}

fn graph(network: &Network, standardizer: &Standardizer, manifest: &Manifest) -> pb::GraphProto {
    let (rows, scale) = match manifest.precision {
        Precision::Float => (floats(&network.rows.values), vec![1.0; BAG_SIZE]),
        Precision::Int8 => quantise(&network.rows.values),
    };
    let limit = Standardizer::LIMIT;
    let data = [
        rows,
        floats(&scale),
        floats(&network.w0.values),
        floats(&network.b0.values),
        floats(&standardizer.mean),
        floats(&standardizer.inverse),
        floats(&[-limit]),
        floats(&[limit]),
        floats(&network.w1.values),
        floats(&network.b1.values),
        floats(&network.w2.values),
        floats(&network.b2.values),
    ];
    let dimensions = Names::dimensions(manifest.buckets, manifest.dense);
    let initializer = Names::WEIGHTS.into_iter().zip(dimensions).zip(data).map(
        |((name, dimensions), raw_data)| {
            let int8 = name == "rows" && manifest.precision == Precision::Int8;
            pb::TensorProto {
                name: name.to_owned(),
                dims: dimensions
                    .iter()
                    .filter_map(|&d| i64::try_from(d).ok())
                    .collect(),
                data_type: if int8 {
                    DataType::Int8
                } else {
                    DataType::Float
                } as i32,
                raw_data,
                ..Default::default()
            }
        },
    );
    let whole = |size: usize| i64::try_from(size).ok();
    pb::GraphProto {
        name: "gatepost".to_owned(),
        node: nodes(),
        initializer: initializer.collect(),
        input: vec![
            value("tokens", DataType::Int64, &[None]),
            value("bags", DataType::Float, &[whole(WHOLE_BAGS), None]),
            value("windows", DataType::Float, &[whole(Schema::WINDOWS), None]),
            value("dense", DataType::Float, &[Some(1), whole(manifest.dense)]),
        ],
        output: vec![value(Names::OUTPUT, DataType::Float, &[Some(1), Some(1)])],
        ..Default::default()
    }
}

fn nodes() -> Vec<pb::NodeProto> {
    let integer = |name: &str, i: i64| pb::AttributeProto {
        name: name.to_owned(),
        r#type: pb::attribute_proto::AttributeType::Int as i32,
        i,
        ..Default::default()
    };
    let [bag_sums, window_sums] = Names::SUMS;
    let nodes: [(&[&str], &str); 20] = [
        (&["rows", "tokens"], "gathered"),
        (&["gathered"], "cast"),
        (&["bags", "cast"], bag_sums),
        (&[bag_sums, "scale"], "scaled_bags"),
        (&["scaled_bags"], "whole"),
        (&["windows", "cast"], window_sums),
        (&[window_sums, "scale"], "scaled_windows"),
        (&["scaled_windows", "w0"], "window_products"),
        (&["window_products", "b0"], "window_biased"),
        (&["window_biased"], "window_units"),
        (&["window_units"], "strongest"),
        (&["dense", "mean"], "centred"),
        (&["centred", "inverse"], "standard"),
        (&["standard", "clip_min", "clip_max"], "clipped"),
        (&["whole", "strongest", "clipped"], "joined"),
        (&["joined", "w1"], "first"),
        (&["first", "b1"], "biased"),
        (&["biased"], "hidden"),
        (&["hidden", "w2"], "second"),
        (&["second", "b2"], Names::OUTPUT),
    ];
    let operators = Names::OPERATORS.into_iter().zip(nodes);
    let node = operators.map(|(operator, (inputs, output))| pb::NodeProto {
        name: output.to_owned(),
        op_type: operator.to_owned(),
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        attribute: match operator {
            "Gather" | "Flatten" => vec![integer("axis", 0)],
            "ReduceMax" => vec![first_axis(), integer("keepdims", 1)],
            "Cast" => vec![integer("to", DataType::Float as i64)],
            "Concat" => vec![integer("axis", 1)],
            _ => Vec::new(),
        },
        ..Default::default()
    });
    node.collect()
}

/// The attribute `axes`, with the first axis alone.
fn first_axis() -> pb::AttributeProto {
    pb::AttributeProto {
        name: "axes".to_owned(),
        r#type: pb::attribute_proto::AttributeType::Ints as i32,
        ints: vec![0],
        ..Default::default()
    }
}

/// A declared input or output; `None` is the number of tokens.
fn value(name: &str, kind: DataType, dimensions: &[Option<i64>]) -> pb::ValueInfoProto {
    let dim = dimensions.iter().map(|&size| Dimension {
        value: Some(size.map_or_else(
            || dimension::Value::DimParam("N".to_owned()),
            dimension::Value::DimValue,
        )),
        ..Default::default()
    });
    let tensor = pb::type_proto::Tensor {
        elem_type: kind as i32,
        shape: Some(pb::TensorShapeProto { dim: dim.collect() }),
    };
    let r#type = pb::TypeProto {
        value: Some(pb::type_proto::Value::TensorType(tensor)),
        ..Default::default()
    };
    pb::ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(r#type),
        ..Default::default()
    }
}

fn floats(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// Rows as 8-bit integers, and the scale of each column: its largest absolute value over 127.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounded and held within -127..=127"
)]
fn quantise(rows: &[f32]) -> (Vec<u8>, Vec<f32>) {
    let mut scale = vec![0f32; BAG_SIZE];
    for (value, largest) in rows.iter().zip((0..BAG_SIZE).cycle()) {
        if let Some(largest) = scale.get_mut(largest) {
            *largest = largest.max(value.abs());
        }
    }
    for largest in &mut scale {
        *largest = if *largest > 0.0 {
            *largest / 127.0
        } else {
            1.0
        };
    }
    let bytes = rows.iter().zip(scale.iter().cycle());
    let bytes = bytes
        .map(|(value, scale)| (value / scale).round().clamp(-127.0, 127.0) as i8 as u8)
        .collect();
    (bytes, scale)
}
