//! Fits a network: passes over the data, early stopping, calibration.

use super::measure::auc;
use super::network::{Input, Network};
use super::random::Random;
use super::standard::Standard;
use super::{Progress, Rates, TrainSettings};
use crate::classifier::Calibration;
use crate::features::Schema;

/// One message to learn.
#[derive(Clone, Debug)]
pub(super) struct Example {
    /// Bucket numbers, sorted.
    pub(super) tokens: Vec<u32>,
    /// As the feature vector says; counts tokens that are not learned too.
    pub(super) weight: f32,
    /// Structure features, standardised once [`fit`] runs.
    pub(super) dense: Vec<f32>,
    /// The label.
    pub(super) spam: bool,
    /// Messages with the same body have the same number.
    pub(super) group: u64,
}

impl Example {
    fn input(&self) -> Input<'_> {
        Input { tokens: &self.tokens, weight: self.weight, dense: &self.dense }
    }
}

/// What fitting gives.
pub(super) struct Fitted {
    pub(super) network: Network,
    pub(super) standard: Standard,
    pub(super) calibration: Calibration,
}

/// Share of a ham's tokens that padding mixes in, at most.
const PADDING: f32 = 0.6;
/// How often progress is told, in messages.
const TELL: usize = 128;

/// Fits on all but the held-out part to find the best number of passes and the calibration, then on everything.
pub(super) fn fit(mut examples: Vec<Example>, settings: &TrainSettings, progress: &mut dyn FnMut(Progress)) -> Fitted {
    forget_rare(&mut examples, settings.least_messages);
    let standard = Standard::of(examples.iter().map(|example| example.dense.as_slice()), Schema::DENSE);
    for example in &mut examples {
        example.dense = standard.apply(&example.dense);
    }
    let (held_out, rest): (Vec<&Example>, Vec<&Example>) =
        examples.iter().partition(|example| example.group % 100 < settings.held_out_percent);
    let mut best = (f64::INFINITY, 1, Calibration::default());
    let mut learner = Learner::new(settings);
    for epoch in 1..=settings.epochs.max(1) {
        learner.pass(&rest, epoch, progress);
        let logits: Vec<(f64, bool)> =
            held_out.iter().map(|example| (f64::from(learner.network.logit(&example.input())), example.spam)).collect();
        let calibration = platt(&logits);
        let held_out_loss = loss(&logits, calibration);
        progress(Progress::Epoch { epoch, held_out_loss, one_minus_roca_percent: one_minus_roca(&logits) });
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
    Fitted { network: learner.network, standard, calibration }
}

/// Drops the tokens that fewer than `least` messages have.
fn forget_rare(examples: &mut [Example], least: u32) {
    let mut counts = vec![0u32; Schema::BUCKETS];
    for &token in examples.iter().flat_map(|example| &example.tokens) {
        if let Some(count) = counts.get_mut(token as usize) {
            *count += 1;
        }
    }
    for example in examples {
        example.tokens.retain(|&token| counts.get(token as usize).is_some_and(|&count| count >= least));
    }
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
        let network = Network::new(Schema::BUCKETS, Schema::DENSE, &mut random);
        Self { network, random, rates: settings.rates, padding: settings.padding_percent as f32 / 100.0 }
    }

    fn pass(&mut self, examples: &[&Example], epoch: usize, progress: &mut dyn FnMut(Progress)) {
        let mut order: Vec<&Example> = examples.to_vec();
        self.random.shuffle(&mut order);
        let ham: Vec<&Example> = examples.iter().copied().filter(|example| !example.spam).collect();
        let mut tokens = Vec::new();
        for (done, example) in (1..).zip(&order) {
            let padded = self.random.unit() < self.padding;
            let padding = ham.get(self.random.below(ham.len())).filter(|_| padded);
            let weight = self.choose(example, padding.copied(), &mut tokens);
            let input = Input { tokens: &tokens, weight, dense: &example.dense };
            self.network.learn(&input, example.spam, &self.rates, &mut self.random);
            if done % TELL == 0 || done == order.len() {
                progress(Progress::Learning { epoch, done, total: order.len() });
            }
        }
    }

    /// The tokens of one step: some left out, and with `padding` some text of a ham mixed in.
    #[expect(clippy::cast_precision_loss, reason = "at most 8,000 tokens")]
    fn choose(&mut self, example: &Example, padding: Option<&Example>, tokens: &mut Vec<u32>) -> f32 {
        let left_out = self.rates.token_dropout;
        tokens.clear();
        tokens.extend(example.tokens.iter().copied().filter(|_| self.random.unit() >= left_out));
        let mut count = 1.0 / (example.weight * example.weight) * (1.0 - left_out);
        if let Some(padding) = padding {
            let share = self.random.unit() * PADDING;
            let before = tokens.len();
            // A stretch of neighbouring bucket numbers is a random choice, as buckets are hashes.
            let text = padding.tokens.iter().copied().filter(|&token| Schema::is_text(token));
            tokens.extend(text.filter(|_| self.random.unit() < share));
            let added = tokens.len() - before;
            tokens.sort_unstable();
            tokens.dedup();
            count += added as f32;
        }
        1.0 / count.max(1.0).sqrt()
    }
}

