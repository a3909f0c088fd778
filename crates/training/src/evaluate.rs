//! Measures a model on a corpus.

use super::bootstrap::intervals;
use super::corpus::{Corpus, Split};
use super::error::TrainError;
use super::measure::Report;
use super::message_features::{features_of, sketch};
use super::near_duplicates::NearDuplicates;
use super::random::Random;
use super::scored::Scored;
use super::settings::Progress;
use gatepost_learn::classifier::{Model, ModelError, Probability, SiteLearner, SiteSettings};
use gatepost_learn::features::{SiteView, TrustedAuthservIds};

/// Resamplings for the confidence intervals.
const RESAMPLES: usize = 1_000;
/// Weight of the site learner's logit compared with the content model's log-odds. Of seven from 0.25 to 4,
/// those from 0.7 to 1.4 did best in four-fold cross-validation on `spamassassin` `split=train`, a
/// trial that is not part of this repository.
const SITE_WEIGHT: f64 = 1.0;

/// Scores every selected message of `corpus` and compares with the labels; of the later part of a
/// corpus that is cut by time those that are no near copies of earlier ones. With a `site` learner,
/// its logit is added: that is how both experts together would do at a site that has learned those
/// labels.
pub fn evaluate(
    model: &Model,
    site: Option<&SiteLearner>,
    corpus: &Corpus,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, TrainError> {
    let learned = earlier(corpus, progress)?;
    let mut scored = Vec::new();
    let mut lines = String::new();
    let mut failed: Option<ModelError> = None;
    corpus.read(progress, |message| {
        let (vector, group) = features_of(&message.raw);
        if learned.count(&sketch(&vector, group)) > 0 {
            return;
        }
        match model.log_odds(&vector) {
            Ok(content) => {
                let local = site.map(|site| {
                    SITE_WEIGHT
                        * site.score(&SiteView::of_stored(
                            &message.stored,
                            &TrustedAuthservIds::none(),
                        ))
                });
                let score = content + local.unwrap_or(0.0);
                let probability = Probability::from_logit(score).value();
                let one = Scored {
                    score,
                    probability,
                    class: message.class,
                };
                lines.push_str(&one.line(&message.path));
                scored.push(one);
            }
            Err(error) => failed = failed.take().or(Some(error)),
        }
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let mut report = Report::of(corpus.describe(), &scored);
    report.intervals = intervals(&scored, RESAMPLES, 1);
    report.scores = lines;
    Ok(report)
}

/// The mail before the later part of a corpus that is cut by time: near copies of it are not
/// measured.
fn earlier(
    corpus: &Corpus,
    progress: &mut dyn FnMut(Progress),
) -> Result<NearDuplicates, TrainError> {
    let mut seen = NearDuplicates::default();
    if corpus.split == Some(Split::Test) && corpus.is_cut_by_time()? {
        let earlier = Corpus {
            split: Some(Split::Train),
            ..corpus.clone()
        };
        earlier.read(progress, |message| {
            let (vector, group) = features_of(&message.raw);
            seen.add(&sketch(&vector, group));
        })?;
    }
    Ok(seen)
}

/// A site learner that has learned all labels of `corpora`, in an order shuffled by a fixed seed.
pub fn teach(
    corpora: &[Corpus],
    progress: &mut dyn FnMut(Progress),
) -> Result<SiteLearner, TrainError> {
    let mut learner = SiteLearner::new(SiteSettings::default());
    let mut labels = Vec::new();
    for corpus in corpora {
        corpus.read(progress, |message| {
            if let Some(class) = message.class {
                labels.push((
                    learner.slots(&SiteView::of_stored(
                        &message.stored,
                        &TrustedAuthservIds::none(),
                    )),
                    class,
                ));
            }
        })?;
    }
    Random::new(9).shuffle(&mut labels);
    for (slots, class) in &labels {
        learner.learn_slots(slots, class.is_spam());
    }
    Ok(learner)
}
