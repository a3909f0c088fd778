//! The network and one step of learning: embedding bags, units over the windows of the text, the
//! structure features and one hidden layer, as `classifier::graph` draws it.
//!
//! Only the rows of the tokens in the message are touched, so a step costs tokens * 16
//! multiplications and no framework. Adagrad: each weight has its own rate, which shrinks with what
//! it has already learned.

use super::random::Random;
use super::settings::Rates;
use super::weights::Weights;
use gatepost_learn::classifier::{BAG_SIZE, HIDDEN_SIZE, WHOLE_BAGS, WINDOW_SIZE};
use gatepost_learn::features::{Schema, parts, weight};

/// Inputs of the hidden layer before the structure features.
const BEFORE_DENSE: usize = WHOLE_BAGS * BAG_SIZE + WINDOW_SIZE;

type Bag = [f32; BAG_SIZE];

/// The weights of a model.
#[derive(Clone, Debug)]
pub(super) struct Network {
    /// `buckets` rows of [`BAG_SIZE`].
    pub(super) rows: Weights,
    /// [`BAG_SIZE`] rows of [`WINDOW_SIZE`].
    pub(super) w0: Weights,
    /// [`WINDOW_SIZE`].
    pub(super) b0: Weights,
    /// Whole bags, window units and structure features: rows of [`HIDDEN_SIZE`].
    pub(super) w1: Weights,
    /// [`HIDDEN_SIZE`].
    pub(super) b1: Weights,
    /// [`HIDDEN_SIZE`].
    pub(super) w2: Weights,
    /// One.
    pub(super) b2: Weights,
}

/// What one step of learning needs in addition to the network.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    /// Bucket numbers, segment after segment.
    pub(super) tokens: &'a [u32],
    /// Lengths of the segments.
    pub(super) segments: &'a [usize],
    /// Standardised structure features.
    pub(super) dense: &'a [f32],
    /// How much the message counts in learning.
    pub(super) weight: f32,
}

/// What is off in one step, so that the network cannot lean on it alone.
#[derive(Clone, Copy, Default)]
struct Off {
    dense: bool,
    shape: bool,
    /// The bag of the whole text; its windows stay.
    text: bool,
}

/// What the layers below the hidden one gave.
struct Below {
    /// The bag of each segment, weighted.
    bags: Vec<Bag>,
    /// Inputs of the hidden layer.
    inputs: Vec<f32>,
    /// For each window unit the segment that gave its value, if any did.
    strongest: [Option<usize>; WINDOW_SIZE],
}

impl Network {
    /// A network that knows nothing. Rows begin at zero, so that a token never seen says nothing.
    #[expect(clippy::cast_precision_loss, reason = "layer sizes are below 2^10")]
    pub(super) fn new(
        buckets: usize,
        dense: usize,
        accumulator_init: f32,
        random: &mut Random,
    ) -> Self {
        let inputs = BEFORE_DENSE + dense;
        let scale = |from: usize, to: usize| (6.0 / (from + to) as f32).sqrt();
        Self {
            rows: Weights::zeros(buckets * BAG_SIZE, accumulator_init),
            w0: Weights::random(BAG_SIZE * WINDOW_SIZE, scale(BAG_SIZE, WINDOW_SIZE), random),
            b0: Weights::of(vec![0.0; WINDOW_SIZE]),
            w1: Weights::random(inputs * HIDDEN_SIZE, scale(inputs, HIDDEN_SIZE), random),
            b1: Weights::of(vec![0.0; HIDDEN_SIZE]),
            w2: Weights::random(HIDDEN_SIZE, scale(HIDDEN_SIZE, 1), random),
            b2: Weights::of(vec![0.0]),
        }
    }

    /// The sums of the rows of each segment, not weighted.
    fn sums(&self, input: &Input<'_>) -> Vec<Bag> {
        let sum = |tokens: &[u32]| {
            let mut bag = [0.0; BAG_SIZE];
            for &token in tokens {
                for (sum, value) in bag.iter_mut().zip(self.rows.row(token as usize, BAG_SIZE)) {
                    *sum += value;
                }
            }
            bag
        };
        parts(input.tokens, input.segments).map(sum).collect()
    }

