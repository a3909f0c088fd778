//! Fits a network: passes over the data, early stopping, calibration.

use super::measure::auc;
use super::network::{Input, Network};
use super::random::Random;
use super::settings::{Progress, Rates, TrainSettings};
use super::standardize::Standardizer;
use gatepost_learn::classifier::Calibration;
use gatepost_learn::features::{FeatureVector, Schema, parts};

/// One message to learn.
#[derive(Clone, Debug)]
pub(super) struct Example {
    /// Bucket numbers, segment after segment.
    pub(super) tokens: Vec<u32>,
    /// Lengths of the segments.
    pub(super) segments: Vec<usize>,
    /// Structure features, standardised once [`fit`] runs.
    pub(super) dense: Vec<f32>,
    /// The label.
    pub(super) is_spam: bool,
    /// Number of the corpus that it is from.
    pub(super) source: usize,
    /// How much it counts.
    pub(super) weight: f32,
    /// On which side of the cut it is.
    pub(super) part: Part,
    /// Whether it is a changed copy of another: learned, never measured.
    pub(super) is_copy: bool,
}

/// Where an example is while the number of passes and the calibration are looked for. The last
/// fit learns all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Learned.
    Earlier,
    /// Later, but a near copy of an earlier one: neither learned nor measured.
    Between,
    /// Later: measured.
    HeldOut,
}

impl Example {
    /// The tokens of each segment.
    fn parts(&self) -> impl Iterator<Item = &[u32]> {
        parts(&self.tokens, &self.segments)
    }

    fn input(&self) -> Input<'_> {
        Input {
            tokens: &self.tokens,
            segments: &self.segments,
            dense: &self.dense,
            weight: self.weight,
        }
    }

    /// An example of those features; weighs 1.
    pub(super) fn of(vector: &FeatureVector, is_spam: bool, part: Part) -> Self {
        Self {
            tokens: vector
                .tokens
                .iter()
                .filter_map(|&token| u32::try_from(token).ok())
                .collect(),
            segments: vector.segments.clone(),
            dense: vector.dense.clone(),
            is_spam,
            source: 0,
            weight: 1.0,
            part,
            is_copy: false,
        }
    }
}

/// What fitting gives.
pub(super) struct Fitted {
    pub(super) network: Network,
    pub(super) standardizer: Standardizer,
    pub(super) calibration: Calibration,
}

/// Stands for a token that is not learned: a number outside of the table, whose row is nothing.
const FORGOTTEN: u32 = u32::MAX;
/// Windows of a ham that padding adds, at most.
const PADDING: usize = 4;
/// Share of the padding that precedes the text.
const BEFORE: f32 = 0.4;
/// How often progress is reported, in messages.
const PROGRESS_EVERY: usize = 128;

/// Fits on all but the held-out part to find the best number of passes and the calibration, then on
/// everything.
pub(super) fn fit(
    mut examples: Vec<Example>,
    settings: &TrainSettings,
    progress: &mut dyn FnMut(Progress),
) -> Fitted {
    forget_rare(&mut examples, settings.least_messages);
    let standardizer = Standardizer::of(
        examples.iter().map(|example| example.dense.as_slice()),
        Schema::DENSE,
    );
    for example in &mut examples {
        example.dense = standardizer.apply(&example.dense);
    }
    let of = |part: Part| examples.iter().filter(move |example| example.part == part);
    let rest: Vec<&Example> = of(Part::Earlier).collect();
    let held_out: Vec<&Example> = of(Part::HeldOut)
        .filter(|example| !example.is_copy)
        .collect();
    let mut best = (f64::INFINITY, 1, Calibration::default());
    let mut learner = Learner::new(settings);
    for epoch in 1..=settings.epochs.max(1) {
        learner.pass(&rest, epoch, progress);
        let answers: Vec<Answer> = held_out
            .iter()
            .map(|example| learner.ask(example))
            .collect();
        let calibration = platt(&answers);
        let held_out_loss = loss(&answers, calibration);
        progress(Progress::Epoch {
            epoch,
            held_out_loss,
            one_minus_roca_percent: one_minus_roca(&answers),
        });
        if held_out_loss < best.0 {
            best = (held_out_loss, epoch, calibration);
        }
    }
    let (_, epochs, calibration) = best;
    let mut learner = Learner::new(settings);
    let all: Vec<&Example> = examples.iter().collect();
    for epoch in 1..=epochs {
        learner.pass(&all, settings.epochs + epoch, progress);
    }
    Fitted {
        network: learner.network,
        standardizer,
        calibration,
    }
}

/// Forgets the tokens that fewer than `least` messages have. They still count in their bag, as they
/// will in the daemon. A message and its copies are one.
fn forget_rare(examples: &mut [Example], least: u32) {
    let mut counts = vec![0u32; Schema::BUCKETS];
    let mut own = Vec::new();
    for example in examples.iter().filter(|example| !example.is_copy) {
        own.clone_from(&example.tokens);
        own.sort_unstable();
        own.dedup();
        for &token in &own {
            if let Some(count) = counts.get_mut(token as usize) {
                *count += 1;
            }
        }
    }
    for token in examples.iter_mut().flat_map(|example| &mut example.tokens) {
        if counts
            .get(*token as usize)
            .is_none_or(|&count| count < least)
        {
            *token = FORGOTTEN;
        }
    }
}

