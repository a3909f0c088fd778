//! What each token and each structure feature of one message adds to the answer of the content model:
//! exactly.
//!
//! With the hidden units that are on for this mail, and for each window unit the window that won,
//! the network is a sum: of the rows of the tokens, of the structure features and of constants,
//! each with a factor. The parts below are that sum. They say what this network did with this mail,
//! not what it would have done with another: without a word, another window may win.

use prost::Message as _;
use tract_onnx::pb;

use super::contribution::{Combined, Contribution};
use super::error::ModelError;
use super::graph::{BAG_SIZE, HIDDEN_SIZE, Names, WHOLE_BAGS, WINDOW_SIZE};
use super::manifest::{Manifest, Precision};
use super::model::Model;
use super::probability::Calibration;
use crate::features::{FeatureVector, Origin, Schema, weight};

/// Where constants are listed.
const CONSTANT: &str = "constant";
/// Where structure features are listed.
const STRUCTURE: &str = "structure";

/// The weights of a content model, for taking its answers apart. The daemon does not need it.
#[derive(Clone, Debug)]
pub struct Attribution {
    calibration: Calibration,
    /// The other initialisers of [`Names::WEIGHTS`] in their order; the first two are merged into
    /// one.
    rows: Vec<f32>,
    w0: Vec<f32>,
    b0: Vec<f32>,
    mean: Vec<f32>,
    inverse: Vec<f32>,
    clip: [f32; 2],
    w1: Vec<f32>,
    b1: Vec<f32>,
    w2: Vec<f32>,
    b2: Vec<f32>,
}

/// The parts of one answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts {
    /// One for each token, in the order of the vector.
    tokens: Vec<f64>,
    /// One for each structure feature.
    dense: Vec<f64>,
    /// What is the same in every mail for which the same units are on.
    constant: f64,
}

type Bag = [f64; BAG_SIZE];

impl Attribution {
    /// Reads the weights of a model file. It is as strict as [`Model::load`], but for the
    /// self-test.
    pub fn read(bytes: &[u8]) -> Result<Self, ModelError> {
        let manifest = Model::load_untested(bytes)?.manifest().clone();
        let unusable = || ModelError::Unusable {
            cause: "its weights cannot be read".to_owned(),
        };
        let graph = pb::ModelProto::decode(bytes)
            .ok()
            .and_then(|model| model.graph)
            .ok_or_else(unusable)?;
        let raw = |name: &str| {
            graph
                .initializer
                .iter()
                .find(|tensor| tensor.name == name)
                .map(|t| &t.raw_data[..])
        };
        let floats = |name: &str| raw(name).map(floats).ok_or_else(unusable);
        let scale = floats("scale")?;
        let rows = rows(
            raw(Names::WEIGHTS[0]).ok_or_else(unusable)?,
            &scale,
            &manifest,
        );
        let limit = |name: &str| {
            floats(name).and_then(|values| values.first().copied().ok_or_else(unusable))
        };
        Ok(Self {
            calibration: manifest.calibration,
            rows,
            w0: floats("w0")?,
            b0: floats("b0")?,
            mean: floats("mean")?,
            inverse: floats("inverse")?,
            clip: [limit("clip_min")?, limit("clip_max")?],
            w1: floats("w1")?,
            b1: floats("b1")?,
            w2: floats("w2")?,
            b2: floats("b2")?,
        })
    }

    /// What pushed the calibrated log-odds of a mail, the strongest first; `origins` says where
    /// each token is from. The sum of all of them is [`Model::log_odds`], but for rounding. The
    /// same word in the same place is listed once; a 4-gram that is in several words of a
    /// window belongs to the first.
    pub fn contributions(&self, vector: &FeatureVector, origins: &[Origin]) -> Vec<Contribution> {
        let parts = self.parts(vector);
        let slope = self.calibration.slope;
        let mut combined = Combined::default();
        for (part, origin) in parts.tokens.iter().zip(origins) {
            combined.add(origin.place, &origin.word, part * slope);
        }
        for (part, name) in parts.dense.iter().zip(Schema::dense_names()) {
            combined.add(STRUCTURE, name, part * slope);
        }
        combined.add(
            CONSTANT,
            "",
            parts.constant * slope + self.calibration.offset,
        );
        combined.strongest_first()
    }