    fn below(&self, input: &Input<'_>, off: Off) -> Below {
        let mut bags = self.sums(input);
        let mut text = [0.0; BAG_SIZE];
        for bag in bags.iter().skip(Schema::FIRST_WINDOW) {
            text.iter_mut()
                .zip(bag)
                .for_each(|(sum, value)| *sum += value);
        }
        let text = text.map(|value| value * weight(text_tokens(input.segments)));
        for (bag, &length) in bags.iter_mut().zip(input.segments) {
            *bag = bag.map(|value| value * weight(length));
        }
        let mut inputs = Vec::with_capacity(BEFORE_DENSE + input.dense.len());
        inputs.extend(text.map(|value| if off.text { 0.0 } else { value }));
        for (bag, off) in bags.iter().zip([off.shape, false]) {
            inputs.extend(bag.map(|value| if off { 0.0 } else { value }));
        }
        let (units, strongest) = self.window_units(&bags);
        inputs.extend(units);
        inputs.extend(
            input
                .dense
                .iter()
                .map(|&value| if off.dense { 0.0 } else { value }),
        );
        Below {
            bags,
            inputs,
            strongest,
        }
    }

    /// The largest value of each window unit, and the segment that gave it.
    fn window_units(&self, bags: &[Bag]) -> ([f32; WINDOW_SIZE], [Option<usize>; WINDOW_SIZE]) {
        let mut largest = [0.0; WINDOW_SIZE];
        let mut strongest = [None; WINDOW_SIZE];
        for (segment, bag) in bags.iter().enumerate().skip(Schema::FIRST_WINDOW) {
            let mut units = [0.0; WINDOW_SIZE];
            self.b0.copy_to(&mut units);
            for (index, value) in bag.iter().enumerate() {
                self.w0.add_row(index, *value, &mut units);
            }
            for ((unit, largest), strongest) in units.iter().zip(&mut largest).zip(&mut strongest) {
                if unit > largest {
                    (*largest, *strongest) = (*unit, Some(segment));
                }
            }
        }
        (largest, strongest)
    }

    fn hidden(&self, inputs: &[f32]) -> [f32; HIDDEN_SIZE] {
        let mut hidden = [0.0; HIDDEN_SIZE];
        self.b1.copy_to(&mut hidden);
        for (index, value) in inputs
            .iter()
            .enumerate()
            .filter(|(_, value)| **value != 0.0)
        {
            self.w1.add_row(index, *value, &mut hidden);
        }
        hidden.map(|unit| unit.max(0.0))
    }

    fn output(&self, hidden: &[f32; HIDDEN_SIZE]) -> f32 {
        let sum: f32 = hidden
            .iter()
            .zip(&self.w2.values)
            .map(|(unit, weight)| unit * weight)
            .sum();
        sum + self.b2.values.first().copied().unwrap_or_default()
    }

    /// The logit.
    pub(super) fn logit(&self, input: &Input<'_>) -> f32 {
        self.output(&self.hidden(&self.below(input, Off::default()).inputs))
    }