/// What a network said of a message that it had not learned.
#[derive(Clone, Copy, Debug)]
struct Answer {
    logit: f64,
    is_spam: bool,
    weight: f64,
}

struct Learner {
    network: Network,
    random: Random,
    rates: Rates,
    padding: f32,
}

impl Learner {
    #[expect(clippy::cast_precision_loss, reason = "a percentage")]
    fn new(settings: &TrainSettings) -> Self {
        let mut random = Random::new(settings.seed);
        let network = Network::new(
            Schema::BUCKETS,
            Schema::DENSE,
            settings.rates.accumulator_init,
            &mut random,
        );
        Self {
            network,
            random,
            rates: settings.rates,
            padding: settings.padding_percent as f32 / 100.0,
        }
    }

    fn ask(&self, example: &Example) -> Answer {
        let logit = f64::from(self.network.logit(&example.input()));
        Answer {
            logit,
            is_spam: example.is_spam,
            weight: f64::from(example.weight),
        }
    }

    fn pass(&mut self, examples: &[&Example], epoch: usize, progress: &mut dyn FnMut(Progress)) {
        let mut order: Vec<&Example> = examples.to_vec();
        self.random.shuffle(&mut order);
        let ham: Vec<&Example> = examples
            .iter()
            .copied()
            .filter(|example| !example.is_spam)
            .collect();
        for (done, example) in (1..).zip(&order) {
            let padded = self.random.unit() < self.padding;
            let padding = ham.get(self.random.below(ham.len())).filter(|_| padded);
            let (tokens, segments) = self.choose(example, padding.copied());
            let input = Input {
                tokens: &tokens,
                segments: &segments,
                dense: &example.dense,
                weight: example.weight,
            };
            self.network
                .learn(&input, example.is_spam, &self.rates, &mut self.random);
            if done % PROGRESS_EVERY == 0 || done == order.len() {
                progress(Progress::Learning {
                    epoch,
                    done,
                    total: order.len(),
                });
            }
        }
    }

    /// The tokens of one step: some left out, and with `padding` some windows of a ham before or
    /// after the text.
    fn choose(&mut self, example: &Example, padding: Option<&Example>) -> (Vec<u32>, Vec<usize>) {
        let left_out = self.rates.token_dropout;
        let mut parts: Vec<Vec<u32>> = example
            .parts()
            .map(|part| {
                part.iter()
                    .copied()
                    .filter(|_| self.random.unit() >= left_out)
                    .collect()
            })
            .collect();
        if let Some(padding) = padding {
            let own = parts.split_off(parts.len().min(Schema::FIRST_WINDOW));
            parts.extend(self.pad(own, padding));
        }
        (parts.concat(), parts.iter().map(Vec::len).collect())
    }

    /// The windows of a text that was padded with windows of a ham.
    fn pad(&mut self, own: Vec<Vec<u32>>, padding: &Example) -> Vec<Vec<u32>> {
        let good: Vec<&[u32]> = padding
            .parts()
            .skip(Schema::FIRST_WINDOW)
            .filter(|part| !part.is_empty())
            .collect();
        let mut own: Vec<Vec<u32>> = own.into_iter().filter(|part| !part.is_empty()).collect();
        let count = 1 + self.random.below(PADDING);
        let mut added = Vec::new();
        for _ in 0..count {
            added.extend(
                good.get(self.random.below(good.len()))
                    .map(|part| part.to_vec()),
            );
        }
        let mut padded = if self.random.unit() < BEFORE {
            added.append(&mut own);
            added
        } else {
            // Padding begins somewhere in the last window of the text.
            if let (Some(last), Some(first)) = (own.last_mut(), added.first_mut()) {
                let share = self.random.unit();
                last.extend(first.iter().copied().filter(|_| self.random.unit() < share));
            }
            own.truncate(Schema::WINDOWS - 1);
            own.append(&mut added);
            own
        };
        padded.resize(Schema::WINDOWS, Vec::new());
        padded
    }
}

