//! The network and one step of learning: an embedding bag, the structure features and one hidden layer.
//!
//! Only the rows of the tokens in the message are touched, so a step costs tokens * 16 multiplications and no framework.
//! Adagrad: each weight has its own rate, which shrinks with what it has already learned.

use super::Rates;
use super::random::Random;
use crate::classifier::{BAG_SIZE, HIDDEN_SIZE};

const EPSILON: f32 = 1e-8;

/// A vector of weights with the sums of squared gradients.
#[derive(Clone, Debug)]
pub(super) struct Weights {
    pub(super) values: Vec<f32>,
    squares: Vec<f32>,
}

impl Weights {
    /// Those values, with nothing learned yet.
    pub(super) fn of(values: Vec<f32>) -> Self {
        let squares = vec![0.0; values.len()];
        Self { values, squares }
    }

    fn random(len: usize, scale: f32, random: &mut Random) -> Self {
        Self::of((0..len).map(|_| (random.unit() * 2.0 - 1.0) * scale).collect())
    }

    /// One row of `width`.
    fn row(&self, index: usize, width: usize) -> &[f32] {
        self.values.get(index * width..(index + 1) * width).unwrap_or_default()
    }

    fn update(&mut self, start: usize, gradients: &[f32], rate: f32, decay: f32) {
        let end = start + gradients.len();
        let (Some(values), Some(squares)) = (self.values.get_mut(start..end), self.squares.get_mut(start..end)) else {
            return;
        };
        for ((value, square), gradient) in values.iter_mut().zip(squares).zip(gradients) {
            let gradient = gradient + decay * *value;
            *square += gradient * gradient;
            *value -= rate * gradient / (square.sqrt() + EPSILON);
        }
    }
}

/// The weights of a model.
#[derive(Clone, Debug)]
pub(super) struct Network {
    /// `buckets` rows of [`BAG_SIZE`].
    pub(super) rows: Weights,
    /// `BAG_SIZE + dense` rows of [`HIDDEN_SIZE`].
    pub(super) w1: Weights,
    /// [`HIDDEN_SIZE`].
    pub(super) b1: Weights,
    /// [`HIDDEN_SIZE`].
    pub(super) w2: Weights,
    /// One.
    pub(super) b2: Weights,
}

/// What one step of learning needs beside the network.
pub(super) struct Input<'a> {
    /// Bucket numbers.
    pub(super) tokens: &'a [u32],
    /// Weight of each token.
    pub(super) weight: f32,
    /// Standardised structure features.
    pub(super) dense: &'a [f32],
}

impl Network {
    /// A network that knows nothing. Rows begin at zero, so that a token never seen says nothing.
    #[expect(clippy::cast_precision_loss, reason = "layer sizes are below 2^10")]
    pub(super) fn new(buckets: usize, dense: usize, random: &mut Random) -> Self {
        let inputs = BAG_SIZE + dense;
        Self {
            rows: Weights::of(vec![0.0; buckets * BAG_SIZE]),
            w1: Weights::random(inputs * HIDDEN_SIZE, (6.0 / (inputs + HIDDEN_SIZE) as f32).sqrt(), random),
            b1: Weights::of(vec![0.0; HIDDEN_SIZE]),
            w2: Weights::random(HIDDEN_SIZE, (6.0 / (HIDDEN_SIZE + 1) as f32).sqrt(), random),
            b2: Weights::of(vec![0.0]),
        }
    }

    fn inputs(&self, input: &Input<'_>) -> Vec<f32> {
        let mut bag = [0.0; BAG_SIZE];
        for &token in input.tokens {
            for (sum, value) in bag.iter_mut().zip(self.rows.row(token as usize, BAG_SIZE)) {
                *sum += value;
            }
        }
        bag.iter().map(|sum| sum * input.weight).chain(input.dense.iter().copied()).collect()
    }