    /// Learns one message; returns its loss (natural log) before.
    pub(super) fn learn(
        &mut self,
        input: &Input<'_>,
        spam: bool,
        rates: &Rates,
        random: &mut Random,
    ) -> f32 {
        let off = Off {
            dense: random.unit() < rates.dense_dropout,
            shape: random.unit() < rates.shape_dropout,
            text: random.unit() < rates.text_dropout,
        };
        let below = self.below(input, off);
        let keep = 1.0 - rates.dropout;
        let mut hidden = self.hidden(&below.inputs);
        for unit in &mut hidden {
            *unit = if random.unit() < rates.dropout {
                0.0
            } else {
                *unit / keep
            };
        }
        let logit = self.output(&hidden);
        let target = if spam { 1.0 } else { 0.0 };
        let slope = input.weight * (1.0 / (1.0 + (-logit).exp()) - target);

        let mut grad_hidden = [0.0; HIDDEN_SIZE];
        for ((gradient, unit), weight) in grad_hidden.iter_mut().zip(&hidden).zip(&self.w2.values) {
            *gradient = if *unit > 0.0 {
                slope * weight / keep
            } else {
                0.0
            };
        }
        let grad_inputs: Vec<f32> = (0..BEFORE_DENSE)
            .map(|index| {
                self.w1
                    .row(index, HIDDEN_SIZE)
                    .iter()
                    .zip(&grad_hidden)
                    .map(|(w, g)| w * g)
                    .sum()
            })
            .collect();
        self.w2.update(
            0,
            &hidden.map(|unit| unit * slope),
            rates.layers,
            rates.decay,
        );
        self.b2.update(0, &[slope], rates.layers, 0.0);
        self.b1.update(0, &grad_hidden, rates.layers, 0.0);
        for (index, &value) in below.inputs.iter().enumerate() {
            if value != 0.0 {
                self.w1.update(
                    index * HIDDEN_SIZE,
                    &grad_hidden.map(|g| g * value),
                    rates.layers,
                    rates.decay,
                );
            }
        }
        let grad_segments = self.learn_windows(input, &below, &grad_inputs, off, rates);
        let segments = parts(input.tokens, input.segments);
        for (tokens, gradient) in segments.zip(&grad_segments) {
            for &token in tokens {
                self.rows
                    .update(token as usize * BAG_SIZE, gradient, rates.rows, 0.0);
            }
        }
        (-logit.abs()).exp().ln_1p() + logit.max(0.0) - logit * target
    }

    /// Learns the layer over the windows; gives the gradient of each row of each segment.
    fn learn_windows(
        &mut self,
        input: &Input<'_>,
        below: &Below,
        grad_inputs: &[f32],
        off: Off,
        rates: &Rates,
    ) -> Vec<Bag> {
        let bag = |index: usize| -> Bag {
            let mut gradient = [0.0; BAG_SIZE];
            let from = grad_inputs
                .get(index * BAG_SIZE..(index + 1) * BAG_SIZE)
                .unwrap_or_default();
            gradient
                .iter_mut()
                .zip(from)
                .for_each(|(to, from)| *to = *from);
            gradient
        };
        let text = bag(0).map(|gradient| {
            if off.text {
                0.0
            } else {
                gradient * weight(text_tokens(input.segments))
            }
        });
        let mut segments: Vec<Bag> = vec![text; input.segments.len()];
        let own = segments
            .iter_mut()
            .zip(input.segments)
            .zip([off.shape, false]);
        for (index, ((segment, &length), off)) in (1..).zip(own) {
            *segment = bag(index).map(|gradient| if off { 0.0 } else { gradient * weight(length) });
        }
        let mut grad_w0 = [0.0; BAG_SIZE * WINDOW_SIZE];
        let mut grad_bias = [0.0; WINDOW_SIZE];
        let units = grad_inputs.get(WHOLE_BAGS * BAG_SIZE..).unwrap_or_default();
        for (unit, (&gradient, strongest)) in units.iter().zip(below.strongest).enumerate() {
            let Some(index) = strongest else { continue };
            let (Some(bag), Some(segment)) = (below.bags.get(index), segments.get_mut(index))
            else {
                continue;
            };
            let share = weight(input.segments.get(index).copied().unwrap_or_default());
            if let Some(bias) = grad_bias.get_mut(unit) {
                *bias = gradient;
            }
            let column = grad_w0
                .iter_mut()
                .zip(&self.w0.values)
                .skip(unit)
                .step_by(WINDOW_SIZE);
            for (((to, weight), value), row) in column.zip(bag).zip(segment) {
                *to = gradient * value;
                *row += gradient * weight * share;
            }
        }
        self.w0.update(0, &grad_w0, rates.layers, rates.decay);
        self.b0.update(0, &grad_bias, rates.layers, 0.0);
        segments
    }
}

