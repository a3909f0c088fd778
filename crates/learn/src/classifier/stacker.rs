//! The stacker: from the logits of both experts to one calibrated probability.
//!
//! log-odds = `content` * log-odds of the content model + `site` * logit of the site learner +
//! `offset`. The three numbers are fitted on prequential samples: labels of this site, each with the
//! logits of both experts *before* the label was learned, so on mail that neither had seen (a
//! prequential hold-out; with one expert this is Platt's calibration).
//!
//! A cold start is honest. The fit begins at a prior (content model as it is, site learner not at
//! all) and leaves it as far as the labels carry: *effective* labels, the harmonic mean of ham and
//! spam, newer ones counting more; a thousand ham and no spam are no evidence. Both classes weigh
//! the same, since people report what was judged wrongly and not what was usual: so the probability
//! is that at even odds, and points of rules may be added to its log-odds.

/// One label, with the logits of the experts before it was learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrequentialSample {
    /// The content model's calibrated log-odds, where one was asked.
    pub content: Option<f32>,
    /// The site learner's logit.
    pub site: f32,
    /// The binary projection of the label.
    pub is_spam: bool,
}

/// The weights of the experts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stacker {
    /// Of the content model's log-odds; never negative.
    pub content: f64,
    /// Of the site learner's logit; never negative.
    pub site: f64,
    /// Added.
    pub offset: f64,
    /// The effective number of labels.
    pub effective: f64,
}

impl Default for Stacker {
    /// Before any label: the content model as it is.
    fn default() -> Self {
        Self {
            content: PRIOR[0],
            site: PRIOR[1],
            offset: PRIOR[2],
            effective: 0.0,
        }
    }
}

/// Where the fit begins: (content, site, offset).
const PRIOR: [f64; 3] = [1.0, 0.0, 0.0];
/// How firmly the prior holds, as the curvature of the penalty. Chosen for what they mean, not tuned: about ten
/// effective labels with log-odds of ±2 move a weight half-way.
const PRIOR_PRECISION: [f64; 3] = [5.0, 5.0, 4.0];
/// Samples that are looked at, newest first.
const SAMPLES: usize = 8_192;
/// So many labels later, a label counts half.
const HALF_LIFE: f64 = 2_000.0;
/// Logits beyond this are taken as this, so that one extreme message does not decide the fit.
const LOGIT_MAX: f64 = 20.0;
/// Steps of Newton's method; it converges after five to ten.
const STEPS: usize = 25;

impl Stacker {
    /// Fits the weights; `samples` from old to new.
    pub fn fit(samples: &[PrequentialSample]) -> Self {
        let weighted = weigh(samples);
        let effective = weighted.iter().fold(0.0, |sum, point| sum + point.weight);
        // An expert that is wrong more often than right is not believed in reverse: its weight
        // stays 0.
        let mut free = [true; 3];
        let mut best = newton(&weighted, free);
        let [content, _, _] = best;
        if content < 0.0 {
            free[0] = false;
            best = newton(&weighted, free);
        }
        let [_, site, _] = best;
        if site < 0.0 {
            free[1] = false;
            best = newton(&weighted, free);
        }
        let [content, site, offset] = best;
        Self {
            content: content.max(0.0),
            site: site.max(0.0),
            offset,
            effective,
        }
    }

    /// Calibrated log-odds; an expert without an answer counts 0.
    pub fn log_odds(&self, content: Option<f64>, site: f64) -> f64 {
        self.content * bounded(content.unwrap_or(0.0)) + self.site * bounded(site) + self.offset
    }

    /// As [`Stacker::log_odds`], of the logits of one sample.
    pub fn of_sample(&self, sample: &PrequentialSample) -> f64 {
        self.log_odds(sample.content.map(f64::from), f64::from(sample.site))
    }
}

fn bounded(logit: f64) -> f64 {
    if logit.is_finite() {
        logit.clamp(-LOGIT_MAX, LOGIT_MAX)
    } else {
        0.0
    }
}

/// A sample as the fit sees it: logits and a constant, the target, how much it counts.
struct Point {
    input: [f64; 3],
    target: f64,
    weight: f64,
}

