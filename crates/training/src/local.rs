//! How a site would fare after so many labels of its own: the shipped model, what the site taught,
//! and the stacker, together.

use std::collections::HashSet;

use super::bootstrap::intervals;
use super::measure::Scored;
use super::message_features::features_of;
use super::random::Random;
use super::{Corpus, Progress, Report, TrainError};
use gatepost_learn::classifier::{
    Model, ModelError, Probability, Site, SiteLearner, SiteSettings, Slots,
};
use gatepost_learn::features::{MilterView, Trust};
use gatepost_words::Class;

/// Resamplings for the confidence intervals.
const RESAMPLES: usize = 1_000;
/// Seed of the order in which labels come.
const SEED: u64 = 11;

struct Mail {
    content: f64,
    slots: Slots,
    class: Class,
    /// Mails with the same body share it.
    body: u64,
}

/// One report for each number of labels in `budgets`. Labels come in an order shuffled by a fixed
/// seed; all are measured on the same mails: those behind the largest budget whose bodies occur in
/// no label.
pub fn evaluate_local(
    model: &Model,
    corpus: &Corpus,
    budgets: &[usize],
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Report>, TrainError> {
    let settings = SiteSettings::default();
    let mut mails = read(model, &SiteLearner::new(settings.clone()), corpus, progress)?;
    Random::new(SEED).shuffle(&mut mails);
    let most = budgets.iter().copied().max().unwrap_or(0).min(mails.len());
    let (labels, rest) = mails.split_at_checked(most).unwrap_or((&mails, &[]));
    let known: HashSet<u64> = labels.iter().map(|mail| mail.body).collect();
    let fresh: Vec<&Mail> = rest
        .iter()
        .filter(|mail| !known.contains(&mail.body))
        .collect();
    let mut site = Site::new(settings);
    let mut learned = 0;
    let mut budgets = budgets.to_vec();
    budgets.sort_unstable();
    let mut reports = Vec::new();
    for budget in budgets {
        for mail in labels.iter().take(budget).skip(learned) {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the stacker needs no more digits"
            )]
            site.learn(&mail.slots, mail.class, Some(mail.content as f32));
        }
        learned = budget.min(labels.len());
        let stacker = *site.opinion(0).stacker();
        let judge = |mail: &&Mail| {
            let score =
                stacker.log_odds(Some(mail.content), site.learner().score_slots(&mail.slots));
            Scored {
                score,
                probability: Probability::from_logit(score).value(),
                class: Some(mail.class),
            }
        };
        let scored: Vec<Scored> = fresh.iter().map(judge).collect();
        let mut report = Report::of(
            format!("{} after {learned} labels", corpus.describe()),
            &scored,
        );
        report.intervals = intervals(&scored, RESAMPLES, 1);
        reports.push(report);
    }
    Ok(reports)
}

fn read(
    model: &Model,
    learner: &SiteLearner,
    corpus: &Corpus,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Mail>, TrainError> {
    let mut mails = Vec::new();
    let mut failed: Option<ModelError> = None;
    corpus.read(progress, |sample| {
        let Some(class) = sample.class else { return };
        let (features, body) = features_of(&sample.raw);
        match model.log_odds(&features) {
            Ok(content) => {
                let slots = learner.slots(&MilterView::of_stored(&sample.stored, &Trust::nobody()));
                mails.push(Mail {
                    content,
                    slots,
                    class,
                    body,
                });
            }
            Err(error) => failed = failed.take().or(Some(error)),
        }
    })?;
    failed.map_or(Ok(mails), |error| Err(error.into()))
}
