//! The numbers that a model sees.

use std::ops::Range;

use super::Schema;

/// One mail as numbers, by one version of the [`super::Schema`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeatureVector {
    /// Bucket numbers of the tokens, segment after segment, each once in a segment; at most
    /// [`super::Schema::TOKENS`], never empty (bucket 0 is always there, first).
    pub tokens: Vec<i64>,
    /// How many tokens each of the [`super::Schema::SEGMENTS`] segments has; their sum is the
    /// number of tokens.
    pub segments: Vec<usize>,
    /// Structure features, exactly [`super::Schema::DENSE`], finite, in the order of
    /// [`super::Schema::dense_names`].
    pub dense: Vec<f32>,
}

impl FeatureVector {
    /// Where each segment is in the tokens.
    pub fn ranges(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        ranges(&self.segments)
    }

    /// The tokens of each segment.
    pub fn parts(&self) -> impl Iterator<Item = &[i64]> {
        parts(&self.tokens, &self.segments)
    }

    /// The weights with which the tokens enter the bags, one row of [`super::Schema::BAGS`] after
    /// the other: one over the square root of the number of tokens in the bag, for those that
    /// are in it. Bag 0 holds all windows of the text, bag n the segment n - 1. For an engine
    /// that runs the whole graph of a model file; [`crate::classifier::Model`] does without.
    pub fn weights(&self) -> Vec<f32> {
        let count = self.tokens.len();
        let mut weights = vec![0.0; Schema::BAGS * count];
        let text = self
            .ranges()
            .nth(Schema::FIRST_WINDOW)
            .map_or(count, |first| first.start);
        let bags = std::iter::once(text..count).chain(self.ranges());
        for (row, bag) in weights.chunks_mut(count.max(1)).zip(bags) {
            let weight = weight(bag.len());
            row.get_mut(bag).unwrap_or_default().fill(weight);
        }
        weights
    }
}

/// Where each of the segments of those lengths is.
pub fn ranges(segments: &[usize]) -> impl Iterator<Item = Range<usize>> + '_ {
    segments.iter().scan(0usize, |at, &length| {
        let start = *at;
        *at = at.saturating_add(length);
        Some(start..*at)
    })
}

/// The items of each of the segments of those lengths, one after the other. Lengths that add up to
/// more than there is give what there is.
pub fn parts<'a, T>(items: &'a [T], segments: &'a [usize]) -> impl Iterator<Item = &'a [T]> {
    let mut rest = items;
    segments.iter().map(move |&length| {
        let (part, after) = rest.split_at(length.min(rest.len()));
        rest = after;
        part
    })
}

/// The weight of each of `count` tokens in their bag.
#[expect(clippy::cast_precision_loss, reason = "at most 7,000 tokens")]
pub fn weight(count: usize) -> f32 {
    1.0 / (count.max(1) as f32).sqrt()
}

/// Where a token is from, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `always`, `shape`, `subject` or `text`.
    pub place: &'static str,
    /// The word as the model reads it, in lower case and without disguise, or the token of shape.
    pub word: String,
}

/// Collects the tokens of one segment after the other.
pub(super) struct Bag {
    seen: Vec<u64>,
    tokens: Vec<i64>,
    segments: Vec<usize>,
    start: usize,
    limit: usize,
    /// Where each token is from, if that is wanted.
    origins: Option<Vec<Origin>>,
}

impl Bag {
    /// An empty bag for buckets below `buckets`; the first segment may hold `limit` tokens.
    pub(super) fn new(buckets: usize, limit: usize) -> Self {
        Self {
            seen: vec![0; buckets.div_ceil(64)],
            tokens: Vec::with_capacity(1024),
            segments: Vec::new(),
            start: 0,
            limit,
            origins: None,
        }
    }

    /// The same, which remembers where tokens are from.
    pub(super) fn explained(self) -> Self {
        Self {
            origins: Some(Vec::new()),
            ..self
        }
    }

    /// Adds a bucket to the segment; one too many, one out of range, or one that is there already
    /// is dropped. `origin` is called only if that is wanted.
    pub(super) fn add(&mut self, bucket: usize, origin: impl FnOnce() -> Origin) {
        if self.tokens.len() - self.start >= self.limit {
            return;
        }
        if let (Some(word), Ok(token)) = (self.seen.get_mut(bucket / 64), i64::try_from(bucket)) {
            let bit = 1u64 << (bucket % 64);
            if *word & bit == 0 {
                *word |= bit;
                self.tokens.push(token);
                if let Some(origins) = &mut self.origins {
                    origins.push(origin());
                }
            }
        }
    }

    /// Ends the segment; the next one may hold `limit` tokens.
    pub(super) fn next(&mut self, limit: usize) {
        let segment = self.tokens.get(self.start..).unwrap_or_default();
        for &token in segment {
            if let Some(word) = usize::try_from(token)
                .ok()
                .and_then(|bucket| self.seen.get_mut(bucket / 64))
            {
                *word = 0;
            }
        }
        self.segments.push(segment.len());
        self.start = self.tokens.len();
        self.limit = limit;
    }

    /// The tokens, the lengths of the segments that were ended, and the origins of the tokens.
    pub(super) fn finish(self) -> (Vec<i64>, Vec<usize>, Vec<Origin>) {
        (self.tokens, self.segments, self.origins.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_once_in_a_segment_and_bounded() {
        let origin = || Origin {
            place: "text",
            word: "x".to_owned(),
        };
        let mut bag = Bag::new(256, 3).explained();
        for bucket in [200, 7, 7, 300, 63, 64] {
            bag.add(bucket, origin);
        }
        bag.next(2);
        for bucket in [7, 63, 64] {
            bag.add(bucket, origin);
        }
        bag.next(1);
        bag.next(0);
        let (tokens, segments, origins) = bag.finish();
        assert_eq!(
            (tokens, segments, origins.len()),
            (vec![200, 7, 63, 7, 63], vec![3, 2, 0], 5)
        );
    }

    #[test]
    fn weights_are_those_of_the_bags() {
        let mut segments = vec![1, 4];
        segments.resize(Schema::SEGMENTS, 0);
        segments[Schema::FIRST_WINDOW] = 4;
        let vector = FeatureVector {
            tokens: vec![0; 9],
            segments,
            dense: Vec::new(),
        };
        let weights = vector.weights();
        let rows: Vec<&[f32]> = weights.chunks(9).collect();
        assert_eq!(rows.len(), Schema::BAGS);
        assert_eq!(rows[0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5]);
        assert_eq!(rows[1], [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(rows[2], [0.0, 0.5, 0.5, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(rows[4], [0.0; 9]);
        assert_eq!(rows[Schema::FIRST_WINDOW + 1], rows[0]);
    }
}
