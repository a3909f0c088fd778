//! The numbers that a model sees.

/// One mail as numbers, by one version of the [`super::Schema`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeatureVector {
    /// Bucket numbers of the tokens: sorted, each once, at most [`super::Schema::TOKENS`], never empty (bucket 0 is always
    /// there).
    pub tokens: Vec<i64>,
    /// Structure features, exactly [`super::Schema::DENSE`], finite, in the order of [`super::Schema::dense_names`].
    pub dense: Vec<f32>,
}

impl FeatureVector {
    /// The weight with which every token enters the bag: one over the square root of their number.
    #[expect(clippy::cast_precision_loss, reason = "at most 4,000 tokens")]
    pub fn weight(&self) -> f32 {
        1.0 / (self.tokens.len().max(1) as f32).sqrt()
    }
}

/// A set of buckets that remembers how many it may still take: sorted and unique by construction.
pub(super) struct Bag {
    words: Vec<u64>,
    room: usize,
}

impl Bag {
    /// An empty bag for buckets below `buckets`, with room for `room` of them.
    pub(super) fn new(buckets: usize, room: usize) -> Self {
        Self { words: vec![0; buckets.div_ceil(64)], room }
    }

    /// Adds a bucket; one too many, or one out of range, is dropped. Says whether there is room left.
    pub(super) fn add(&mut self, bucket: usize) -> bool {
        if let Some(word) = self.words.get_mut(bucket / 64) {
            let bit = 1u64 << (bucket % 64);
            if *word & bit == 0 && self.room > 0 {
                *word |= bit;
                self.room -= 1;
            }
        }
        self.room > 0
    }

    /// Gives the bag `more` room.
    pub(super) fn extend_room(&mut self, more: usize) {
        self.room += more;
    }

    /// The buckets in ascending order.
    pub(super) fn into_sorted(self) -> Vec<i64> {
        let mut sorted = Vec::new();
        for (index, mut word) in (0i64..).zip(self.words) {
            while word != 0 {
                sorted.push(index * 64 + i64::from(word.trailing_zeros()));
                word &= word - 1;
            }
        }
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bag_is_sorted_unique_and_bounded() {
        let mut bag = Bag::new(256, 3);
        for bucket in [200, 7, 7, 300, 63] {
            bag.add(bucket);
        }
        assert!(!bag.add(64), "the fourth has no room");
        assert_eq!(bag.into_sorted(), [7, 63, 200]);
        let mut bag = Bag::new(256, 1);
        bag.add(1);
        bag.extend_room(1);
        bag.add(0);
        assert_eq!(bag.into_sorted(), [0, 1]);
    }
}