    /// The parts of the logit, which is not calibrated.
    pub fn parts(&self, vector: &FeatureVector) -> Parts {
        let bags = self.bags(vector);
        let standard = self.standard(vector);
        let winners = self.winners(&bags);
        let slopes = self.slopes(&self.inputs(vector, &bags, &standard, &winners));
        let mut parts = Parts {
            constant: self.constant(&slopes),
            ..Parts::default()
        };
        let slope_of = |input: usize| slopes.inputs.get(input).copied().unwrap_or(0.0);
        let own =
            |bag: usize| -> Bag { std::array::from_fn(|column| slope_of(bag * BAG_SIZE + column)) };
        let text_weight = text_weight(vector);
        for (segment, tokens) in vector.parts().enumerate() {
            let share = f64::from(weight(tokens.len()));
            let mut toward: Bag;
            if segment < Schema::FIRST_WINDOW {
                toward = own(segment + 1).map(|slope| slope * share);
            } else {
                toward = own(0).map(|slope| slope * text_weight);
                for (unit, winner) in winners.iter().enumerate() {
                    if *winner != Some(segment) {
                        continue;
                    }
                    let slope = slope_of(WHOLE_BAGS * BAG_SIZE + unit);
                    for (column, toward) in toward.iter_mut().enumerate() {
                        *toward += slope * share * at(&self.w0, column * WINDOW_SIZE + unit);
                    }
                    parts.constant += slope * at(&self.b0, unit);
                }
            }
            for &token in tokens {
                let row = self.row(token);
                parts.tokens.push(
                    row.iter()
                        .zip(&toward)
                        .map(|(value, slope)| value * slope)
                        .sum(),
                );
            }
        }
        let first = WHOLE_BAGS * BAG_SIZE + WINDOW_SIZE;
        parts.dense = (first..)
            .zip(&standard)
            .map(|(input, value)| slope_of(input) * value)
            .collect();
        parts
    }

    fn row(&self, token: i64) -> Bag {
        let start =
            usize::try_from(token).map_or(usize::MAX, |token| token.saturating_mul(BAG_SIZE));
        std::array::from_fn(|column| at(&self.rows, start.saturating_add(column)))
    }

    /// The weighted bag of each segment.
    fn bags(&self, vector: &FeatureVector) -> Vec<Bag> {
        let bag = |tokens: &[i64]| {
            let share = f64::from(weight(tokens.len()));
            let mut bag = [0.0; BAG_SIZE];
            for &token in tokens {
                bag.iter_mut()
                    .zip(self.row(token))
                    .for_each(|(sum, value)| *sum += value * share);
            }
            bag
        };
        vector.parts().map(bag).collect()
    }

    fn standard(&self, vector: &FeatureVector) -> Vec<f64> {
        let [low, high] = self.clip;
        let scaled = vector.dense.iter().zip(&self.mean).zip(&self.inverse);
        scaled
            .map(|((value, mean), inverse)| f64::from(((value - mean) * inverse).clamp(low, high)))
            .collect()
    }

    /// For each window unit the segment whose answer is the largest, if any is above 0.
    fn winners(&self, bags: &[Bag]) -> [Option<usize>; WINDOW_SIZE] {
        std::array::from_fn(|unit| {
            let answers = bags.iter().enumerate().skip(Schema::FIRST_WINDOW);
            let answers = answers.map(|(segment, bag)| (segment, self.window_unit(bag, unit)));
            let best = answers.fold((None, 0.0), |best, (segment, answer)| {
                if answer > best.1 {
                    (Some(segment), answer)
                } else {
                    best
                }
            });
            best.0
        })
    }

