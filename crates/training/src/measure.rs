//! How good a model is on messages whose label is known.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::bootstrap::Intervals;
use super::scored::Scored;
use gatepost_words::percent;

/// The figures of one model on one part of one corpus. Percentages are 0..=100.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Corpus and part, such as `spamassassin test`.
    pub corpus: String,
    /// Messages read.
    pub messages: usize,
    /// Of these labelled ham.
    pub ham: usize,
    /// Of these labelled spam (or phishing).
    pub spam: usize,
    /// Area under the ROC curve; 0 where one class is missing.
    pub auc: f64,
    /// 100 * (1 - AUC): the measure of the TREC spam track.
    pub one_minus_roca_percent: f64,
    /// Percent of spam missed at the threshold at which at most that percentage of ham ("0.1",
    /// "0.5", "1.0") is lost.
    pub spam_missed_at_ham_loss: BTreeMap<String, f64>,
    /// Percent of ham with a probability of 0.5 or more.
    pub hm_percent: f64,
    /// Percent of spam with a probability below 0.5.
    pub sm_percent: f64,
    /// The mean of both on the logit scale.
    pub lam_percent: f64,
    /// Wrong decisions at probability 0.5.
    pub errors: usize,
    /// Percent of all messages without spam label (ham and unlabelled) at or above a probability
    /// ("0.5", "0.9", "0.99").
    pub not_spam_at_or_above: BTreeMap<String, f64>,
    /// Percent of spam at or above a probability ("0.5", "0.9", "0.99").
    pub spam_at_or_above: BTreeMap<String, f64>,
    /// 95 % intervals of the figures above, where they were asked for.
    pub intervals: Option<Intervals>,
    /// What plots are made of.
    #[serde(skip)]
    pub curves: Curves,
    /// What was said of each message, one a line: path, label, score, decision at probability 0.5;
    /// with tabs between them. Empty where it is not kept.
    #[serde(skip)]
    pub scores: String,
}

/// The points of a report's curves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves {
    /// (ham lost, spam missed) in percent, one point for each ham that may be lost.
    pub roc: Vec<(f64, f64)>,
    /// (mean predicted probability, share of spam) of the messages in each tenth that has
    /// any.
    pub reliability: Vec<(f64, f64)>,
}

impl Report {
    /// Computes the figures; unlabelled messages count in
    /// `messages` and `not_spam_at_or_above` only.
    #[expect(
        clippy::cast_precision_loss,
        reason = "message counts are far below 2^52"
    )]
    pub(super) fn of(corpus: String, scored: &[Scored]) -> Self {
        let mut ham: Vec<f64> = scores(scored, Some(false));
        let mut spam: Vec<f64> = scores(scored, Some(true));
        ham.sort_by(f64::total_cmp);
        spam.sort_by(f64::total_cmp);
        let auc = auc(&ham, &spam);
        let ham_lost = scored
            .iter()
            .filter(|s| s.is_spam() == Some(false) && s.probability >= 0.5)
            .count();
        let spam_missed = scored
            .iter()
            .filter(|s| s.is_spam() == Some(true) && s.probability < 0.5)
            .count();
        let missed = |percent: f64| {
            let allowed = (ham.len() as f64 * percent / 100.0).floor();
            let threshold = nth_highest(&ham, allowed);
            percent::of(
                spam.iter().filter(|&&score| score <= threshold).count(),
                spam.len(),
            )
        };
        let tail = |spam: bool| {
            ["0.5", "0.9", "0.99"].iter().map(move |&name| {
                let at = name.parse().unwrap_or(1.0);
                let of: Vec<_> = scored
                    .iter()
                    .filter(|s| (s.is_spam() == Some(true)) == spam)
                    .collect();
                (
                    name.to_owned(),
                    percent::of(of.iter().filter(|s| s.probability >= at).count(), of.len()),
                )
            })
        };
        Self {
            messages: scored.len(),
            ham: ham.len(),
            spam: spam.len(),
            auc,
            one_minus_roca_percent: if ham.is_empty() || spam.is_empty() {
                0.0
            } else {
                100.0 * (1.0 - auc)
            },
            spam_missed_at_ham_loss: [("0.1", 0.1), ("0.5", 0.5), ("1.0", 1.0)]
                .into_iter()
                .map(|(name, percent)| (name.to_owned(), missed(percent)))
                .collect(),
            hm_percent: percent::of(ham_lost, ham.len()),
            sm_percent: percent::of(spam_missed, spam.len()),
            lam_percent: lam(ham_lost, ham.len(), spam_missed, spam.len()),
            errors: ham_lost + spam_missed,
            not_spam_at_or_above: tail(false).collect(),
            spam_at_or_above: tail(true).collect(),
            intervals: None,
            curves: Curves {
                roc: roc(&ham, &spam),
                reliability: reliability(scored),
            },
            scores: String::new(),
            corpus,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} messages, {} ham, {} spam",
            self.corpus, self.messages, self.ham, self.spam
        )?;
        if self.ham > 0 && self.spam > 0 {
            writeln!(
                f,
                "  AUC {:.5}  1-ROCA {:.4} %",
                self.auc, self.one_minus_roca_percent
            )?;
            for (loss, missed) in &self.spam_missed_at_ham_loss {
                writeln!(f, "  spam missed at {loss} % ham loss: {missed:.2} %")?;
            }
            let (hm, sm, lam) = (self.hm_percent, self.sm_percent, self.lam_percent);
            writeln!(
                f,
                "  at probability 0.5: ham lost {hm:.2} %, spam missed {sm:.2} %, lam {lam:.2} %, {} errors",
                self.errors
            )?;
        }
        for (what, tail) in [
            ("not spam", &self.not_spam_at_or_above),
            ("spam", &self.spam_at_or_above),
        ] {
            let tail: Vec<_> = tail
                .iter()
                .map(|(at, percent)| format!("{at}: {percent:.2} %"))
                .collect();
            writeln!(f, "  {what} at or above {}", tail.join(", "))?;
        }
        Ok(())
    }
}

