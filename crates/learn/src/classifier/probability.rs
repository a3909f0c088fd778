//! Probabilities, and how the model's logits become such.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number from 0 (ham) to 1 (spam).
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize)]
pub struct Probability(f64);

impl Probability {
    /// `value` if it is in 0..=1; `None` else, and for NaN.
    pub fn new(value: f64) -> Option<Self> {
        (0.0..=1.0).contains(&value).then_some(Self(value))
    }

    /// The probability with those log-odds; NaN becomes one half.
    pub fn from_logit(logit: f64) -> Self {
        Self::new(1.0 / (1.0 + (-logit).exp())).unwrap_or(Self(0.5))
    }

    /// 0..=1.
    pub fn value(self) -> f64 {
        self.0
    }

    /// Natural log-odds, held within ±`limit` (a probability of exactly 0 or 1 has infinite ones).
    pub fn log_odds(self, limit: f64) -> f64 {
        let limit = limit.abs();
        (self.0 / (1.0 - self.0)).ln().clamp(-limit, limit)
    }
}

impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.4}", self.0)
    }
}

/// Platt's calibration: log-odds = `slope` * logit + `offset`, fitted on mail that the model was
/// not trained on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Positive: calibration never turns the order of two messages.
    pub slope: f64,
    /// Added.
    pub offset: f64,
}

impl Default for Calibration {
    fn default() -> Self {
        Self {
            slope: 1.0,
            offset: 0.0,
        }
    }
}

impl Calibration {
    /// Calibrated log-odds of a logit.
    pub fn log_odds(&self, logit: f64) -> f64 {
        self.slope * logit + self.offset
    }

    /// Both numbers finite and the slope above zero.
    pub fn is_valid(&self) -> bool {
        self.slope.is_finite() && self.offset.is_finite() && self.slope > 0.0
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
mod tests {
    use super::*;

    #[test]
    fn only_zero_to_one() {
        for (value, good) in [
            (0.0, true),
            (1.0, true),
            (-1e-9, false),
            (1.000_001, false),
            (f64::NAN, false),
        ] {
            assert_eq!(Probability::new(value).is_some(), good, "{value}");
        }
        for logit in [
            f64::NEG_INFINITY,
            -1e300,
            -700.0,
            0.0,
            700.0,
            f64::INFINITY,
            f64::NAN,
        ] {
            let value = Probability::from_logit(logit).value();
            assert!((0.0..=1.0).contains(&value), "{logit} -> {value}");
        }
        assert_eq!(Probability::from_logit(1e9).log_odds(12.0), 12.0);
        assert_eq!(Probability::from_logit(-1e9).log_odds(12.0), -12.0);
        assert!((Probability::from_logit(1.5).log_odds(9.0) - 1.5).abs() < 1e-9);
    }

    #[test]
    fn calibration_must_keep_the_order() {
        assert!(Calibration::default().is_valid());
        for (slope, offset) in [
            (0.0, 0.0),
            (-1.0, 0.0),
            (f64::NAN, 0.0),
            (1.0, f64::INFINITY),
        ] {
            assert!(!Calibration { slope, offset }.is_valid());
        }
    }
}