/// Weighs the samples by age, then both classes alike, so that all weights together are the
/// effective labels.
fn weigh(samples: &[PrequentialSample]) -> Vec<Point> {
    let mut aged: Vec<(&PrequentialSample, f64)> = Vec::new();
    let mut weight = 1.0;
    for sample in samples.iter().rev().take(SAMPLES) {
        aged.push((sample, weight));
        weight *= 0.5_f64.powf(1.0 / HALF_LIFE);
    }
    let total = |is_spam: bool| {
        let of_class = aged.iter().filter(|(sample, _)| sample.is_spam == is_spam);
        of_class.map(|(_, weight)| weight).sum::<f64>()
    };
    let ham = total(false);
    let spam = total(true);
    if ham <= 0.0 || spam <= 0.0 {
        return Vec::new();
    }
    let effective = 4.0 * ham * spam / (ham + spam);
    let point = |(sample, weight): (&PrequentialSample, f64)| {
        let class = if sample.is_spam { spam } else { ham };
        // Platt's targets: never quite 0 or 1, the less the fewer there are.
        let sure = (class + 1.0) / (class + 2.0);
        Point {
            input: [
                bounded(f64::from(sample.content.unwrap_or(0.0))),
                bounded(f64::from(sample.site)),
                1.0,
            ],
            target: if sample.is_spam { sure } else { 1.0 - sure },
            weight: weight * effective / (2.0 * class),
        }
    };
    aged.into_iter().map(point).collect()
}

/// Minimises the penalised logistic loss over the weights that are free; the others are 0. The loss
/// is convex, and the steps are held short, so it converges.
fn newton(points: &[Point], free: [bool; 3]) -> [f64; 3] {
    let mut at = PRIOR;
    for (weight, is_free) in at.iter_mut().zip(free) {
        if !is_free {
            *weight = 0.0;
        }
    }
    for _ in 0..STEPS {
        let (mut gradient, mut hessian) = derivatives(points, at);
        for (index, is_free) in free.into_iter().enumerate() {
            if !is_free {
                fix(&mut gradient, &mut hessian, index);
            }
        }
        let step = solve(hessian, gradient);
        let longest = step
            .iter()
            .fold(0.0_f64, |longest, part| longest.max(part.abs()));
        let shorten = if longest > 1.0 { 1.0 / longest } else { 1.0 };
        for (weight, part) in at.iter_mut().zip(step) {
            *weight -= shorten * part;
        }
        if longest < 1e-10 {
            break;
        }
    }
    at
}

/// Gradient and Hessian of the penalised loss at these weights.
fn derivatives(points: &[Point], at: [f64; 3]) -> ([f64; 3], [[f64; 3]; 3]) {
    let [content, site, offset] = PRIOR_PRECISION;
    let mut gradient = PRIOR_PRECISION;
    for ((slope, weight), prior) in gradient.iter_mut().zip(at).zip(PRIOR) {
        *slope *= weight - prior;
    }
    let mut hessian = [[content, 0.0, 0.0], [0.0, site, 0.0], [0.0, 0.0, offset]];
    for point in points {
        let logit: f64 = point.input.iter().zip(&at).map(|(x, w)| x * w).sum();
        let p = 1.0 / (1.0 + (-logit).exp());
        let error = point.weight * (p - point.target);
        let curvature = point.weight * p * (1.0 - p);
        let rows = gradient.iter_mut().zip(&mut hessian);
        for ((slope, row), x) in rows.zip(&point.input) {
            *slope += error * x;
            for (cell, y) in row.iter_mut().zip(&point.input) {
                *cell += curvature * x * y;
            }
        }
    }
    (gradient, hessian)
}

/// Takes one unknown out of the equations: its step is 0.
fn fix(gradient: &mut [f64; 3], hessian: &mut [[f64; 3]; 3], index: usize) {
    for (i, (slope, row)) in gradient.iter_mut().zip(hessian).enumerate() {
        for (j, cell) in row.iter_mut().enumerate() {
            if i == index || j == index {
                *cell = if i == j { 1.0 } else { 0.0 };
            }
        }
        if i == index {
            *slope = 0.0;
        }
    }
}

/// Solves a symmetric positive definite system of three equations by Cramer's rule.
fn solve(matrix: [[f64; 3]; 3], right: [f64; 3]) -> [f64; 3] {
    let whole = determinant(matrix);
    if whole == 0.0 {
        return [0.0; 3];
    }
    let mut solution = [0.0; 3];
    for (column, unknown) in solution.iter_mut().enumerate() {
        let mut replaced = matrix;
        for (row, value) in replaced.iter_mut().zip(right) {
            if let Some(cell) = row.get_mut(column) {
                *cell = value;
            }
        }
        *unknown = determinant(replaced) / whole;
    }
    solution
}

