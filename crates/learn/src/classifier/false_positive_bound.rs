//! A bound on the ham that a site loses, and how many labels it needs: the Neyman-Pearson order
//! statistic.
//!
//! Of `n` ham scores, independent and not learned from, let the threshold be the `k`-th highest.
//! The probability that more than a share α of all ham is above it is that of at most `k` - 1
//! successes in `n` draws with chance α. The threshold may be claimed where that is at most δ; with
//! `k` = 1, the highest score itself, this needs (1 - α)^n ≤ δ: 2,995 ham for α = 0.1 % at 95 %.
//! (Tong, Feng, Li 2018, "Neyman-Pearson classification algorithms and NP receiver operating
//! characteristics".)

/// A bound on lost ham, and what is missing for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FalsePositiveBound {
    /// Ham samples that count for it.
    pub ham: u64,
    /// Ham samples that are needed.
    pub needed: u64,
    /// Log-odds that at most [`FalsePositiveBound::LOSS`] of the ham exceeds; `None` while too few
    /// labels are known.
    pub threshold: Option<f64>,
}

impl FalsePositiveBound {
    /// The share of ham that may be lost: 0.1 %.
    pub const LOSS: f64 = 0.001;
    /// The confidence of the bound.
    pub const CONFIDENCE: f64 = 0.95;

    /// The bound by the log-odds of ham that was not learned from.
    pub(super) fn of(ham: &[f64]) -> Self {
        Self {
            ham: ham.len() as u64,
            needed: ham_needed(Self::LOSS, Self::CONFIDENCE),
            threshold: threshold(ham, Self::LOSS, Self::CONFIDENCE),
        }
    }
}

/// Ham labels needed before any threshold can be claimed to lose at most `loss` of the ham, with
/// that `confidence`. Both are between 0 and 1; else no number is enough.
pub fn ham_needed(loss: f64, confidence: f64) -> u64 {
    if !(loss > 0.0 && loss < 1.0 && confidence > 0.0 && confidence < 1.0) {
        return u64::MAX;
    }
    let count = ((1.0 - confidence).ln() / (-loss).ln_1p()).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive; saturates"
    )]
    {
        count as u64
    }
}

/// The lowest score above which, with that `confidence`, at most `loss` of the ham is found; `None`
/// where there are too few.
pub fn threshold(ham_scores: &[f64], loss: f64, confidence: f64) -> Option<f64> {
    let mut scores: Vec<f64> = ham_scores
        .iter()
        .copied()
        .filter(|score| !score.is_nan())
        .collect();
    if (scores.len() as u64) < ham_needed(loss, confidence) {
        return None;
    }
    scores.sort_unstable_by(|a, b| b.total_cmp(a));
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let count = scores.len() as f64;
    // Chance of exactly `above` among `count`, from the chance of none upwards.
    let mut exactly = (count * (-loss).ln_1p()).exp();
    let mut at_most = 0.0;
    let mut best = None;
    let mut above = 0.0;
    for score in scores {
        at_most += exactly;
        if at_most > 1.0 - confidence {
            return best;
        }
        best = Some(score);
        exactly *= (count - above) / (above + 1.0) * loss / (1.0 - loss);
        above += 1.0;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_the_books_say() {
        for (loss, confidence, needed) in [
            (0.001, 0.95, 2_995),
            (0.01, 0.95, 299),
            (0.05, 0.95, 59),
            (0.5, 0.5, 1),
            (0.0, 0.95, u64::MAX),
        ] {
            assert_eq!(ham_needed(loss, confidence), needed, "{loss} {confidence}");
        }
        assert_eq!(ham_needed(f64::NAN, 0.95), u64::MAX);
    }

    #[test]
    fn the_threshold_is_the_right_order_statistic() {
        let scores = |count: u32| (0..count).map(f64::from).collect::<Vec<_>>();
        assert_eq!(threshold(&scores(58), 0.05, 0.95), None, "n - 1");
        assert_eq!(
            threshold(&scores(59), 0.05, 0.95),
            Some(58.0),
            "the highest"
        );
        // 93: one above has 0.0500 < 0.05 by a hair (0.95^93 * (1 + 93/19) = 0.0499), 92 has not.
        assert_eq!(threshold(&scores(92), 0.05, 0.95), Some(91.0));
        assert_eq!(threshold(&scores(93), 0.05, 0.95), Some(91.0));
        assert_eq!(threshold(&[f64::NAN; 100], 0.05, 0.95), None);
    }

    /// In nineteen of twenty repetitions, at least, the share that is promised is kept.
    #[test]
    fn the_promise_is_kept() {
        let mut state = 3_u64;
        let mut unit = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(state >> 33).unwrap()) / f64::from(1_u32 << 31)
        };
        let runs = 2_000;
        let broken = (0..runs)
            .filter(|_| {
                let scores: Vec<f64> = (0..200).map(|_| unit()).collect();
                // Scores are uniform: the share above a threshold is one less it.
                threshold(&scores, 0.05, 0.95).is_some_and(|threshold| 1.0 - threshold > 0.05)
            })
            .count();
        assert!(broken <= runs * 6 / 100, "{broken} of {runs}");
        assert!(
            broken >= runs * 2 / 100,
            "{broken} of {runs}: far too careful"
        );
    }
}
