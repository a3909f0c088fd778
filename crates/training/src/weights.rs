//! Weights that learn by Adagrad.

use super::random::Random;

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

    /// Zeros that begin as if they had seen gradients with that sum of squares: what is seen seldom
    /// then moves little.
    pub(super) fn zeros(len: usize, squares: f32) -> Self {
        Self {
            values: vec![0.0; len],
            squares: vec![squares; len],
        }
    }

    /// Random values within ± `scale`.
    pub(super) fn random(len: usize, scale: f32, random: &mut Random) -> Self {
        Self::of(
            (0..len)
                .map(|_| (random.unit() * 2.0 - 1.0) * scale)
                .collect(),
        )
    }

    /// One row of `width`.
    pub(super) fn row(&self, index: usize, width: usize) -> &[f32] {
        self.values
            .get(index * width..(index + 1) * width)
            .unwrap_or_default()
    }

    /// Copies the first values.
    pub(super) fn copy_to<const N: usize>(&self, to: &mut [f32; N]) {
        to.iter_mut()
            .zip(&self.values)
            .for_each(|(to, from)| *to = *from);
    }

    /// Adds `value` times a row of `N`.
    pub(super) fn add_row<const N: usize>(&self, index: usize, value: f32, to: &mut [f32; N]) {
        to.iter_mut()
            .zip(self.row(index, N))
            .for_each(|(sum, weight)| *sum += value * weight);
    }

    /// One step against the gradients of the weights from `start` on.
    pub(super) fn update(&mut self, start: usize, gradients: &[f32], rate: f32, decay: f32) {
        let end = start + gradients.len();
        let (Some(values), Some(squares)) = (
            self.values.get_mut(start..end),
            self.squares.get_mut(start..end),
        ) else {
            return;
        };
        for ((value, square), gradient) in values.iter_mut().zip(squares).zip(gradients) {
            let gradient = gradient + decay * *value;
            *square += gradient * gradient;
            *value -= rate * gradient / (square.sqrt() + EPSILON);
        }
    }
}
