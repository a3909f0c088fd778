//! What the numbers of a [`super::FeatureVector`] mean.

use super::dense;

/// The layout of feature vectors. Constants only: everything that a model file must agree with.
#[derive(Clone, Copy, Debug)]
pub struct Schema;

impl Schema {
    /// Changes whenever the same mail gives another vector.
    pub const VERSION: u32 = 1;
    /// Number of buckets that tokens fall into.
    pub const BUCKETS: usize = 1 << 18;
    /// The buckets below this are for tokens of shape (header names, MIME types, HTML tags); those from here on for text.
    pub const SHAPE_BUCKETS: usize = 1 << 14;
    /// Number of structure features.
    pub const DENSE: usize = dense::COUNT;
    /// Most tokens of one mail.
    pub const TOKENS: usize = 4_000;
    /// Of these, most tokens of shape.
    pub const SHAPE_TOKENS: usize = 400;
    /// The bucket that every mail has.
    pub const ALWAYS: usize = 0;
    /// Bytes read from the beginning of the text.
    pub const HEAD: usize = 4 << 10;
    /// Bytes read from the end of the text.
    pub const TAIL: usize = 1 << 10;

    /// The names of the structure features, in order.
    pub fn dense_names() -> &'static [&'static str] {
        dense::NAMES.as_slice()
    }

    /// Whether a bucket holds text rather than shape.
    pub fn is_text(bucket: u32) -> bool {
        bucket as usize >= Self::SHAPE_BUCKETS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names = Schema::dense_names().to_vec();
        assert_eq!(names.len(), Schema::DENSE);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Schema::DENSE);
    }
}
