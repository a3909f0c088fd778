//! The site learner: online logistic regression over the view of a message.
//!
//! It knows nothing at first and learns each label in microseconds. Pure and deterministic: the
//! same labels in the same order give the same weights, bit for bit. Keeping what it knows is the
//! caller's business ([`Checkpoint`]).
//!
//! Three regressions, over 4-grams of the header, over words of the header and over words of the
//! text ([`Slots`]), learn each on their own, and their logits are added. They err on different
//! messages, so together they err less. Each logit is bounded softly first: the weight of an extreme
//! one should not depend on how extreme it is, as it is mostly that of an odd message or of a wrong
//! label; and no sender can gain more than one table's share by adding to what it may write.
//!
//! Each window of the text is learned and judged on its own, and the logit of the text is the mean
//! of its windows. One regression over the raw bytes of header and body and one over all words, as
//! it was earlier, were as good on mail as it is (AUC 0.99976 against 0.99982 on
//! `spamassassin:test`), but kept 73 % of what they caught when 6,000 characters of ham preceded the
//! spam, and these keep 97 % (`model robustness --with-site`; content models differ too; 2026-11-23
//! and 2026-11-28).
//!
//! Steps follow AdaGrad (Duchi, Hazan and Singer, 2011): a slot that was never seen moves far, one
//! that was learned often hardly. Against one small rate for all with rehearsal of remembered labels
//! (2026-11-23, both with two tables): on the first half of the TREC 2007 stream 61 errors instead
//! of 68, and 1 % of wrong labels costs 1.5 times the lam instead of 2.3 times. A label that
//! contradicts an extreme logit moves the weights less far, as it is more likely to be wrong; it
//! still moves them.

use super::site_settings::SiteSettings;
use super::slots::{FIRST_WINDOW, Section, Set, Slots, TABLES, each_section, place, section};
#[cfg(doc)]
use super::table_logits::LOGIT_MAX;
use super::table_logits::{TableLogits, scale};
use crate::features::SiteView;

/// All that a learner has learned, to be stored: a learner made of it goes on as if it had never
/// stopped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    /// One weight for each slot of the tables.
    pub weights: Vec<f32>,
    /// For each slot the sum of the squares of its gradients.
    pub squares: Vec<f32>,
    /// Ham labels.
    pub ham: u64,
    /// Spam labels.
    pub spam: u64,
}

/// The learner: weights for the slots of all tables.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteLearner {
    settings: SiteSettings,
    weights: Vec<f32>,
    /// Sums of squared gradients; empty in a copy that only judges.
    squares: Vec<f32>,
    ham: u64,
    spam: u64,
}

impl SiteLearner {
    /// No weight leaves ± this, whatever the labels.
    const WEIGHT_LIMIT: f32 = 16.0;
    /// No sum of squares exceeds this: of a million labels.
    const SQUARES_LIMIT: f32 = 1e6;
    /// Steps are twice as long at first, and half-way back to the usual after so many labels: where
    /// there are few, each has to teach more.
    const WARMUP_LABELS: f32 = 1_000.0;
    /// Keeps the first step of a slot from being the same for every gradient.
    const DAMPING: f32 = 0.03;
    /// A label that contradicts a logit beyond this counts less: it is more likely to be wrong.
    const NOISE_CLIP: f64 = 3.0;

    /// A learner that knows nothing: every logit is 0.
    pub fn new(settings: SiteSettings) -> Self {
        let settings = settings.clamped();
        let size = TABLES << settings.bits;
        Self {
            settings,
            weights: vec![0.0; size],
            squares: vec![0.0; size],
            ham: 0,
            spam: 0,
        }
    }

    /// A learner that goes on where another stopped. `None` where the number of weights is not that
    /// of `settings`, or one of the numbers cannot be.
    pub fn from_checkpoint(settings: SiteSettings, checkpoint: Checkpoint) -> Option<Self> {
        let settings = settings.clamped();
        let Checkpoint {
            weights,
            squares,
            ham,
            spam,
        } = checkpoint;
        let size = TABLES << settings.bits;
        let fits = weights.len() == size && squares.len() == size;
        let sane = weights
            .iter()
            .all(|weight| weight.abs() <= Self::WEIGHT_LIMIT)
            && squares
                .iter()
                .all(|sum| (0.0..=Self::SQUARES_LIMIT).contains(sum));
        (fits && sane).then_some(Self {
            settings,
            weights,
            squares,
            ham,
            spam,
        })
    }

    /// What it has learned.
    pub fn checkpoint(&self) -> Checkpoint {
        let Self {
            settings: _,
            weights,
            squares,
            ham,
            spam,
        } = self.clone();
        Checkpoint {
            weights,
            squares,
            ham,
            spam,
        }
    }

    /// A copy that judges and cannot learn: half the size.
    #[must_use]
    pub fn frozen(&self) -> Self {
        let Self {
            settings,
            weights,
            squares: _,
            ham,
            spam,
        } = self;
        Self {
            settings: settings.clone(),
            weights: weights.clone(),
            squares: Vec::new(),
            ham: *ham,
            spam: *spam,
        }
    }

