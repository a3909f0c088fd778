//! Measures how much of the spam is still caught under each attack.

use serde::Serialize;

use super::attack::{Attack, Good, GoodWords};
use super::corpus::Corpus;
use super::error::TrainError;
use super::message_features::features_of;
use super::random::Random;
use super::settings::Progress;
use gatepost_learn::classifier::{Model, Site, SiteSettings};
use gatepost_learn::features::{SiteView, TrustedAuthservIds};
use gatepost_words::Class;
use gatepost_words::percent;

/// The share of ham that the threshold loses.
const HAM_LOSS: f64 = 0.005;
/// Ham texts that attackers have.
const HAMS: usize = 500;
/// Seed of everything that is drawn.
const SEED: u64 = 7;

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AttackResult {
    /// The attack.
    pub attack: String,
    /// Percent of the spam above the threshold.
    pub caught_percent: f64,
    /// Of the spam that is caught without attack, the percentage that still is.
    pub kept_percent: f64,
}

/// The table, and what it was measured with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AttackReport {
    /// The corpus that was attacked.
    pub corpus: String,
    /// Ham that set the threshold.
    pub ham: usize,
    /// Spam that was attacked.
    pub spam: usize,
    /// Labels that the site had taught before.
    pub labels: usize,
    /// One row for each attack.
    pub attacks: Vec<AttackResult>,
}

/// Attacks the spam of `corpus`. Attackers know the mail of `known`, of which the site has taught
/// every label too if `is_taught`; else the model alone judges.
pub fn evaluate_attacks(
    model: &Model,
    corpus: &Corpus,
    known: &Corpus,
    is_taught: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<AttackReport, TrainError> {
    let mut site = Site::new(SiteSettings::default());
    let good = prepare_attacker(known, is_taught.then_some(&mut site), progress)?;
    let (ham_labels, spam_labels) = site.learner().labels();
    let frozen = site.freeze(0);
    let judge = |raw: &[u8]| {
        let content = model.log_odds(&features_of(raw).0).ok();
        frozen.log_odds(
            content,
            &SiteView::of_stored(raw, &TrustedAuthservIds::none()),
        )
    };
    let mut random = Random::new(SEED);
    let mut ham = Vec::new();
    let mut spam = Vec::new();
    let mut caught: Vec<Vec<f64>> = vec![Vec::new(); Attack::ALL.len()];
    corpus.read(progress, |sample| match sample.class.map(Class::is_spam) {
        Some(false) => ham.push(judge(&sample.stored)),
        Some(true) => {
            let before = judge(&sample.stored);
            spam.push(before);
            for (attack, scores) in Attack::ALL.into_iter().zip(&mut caught) {
                let changed = attack.apply(&sample.stored, &good, &mut random);
                scores.push(changed.map_or(before, |changed| judge(&changed)));
            }
        }
        None => {}
    })?;
    let threshold = threshold(&mut ham);
    let row = |(name, scores): (&str, &Vec<f64>)| {
        let was_over = |score: &&f64| **score > threshold;
        let both = spam
            .iter()
            .zip(scores)
            .filter(|(before, after)| **before > threshold && **after > threshold);
        let before = spam.iter().filter(was_over).count();
        AttackResult {
            attack: name.to_owned(),
            caught_percent: percent::of(scores.iter().filter(was_over).count(), scores.len()),
            kept_percent: percent::of(both.count(), before),
        }
    };
    let names = Attack::ALL.into_iter().map(Attack::name);
    let attacks = std::iter::once(("none", &spam))
        .chain(names.zip(&caught))
        .map(row)
        .collect();
    Ok(AttackReport {
        corpus: corpus.describe(),
        ham: ham.len(),
        spam: spam.len(),
        labels: usize::try_from(ham_labels + spam_labels).unwrap_or(usize::MAX),
        attacks,
    })
}

/// Gives the attackers words and texts of ham, and teaches the site.
fn prepare_attacker(
    known: &Corpus,
    site: Option<&mut Site>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Good, TrainError> {
    let (mut good, mut words) = (Good::default(), GoodWords::default());
    let mut hams = 0;
    let mut labels = Vec::new();
    known.read(progress, |sample| {
        let Some(class) = sample.class else { return };
        words.add_mail(&sample.raw, class.is_spam());
        if !class.is_spam() && hams < HAMS {
            hams += 1;
            good.add_mail(&sample.raw);
        }
        if site.is_some() {
            labels.push((
                SiteView::of_stored(&sample.stored, &TrustedAuthservIds::none()),
                class,
            ));
        }
    })?;
    good.add_best(words.best());
    good.keep_best();
    if let Some(site) = site {
        Random::new(SEED).shuffle(&mut labels);
        for (view, class) in labels {
            let slots = site.learner().slots(&view);
            // The shipped model was trained on the mail that attackers know by default: what it
            // says of that mail proves nothing, so it gives no sample there and keeps
            // the weight that it has before any label.
            site.learn(&slots, class, None);
        }
    }
    Ok(good)
}

/// The score above which at most [`HAM_LOSS`] of the ham is found.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count"
)]
fn threshold(ham: &mut [f64]) -> f64 {
    ham.sort_by(|a, b| b.total_cmp(a));
    ham.get((ham.len() as f64 * HAM_LOSS) as usize)
        .copied()
        .unwrap_or(f64::NEG_INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_and_shares() {
        let mut ham: Vec<f64> = (0..400).map(f64::from).collect();
        let threshold = threshold(&mut ham);
        assert!(
            (threshold - 397.0).abs() < 1e-9,
            "two of 400 may be lost: {threshold}"
        );
        assert!((percent::of(2, 4) - 50.0).abs() < 1e-9 && percent::of(0, 0).abs() < 1e-9);
    }
}
