//! How far training or measuring is; on a terminal only.

use crate::cli::progress::Progress;
use gatepost_training::Progress as Step;

/// A progress bar for what training reports.
pub(super) struct TrainingProgress(Progress);

impl TrainingProgress {
    /// Shows nothing where standard error is not a terminal.
    pub(super) fn new() -> Self {
        Self(Progress::new())
    }

    /// Shows one report.
    pub(super) fn show(&self, progress: &Step) {
        match progress {
            Step::Reading {
                corpus,
                done,
                total,
            } => self.0.at(&format!("reading {corpus}"), *done, *total),
            Step::Learning { epoch, done, total } => {
                self.0.at(&format!("learning, pass {epoch}"), *done, *total);
            }
            Step::Attacking { done, total } => self.0.at("attacked copies", *done, *total),
            Step::Epoch {
                epoch,
                held_out_loss,
                one_minus_roca_percent,
            } => self.0.note(&format!(
                "pass {epoch}: held-out loss {held_out_loss:.5}, 1-ROCA {one_minus_roca_percent:.4} %"
            )),
            Step::Writing => self.0.doing("writing"),
        }
    }

    /// Takes it off the screen.
    pub(super) fn finish(&self) {
        self.0.finish();
    }
}