fn determinant(matrix: [[f64; 3]; 3]) -> f64 {
    let [[a1, a2, a3], [b1, b2, b3], [c1, c2, c3]] = matrix;
    a1 * (b2 * c3 - b3 * c2) - a2 * (b1 * c3 - b3 * c1) + a3 * (b1 * c2 - b2 * c1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Labels whose log-odds are really `truth(content, site)`, by a fixed sequence of random
    /// numbers.
    fn drawn(count: usize, truth: impl Fn(f64, f64) -> f64) -> Vec<PrequentialSample> {
        let mut state = 7_u64;
        let mut unit = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(state >> 33).unwrap()) / f64::from(1_u32 << 31)
        };
        (0..count)
            .map(|_| {
                let (content, site) = (unit() * 8.0 - 4.0, unit() * 8.0 - 4.0);
                let is_spam = unit() < 1.0 / (1.0 + (-truth(content, site)).exp());
                #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
                PrequentialSample {
                    content: Some(content as f32),
                    site: site as f32,
                    is_spam,
                }
            })
            .collect()
    }

    #[test]
    fn without_labels_of_both_classes_the_prior_stays() {
        assert_eq!(Stacker::fit(&[]), Stacker::default());
        let one_sided = vec![
            PrequentialSample {
                content: Some(-3.0),
                site: 5.0,
                is_spam: true
            };
            5_000
        ];
        assert_eq!(Stacker::fit(&one_sided), Stacker::default());
        assert!((Stacker::default().log_odds(Some(1.5), 9.0) - 1.5).abs() < 1e-12);
    }

    #[test]
    fn finds_the_weights_that_are_true() {
        let fitted = Stacker::fit(&drawn(6_000, |content, site| {
            0.5 * content + 1.5 * site + 0.3
        }));
        assert!((fitted.content - 0.5).abs() < 0.15, "{fitted:?}");
        assert!((fitted.site - 1.5).abs() < 0.25, "{fitted:?}");
        assert!(
            fitted.effective > 1_500.0 && fitted.effective < 4_000.0,
            "{fitted:?}"
        );
    }

    #[test]
    fn the_learner_gains_weight_with_labels() {
        let samples = drawn(3_000, |_, site| 2.0 * site);
        let site = |count: usize| Stacker::fit(&samples[..count]).site;
        let weights = [0, 10, 50, 200, 3_000].map(site);
        assert!(weights.is_sorted_by(|a, b| a < b), "{weights:?}");
        assert!(weights[1] < 0.7 && weights[4] > 1.6, "{weights:?}");
    }

    #[test]
    fn an_expert_that_is_wrong_is_not_believed_in_reverse() {
        let fitted = Stacker::fit(&drawn(2_000, |content, site| site - 2.0 * content));
        assert!(fitted.content.abs() < 1e-12, "{fitted:?}");
        assert!(fitted.site > 0.2, "{fitted:?}");
        assert!(fitted.log_odds(Some(4.0), 1.0) >= fitted.log_odds(Some(-4.0), 1.0));
    }

    #[test]
    fn newer_labels_count_more() {
        let mut samples = drawn(3_000, |content, _| 2.0 * content);
        samples.extend(drawn(3_000, |_, site| 2.0 * site));
        let fitted = Stacker::fit(&samples);
        assert!(fitted.site > 2.0 * fitted.content, "{fitted:?}");
    }

    #[test]
    fn probabilities_are_calibrated_on_fresh_samples() {
        let all = drawn(12_000, |content, site| 0.7 * content + 0.9 * site);
        let (old, fresh) = all.split_at(4_000);
        let fitted = Stacker::fit(old);
        for low in [0.0, 0.2, 0.4, 0.6, 0.8] {
            let is_in_bin = |sample: &&PrequentialSample| {
                let p = 1.0 / (1.0 + (-fitted.of_sample(sample)).exp());
                (low..low + 0.2).contains(&p)
            };
            let bin: Vec<&PrequentialSample> = fresh.iter().filter(is_in_bin).collect();
            let share = f64::from(
                u32::try_from(bin.iter().filter(|sample| sample.is_spam).count()).unwrap(),
            ) / f64::from(u32::try_from(bin.len()).unwrap());
            assert!(
                (low - 0.06..low + 0.26).contains(&share),
                "expected {low} to {}, found {share}",
                low + 0.2
            );
        }
    }

    #[test]
    fn extreme_logits_do_no_harm() {
        let wild = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30, -1e30, 0.0];
        let mut samples = Vec::new();
        for content in wild {
            for site in wild {
                samples.push(PrequentialSample {
                    content: Some(content),
                    site,
                    is_spam: site > 0.0,
                });
                samples.push(PrequentialSample {
                    content: None,
                    site: 0.0,
                    is_spam: content > 0.0,
                });
            }
        }
        let fitted = Stacker::fit(&samples);
        assert!(
            [fitted.content, fitted.site, fitted.offset]
                .iter()
                .all(|weight| weight.is_finite()),
            "{fitted:?}"
        );
        assert!(fitted.log_odds(Some(f64::NAN), f64::INFINITY).is_finite());
    }
}
