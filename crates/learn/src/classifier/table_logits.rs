//! From the logits of the tables to one: each is bounded softly, then they are added.

use super::slots::{FIRST_WINDOW, Section};

/// No table's logit leaves ± this.
pub(super) const LOGIT_MAX: f64 = 3.0;

/// The logits of the tables for one message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TableLogits {
    header: f64,
    text: f64,
    windows: f64,
}

impl TableLogits {
    /// Adds the logit of one section.
    pub(super) fn add(&mut self, section: Section, logit: f64) {
        if section < FIRST_WINDOW {
            self.header += bounded(logit);
        } else {
            self.text += logit;
            self.windows += 1.0;
        }
    }

    /// The logit of all windows together: the mean.
    pub(super) fn text(&self) -> f64 {
        if self.windows > 0.0 {
            self.text / self.windows
        } else {
            0.0
        }
    }

    /// How many windows there are.
    pub(super) fn windows(&self) -> f64 {
        self.windows
    }

    /// The logit of all tables together.
    pub(super) fn sum(&self) -> f64 {
        self.header + bounded(self.text())
    }
}

/// How much each slot counts: in a long section a little less. The exponent is between none,
/// where long messages get extreme logits, and that of a unit vector; both were worse at 0.1 % ham
/// loss.
#[expect(clippy::cast_precision_loss, reason = "at most a few thousand slots")]
pub(super) fn scale(section: Section, slots: usize) -> f64 {
    let (usual, least) = if section < FIRST_WINDOW {
        (2_500.0, 50)
    } else {
        (200.0, 10)
    };
    (usual / slots.max(least) as f64).sqrt().sqrt()
}

/// A logit within ± [`LOGIT_MAX`].
pub(super) fn bounded(logit: f64) -> f64 {
    LOGIT_MAX * (logit / LOGIT_MAX).tanh()
}
