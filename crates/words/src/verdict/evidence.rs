//! The pieces of evidence that a verdict adds up.

use std::fmt;
use std::ops::{Add, AddAssign};
use std::sync::Arc;

/// The name of a rule, as written in the rule file. Cheap to clone.
pub type RuleName = Arc<str>;

/// Points, as SpamAssassin counts them: positive speaks for spam. Kept in thousandths, so that
/// adding up in another order never gives another verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(i64);

impl Score {
    /// No points.
    pub const ZERO: Self = Self(0);

    /// From points; rounded to thousandths, clamped to ±1e12, not-a-number becomes zero.
    pub fn from_points(points: f64) -> Self {
        let thousandths = (points * 1000.0).round().clamp(-1e15, 1e15);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "clamped above to what an i64 holds; NaN casts to 0"
        )]
        Self(thousandths as i64)
    }

    /// The difference.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// As points.
    pub fn points(self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "scores are far below 2^52 thousandths"
        )]
        {
            self.0 as f64 / 1000.0
        }
    }
}

impl Add for Score {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Score {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Score {
    fn sum<I: Iterator<Item = Self>>(scores: I) -> Self {
        scores.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Score {
    /// With at least one decimal, and no more than it needs: `5.0`, `0.001`, `-1.25`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        let (whole, rest) = (magnitude / 1000, magnitude % 1000);
        let rest = format!("{rest:03}");
        let rest = rest.trim_end_matches('0');
        f.pad(&format!(
            "{sign}{whole}.{}",
            if rest.is_empty() { "0" } else { rest }
        ))
    }
}

/// One rule that hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Which rule.
    pub rule: RuleName,
    /// What it counts.
    pub score: Score,
    /// Its `describe` text; empty where the rule has none.
    pub description: Arc<str>,
}

/// A piece of evidence.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    /// A rule hit.
    Rule(Hit),
    /// The classifier's opinion.
    Classifier {
        /// Which model: its manifest's id.
        model: Arc<str>,
        /// Calibrated probability of spam, `0.0..=1.0`.
        probability: f64,
        /// What policy makes of it, after the cap.
        score: Score,
    },
    /// The message has more of something than the limits of reading allow, so a part of it was not
    /// seen.
    LimitExceeded {
        /// The anomaly's name, such as `parts_limit`.
        anomaly: &'static str,
    },
    /// An entry of the admin's own refuse lists.
    Refused {
        /// Which list: `clients`, `helo`, `senders` or `recipients`.
        list: &'static str,
        /// The entry that matched, as configured.
        entry: Arc<str>,
    },
    /// An entry of the admin's own lists of what is to come again later.
    Deferred {
        /// Which list: `clients`, `helo`, `senders` or `recipients`.
        list: &'static str,
        /// The entry that matched, as configured.
        entry: Arc<str>,
    },
}

impl Evidence {
    /// The points that this piece adds.
    pub fn score(&self) -> Score {
        match self {
            Self::Rule(hit) => hit.score,
            Self::Classifier { score, .. } => *score,
            Self::LimitExceeded { .. } | Self::Refused { .. } | Self::Deferred { .. } => {
                Score::ZERO
            }
        }
    }

    /// What kind of evidence this is, in words that may be sent to a stranger.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Rule(_) => "content rules",
            Self::Classifier { .. } => "statistical content analysis",
            Self::LimitExceeded { .. } => "message structure",
            Self::Refused { .. } | Self::Deferred { .. } => "local policy",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Score;

    #[test]
    fn scores_print_as_people_write_them() {
        for (points, text) in [
            (5.0, "5.0"),
            (0.001, "0.001"),
            (-1.25, "-1.25"),
            (0.0, "0.0"),
            (-0.5, "-0.5"),
            (10.1, "10.1"),
        ] {
            assert_eq!(Score::from_points(points).to_string(), text);
        }
        assert_eq!(Score::from_points(f64::NAN), Score::ZERO);
    }

    #[test]
    fn adding_up_does_not_depend_on_the_order() {
        let points = [0.1, 0.2, 0.3, 1e9, -1e9, 0.7];
        let forth: Score = points.iter().map(|p| Score::from_points(*p)).sum();
        let back: Score = points.iter().rev().map(|p| Score::from_points(*p)).sum();
        assert_eq!(forth, back);
        assert_eq!(forth.to_string(), "1.3");
    }
}
