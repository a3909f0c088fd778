//! What this site has taught: the site learner, the trials that its opinions had to stand, and the
//! stacker fitted on them.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Knowledge, SiteLearner, SiteSettings, Slots, Stacker, Trial, claim};
use crate::features::MilterView;
use gatepost_words::Class;

/// The site's own expert, while it learns.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    learner: SiteLearner,
    trials: VecDeque<Trial>,
}

/// The site's own expert at one moment, to judge by: immutable, shared by all workers.
#[derive(Clone, Debug)]
pub struct SiteOpinion {
    learner: SiteLearner,
    stacker: Stacker,
    sequence: u64,
    claim: Claim,
}

/// What may be claimed about lost ham, and what is missing for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    /// Ham trials that count for it.
    pub ham: u64,
    /// Ham trials that are needed.
    pub needed: u64,
    /// Log-odds above which at most [`Claim::LOSS`] of the ham lies; `None` while too few labels
    /// are known.
    pub threshold: Option<f64>,
}

impl Claim {
    /// The share of ham that may be lost: 0.1 %.
    pub const LOSS: f64 = 0.001;
    /// How sure the claim is.
    pub const CONFIDENCE: f64 = 0.95;
}

impl Site {
    /// Trials that are kept: enough for [`Claim`] where a fifth of the labels is ham.
    pub const TRIALS: usize = 16_384;

    /// A site that has taught nothing yet.
    pub fn new(settings: SiteSettings) -> Self {
        Self {
            learner: SiteLearner::new(settings),
            trials: VecDeque::new(),
        }
    }

    /// Goes on from what was kept; `None` where it does not fit `settings`.
    pub fn resume(
        settings: SiteSettings,
        knowledge: Knowledge,
        trials: Vec<Trial>,
    ) -> Option<Self> {
        let learner = SiteLearner::with_knowledge(settings, knowledge)?;
        (trials.len() <= Self::TRIALS).then(|| Self {
            learner,
            trials: trials.into(),
        })
    }

    /// Learns one label: first both opinions stand trial, then the learner learns. `content` is the
    /// content model's log-odds for the mail, where it was asked.
    pub fn learn(&mut self, slots: &Slots, class: Class, content: Option<f32>) {
        while self.trials.len() >= Self::TRIALS {
            self.trials.pop_front();
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a trial needs no more digits"
        )]
        let site = self.learner.score_slots(slots) as f32;
        let is_spam = class.is_spam();
        self.trials.push_back(Trial {
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

    /// The trials, from old to new.
    pub fn trials(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter()
    }

    /// Fits the stacker, and fixes all for judging. `sequence` names the moment: the number of the
    /// last log entry heard.
    pub fn opinion(&self, sequence: u64) -> SiteOpinion {
        let trials: Vec<Trial> = self.trials.iter().copied().collect();
        let stacker = Stacker::fit(&trials);
        let ham: Vec<f64> = trials
            .iter()
            .filter(|trial| !trial.is_spam)
            .map(|trial| stacker.of_trial(trial))
            .collect();
        let claim = Claim {
            ham: ham.len() as u64,
            needed: claim::ham_needed(Claim::LOSS, Claim::CONFIDENCE),
            threshold: claim::threshold(&ham, Claim::LOSS, Claim::CONFIDENCE),
        };
        SiteOpinion {
            learner: self.learner.for_judging(),
            stacker,
            sequence,
            claim,
        }
    }
}

impl SiteOpinion {
    /// Calibrated log-odds of both experts together; `content` is the content model's, where one
    /// was asked.
    pub fn log_odds(&self, content: Option<f64>, view: &MilterView) -> f64 {
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
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// The number of the last log entry that was heard.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The name under which verdicts tell who judged: the content model's id, and the log entry up
    /// to which the site had taught. With the model file and the label log, every verdict can
    /// be had again.
    pub fn name(&self, model: Option<&str>) -> Arc<str> {
        format!("{}+{}", model.unwrap_or("none"), self.sequence).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::Trust;

    fn view(text: &str) -> MilterView {
        MilterView::of_stored(
            format!("Subject: {text}\n\n{text}\n").as_bytes(),
            &Trust::nobody(),
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
    fn opinions_stand_trial_before_they_are_learned() {
        let site = taught(2);
        let trials: Vec<&Trial> = site.trials().collect();
        assert!(
            trials[0].site.abs() < 1e-9,
            "nothing was known before the first label"
        );
        assert!(trials[1].site > 0.0, "what was known then spoke for spam");
    }

    #[test]
    fn cold_start_is_the_model_alone_and_labels_take_over() {
        let cold = taught(0).opinion(0);
        assert!((cold.log_odds(Some(1.25), &view("win a prize now")) - 1.25).abs() < 1e-12);
        let odds = |labels: usize| {
            taught(labels)
                .opinion(0)
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
                .opinion(0)
                .log_odds(Some(0.0), &view("lunch on friday 7"))
                < -2.0
        );
    }

    #[test]
    fn a_claim_needs_ham() {
        let opinion = taught(100).opinion(9);
        assert_eq!(
            (
                opinion.claim().ham,
                opinion.claim().needed,
                opinion.claim().threshold
            ),
            (50, 2_995, None)
        );
        assert_eq!(
            (&*opinion.name(Some("abc")), &*opinion.name(None)),
            ("abc+9", "none+9")
        );
        let mut site = Site::new(SiteSettings {
            bits: 16,
            ..SiteSettings::default()
        });
        for _ in 0..2_995 {
            site.learn(&Slots::default(), Class::Ham, None);
        }
        assert!(site.opinion(0).claim().threshold.is_some());
    }

    #[test]
    fn trials_are_bounded() {
        let mut site = Site::new(SiteSettings {
            bits: 16,
            ..SiteSettings::default()
        });
        for _ in 0..=Site::TRIALS {
            site.learn(&Slots::default(), Class::Ham, None);
        }
        assert_eq!(site.trials().count(), Site::TRIALS);
        let trials = vec![
            Trial {
                content: None,
                site: 0.0,
                is_spam: false
            };
            Site::TRIALS + 1
        ];
        let knowledge = site.learner().knowledge();
        let settings = site.learner().settings().clone();
        assert!(Site::resume(settings.clone(), knowledge.clone(), trials.clone()).is_none());
        assert!(Site::resume(settings, knowledge, trials[1..].to_vec()).is_some());
    }
}
