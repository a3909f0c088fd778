//! Measures how much of the spam is still caught under each attack.

use std::collections::HashMap;

use serde::Serialize;

use super::attack::{Arms, Attack, attacked, visible};
use super::evaluate::features_of;
use super::random::Random;
use super::{Corpus, Progress, TrainError};
use crate::classifier::{Model, Site, SiteSettings};
use crate::features::{MilterView, Trust};

/// The share of ham that the threshold loses.
const HAM_LOSS: f64 = 0.005;
/// Words of ham that attackers use.
const WORDS: usize = 1_000;
/// In so many ham a word must stand.
const WORD_MIN: usize = 5;
/// Ham texts that attackers have.
const HAMS: usize = 500;
/// Seed of everything that is drawn.
const SEED: u64 = 7;

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Siege {
    /// The attack.
    pub attack: String,
    /// Percent of the spam above the threshold.
    pub caught_percent: f64,
    /// The same, of 100 % caught without attack.
    pub kept_percent: f64,
}

/// The table, and what it was measured with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SiegeReport {
    /// The corpus that was attacked.
    pub corpus: String,
    /// Ham that set the threshold.
    pub ham: usize,
    /// Spam that was attacked.
    pub spam: usize,
    /// Labels that the site had taught before.
    pub labels: usize,
    /// One row for each attack.
    pub attacks: Vec<Siege>,
}

/// Attacks the spam of `corpus`. Attackers know the mail of `known`, of which the site has taught every label too if
/// `is_taught`; else the model alone judges.
pub fn besiege(
    model: &Model,
    corpus: &Corpus,
    known: &Corpus,
    is_taught: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<SiegeReport, TrainError> {
    let mut site = Site::new(SiteSettings::default());
    let arms = arm(known, is_taught.then_some(&mut site), progress)?;
    let (ham_labels, spam_labels) = site.learner().labels();
    let opinion = site.opinion(0);
    let judge = |raw: &[u8]| {
        let content = model.log_odds(&features_of(raw).0).ok();
        opinion.log_odds(content, &MilterView::of_stored(raw, &Trust::nobody()))
    };
    let mut random = Random::new(SEED);
    let mut ham = Vec::new();
    let mut caught: Vec<Vec<f64>> = vec![Vec::new(); Attack::ALL.len()];
    corpus.read(progress, |sample| match sample.spam {
        Some(false) => ham.push(judge(&attacked(&sample.stored, Attack::None, &arms, &mut random))),
        Some(true) => {
            for (attack, scores) in Attack::ALL.into_iter().zip(&mut caught) {
                scores.push(judge(&attacked(&sample.stored, attack, &arms, &mut random)));
            }
        }
        None => {}
    })?;
    let threshold = threshold(&mut ham);
    let shares: Vec<f64> = caught.iter().map(|scores| percent_above(scores, threshold)).collect();
    let without = shares.first().copied().unwrap_or(0.0);
    let row = |(attack, share): (Attack, f64)| Siege {
        attack: attack.name(),
        caught_percent: share,
        kept_percent: if without > 0.0 { 100.0 * share / without } else { 0.0 },
    };
    Ok(SiegeReport {
        corpus: corpus.describe(),
        ham: ham.len(),
        spam: caught.first().map_or(0, Vec::len),
        labels: usize::try_from(ham_labels + spam_labels).unwrap_or(usize::MAX),
        attacks: Attack::ALL.into_iter().zip(shares).map(row).collect(),
    })
}

/// Gives the attackers words and texts of ham, and teaches the site.
fn arm(known: &Corpus, site: Option<&mut Site>, progress: &mut dyn FnMut(Progress)) -> Result<Arms, TrainError> {
    let mut counts: HashMap<String, [usize; 2]> = HashMap::new();
    let mut hams = Vec::new();
    let mut labels = Vec::new();
    known.read(progress, |sample| {
        let Some(spam) = sample.spam else { return };
        let text = visible(&sample.raw);
        let mut words: Vec<&str> = text.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 3).collect();
        words.sort_unstable();
        words.dedup();
        for word in words {
            if let Some(count) = counts.entry(word.to_lowercase()).or_default().get_mut(usize::from(spam)) {
                *count += 1;
            }
        }
        if !spam && hams.len() < HAMS {
            hams.push(text);
        }
        if site.is_some() {
            labels.push((MilterView::of_stored(&sample.stored, &Trust::nobody()), spam));
        }
    })?;
    if let Some(site) = site {
        Random::new(SEED).shuffle(&mut labels);
        for (view, spam) in labels {
            let slots = site.learner().slots(&view);
            // The shipped model was trained on the mail that attackers know by default: what it says of that mail proves
            // nothing, so it stands no trial there and keeps the weight that it has before any label.
            site.learn(&slots, spam, None);
        }
    }
    Ok(Arms { words: good_words(counts), hams })
}

/// The words that speak most for ham.
#[expect(clippy::cast_precision_loss, reason = "message counts are far below 2^52")]
fn good_words(counts: HashMap<String, [usize; 2]>) -> Vec<String> {
    let mut words: Vec<(f64, String)> = counts
        .into_iter()
        .filter(|(_, [ham, _])| *ham >= WORD_MIN)
        .map(|(word, [ham, spam])| (ham as f64 / (spam as f64 + 1.0), word))
        .collect();
    words.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    words.into_iter().take(WORDS).map(|(_, word)| word).collect()
}

/// The score above which at most [`HAM_LOSS`] of the ham lies.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
fn threshold(ham: &mut [f64]) -> f64 {
    ham.sort_by(|a, b| b.total_cmp(a));
    ham.get((ham.len() as f64 * HAM_LOSS) as usize).copied().unwrap_or(f64::NEG_INFINITY)
}

#[expect(clippy::cast_precision_loss, reason = "message counts are far below 2^52")]
fn percent_above(scores: &[f64], threshold: f64) -> f64 {
    let above = scores.iter().filter(|score| **score > threshold).count();
    if scores.is_empty() { 0.0 } else { 100.0 * above as f64 / scores.len() as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_and_shares() {
        let mut ham: Vec<f64> = (0..400).map(f64::from).collect();
        let threshold = threshold(&mut ham);
        assert!((threshold - 397.0).abs() < 1e-9, "two of 400 may be lost: {threshold}");
        assert!((percent_above(&[397.0, 398.0, 0.0, 500.0], threshold) - 50.0).abs() < 1e-9);
        assert!(percent_above(&[], 0.0).abs() < 1e-9);
    }

    #[test]
    fn good_words_are_those_of_ham() {
        let counts = [("lunch", [9, 0]), ("meeting", [9, 3]), ("pills", [5, 50]), ("rare", [4, 0])];
        let counts = counts.into_iter().map(|(word, count)| (word.to_owned(), count)).collect();
        assert_eq!(good_words(counts), ["lunch", "meeting", "pills"]);
    }
}
