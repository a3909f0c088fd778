//! How a site would do after so many labels of its own: the shipped model, the site learner and the
//! stacker together.

use std::collections::HashSet;

use super::bootstrap::intervals;
use super::corpus::Corpus;
use super::error::TrainError;
use super::measure::Report;
use super::message_features::features_of;
use super::random::Random;
use super::scored::Scored;
use super::settings::Progress;
use gatepost_learn::classifier::{
    Model, ModelError, Probability, Site, SiteLearner, SiteSettings, Slots,
};
use gatepost_learn::features::{SiteView, TrustedAuthservIds};
use gatepost_words::Class;

/// Resamplings for the confidence intervals.
const RESAMPLES: usize = 1_000;
/// Seed of the order in which labels come.
const SEED: u64 = 11;

struct Labelled {
    content: f64,
    slots: Slots,
    class: Class,
    /// Messages with the same body share it.
    body: u64,
}

/// One report for each number of labels in `budgets`. Labels come in an order shuffled by a fixed
/// seed; all are measured on the same messages: those after the largest budget whose bodies occur in
/// no label.
pub fn evaluate_cold_start(
    model: &Model,
    corpus: &Corpus,
    budgets: &[usize],
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Report>, TrainError> {
    let settings = SiteSettings::default();
    let mut messages = read(model, &SiteLearner::new(settings.clone()), corpus, progress)?;
    Random::new(SEED).shuffle(&mut messages);
    let most = budgets
        .iter()
        .copied()
        .max()
        .unwrap_or(0)
        .min(messages.len());
    let (labels, rest) = messages.split_at(most);
    let known: HashSet<u64> = labels.iter().map(|message| message.body).collect();
    let fresh: Vec<&Labelled> = rest
        .iter()
        .filter(|message| !known.contains(&message.body))
        .collect();
    let mut site = Site::new(settings);
    let mut learned = 0;
    let mut budgets = budgets.to_vec();
    budgets.sort_unstable();
    let mut reports = Vec::new();
    for budget in budgets {
        for message in labels.iter().take(budget).skip(learned) {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the stacker needs no more digits"
            )]
            site.learn(&message.slots, message.class, Some(message.content as f32));
        }
        learned = budget.min(labels.len());
        let stacker = *site.freeze(0).stacker();
        let judge = |message: &&Labelled| {
            let score = stacker.log_odds(
                Some(message.content),
                site.learner().score_slots(&message.slots),
            );
            Scored {
                score,
                probability: Probability::from_logit(score).value(),
                class: Some(message.class),
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
) -> Result<Vec<Labelled>, TrainError> {
    let mut messages = Vec::new();
    let mut failed: Option<ModelError> = None;
    corpus.read(progress, |sample| {
        let Some(class) = sample.class else { return };
        let (features, body) = features_of(&sample.raw);
        match model.log_odds(&features) {
            Ok(content) => {
                let slots = learner.slots(&SiteView::of_stored(
                    &sample.stored,
                    &TrustedAuthservIds::none(),
                ));
                messages.push(Labelled {
                    content,
                    slots,
                    class,
                    body,
                });
            }
            Err(error) => failed = failed.take().or(Some(error)),
        }
    })?;
    failed.map_or(Ok(messages), |error| Err(error.into()))
}
