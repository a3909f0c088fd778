//! The online protocol of the TREC spam track: each message of a stream is scored, the score
//! recorded, then its label learned.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::bootstrap::{Interval, Intervals, intervals};
use super::error::TrainError;
use super::measure::Report;
use super::random::Random;
use super::scored::Scored;
use super::settings::Progress;
use super::stream::Stream;
use gatepost_learn::classifier::{SiteLearner, SiteSettings, Slots};
use gatepost_learn::features::{SiteView, TrustedAuthservIds};
use gatepost_words::Class;

/// Messages in one step of the learning curve.
const STEP: usize = 1_000;
/// How often progress is reported, in messages.
const PROGRESS_EVERY: usize = 256;
/// Longest delay of labels, in messages: what waits is kept in memory.
const DELAY: usize = 100_000;
/// Labels that a budget grants at once, so that there is something to be unsure about.
const FIRST_LABELS: usize = 100;
/// How near to 0 a logit must be to be asked for, under a budget: asked with probability b / (b +
/// |logit|).
const UNSURE: f64 = 0.2;

/// What to replay and how labels come.
#[derive(Clone, Debug)]
pub struct ReplaySettings {
    /// The index: `spam PATH` or `ham PATH` a line.
    pub index: PathBuf,
    /// Labels come this many messages late; at most 100,000.
    pub delay: usize,
    /// Labels come only for the mail of one person: the recipient with the most ham (the partial
    /// task of TREC 2007).
    pub partial: bool,
    /// Labels come only for the first so many messages, if given (the delayed task of TREC 2007:
    /// 10,000).
    pub first: Option<usize>,
    /// Percent of the labels that are wrong.
    pub noise_percent: f64,
    /// Labels are asked for, where the learner is unsure, for at most this percentage of the
    /// messages.
    pub budget_percent: Option<f64>,
    /// Seed of noise, of the choice under a budget, and of the intervals.
    pub seed: u64,
    /// The learner.
    pub learner: SiteSettings,
    /// Resamplings for the confidence intervals; 0: no intervals.
    pub resamples: usize,
}

impl Default for ReplaySettings {
    fn default() -> Self {
        Self {
            index: PathBuf::new(),
            delay: 0,
            partial: false,
            first: None,
            noise_percent: 0.0,
            budget_percent: None,
            seed: 1,
            learner: SiteSettings::default(),
            resamples: 1_000,
        }
    }
}

/// The figures of one replay. Percentages are 0..=100; the filter's own threshold is a logit of 0.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReplayReport {
    /// Messages scored.
    pub messages: usize,
    /// 100 * (1 - area under the ROC curve).
    pub one_minus_roca_percent: f64,
    /// Mean of ham and spam misclassification on the logit scale.
    pub lam_percent: f64,
    /// Percent of ham taken for spam.
    pub hm_percent: f64,
    /// Percent of spam taken for ham.
    pub sm_percent: f64,
    /// Percent of spam missed at the threshold that loses that percentage of ham.
    pub spam_missed_at_ham_loss: BTreeMap<String, f64>,
    /// Messages labelled ham in the index.
    pub ham: usize,
    /// Messages labelled spam in the index.
    pub spam: usize,
    /// Wrong decisions at the filter's own threshold.
    pub errors: usize,
    /// Labels that the learner received.
    pub labels: usize,
    /// 95 % intervals of the figures above.
    pub intervals: Option<Intervals>,
    /// The figures of every thousand messages.
    pub learning_curve: Vec<Step>,
    /// What was said of each message, as [`Report::scores`].
    #[serde(skip)]
    pub scores: String,
}

/// One thousand messages of the learning curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Messages up to the end of this step.
    pub messages: usize,
    /// Labels received until then.
    pub labels: usize,
    /// 100 * (1 - area under the ROC curve) within the step.
    pub one_minus_roca_percent: f64,
    /// Ham taken for spam within the step.
    pub ham_errors: usize,
    /// Spam taken for ham within the step.
    pub spam_errors: usize,
}

