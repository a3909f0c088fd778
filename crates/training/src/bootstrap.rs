//! Confidence intervals by resampling: how much a figure would differ on another sample of the same
//! kind of mail.
//!
//! The Poisson bootstrap: instead of drawing n messages, each message gets a weight drawn from a
//! Poisson distribution of mean 1, so that one pass over the sorted scores gives one resampled set
//! of figures. It treats messages as independent; mail comes in campaigns, so the true intervals
//! are somewhat wider.

use std::collections::BTreeMap;

use serde::Serialize;

use super::random::Random;
use super::scored::Scored;

/// Low and high end of a 95 % interval.
pub type Interval = [f64; 2];

/// 95 % intervals, in percent. The names are those of the figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Intervals {
    /// Of 100 * (1 - AUC).
    pub one_minus_roca_percent: Interval,
    /// Of lam%.
    pub lam_percent: Interval,
    /// Of the ham lost at the filter's own threshold.
    pub hm_percent: Interval,
    /// Of the spam missed at the filter's own threshold.
    pub sm_percent: Interval,
    /// Of the spam missed at a ham loss of "0.1", "0.5" and "1.0" percent.
    pub spam_missed_at_ham_loss: BTreeMap<String, Interval>,
}

/// The ham losses at which missed spam is counted, in percent.
const LOSSES: [(&str, f64); 3] = [("0.1", 0.1), ("0.5", 0.5), ("1.0", 1.0)];
/// Figures of one resample: 1-ROCA%, lam%, hm%, sm%, then one for each of [`LOSSES`].
type Figures = [f64; 4 + LOSSES.len()];

/// The intervals, or `None` where a class is missing or `resamples` is 0.
pub(super) fn intervals(scored: &[Scored], resamples: usize, seed: u64) -> Option<Intervals> {
    let mut sorted: Vec<Item> = scored
        .iter()
        .filter_map(|one| {
            one.is_spam().map(|spam| Item {
                score: one.score,
                spam,
                called_spam: one.probability >= 0.5,
            })
        })
        .collect();
    sorted.sort_by(|a, b| a.score.total_cmp(&b.score));
    if resamples == 0 || sorted.iter().all(|item| item.spam) || !sorted.iter().any(|item| item.spam)
    {
        return None;
    }
    let mut random = Random::new(seed);
    let mut weights = vec![0f64; sorted.len()];
    let mut columns: [Vec<f64>; 4 + LOSSES.len()] =
        std::array::from_fn(|_| Vec::with_capacity(resamples));
    for _ in 0..resamples {
        weights.fill_with(|| poisson(random.unit()));
        for (column, value) in columns.iter_mut().zip(figures(&sorted, &weights)) {
            column.push(value);
        }
    }
    let [roca, lam, hm, sm, a, b, c] = columns.map(interval);
    Some(Intervals {
        one_minus_roca_percent: roca,
        lam_percent: lam,
        hm_percent: hm,
        sm_percent: sm,
        spam_missed_at_ham_loss: LOSSES
            .iter()
            .zip([a, b, c])
            .map(|((name, _), i)| ((*name).to_owned(), i))
            .collect(),
    })
}

struct Item {
    score: f64,
    spam: bool,
    called_spam: bool,
}

/// A Poisson number of mean 1 from a uniform one.
fn poisson(unit: f32) -> f64 {
    // Cumulative probabilities of 0, 1, 2, … 6; the rest is 7.
    const CUMULATIVE: [f32; 7] = [
        0.367_879, 0.735_759, 0.919_699, 0.981_012, 0.996_340, 0.999_406, 0.999_917,
    ];
    let mut count = 0.0;
    for limit in CUMULATIVE {
        if unit < limit {
            break;
        }
        count += 1.0;
    }
    count
}

/// All figures of the weighted messages, which are sorted by score.
fn figures(sorted: &[Item], weights: &[f64]) -> Figures {
    let (mut ham, mut spam, mut ham_lost, mut spam_missed) = (0.0, 0.0, 0.0, 0.0);
    let mut pairs = 0.0;
    let mut weights_left = weights.iter();
    for items in sorted.chunk_by(|a, b| a.score.total_cmp(&b.score).is_eq()) {
        let (mut ham_here, mut spam_here) = (0.0, 0.0);
        // The items first: a zip takes one of each, and its first ends it.
        for (item, &weight) in items.iter().zip(weights_left.by_ref()) {
            if item.spam {
                spam_here += weight;
                spam_missed += if item.called_spam { 0.0 } else { weight };
            } else {
                ham_here += weight;
                ham_lost += if item.called_spam { weight } else { 0.0 };
            }
        }
        pairs += spam_here * (ham + ham_here / 2.0);
        ham += ham_here;
        spam += spam_here;
    }
    let percent = |part: f64, whole: f64| {
        if whole > 0.0 {
            100.0 * part / whole
        } else {
            0.0
        }
    };
    let logit = |part: f64, whole: f64| {
        let rate = (part + 0.5) / (whole + 1.0);
        (rate / (1.0 - rate)).ln()
    };
    let lam = f64::midpoint(logit(ham_lost, ham), logit(spam_missed, spam));
    let [a, b, c] = LOSSES
        .map(|(_, loss)| percent(missed(sorted, weights, (ham * loss / 100.0).floor()), spam));
    let roca = 100.0 - percent(pairs, ham * spam);
    [
        roca,
        100.0 / (1.0 + (-lam).exp()),
        percent(ham_lost, ham),
        percent(spam_missed, spam),
        a,
        b,
        c,
    ]
}

