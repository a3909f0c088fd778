//! How much a share of few messages can be trusted.

/// Standard deviations that hold 95 % of a normal distribution.
const Z: f64 = 1.959_964;

/// The 95 % interval of a share in percent after `part` of `whole` messages: Wilson's, which is right
/// for rare events too. Of 300 messages without a hit it says 0 to 1.3 %. Nothing is known without any
/// mail: 0 to 100 %.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of messages are far below 2^52"
)]
pub(super) fn percent_interval(part: usize, whole: usize) -> [f64; 2] {
    if whole == 0 {
        return [0.0, 100.0];
    }
    let (n, share) = (whole as f64, part as f64 / whole as f64);
    let scale = 1.0 / (1.0 + Z * Z / n);
    let middle = scale * (share + Z * Z / (2.0 * n));
    let half = scale * Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    // At the ends rounding errors would leave a share that was seen outside of its interval.
    let low = if part == 0 {
        0.0
    } else {
        (middle - half).max(0.0)
    };
    let high = if part == whole {
        1.0
    } else {
        (middle + half).min(1.0)
    };
    [100.0 * low, 100.0 * high]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against values computed by hand from the formula.
    #[test]
    fn known_intervals() {
        for (part, whole, low, high) in [
            (0, 300, 0.0, 1.2643),
            (300, 300, 98.7357, 100.0),
            (5, 10, 23.6593, 76.3407),
            (1, 1_000, 0.0177, 0.5643),
            (0, 0, 0.0, 100.0),
        ] {
            let [l, h] = percent_interval(part, whole);
            assert!(
                (l - low).abs() < 1e-3 && (h - high).abs() < 1e-3,
                "{part}/{whole}: {l} {h}"
            );
        }
    }

    #[test]
    fn the_share_lies_within_and_more_messages_tell_more() {
        let mut last = 101.0;
        for whole in [1, 10, 100, 1_000, 10_000] {
            for part in [0, whole / 3, whole] {
                let [low, high] = percent_interval(part, whole);
                let share = gatepost_words::percent::of(part, whole);
                assert!(
                    (0.0..=share).contains(&low) && (share..=100.0).contains(&high),
                    "{part}/{whole} {low} {high}"
                );
            }
            let [low, high] = percent_interval(0, whole);
            assert!(high - low < last);
            last = high - low;
        }
    }
}