impl fmt::Display for ReplayReport {
    /// A table for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "messages {}  ham {}  spam {}",
            self.messages, self.ham, self.spam
        )?;
        writeln!(f, "labels   {}  errors {}", self.labels, self.errors)?;
        let row = |f: &mut fmt::Formatter<'_>,
                   name: &str,
                   value: f64,
                   interval: Option<Interval>| match interval {
            Some([low, high]) => writeln!(f, "{name:<28} {value:>8.4} %   {low:.4} to {high:.4}"),
            None => writeln!(f, "{name:<28} {value:>8.4} %"),
        };
        let of = |pick: fn(&Intervals) -> Interval| self.intervals.as_ref().map(pick);
        if self.intervals.is_some() {
            writeln!(f, "{:<28} {:>10}   95 % interval", "", "")?;
        }
        row(
            f,
            "1-ROCA",
            self.one_minus_roca_percent,
            of(|all| all.one_minus_roca_percent),
        )?;
        row(f, "lam", self.lam_percent, of(|all| all.lam_percent))?;
        row(
            f,
            "ham taken for spam",
            self.hm_percent,
            of(|all| all.hm_percent),
        )?;
        row(
            f,
            "spam taken for ham",
            self.sm_percent,
            of(|all| all.sm_percent),
        )?;
        for (loss, &missed) in &self.spam_missed_at_ham_loss {
            let interval = self
                .intervals
                .as_ref()
                .and_then(|all| all.spam_missed_at_ham_loss.get(loss).copied());
            row(
                f,
                &format!("spam missed at {loss} % ham loss"),
                missed,
                interval,
            )?;
        }
        writeln!(
            f,
            "\nmessages   labels   1-ROCA %   ham errors   spam errors   (of each thousand)"
        )?;
        for step in &self.learning_curve {
            let Step {
                messages,
                labels,
                one_minus_roca_percent,
                ham_errors,
                spam_errors,
            } = step;
            writeln!(
                f,
                "{messages:>8} {labels:>8} {one_minus_roca_percent:>10.4} {ham_errors:>12} {spam_errors:>13}"
            )?;
        }
        Ok(())
    }
}

/// Replays a stream. `progress` receives how far it is.
pub fn replay(
    settings: &ReplaySettings,
    progress: &mut dyn FnMut(Progress),
) -> Result<ReplayReport, TrainError> {
    let stream = Stream::open(&settings.index)?;
    let total = stream.len();
    let corpus = settings
        .index
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let reader = if settings.partial {
        Some(reader(&stream)?)
    } else {
        None
    };
    let mut student = Student::new(settings, reader);
    let mut scored: Vec<Scored> = Vec::with_capacity(total);
    let mut curve = Vec::new();
    let mut lines = String::new();
    stream.read(|line, raw| {
        let view = SiteView::of_stored(raw, &TrustedAuthservIds::none());
        let slots = student.learner.slots(&view);
        let score = student.learner.score_slots(&slots);
        let one = Scored {
            score,
            probability: 1.0 / (1.0 + (-score).exp()),
            class: Some(line.class),
        };
        lines.push_str(&one.line(&line.path));
        scored.push(one);
        let done = scored.len();
        if line.feedback && student.is_labelled(done, score, &view) {
            student.receive(slots, line.class, done);
        }
        student.catch_up(done);
        if done.is_multiple_of(STEP) || done == total {
            curve.push(step(&scored, student.received));
        }
        if done.is_multiple_of(PROGRESS_EVERY) || done == total {
            progress(Progress::Reading {
                corpus: corpus.clone(),
                done,
                total,
            });
        }
    })?;
    let report = Report::of(corpus, &scored);
    Ok(ReplayReport {
        messages: report.messages,
        one_minus_roca_percent: report.one_minus_roca_percent,
        lam_percent: report.lam_percent,
        hm_percent: report.hm_percent,
        sm_percent: report.sm_percent,
        spam_missed_at_ham_loss: report.spam_missed_at_ham_loss,
        ham: report.ham,
        spam: report.spam,
        errors: report.errors,
        labels: student.received,
        intervals: intervals(&scored, settings.resamples, settings.seed),
        learning_curve: curve,
        scores: lines,
    })
}