    fn window_unit(&self, bag: &Bag, unit: usize) -> f64 {
        let products = bag
            .iter()
            .enumerate()
            .map(|(column, value)| value * at(&self.w0, column * WINDOW_SIZE + unit));
        products.sum::<f64>() + at(&self.b0, unit)
    }

    /// The inputs of the hidden layer.
    fn inputs(
        &self,
        vector: &FeatureVector,
        bags: &[Bag],
        standard: &[f64],
        winners: &[Option<usize>; WINDOW_SIZE],
    ) -> Vec<f64> {
        let mut text = [0.0; BAG_SIZE];
        let text_weight = text_weight(vector);
        for (bag, range) in bags.iter().zip(vector.ranges()).skip(Schema::FIRST_WINDOW) {
            // Back from the weight of the window to that of the whole text.
            let share = text_weight / f64::from(weight(range.len()));
            text.iter_mut()
                .zip(bag)
                .for_each(|(sum, value)| *sum += value * share);
        }
        let mut inputs: Vec<f64> = text.to_vec();
        inputs.extend(bags.iter().take(Schema::FIRST_WINDOW).flatten());
        inputs.extend(winners.iter().enumerate().map(|(unit, winner)| {
            winner
                .and_then(|winner| bags.get(winner))
                .map_or(0.0, |bag| self.window_unit(bag, unit))
        }));
        inputs.extend(standard);
        inputs
    }

    /// How much each input of the hidden layer pushes the logit, with the units that these inputs
    /// switch on.
    fn slopes(&self, inputs: &[f64]) -> Slopes {
        let on: [f64; HIDDEN_SIZE] = std::array::from_fn(|unit| {
            let products = inputs
                .iter()
                .enumerate()
                .map(|(i, value)| value * at(&self.w1, i * HIDDEN_SIZE + unit));
            let sum = products.sum::<f64>() + at(&self.b1, unit);
            if sum > 0.0 { at(&self.w2, unit) } else { 0.0 }
        });
        let slope = |input: usize| {
            on.iter()
                .enumerate()
                .map(|(u, w)| w * at(&self.w1, input * HIDDEN_SIZE + u))
                .sum()
        };
        Slopes {
            inputs: (0..inputs.len()).map(slope).collect(),
            on,
        }
    }

    fn constant(&self, slopes: &Slopes) -> f64 {
        at(&self.b2, 0)
            + slopes
                .on
                .iter()
                .enumerate()
                .map(|(unit, weight)| weight * at(&self.b1, unit))
                .sum::<f64>()
    }
}

/// The network as a sum, for one mail.
struct Slopes {
    /// Factor of each input of the hidden layer.
    inputs: Vec<f64>,
    /// Factor of each hidden unit; 0 for those that are off.
    on: [f64; HIDDEN_SIZE],
}

impl Parts {
    /// The logit.
    pub fn sum(&self) -> f64 {
        self.tokens.iter().sum::<f64>() + self.dense.iter().sum::<f64>() + self.constant
    }
}

fn at(values: &[f32], index: usize) -> f64 {
    f64::from(values.get(index).copied().unwrap_or(0.0))
}

/// The weight of a token in the bag of the whole text.
fn text_weight(vector: &FeatureVector) -> f64 {
    f64::from(weight(
        vector.segments.iter().skip(Schema::FIRST_WINDOW).sum(),
    ))
}

fn floats(raw: &[u8]) -> Vec<f32> {
    let (numbers, _) = raw.as_chunks::<4>();
    numbers
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect()
}

/// The rows of the embedding, with the scale of their columns.
#[expect(clippy::cast_possible_wrap, reason = "that is how they are written")]
fn rows(raw: &[u8], scale: &[f32], manifest: &Manifest) -> Vec<f32> {
    let values: Vec<f32> = match manifest.precision {
        Precision::Float => floats(raw),
        Precision::Int8 => raw.iter().map(|&byte| f32::from(byte as i8)).collect(),
    };
    values
        .iter()
        .zip(scale.iter().cycle())
        .map(|(value, scale)| value * scale)
        .collect()
}