/// Platt's calibration by Newton's method, with his soft targets (Platt 1999; Lin, Lin and Weng
/// 2007), for weighted answers.
fn platt(answers: &[Answer]) -> Calibration {
    let sum = |is_spam: bool| {
        answers
            .iter()
            .filter(|a| a.is_spam == is_spam)
            .map(|a| a.weight)
            .sum::<f64>()
    };
    let (ham, spam) = (sum(false), sum(true));
    if spam <= 0.0 || ham <= 0.0 {
        return Calibration::default();
    }
    let (high, low) = ((spam + 1.0) / (spam + 2.0), 1.0 / (ham + 2.0));
    let (mut slope, mut offset) = (1.0, 0.0);
    for _ in 0..100 {
        // Gradient and Hessian; the small ridge towards slope 1 keeps separable data finite.
        let (mut gs, mut go) = (1e-3 * (slope - 1.0), 1e-3 * offset);
        let (mut hss, mut hso, mut hoo) = (1e-3, 0.0, 1e-3);
        for &Answer {
            logit,
            is_spam,
            weight,
        } in answers
        {
            let p = 1.0 / (1.0 + (-(slope * logit + offset)).exp());
            let error = weight * (p - if is_spam { high } else { low });
            let curve = weight * p * (1.0 - p);
            gs += error * logit;
            go += error;
            hss += curve * logit * logit;
            hso += curve * logit;
            hoo += curve;
        }
        let determinant = hss * hoo - hso * hso;
        if determinant.abs() < 1e-12 {
            break;
        }
        let (ds, d_o) = (
            (hoo * gs - hso * go) / determinant,
            (hss * go - hso * gs) / determinant,
        );
        slope = (slope - ds.clamp(-0.5, 0.5)).max(0.05);
        offset -= d_o.clamp(-0.5, 0.5);
        if ds.abs() + d_o.abs() < 1e-9 {
            break;
        }
    }
    Calibration { slope, offset }
}

/// The weighted mean of the logarithmic loss.
fn loss(answers: &[Answer], calibration: Calibration) -> f64 {
    let each = answers.iter().map(|answer| {
        let z = calibration.log_odds(answer.logit);
        answer.weight
            * ((-z.abs()).exp().ln_1p() + z.max(0.0) - if answer.is_spam { z } else { 0.0 })
    });
    each.sum::<f64>()
        / answers
            .iter()
            .map(|answer| answer.weight)
            .sum::<f64>()
            .max(1e-9)
}

fn one_minus_roca(answers: &[Answer]) -> f64 {
    let of = |label: bool| {
        let mut scores: Vec<f64> = answers
            .iter()
            .filter(|a| a.is_spam == label)
            .map(|a| a.logit)
            .collect();
        scores.sort_by(f64::total_cmp);
        scores
    };
    100.0 * (1.0 - auc(&of(false), &of(true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platt_finds_the_scale() {
        // Logits that are three times too sure, and shifted.
        let mut random = Random::new(3);
        let answers: Vec<Answer> = (0..4000)
            .map(|_| {
                let truth = f64::from(random.unit()) * 8.0 - 4.0;
                let is_spam = f64::from(random.unit()) < 1.0 / (1.0 + (-truth).exp());
                Answer {
                    logit: 3.0 * truth + 1.0,
                    is_spam,
                    weight: 1.0,
                }
            })
            .collect();
        let Calibration { slope, offset } = platt(&answers);
        assert!((slope - 1.0 / 3.0).abs() < 0.04, "{slope}");
        assert!((offset + 1.0 / 3.0).abs() < 0.15, "{offset}");
        let answer = |logit, is_spam| Answer {
            logit,
            is_spam,
            weight: 1.0,
        };
        for few in [
            vec![],
            vec![answer(1.0, true)],
            vec![answer(9.0, true), answer(-9.0, false)],
        ] {
            assert!(platt(&few).is_valid(), "{few:?}");
        }
    }

    #[test]
    fn rare_tokens_are_forgotten() {
        let example = |tokens: &[u32], is_copy| Example {
            tokens: tokens.to_vec(),
            is_copy,
            ..Example::of(&FeatureVector::default(), true, Part::Earlier)
        };
        let mut examples = [
            example(&[1, 2], false),
            example(&[2, 3], false),
            example(&[1, 2, 4, 4], true),
        ];
        forget_rare(&mut examples, 2);
        let forgotten = FORGOTTEN;
        assert_eq!(examples[0].tokens, [forgotten, 2]);
        assert_eq!(examples[1].tokens, [2, forgotten]);
        assert_eq!(
            examples[2].tokens,
            [forgotten, 2, forgotten, forgotten],
            "a copy does not count"
        );
    }

    #[test]
    fn padding_keeps_the_windows_of_the_text() {
        let mut segments = vec![0; Schema::SEGMENTS];
        segments[Schema::FIRST_WINDOW] = 2;
        let example = |token: u32| Example {
            tokens: vec![token; 2],
            segments: segments.clone(),
            ..Example::of(&FeatureVector::default(), false, Part::Earlier)
        };
        let mut learner = Learner::new(&TrainSettings::default());
        for _ in 0..50 {
            let padded = learner.pad(vec![vec![7, 7]], &example(9));
            assert_eq!(padded.len(), Schema::WINDOWS);
            assert_eq!(
                padded.iter().flatten().filter(|&&token| token == 7).count(),
                2
            );
            assert!(
                padded.iter().flatten().filter(|&&token| token == 9).count() <= (PADDING + 1) * 2
            );
        }
        let full = vec![vec![7]; Schema::WINDOWS];
        assert_eq!(
            learner.pad(full, &example(9)).len(),
            Schema::WINDOWS,
            "never more windows than there are"
        );
    }
}
