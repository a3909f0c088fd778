//! What this site has learned: the site learner, the prequential samples of its labels, and the
//! stacker fitted on them.

use std::collections::VecDeque;
use std::sync::Arc;

use super::false_positive_bound::FalsePositiveBound;
use super::site_learner::{Checkpoint, SiteLearner};
use super::site_settings::SiteSettings;
use super::slots::Slots;
use super::stacker::{PrequentialSample, Stacker};
use crate::features::SiteView;
use gatepost_words::Class;

/// The site's own expert, while it learns.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    learner: SiteLearner,
    samples: VecDeque<PrequentialSample>,
}

/// The site's own expert at one moment, to judge by: immutable, shared by all workers.
#[derive(Clone, Debug)]
pub struct FrozenSite {
    learner: SiteLearner,
    stacker: Stacker,
    sequence: u64,
    false_positive_bound: FalsePositiveBound,
}

impl Site {
    /// Samples that are kept: enough for [`FalsePositiveBound`] where a fifth of the labels is ham.
    pub const SAMPLES_MAX: usize = 16_384;

    /// A site without labels.
    pub fn new(settings: SiteSettings) -> Self {
        Self {
            learner: SiteLearner::new(settings),
            samples: VecDeque::new(),
        }
    }

    /// Goes on from what was kept; `None` where it does not fit `settings`.
    pub fn resume(
        settings: SiteSettings,
        checkpoint: Checkpoint,
        samples: Vec<PrequentialSample>,
    ) -> Option<Self> {
        let learner = SiteLearner::from_checkpoint(settings, checkpoint)?;
        (samples.len() <= Self::SAMPLES_MAX).then(|| Self {
            learner,
            samples: samples.into(),
        })
    }

    /// Learns one label: first the logits of both experts become a sample, then the learner learns.
    /// `content` is the content model's log-odds for the message, where it was asked.
    pub fn learn(&mut self, slots: &Slots, class: Class, content: Option<f32>) {
        while self.samples.len() >= Self::SAMPLES_MAX {
            self.samples.pop_front();
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a sample needs no more digits"
        )]
        let site = self.learner.score_slots(slots) as f32;
        let is_spam = class.is_spam();
        self.samples.push_back(PrequentialSample {
            content,
            site,
            is_spam,
        });
        self.learner.learn_slots(slots, is_spam);
    }

    /// The learner.
    pub fn learner(&self) -> &SiteLearner {
        &self.learner
    }

    /// The samples, from old to new.
    pub fn samples(&self) -> impl Iterator<Item = &PrequentialSample> {
        self.samples.iter()
    }

    /// Fits the stacker, and fixes all for judging. `sequence` names the moment: the number of the
    /// last record that was read.
    pub fn freeze(&self, sequence: u64) -> FrozenSite {
        let samples: Vec<PrequentialSample> = self.samples.iter().copied().collect();
        let stacker = Stacker::fit(&samples);
        let ham: Vec<f64> = samples
            .iter()
            .filter(|sample| !sample.is_spam)
            .map(|sample| stacker.of_sample(sample))
            .collect();
        FrozenSite {
            learner: self.learner.frozen(),
            stacker,
            sequence,
            false_positive_bound: FalsePositiveBound::of(&ham),
        }
    }
}

impl FrozenSite {
    /// Calibrated log-odds of both experts together; `content` is the content model's, where one
    /// was asked.
    pub fn log_odds(&self, content: Option<f64>, view: &SiteView) -> f64 {
        self.stacker.log_odds(content, self.learner.score(view))
    }

    /// The learner.
    pub fn learner(&self) -> &SiteLearner {
        &self.learner
    }

    /// The weights of both experts.
    pub fn stacker(&self) -> &Stacker {
        &self.stacker
    }

    /// What may be claimed about lost ham.
    pub fn false_positive_bound(&self) -> &FalsePositiveBound {
        &self.false_positive_bound
    }

    /// The number of the last record that was read.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The name by which verdicts say what judged: the content model's id, and the last record of
    /// the label log. With the model file and the label log, every verdict can be reproduced.
    pub fn name(&self, model: Option<&str>) -> Arc<str> {
        format!("{}+{}", model.unwrap_or("none"), self.sequence).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::TrustedAuthservIds;

    fn view(text: &str) -> SiteView {
        SiteView::of_stored(
            format!("Subject: {text}\n\n{text}\n").as_bytes(),
            &TrustedAuthservIds::none(),
        )
    }

    fn taught(labels: usize) -> Site {
        let mut site = Site::new(SiteSettings {
            bits: 16,
            ..SiteSettings::default()
        });
        for n in 0..labels {
            let (text, class) = if n % 2 == 0 {
                ("win a prize now", Class::Spam)
            } else {
                ("lunch on friday", Class::Ham)
            };
            let slots = site.learner().slots(&view(&format!("{text} {n}")));
            site.learn(&slots, class, Some(0.0));
        }
        site
    }

    #[test]
    fn logits_are_sampled_before_they_are_learned() {
        let site = taught(2);
        let samples: Vec<&PrequentialSample> = site.samples().collect();
        assert!(
            samples[0].site.abs() < 1e-9,
            "nothing was known before the first label"
        );
        assert!(samples[1].site > 0.0, "what was known then spoke for spam");
    }

    #[test]
    fn cold_start_is_the_model_alone_and_labels_take_over() {
        let cold = taught(0).freeze(0);
        assert!((cold.log_odds(Some(1.25), &view("win a prize now")) - 1.25).abs() < 1e-12);
        let odds = |labels: usize| {
            taught(labels)
                .freeze(0)
                .log_odds(Some(0.0), &view("win a prize now 7"))
        };
        assert!(
            odds(10) < odds(60) && odds(60) < odds(400),
            "{} {} {}",
            odds(10),
            odds(60),
            odds(400)
        );
        assert!(
            taught(400)
                .freeze(0)
                .log_odds(Some(0.0), &view("lunch on friday 7"))
                < -2.0
        );
    }

    #[test]
    fn a_bound_needs_ham() {
        let frozen = taught(100).freeze(9);
        assert_eq!(
            (
                frozen.false_positive_bound().ham,
                frozen.false_positive_bound().needed,
                frozen.false_positive_bound().threshold
            ),
            (50, 2_995, None)
        );
        assert_eq!(
            (&*frozen.name(Some("abc")), &*frozen.name(None)),
            ("abc+9", "none+9")
        );
        let mut site = Site::new(SiteSettings {
            bits: 16,
            ..SiteSettings::default()
        });
        for _ in 0..2_995 {
            site.learn(&Slots::default(), Class::Ham, None);
        }
        assert!(site.freeze(0).false_positive_bound().threshold.is_some());
    }

    #[test]
    fn samples_are_bounded() {
        let mut site = Site::new(SiteSettings {
            bits: 16,
            ..SiteSettings::default()
        });
        for _ in 0..=Site::SAMPLES_MAX {
            site.learn(&Slots::default(), Class::Ham, None);
        }
        assert_eq!(site.samples().count(), Site::SAMPLES_MAX);
        let samples = vec![
            PrequentialSample {
                content: None,
                site: 0.0,
                is_spam: false
            };
            Site::SAMPLES_MAX + 1
        ];
        let checkpoint = site.learner().checkpoint();
        let settings = site.learner().settings().clone();
        assert!(Site::resume(settings.clone(), checkpoint.clone(), samples.clone()).is_none());
        assert!(Site::resume(settings, checkpoint, samples[1..].to_vec()).is_some());
    }
}