    fn hidden(&self, inputs: &[f32]) -> [f32; HIDDEN_SIZE] {
        let mut hidden = [0.0; HIDDEN_SIZE];
        for (unit, bias) in hidden.iter_mut().zip(&self.b1.values) {
            *unit = *bias;
        }
        for (index, value) in inputs.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            for (unit, weight) in hidden.iter_mut().zip(self.w1.row(index, HIDDEN_SIZE)) {
                *unit += value * weight;
            }
        }
        hidden.map(|unit| unit.max(0.0))
    }

    fn output(&self, hidden: &[f32; HIDDEN_SIZE]) -> f32 {
        let sum: f32 = hidden.iter().zip(&self.w2.values).map(|(unit, weight)| unit * weight).sum();
        sum + self.b2.values.first().copied().unwrap_or_default()
    }

    /// The logit.
    pub(super) fn logit(&self, input: &Input<'_>) -> f32 {
        self.output(&self.hidden(&self.inputs(input)))
    }

    /// Learns one message; returns its loss (natural log) before.
    pub(super) fn learn(&mut self, input: &Input<'_>, spam: bool, rates: &Rates, random: &mut Random) -> f32 {
        let without_dense = random.unit() < rates.dense_dropout;
        let mut inputs = self.inputs(input);
        if without_dense {
            inputs.iter_mut().skip(BAG_SIZE).for_each(|value| *value = 0.0);
        }
        let keep = 1.0 - rates.dropout;
        let mut hidden = self.hidden(&inputs);
        for unit in &mut hidden {
            *unit = if random.unit() < rates.dropout { 0.0 } else { *unit / keep };
        }
        let logit = self.output(&hidden);
        let target = if spam { 1.0 } else { 0.0 };
        let probability = 1.0 / (1.0 + (-logit).exp());
        let slope = probability - target;

        let mut toward_hidden = [0.0; HIDDEN_SIZE];
        for ((gradient, unit), weight) in toward_hidden.iter_mut().zip(&hidden).zip(&self.w2.values) {
            *gradient = if *unit > 0.0 { slope * weight / keep } else { 0.0 };
        }
        let mut toward_bag = [0.0; BAG_SIZE];
        for (index, gradient) in toward_bag.iter_mut().enumerate() {
            let row = self.w1.row(index, HIDDEN_SIZE);
            *gradient = row.iter().zip(&toward_hidden).map(|(w, g)| w * g).sum::<f32>() * input.weight;
        }
        self.w2.update(0, &hidden.map(|unit| unit * slope), rates.layers, rates.decay);
        self.b2.update(0, &[slope], rates.layers, 0.0);
        self.b1.update(0, &toward_hidden, rates.layers, 0.0);
        for (index, &value) in inputs.iter().enumerate() {
            if value != 0.0 {
                self.w1.update(index * HIDDEN_SIZE, &toward_hidden.map(|g| g * value), rates.layers, rates.decay);
            }
        }
        for &token in input.tokens {
            self.rows.update(token as usize * BAG_SIZE, &toward_bag, rates.rows, 0.0);
        }
        (-logit.abs()).exp().ln_1p() + logit.max(0.0) - logit * target
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates =
        Rates { rows: 0.05, layers: 0.02, dropout: 0.2, dense_dropout: 0.3, token_dropout: 0.0, decay: 1e-5 };

    #[test]
    fn learns_to_tell_two_tokens_apart() {
        let mut random = Random::new(1);
        let mut network = Network::new(64, 2, &mut random);
        let spam = Input { tokens: &[1, 2, 3], weight: 0.577, dense: &[1.0, 0.0] };
        let ham = Input { tokens: &[1, 2, 4], weight: 0.577, dense: &[-1.0, 0.5] };
        for _ in 0..200 {
            network.learn(&spam, true, &RATES, &mut random);
            network.learn(&ham, false, &RATES, &mut random);
        }
        assert!(network.logit(&spam) > 2.0 && network.logit(&ham) < -2.0);
        assert!(network.rows.row(9, BAG_SIZE).iter().all(|&value| value == 0.0), "an unseen row stays zero");
    }

    /// The gradient that `learn` follows must be the slope of the loss: a step against it lowers the loss.
    #[test]
    fn a_small_step_lowers_the_loss() {
        let rates =
            Rates { rows: 1e-3, layers: 1e-3, dropout: 0.0, dense_dropout: 0.0, token_dropout: 0.0, decay: 0.0 };
        let mut random = Random::new(5);
        let mut network = Network::new(16, 3, &mut random);
        let input = Input { tokens: &[3, 7], weight: 0.7, dense: &[0.3, -2.0, 1.0] };
        let first = network.learn(&input, true, &rates, &mut random);
        let second = network.learn(&input, true, &rates, &mut random);
        assert!(second < first, "{second} < {first}");
    }
}