/// Weight of the spam at or below the score of the first ham that may no longer be lost.
fn missed(sorted: &[Item], weights: &[f64], allowed: f64) -> f64 {
    let mut lost = 0.0;
    let threshold = sorted.iter().zip(weights).rev().find(|(item, weight)| {
        lost += if item.spam { 0.0 } else { **weight };
        lost > allowed
    });
    let Some((item, _)) = threshold else {
        return 0.0;
    };
    let at_or_below = sorted
        .iter()
        .zip(weights)
        .take_while(|(other, _)| other.score <= item.score);
    // `sum` of nothing is -0.0, which would be printed.
    at_or_below
        .filter(|(other, _)| other.spam)
        .fold(0.0, |sum, (_, weight)| sum + weight)
}

/// The middle 95 percent of the values.
fn interval(mut values: Vec<f64>) -> Interval {
    values.sort_by(f64::total_cmp);
    let at = |thousandth: usize| {
        let index = (values.len().saturating_sub(1) * thousandth + 500) / 1_000;
        values.get(index).copied().unwrap_or_default()
    };
    [at(25), at(975)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Report;
    use gatepost_words::Class;

    fn scored(score: f64, spam: bool) -> Scored {
        Scored {
            score,
            probability: 1.0 / (1.0 + (-score).exp()),
            class: Some(Class::from_is_spam(spam)),
        }
    }

    fn made_up() -> Vec<Scored> {
        let mut random = Random::new(3);
        let noise = |random: &mut Random| f64::from((random.unit() * 60.0).round() - 30.0) / 10.0;
        let mut all: Vec<Scored> = (0..2_000)
            .map(|_| scored(noise(&mut random) - 2.0, false))
            .collect();
        all.extend((0..1_000).map(|_| scored(noise(&mut random) + 2.0, true)));
        all
    }

    /// With every weight 1, the figures are those of the report.
    #[test]
    fn one_pass_agrees_with_the_report() {
        let all = made_up();
        let report = Report::of(String::new(), &all);
        let mut sorted: Vec<Item> = all
            .iter()
            .map(|one| Item {
                score: one.score,
                spam: one.is_spam() == Some(true),
                called_spam: one.probability >= 0.5,
            })
            .collect();
        sorted.sort_by(|a, b| a.score.total_cmp(&b.score));
        let found = figures(&sorted, &vec![1.0; sorted.len()]);
        let missed = |loss: &str| report.spam_missed_at_ham_loss[loss];
        let expected = [
            report.one_minus_roca_percent,
            report.lam_percent,
            report.hm_percent,
            report.sm_percent,
            missed("0.1"),
            missed("0.5"),
            missed("1.0"),
        ];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }

    #[test]
    fn intervals_hold_the_figure_and_repeat() {
        let all = made_up();
        let report = Report::of(String::new(), &all);
        let found = intervals(&all, 400, 7).unwrap();
        assert_eq!(Some(&found), intervals(&all, 400, 7).as_ref());
        let [low, high] = found.hm_percent;
        assert!(
            low < report.hm_percent && report.hm_percent < high,
            "{low} {} {high}",
            report.hm_percent
        );
        // The standard error of a share p of n messages is sqrt(p (1 - p) / n); the interval is
        // about four of them wide.
        let share = report.hm_percent / 100.0;
        let width = 100.0 * 4.0 * (share * (1.0 - share) / 2_000.0).sqrt();
        assert!(
            (high - low) > 0.7 * width && (high - low) < 1.4 * width,
            "{low} {high} {width}"
        );
        assert!(intervals(&all, 0, 7).is_none());
        assert!(intervals(&[scored(1.0, true)], 10, 7).is_none());
    }

    #[test]
    fn poisson_has_mean_one() {
        let mut random = Random::new(5);
        let sum: f64 = (0..100_000).map(|_| poisson(random.unit())).sum();
        assert!((sum / 100_000.0 - 1.0).abs() < 0.02, "{sum}");
        assert_eq!((poisson(0.0), poisson(0.999_999)), (0.0, 7.0));
    }
}