/// How many tokens the windows of the text hold.
fn text_tokens(segments: &[usize]) -> usize {
    segments.iter().skip(Schema::FIRST_WINDOW).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates = Rates {
        rows: 0.05,
        layers: 0.02,
        dropout: 0.2,
        dense_dropout: 0.3,
        shape_dropout: 0.1,
        text_dropout: 0.1,
        token_dropout: 0.0,
        accumulator_init: 0.0,
        decay: 1e-5,
    };

    fn segments(lengths: &[usize]) -> Vec<usize> {
        let mut segments = lengths.to_vec();
        segments.resize(Schema::SEGMENTS, 0);
        segments
    }

    #[test]
    fn learns_to_tell_two_tokens_apart() {
        let mut random = Random::new(1);
        let mut network = Network::new(64, 2, 0.0, &mut random);
        let segments = segments(&[1, 0, 2]);
        let spam = Input {
            tokens: &[1, 2, 3],
            segments: &segments,
            dense: &[1.0, 0.0],
            weight: 1.0,
        };
        let ham = Input {
            tokens: &[1, 2, 4],
            segments: &segments,
            dense: &[-1.0, 0.5],
            weight: 1.0,
        };
        for _ in 0..200 {
            network.learn(&spam, true, &RATES, &mut random);
            network.learn(&ham, false, &RATES, &mut random);
        }
        assert!(network.logit(&spam) > 2.0 && network.logit(&ham) < -2.0);
        assert!(
            network
                .rows
                .row(9, BAG_SIZE)
                .iter()
                .all(|&value| value == 0.0),
            "an unseen row stays zero"
        );
    }

    /// The gradient that `learn` follows must be the slope of the loss: with every kind of weight
    /// alone, a small step lowers the loss by the step times the square of the gradient.
    #[test]
    fn gradients_are_those_of_the_loss() {
        let still = Rates {
            dropout: 0.0,
            dense_dropout: 0.0,
            shape_dropout: 0.0,
            text_dropout: 0.0,
            ..RATES
        };
        let mut random = Random::new(5);
        let segments = segments(&[1, 1, 1, 2, 1]);
        let input = Input {
            tokens: &[3, 7, 5, 9, 8, 7],
            segments: &segments,
            dense: &[0.3, -2.0, 1.0],
            weight: 1.0,
        };
        let mut network = Network::new(16, 3, 0.0, &mut random);
        for _ in 0..3 {
            network.learn(&input, false, &still, &mut random);
        }
        for (rows, layers) in [(1e-4, 0.0), (0.0, 1e-4)] {
            let rates = Rates {
                rows,
                layers,
                decay: 0.0,
                ..still
            };
            let mut copy = network.clone();
            let first = copy.learn(&input, true, &rates, &mut random);
            let second = copy.learn(&input, true, &rates, &mut random);
            assert!(second < first, "{second} < {first}");
        }
    }

    /// A window that is strong stays so, whatever is in the others.
    #[test]
    fn other_windows_do_not_weaken_the_strongest() {
        let mut random = Random::new(2);
        let mut network = Network::new(64, 0, 0.0, &mut random);
        let (alone, padded) = (segments(&[1, 0, 2]), segments(&[1, 0, 2, 2, 2]));
        let spam = Input {
            tokens: &[0, 1, 2],
            segments: &alone,
            dense: &[],
            weight: 1.0,
        };
        let ham = Input {
            tokens: &[0, 5, 6],
            segments: &alone,
            dense: &[],
            weight: 1.0,
        };
        for _ in 0..100 {
            network.learn(&spam, true, &RATES, &mut random);
            network.learn(&ham, false, &RATES, &mut random);
        }
        let units = |input: &Input<'_>| {
            network
                .window_units(&network.below(input, Off::default()).bags)
                .0
        };
        let mixed = units(&Input {
            tokens: &[0, 1, 2, 5, 6, 7, 8],
            segments: &padded,
            dense: &[],
            weight: 1.0,
        });
        assert!(
            units(&spam)
                .iter()
                .zip(mixed)
                .all(|(alone, mixed)| mixed >= *alone)
        );
    }
}