/// Platt's calibration by Newton's method, with his soft targets (Platt 1999; Lin, Lin and Weng 2007).
#[expect(clippy::cast_precision_loss, reason = "message counts are far below 2^52")]
fn platt(logits: &[(f64, bool)]) -> Calibration {
    let spam = logits.iter().filter(|(_, spam)| *spam).count() as f64;
    let ham = logits.len() as f64 - spam;
    if spam < 1.0 || ham < 1.0 {
        return Calibration::default();
    }
    let (high, low) = ((spam + 1.0) / (spam + 2.0), 1.0 / (ham + 2.0));
    let (mut slope, mut offset) = (1.0, 0.0);
    for _ in 0..100 {
        // Gradient and Hessian; the small ridge towards slope 1 keeps separable data finite.
        let (mut gs, mut go) = (1e-3 * (slope - 1.0), 1e-3 * offset);
        let (mut hss, mut hso, mut hoo) = (1e-3, 0.0, 1e-3);
        for &(logit, is_spam) in logits {
            let p = 1.0 / (1.0 + (-(slope * logit + offset)).exp());
            let error = p - if is_spam { high } else { low };
            let curve = p * (1.0 - p);
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
        let (ds, d_o) = ((hoo * gs - hso * go) / determinant, (hss * go - hso * gs) / determinant);
        slope = (slope - ds.clamp(-0.5, 0.5)).max(0.05);
        offset -= d_o.clamp(-0.5, 0.5);
        if ds.abs() + d_o.abs() < 1e-9 {
            break;
        }
    }
    Calibration { slope, offset }
}

#[expect(clippy::cast_precision_loss, reason = "message counts are far below 2^52")]
fn loss(logits: &[(f64, bool)], calibration: Calibration) -> f64 {
    let each = logits.iter().map(|&(logit, spam)| {
        let z = calibration.log_odds(logit);
        (-z.abs()).exp().ln_1p() + z.max(0.0) - if spam { z } else { 0.0 }
    });
    each.sum::<f64>() / logits.len().max(1) as f64
}

fn one_minus_roca(logits: &[(f64, bool)]) -> f64 {
    let of = |label: bool| {
        let mut scores: Vec<f64> = logits.iter().filter(|(_, spam)| *spam == label).map(|(logit, _)| *logit).collect();
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
        let logits: Vec<(f64, bool)> = (0..4000)
            .map(|_| {
                let truth = f64::from(random.unit()) * 8.0 - 4.0;
                let spam = f64::from(random.unit()) < 1.0 / (1.0 + (-truth).exp());
                (3.0 * truth + 1.0, spam)
            })
            .collect();
        let Calibration { slope, offset } = platt(&logits);
        assert!((slope - 1.0 / 3.0).abs() < 0.04, "{slope}");
        assert!((offset + 1.0 / 3.0).abs() < 0.15, "{offset}");
        assert!(platt(&[(1.0, true)]).is_valid() && platt(&[(9.0, true), (-9.0, false)]).is_valid());
    }

    #[test]
    fn rare_tokens_are_forgotten() {
        let example =
            |tokens: &[u32]| Example { tokens: tokens.to_vec(), weight: 1.0, dense: vec![], spam: true, group: 0 };
        let mut examples = [example(&[1, 2]), example(&[2, 3])];
        forget_rare(&mut examples, 2);
        assert!(examples.iter().all(|example| example.tokens == [2]));
    }
}