/// The figures of the last step.
fn step(scored: &[Scored], labels: usize) -> Step {
    let messages = scored.len();
    let size = if messages.is_multiple_of(STEP) {
        STEP
    } else {
        messages % STEP
    };
    let report = Report::of(
        String::new(),
        scored.get(messages - size..).unwrap_or_default(),
    );
    let wrong = |spam: bool| {
        let last = scored.iter().rev().take(size);
        last.filter(|one| one.is_spam() == Some(spam) && (one.probability >= 0.5) != spam)
            .count()
    };
    Step {
        messages,
        labels,
        one_minus_roca_percent: report.one_minus_roca_percent,
        ham_errors: wrong(false),
        spam_errors: wrong(true),
    }
}

/// The learner with the labels that are not due yet.
struct Student<'a> {
    settings: &'a ReplaySettings,
    /// Whose mail is labelled, if it is one person's only.
    reader: Option<Vec<u8>>,
    learner: SiteLearner,
    random: Random,
    waiting: VecDeque<(usize, Slots, bool)>,
    asked: usize,
    received: usize,
}

impl<'a> Student<'a> {
    fn new(settings: &'a ReplaySettings, reader: Option<Vec<u8>>) -> Self {
        Self {
            settings,
            reader,
            learner: SiteLearner::new(settings.learner.clone()),
            random: Random::new(settings.seed),
            waiting: VecDeque::new(),
            asked: 0,
            received: 0,
        }
    }

    /// Whether the message with that number (from 1) gets a label.
    #[expect(
        clippy::cast_precision_loss,
        reason = "message counts are far below 2^52"
    )]
    fn is_labelled(&mut self, number: usize, score: f64, view: &SiteView) -> bool {
        if self.settings.first.is_some_and(|first| number > first)
            || self
                .reader
                .as_ref()
                .is_some_and(|reader| reader != recipient(view))
        {
            return false;
        }
        let Some(budget) = self.settings.budget_percent else {
            return true;
        };
        let granted = budget / 100.0 * number as f64;
        let unsure = UNSURE / (UNSURE + score.abs());
        let first = self.asked < FIRST_LABELS && budget > 0.0;
        let asks =
            first || ((self.asked as f64) < granted && f64::from(self.random.unit()) < unsure);
        self.asked += usize::from(asks);
        asks
    }

    fn receive(&mut self, slots: Slots, class: Class, number: usize) {
        let wrong = self.settings.noise_percent > 0.0
            && f64::from(self.random.unit()) < self.settings.noise_percent / 100.0;
        self.waiting.push_back((
            number + self.settings.delay.min(DELAY),
            slots,
            class.is_spam() != wrong,
        ));
    }

    /// Learns the labels that are due after the message with that number.
    fn catch_up(&mut self, number: usize) {
        while let Some((_, slots, spam)) = self.waiting.pop_front_if(|(due, _, _)| *due <= number) {
            self.learner.learn_slots(&slots, spam);
            self.received += 1;
        }
    }
}

/// The recipient in a view, as its line is written.
fn recipient(view: &SiteView) -> &[u8] {
    view.bytes()
        .split(|&byte| byte == b'\n')
        .find(|line| line.starts_with(b"rcpt "))
        .unwrap_or_default()
}

/// The recipient with the most ham; of several the first in alphabetical order.
fn reader(stream: &Stream) -> Result<Vec<u8>, TrainError> {
    let mut ham: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
    stream.read(|line, raw| {
        if !line.class.is_spam() {
            let view = SiteView::of_stored(raw, &TrustedAuthservIds::none());
            *ham.entry(recipient(&view).to_vec()).or_default() += 1;
        }
    })?;
    let most = ham.values().copied().max().unwrap_or(0);
    Ok(ham
        .into_iter()
        .find(|(_, count)| *count == most)
        .map(|(name, _)| name)
        .unwrap_or_default())
}

#[cfg(test)]
#[path = "replay_tests.rs"]
mod tests;
