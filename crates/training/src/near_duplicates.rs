//! Near duplicates: which messages say almost the same, by sketches of their 4-grams (Broder 1997, with
//! bands of several minima).
//!
//! Spam comes in campaigns whose messages differ in a name or a number. They must not be on both
//! sides of a cut, or what is measured is memory; and they must not be learned a thousand times.

use std::collections::HashMap;

/// Minima that must agree in one band.
const ROWS: usize = 5;
/// Bands of which one must agree: messages that share nine tenths of their 4-grams are found in 99.8
/// of 100 cases, those that share half of them in 17.
const BANDS: usize = 6;
/// A text of fewer 4-grams has no near copies, only equal ones.
const LEAST: usize = 24;

/// The sketch of one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sketch(Vec<u64>);

impl Sketch {
    /// The sketch of a text by the buckets of its 4-grams; `group` stands for the body where the
    /// text is too short.
    pub(super) fn of(buckets: &[u32], group: u64) -> Self {
        if buckets.len() < LEAST {
            return Self(vec![group]);
        }
        let mut minima = [u64::MAX; ROWS * BANDS];
        for &bucket in buckets {
            let mut hash = mix(u64::from(bucket) + 1);
            for minimum in &mut minima {
                *minimum = hash.min(*minimum);
                hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
                    ^ 0x2545_f491_4f6c_dd1d;
            }
        }
        let band = |(number, rows): (u64, &[u64])| {
            rows.iter()
                .fold(number, |sum, row| mix(sum.rotate_left(7) ^ row))
        };
        Self((1..).zip(minima.chunks(ROWS)).map(band).collect())
    }
}

/// How often texts like it were seen.
#[derive(Clone, Debug, Default)]
pub(super) struct NearDuplicates(HashMap<u64, usize>);

impl NearDuplicates {
    /// How many near copies were added; of two that are no near copies of each other both count.
    pub(super) fn count(&self, sketch: &Sketch) -> usize {
        sketch
            .0
            .iter()
            .filter_map(|band| self.0.get(band))
            .max()
            .copied()
            .unwrap_or(0)
    }

    /// Adds one.
    pub(super) fn add(&mut self, sketch: &Sketch) {
        for band in &sketch.0 {
            *self.0.entry(*band).or_default() += 1;
        }
    }
}

/// The finaliser of splitmix64.
const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seed: u64, count: u64) -> Vec<u32> {
        (0..count)
            .map(|n| u32::try_from(mix(seed << 20 | n) >> 40).unwrap())
            .collect()
    }

    #[test]
    fn near_copies_are_found_and_others_are_not() {
        let (mut near, mut far) = (0, 0);
        for seed in 0..200 {
            let mail = text(seed, 600);
            let mut copy = mail.clone();
            copy.splice(..25, text(seed + 1_000, 25));
            let mut seen = NearDuplicates::default();
            seen.add(&Sketch::of(&mail, 1));
            near += seen.count(&Sketch::of(&copy, 2));
            far += seen.count(&Sketch::of(&text(seed + 2_000, 600), 3));
        }
        assert!(near >= 195 && far == 0, "{near} {far}");
    }

    #[test]
    fn short_texts_are_distinguished_by_their_body() {
        let mut seen = NearDuplicates::default();
        seen.add(&Sketch::of(&text(1, 23), 7));
        assert_eq!(
            (
                seen.count(&Sketch::of(&text(1, 23), 7)),
                seen.count(&Sketch::of(&text(1, 23), 8))
            ),
            (1, 0)
        );
        seen.add(&Sketch::of(&text(1, 24), 7));
        assert_eq!(seen.count(&Sketch::of(&text(1, 24), 8)), 1);
    }
}
