//! How the site learner learns.

use crate::features::SiteView;

/// How a [`super::SiteLearner`] learns.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteSettings {
    /// Size of each of the three tables: 2 to this power; clamped to [`SiteSettings::BITS`].
    pub bits: u32,
    /// Step size of 4-grams; words go six times as far in the header and twelve times in the text,
    /// as a message has fewer of them.
    pub rate: f32,
    /// Learn only where the answer was wrong or its logit nearer to 0 than this ("train on or near
    /// error", a thick threshold). `None`: learn from every label.
    pub margin: Option<f64>,
    /// Recipient domains, in lower case, that have a copy of their own in addition to that of all
    /// mail. A label for such a domain changes both, and both judge its mail.
    pub domains: Vec<String>,
}

impl SiteSettings {
    /// The sizes that a table may have, as powers of 2: 256 KiB to 16 MiB of weights.
    pub const BITS: std::ops::RangeInclusive<u32> = 16..=22;

    /// The recipient's domain of a view, where it has a copy of its own.
    pub(super) fn domain<'v>(&self, view: &'v SiteView) -> Option<&'v str> {
        view.domain()
            .filter(|domain| self.domains.iter().any(|named| named == domain))
    }

    /// Clamped to their limits.
    pub(super) fn clamped(self) -> Self {
        let bits = self.bits.clamp(*Self::BITS.start(), *Self::BITS.end());
        let rate = if self.rate.is_finite() {
            self.rate.clamp(0.0, 1.0)
        } else {
            0.0
        };
        Self { bits, rate, ..self }
    }
}

impl Default for SiteSettings {
    fn default() -> Self {
        Self {
            bits: 18,
            rate: 0.005,
            margin: None,
            domains: Vec::new(),
        }
    }
}
