//! The rows of the embedding, and their sums: the part of the network that this program works out
//! itself.
//!
//! The graph has it as a Gather, a Cast and two products with matrices that are mostly zeros, as
//! ONNX has no operator that sums the rows of a list. For a mail of 5.5 kB that took the engine
//! most of 112 microseconds; with the sums worked out here sums and network take 30 (2026-11-28,
//! `cargo bench --bench classify`). A test holds the two equal.

use tract_onnx::pb;

use super::error::ModelError;
use super::graph::{BAG_SIZE, Names, WHOLE_BAGS};
use super::manifest::Precision;
use crate::features::{FeatureVector, Schema, weight};

/// The rows, as the file has them.
#[derive(Debug)]
pub(super) enum Rows {
    /// Precision [`Precision::Float`].
    Float(Vec<f32>),
    /// Precision [`Precision::Int8`]; the graph multiplies the sums by the scale of the columns.
    Int8(Vec<i8>),
}

/// The sums of one mail: what the graph calls `bag_sums` and `window_sums`, row after row.
#[derive(Debug)]
pub(super) struct Sums {
    pub(super) bags: [f32; WHOLE_BAGS * BAG_SIZE],
    pub(super) windows: [f32; Schema::WINDOWS * BAG_SIZE],
}

type Bag = [f32; BAG_SIZE];

impl Rows {
    /// Those of a graph that was checked.
    pub(super) fn of(
        graph: Option<&pb::GraphProto>,
        precision: Precision,
    ) -> Result<Self, ModelError> {
        let name = Names::WEIGHTS[0];
        let tensor =
            graph.and_then(|graph| graph.initializer.iter().find(|tensor| tensor.name == name));
        let raw = &tensor
            .ok_or_else(|| ModelError::Unusable {
                cause: format!("it has no weights `{name}`"),
            })?
            .raw_data;
        Ok(match precision {
            Precision::Float => {
                let (floats, _) = raw.as_chunks::<4>();
                Self::Float(
                    floats
                        .iter()
                        .map(|bytes| f32::from_le_bytes(*bytes))
                        .collect(),
                )
            }
            Precision::Int8 => Self::Int8(raw.iter().map(|byte| byte.cast_signed()).collect()),
        })
    }

    /// The sums of a message. Tokens outside of the table add nothing.
    pub(super) fn sums(&self, features: &FeatureVector) -> Sums {
        let segments: Vec<(Bag, usize)> = features
            .parts()
            .map(|tokens| (self.sum(tokens), tokens.len()))
            .collect();
        let (own, windows) = segments
            .split_at_checked(Schema::FIRST_WINDOW)
            .unwrap_or_default();
        let mut text = ([0.0; BAG_SIZE], 0);
        for (bag, length) in windows {
            text.0
                .iter_mut()
                .zip(bag)
                .for_each(|(sum, value)| *sum += value);
            text.1 += length;
        }
        let mut sums = Sums {
            bags: [0.0; WHOLE_BAGS * BAG_SIZE],
            windows: [0.0; Schema::WINDOWS * BAG_SIZE],
        };
        let (bags, _) = sums.bags.as_chunks_mut::<BAG_SIZE>();
        let (of_windows, _) = sums.windows.as_chunks_mut::<BAG_SIZE>();
        let weighed = |(bag, length): &(Bag, usize)| bag.map(|value| value * weight(*length));
        for (to, from) in bags.iter_mut().zip(std::iter::once(&text).chain(own)) {
            *to = weighed(from);
        }
        for (to, from) in of_windows.iter_mut().zip(windows) {
            *to = weighed(from);
        }
        sums
    }

    /// The sum of the rows of some tokens.
    fn sum(&self, tokens: &[i64]) -> Bag {
        let places = tokens
            .iter()
            .filter_map(|&token| usize::try_from(token).ok());
        match self {
            Self::Float(rows) => {
                let (rows, _) = rows.as_chunks::<BAG_SIZE>();
                let mut sum = [0.0; BAG_SIZE];
                for row in places.filter_map(|place| rows.get(place)) {
                    sum.iter_mut()
                        .zip(row)
                        .for_each(|(sum, value)| *sum += value);
                }
                sum
            }
            Self::Int8(rows) => {
                let (rows, _) = rows.as_chunks::<BAG_SIZE>();
                let mut sum = [0_i32; BAG_SIZE];
                for row in places.filter_map(|place| rows.get(place)) {
                    sum.iter_mut()
                        .zip(row)
                        .for_each(|(sum, value)| *sum = sum.wrapping_add(i32::from(*value)));
                }
                #[expect(clippy::cast_precision_loss, reason = "at most 7,000 times 127")]
                sum.map(|sum| sum as f32)
            }
        }
    }
}