/// One point for each ham that may be lost; both slices are sorted.
fn roc(ham: &[f64], spam: &[f64]) -> Vec<(f64, f64)> {
    let point = |(lost, threshold): (usize, &f64)| {
        let missed = spam.partition_point(|score| score <= threshold);
        (
            percent::of(lost, ham.len()),
            percent::of(missed, spam.len()),
        )
    };
    ham.iter().rev().enumerate().map(point).collect()
}

/// Predicted against found, in tenths of the probability.
#[expect(
    clippy::cast_precision_loss,
    reason = "message counts are far below 2^52"
)]
fn reliability(scored: &[Scored]) -> Vec<(f64, f64)> {
    let tenth = |n: u32| {
        let (low, high) = (f64::from(n) / 10.0, f64::from(n + 1) / 10.0);
        let is_in = |s: &&Scored| {
            s.class.is_some() && s.probability >= low && (s.probability < high || n == 9)
        };
        let bin: Vec<&Scored> = scored.iter().filter(is_in).collect();
        let predicted = bin.iter().map(|s| s.probability).sum::<f64>() / bin.len() as f64;
        let spam = bin.iter().filter(|s| s.is_spam() == Some(true)).count();
        (!bin.is_empty()).then(|| (predicted, spam as f64 / bin.len() as f64))
    };
    (0..10).filter_map(tenth).collect()
}

fn scores(scored: &[Scored], label: Option<bool>) -> Vec<f64> {
    scored
        .iter()
        .filter(|s| s.is_spam() == label)
        .map(|s| s.score)
        .collect()
}

/// The score that `allowed` of the sorted scores exceed; minus infinity where there are not so
/// many.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count, floored by the caller"
)]
fn nth_highest(sorted: &[f64], allowed: f64) -> f64 {
    sorted
        .iter()
        .rev()
        .nth(allowed as usize)
        .copied()
        .unwrap_or(f64::NEG_INFINITY)
}

/// The share of (ham, spam) pairs in the right order; ties count half. Both slices are sorted.
#[expect(
    clippy::cast_precision_loss,
    reason = "message counts are far below 2^52"
)]
pub(super) fn auc(ham: &[f64], spam: &[f64]) -> f64 {
    if ham.is_empty() || spam.is_empty() {
        return 0.0;
    }
    let mut twice = 0.0;
    for &score in spam {
        let below = ham.partition_point(|&other| other < score);
        let not_above = ham.partition_point(|&other| other <= score);
        twice += (below + not_above) as f64;
    }
    twice / (2.0 * ham.len() as f64 * spam.len() as f64)
}

/// The TREC spam track's lam%: half an error is added so that no error does not mean infinity.
#[expect(
    clippy::cast_precision_loss,
    reason = "message counts are far below 2^52"
)]
fn lam(ham_lost: usize, ham: usize, spam_missed: usize, spam: usize) -> f64 {
    let logit = |part: usize, whole: usize| {
        let rate = (part as f64 + 0.5) / (whole as f64 + 1.0);
        (rate / (1.0 - rate)).ln()
    };
    let mean = f64::midpoint(logit(ham_lost, ham), logit(spam_missed, spam));
    100.0 / (1.0 + (-mean).exp())
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
mod tests {
    use super::*;
    use gatepost_words::Class;

    fn scored(score: f64, spam: Option<bool>) -> Scored {
        Scored {
            score,
            probability: 1.0 / (1.0 + (-score).exp()),
            class: spam.map(Class::from_is_spam),
        }
    }

    #[test]
    fn figures_of_a_known_case() {
        let mut all: Vec<Scored> = (0..1000)
            .map(|i| scored(-5.0 - f64::from(i) / 1000.0, Some(false)))
            .collect();
        all.push(scored(4.0, Some(false)));
        all.extend((0..99).map(|i| scored(3.0 + f64::from(i) / 1000.0, Some(true))));
        all.push(scored(-6.0, Some(true)));
        all.push(scored(9.0, None));
        let report = Report::of("x".to_owned(), &all);
        assert_eq!(
            (report.messages, report.ham, report.spam, report.errors),
            (1102, 1001, 100, 2)
        );
        // 0.1 % of 1,001 ham is one message: the ham at 4.0 may be lost, all spam but one is above
        // the rest.
        assert_eq!(report.spam_missed_at_ham_loss["0.1"], 1.0);
        assert!((report.hm_percent - 100.0 / 1001.0).abs() < 1e-9);
        assert!((report.sm_percent - 1.0).abs() < 1e-9);
        assert!(report.auc > 0.98 && report.auc < 0.999);
        assert!((report.not_spam_at_or_above["0.9"] - 200.0 / 1002.0).abs() < 1e-9);
        assert!(report.to_string().contains("AUC"));
    }

    #[test]
    fn ties_count_half_and_empty_classes_nothing() {
        assert!((auc(&[1.0, 1.0], &[1.0]) - 0.5).abs() < 1e-12);
        assert!((auc(&[0.0], &[1.0]) - 1.0).abs() < 1e-12);
        assert_eq!(auc(&[], &[1.0]), 0.0);
        assert_eq!(Report::of(String::new(), &[]).messages, 0);
    }
}
