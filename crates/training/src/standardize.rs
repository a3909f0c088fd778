//! Structure features on one scale: mean 0, deviation 1, held within ±4.

/// Means and inverse deviations of the training data.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standardizer {
    pub(super) mean: Vec<f32>,
    /// 0 where a feature never changes: then it says nothing.
    pub(super) inverse: Vec<f32>,
}

impl Standardizer {
    /// How far a standardised value may be from 0.
    pub(super) const LIMIT: f32 = 4.0;
    /// Deviations smaller than this are taken as this: a feature that is nearly always the same
    /// must not shout.
    const SMALLEST: f64 = 0.02;

    /// Measures `rows`, each with `width` values.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "statistics of small numbers"
    )]
    pub(super) fn of<'a>(rows: impl Iterator<Item = &'a [f32]> + Clone, width: usize) -> Self {
        let count = rows.clone().count().max(1) as f64;
        let mut mean = vec![0f64; width];
        for row in rows.clone() {
            mean.iter_mut()
                .zip(row)
                .for_each(|(sum, value)| *sum += f64::from(*value) / count);
        }
        let mut variance = vec![0f64; width];
        for row in rows {
            for ((sum, mean), value) in variance.iter_mut().zip(&mean).zip(row) {
                *sum += (f64::from(*value) - mean).powi(2) / count;
            }
        }
        let inverse = |v: &f64| {
            if v.sqrt() < 1e-6 {
                0.0
            } else {
                1.0 / v.sqrt().max(Self::SMALLEST)
            }
        };
        Self {
            mean: mean.iter().map(|&m| m as f32).collect(),
            inverse: variance.iter().map(|v| inverse(v) as f32).collect(),
        }
    }

    /// Standardises one row, with the same operations in the same order as the graph.
    pub(super) fn apply(&self, row: &[f32]) -> Vec<f32> {
        let parts = row.iter().zip(&self.mean).zip(&self.inverse);
        parts
            .map(|((value, mean), inverse)| {
                ((value - mean) * inverse).clamp(-Self::LIMIT, Self::LIMIT)
            })
            .collect()
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
mod tests {
    use super::*;

    #[test]
    fn standardises() {
        let rows: [&[f32]; 3] = [&[1.0, 5.0], &[2.0, 5.0], &[3.0, 5.0]];
        let standardizer = Standardizer::of(rows.iter().copied(), 2);
        let first = standardizer.apply(&[1.0, 9.0]);
        assert!((first[0] + 1.224_744_9).abs() < 1e-5, "{first:?}");
        assert_eq!(first[1], 0.0, "a constant says nothing");
        assert_eq!(standardizer.apply(&[1e9, 0.0])[0], Standardizer::LIMIT);
    }
}
