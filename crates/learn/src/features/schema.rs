//! What the numbers of a [`super::FeatureVector`] mean.

use super::dense;

/// The layout of feature vectors. Constants only: everything that a model file must agree with.
#[derive(Clone, Copy, Debug)]
pub struct Schema;

impl Schema {
    /// Changes whenever the same mail gives another vector.
    pub const VERSION: u32 = 2;
    /// Number of buckets that tokens fall into.
    pub const BUCKETS: usize = 1 << 18;
    /// The buckets below this are for tokens of shape (header names, MIME types, HTML tags); those
    /// from here on for text.
    pub const SHAPE_BUCKETS: usize = 1 << 14;
    /// Number of structure features.
    pub const DENSE: usize = dense::COUNT;
    /// Segments of the tokens: shape, subject, then the windows of the text.
    pub const SEGMENTS: usize = Self::FIRST_WINDOW + Self::WINDOWS;
    /// The segment of the first window.
    pub const FIRST_WINDOW: usize = 2;
    /// Windows of the text. Text that is put around other text to hide it does not enter the
    /// windows of that.
    pub const WINDOWS: usize = 8;
    /// 4-grams that begin in one window.
    pub const WINDOW: usize = 640;
    /// Bags of tokens: one of all windows, then one of each segment.
    pub const BAGS: usize = 1 + Self::SEGMENTS;
    /// Most tokens of shape.
    pub const SHAPE_TOKENS: usize = 400;
    /// Most tokens of the subject.
    pub const SUBJECT_TOKENS: usize = 1_000;
    /// Most tokens of one mail.
    pub const TOKENS: usize =
        Self::SHAPE_TOKENS + Self::SUBJECT_TOKENS + Self::WINDOWS * Self::WINDOW;
    /// The bucket that every mail has.
    pub const ALWAYS: usize = 0;
    /// Bytes read from the beginning of the text.
    pub const HEAD: usize = 3 << 10;
    /// Bytes read from the end of the text.
    pub const TAIL: usize = 2 << 10;

    /// The names of the structure features, in order.
    pub fn dense_names() -> &'static [&'static str] {
        dense::NAMES.as_slice()
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