    /// Its settings, held within their limits.
    pub fn settings(&self) -> &SiteSettings {
        &self.settings
    }

    /// The weights.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Labels learned so far: (ham, spam), those included from which nothing had to be learned.
    pub fn labels(&self) -> (u64, u64) {
        (self.ham, self.spam)
    }

    /// The slots of a view.
    pub fn slots(&self, view: &SiteView) -> Slots {
        Slots::of(view, &self.settings)
    }

    /// The recipient's domain of a view, where it has a copy of its own.
    pub fn domain<'v>(&self, view: &'v SiteView) -> Option<&'v str> {
        self.settings.domain(view)
    }

    /// The logit of a view: above 0 is spam; within ± three times [`LOGIT_MAX`]. Without
    /// a list of slots, which takes longer to make than to read.
    pub fn score(&self, view: &SiteView) -> f64 {
        let mut seen = Set::new(self.settings.bits);
        let mut logits = TableLogits::default();
        each_section(view, &self.settings, |section, slots| {
            let (mut sum, mut count) = (0.0, 0);
            for &slot in slots {
                if seen.add(slot) {
                    sum += self.weight(slot);
                    count += 1;
                }
            }
            seen.remove(slots);
            logits.add(section, scale(section, count) * sum);
        });
        logits.sum()
    }

    /// As [`SiteLearner::score`] but for rounding, for slots that are known already.
    pub fn score_slots(&self, slots: &Slots) -> f64 {
        let mut logits = TableLogits::default();
        for (section, slots) in slots.sections(self.settings.bits) {
            logits.add(section, self.logit(slots));
        }
        logits.sum()
    }

    /// The logit of the slots of one section, not bounded.
    pub(super) fn logit(&self, slots: &[u32]) -> f64 {
        let section = section(slots, self.settings.bits);
        scale(section, slots.len()) * slots.iter().map(|&slot| self.weight(slot)).sum::<f64>()
    }

    /// The weight of a slot.
    pub(super) fn weight(&self, slot: u32) -> f64 {
        self.weights
            .get(place(slot, self.settings.bits))
            .map_or(0.0, |&weight| f64::from(weight))
    }

    /// Learns one label. Says whether a weight changed (with a margin, most labels change
    /// none).
    pub fn learn(&mut self, view: &SiteView, is_spam: bool) -> bool {
        self.learn_slots(&self.slots(view), is_spam)
    }

    /// As [`SiteLearner::learn`], for slots that are known already.
    pub fn learn_slots(&mut self, slots: &Slots, is_spam: bool) -> bool {
        let labels = if is_spam {
            &mut self.spam
        } else {
            &mut self.ham
        };
        *labels = labels.saturating_add(1);
        if let Some(margin) = self.settings.margin {
            let logit = self.score_slots(slots);
            let certainty = if is_spam { logit } else { -logit };
            if certainty > margin.max(0.0) {
                return false;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate needs few digits")]
        let labels = self.ham.saturating_add(self.spam) as f32;
        let rate = self.settings.rate * (1.0 + 1.0 / (1.0 + labels / Self::WARMUP_LABELS));
        let bits = self.settings.bits;
        let windows = slots
            .sections(bits)
            .filter(|(section, _)| *section >= FIRST_WINDOW)
            .count();
        #[expect(clippy::cast_precision_loss, reason = "at most a few dozen windows")]
        let share = 1.0 / (windows.max(1) as f32).sqrt();
        let mut changed = false;
        for (section, slots) in slots.sections(bits) {
            let times = Self::rate_factor(section);
            // The windows of one text are not as many labels.
            let share = if section >= FIRST_WINDOW { share } else { 1.0 };
            changed |= self.step(section, slots, is_spam, share * times * rate);
        }
        changed
    }

    /// Step size of the table of a section, in settings' rates.
    fn rate_factor(section: Section) -> f32 {
        match section {
            0 => 1.0,
            1 => 6.0,
            _ => 12.0,
        }
    }

    /// One step of one section on the logistic loss.
    fn step(&mut self, section: Section, slots: &[u32], is_spam: bool, rate: f32) -> bool {
        let logit = self.logit(slots);
        let (target, margin) = if is_spam { (1.0, logit) } else { (0.0, -logit) };
        let trust = if margin < -Self::NOISE_CLIP {
            Self::NOISE_CLIP / -margin
        } else {
            1.0
        };
        #[expect(clippy::cast_possible_truncation, reason = "a small number")]
        let gradient =
            (trust * scale(section, slots.len()) * (1.0 / (1.0 + (-logit).exp()) - target)) as f32;
        for &slot in slots {
            let place = place(slot, self.settings.bits);
            if let (Some(weight), Some(squares)) =
                (self.weights.get_mut(place), self.squares.get_mut(place))
            {
                *squares = (*squares + gradient * gradient).min(Self::SQUARES_LIMIT);
                let step = rate * gradient / (squares.sqrt() + Self::DAMPING);
                *weight = (*weight - step).clamp(-Self::WEIGHT_LIMIT, Self::WEIGHT_LIMIT);
            }
        }
        rate * gradient != 0.0 && !slots.is_empty() && !self.squares.is_empty()
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
#[path = "site_learner_tests.rs"]
mod tests;
