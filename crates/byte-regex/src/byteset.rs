//! Sets of bytes, with Perl's notions of class and case.

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSet {
    words: [u64; 4],
}

impl ByteSet {
    /// No byte.
    pub(super) const EMPTY: Self = Self { words: [0; 4] };
    /// Every byte.
    pub(super) const ALL: Self = Self {
        words: [u64::MAX; 4],
    };

    /// Only that byte.
    pub(super) fn of(byte: u8) -> Self {
        let mut set = Self::EMPTY;
        set.insert(byte);
        set
    }

    /// The bytes for which a test holds.
    pub(super) fn that(test: impl Fn(u8) -> bool) -> Self {
        let mut set = Self::EMPTY;
        (0..=u8::MAX)
            .filter(|byte| test(*byte))
            .for_each(|byte| set.insert(byte));
        set
    }

    /// The ASCII bytes from `first` to `last`, both among them.
    #[expect(clippy::cast_possible_truncation, reason = "two halves")]
    pub(super) const fn range(first: u8, last: u8) -> Self {
        let bits = (u128::MAX >> (127 - last)) & (u128::MAX << first);
        Self {
            words: [bits as u64, (bits >> 64) as u64, 0, 0],
        }
    }

    /// How many bytes.
    pub(super) fn len(self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    pub(super) fn insert(&mut self, byte: u8) {
        if let Some(word) = self.words.get_mut(usize::from(byte >> 6)) {
            *word |= 1 << (byte & 63);
        }
    }

    #[inline]
    pub(super) fn contains(&self, byte: u8) -> bool {
        self.words
            .get(usize::from(byte >> 6))
            .is_some_and(|word| word >> (byte & 63) & 1 == 1)
    }

    fn each(self, other: Self, join: impl Fn(u64, u64) -> u64) -> Self {
        let mut words = self.words;
        for (word, other) in words.iter_mut().zip(other.words) {
            *word = join(*word, other);
        }
        Self { words }
    }

    pub(super) fn union(self, other: Self) -> Self {
        self.each(other, |one, another| one | another)
    }

    pub(super) fn intersection(self, other: Self) -> Self {
        self.each(other, |one, another| one & another)
    }

    /// The bytes that are in a text.
    pub fn of_text(text: &[u8]) -> Self {
        let mut seen = Self::EMPTY;
        for byte in text {
            seen.insert(*byte);
        }
        seen
    }

    /// Whether they have a byte in common.
    pub fn meets(self, other: Self) -> bool {
        self.intersection(other) != Self::EMPTY
    }

    pub(super) fn complement(self) -> Self {
        Self {
            words: self.words.map(|word| !word),
        }
    }

    /// The members, in order.
    pub(super) fn bytes(self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(move |byte| self.contains(*byte))
    }

    /// The only byte of the set, if it has just one.
    pub(super) fn only(self) -> Option<u8> {
        if self.len() == 1 {
            self.bytes().next()
        } else {
            None
        }
    }

    /// With every letter also its other case: ASCII, and Latin-1 as Perl folds single bytes even
    /// under `/aa` (\xD7, \xF7, \xDF and \xFF have no other case).
    pub(super) fn folded(self) -> Self {
        let mut folded = self;
        for byte in self.bytes() {
            match byte {
                b'a'..=b'z' | 0xE0..=0xF6 | 0xF8..=0xFE => folded.insert(byte - 0x20),
                b'A'..=b'Z' | 0xC0..=0xD6 | 0xD8..=0xDE => folded.insert(byte + 0x20),
                _ => {}
            }
        }
        folded
    }
}

/// The set of a class letter (`\d`, `\w`, `\s`, `\h`, `\v`, `\N` and their negations), under `/aa`.
pub(super) fn class_of_letter(letter: u8) -> Option<ByteSet> {
    let set = match letter.to_ascii_lowercase() {
        b'd' => ByteSet::that(|b| b.is_ascii_digit()),
        b'w' => ByteSet::that(|b| b.is_ascii_alphanumeric() || b == b'_'),
        b's' => ByteSet::that(|b| matches!(b, b'\t'..=b'\r' | b' ')),
        b'h' => ByteSet::that(|b| matches!(b, b'\t' | b' ' | 0xA0)),
        b'v' => ByteSet::that(|b| matches!(b, b'\n'..=b'\r' | 0x85)),
        b'n' if letter == b'N' => return Some(ByteSet::of(b'\n').complement()),
        _ => return None,
    };
    Some(if letter.is_ascii_uppercase() {
        set.complement()
    } else {
        set
    })
}

/// The set of a POSIX class name (`alpha` in `[:alpha:]`), under `/aa`.
pub(super) fn class_of_name(name: &[u8]) -> Option<ByteSet> {
    Some(match name {
        b"alpha" => ByteSet::that(|b| b.is_ascii_alphabetic()),
        b"digit" => ByteSet::that(|b| b.is_ascii_digit()),
        b"alnum" => ByteSet::that(|b| b.is_ascii_alphanumeric()),
        b"upper" => ByteSet::that(|b| b.is_ascii_uppercase()),
        b"lower" => ByteSet::that(|b| b.is_ascii_lowercase()),
        b"punct" => ByteSet::that(|b| b.is_ascii_punctuation()),
        b"space" => ByteSet::that(|b| matches!(b, b'\t'..=b'\r' | b' ')),
        b"blank" => ByteSet::that(|b| matches!(b, b'\t' | b' ')),
        b"cntrl" => ByteSet::that(|b| b.is_ascii_control()),
        b"graph" => ByteSet::that(|b| b.is_ascii_graphic()),
        b"print" => ByteSet::that(|b| b.is_ascii_graphic() || b == b' '),
        b"xdigit" => ByteSet::that(|b| b.is_ascii_hexdigit()),
        b"word" => ByteSet::that(|b| b.is_ascii_alphanumeric() || b == b'_'),
        b"ascii" => ByteSet::that(|b| b.is_ascii()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{ByteSet, class_of_letter, class_of_name};

    #[test]
    fn folds_as_perl_does() {
        for (byte, other) in [
            (b'a', b'A'),
            (b'Z', b'z'),
            (0xE9, 0xC9),
            (0xC3, 0xE3),
            (0xFE, 0xDE),
        ] {
            let set = ByteSet::of(byte).folded();
            assert_eq!(set.bytes().count(), 2);
            assert!(set.contains(other), "{byte:x}");
        }
        for alone in [0xD7, 0xF7, 0xDF, 0xFF, b'1', b'@', b'[', b'`', b'{'] {
            assert_eq!(
                ByteSet::of(alone).folded().bytes().collect::<Vec<_>>(),
                [alone]
            );
        }
    }

    #[test]
    fn ranges_are_sets() {
        for (first, last) in [(b'a', b'z'), (0, 127), (b'x', b'x'), (0, 0), (127, 127)] {
            let range = ByteSet::range(first, last);
            assert_eq!(range, ByteSet::that(|byte| (first..=last).contains(&byte)));
            assert_eq!(range.len(), u32::from(last - first) + 1);
        }
    }

    #[test]
    fn texts_become_sets() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(ByteSet::of_text(&all), ByteSet::ALL);
        for byte in all {
            assert_eq!(ByteSet::of_text(&[byte, byte]), ByteSet::of(byte));
        }
        assert!(
            ByteSet::of_text(b"abc").meets(ByteSet::of(b'c'))
                && !ByteSet::of_text(b"").meets(ByteSet::ALL)
        );
    }

    #[test]
    fn classes_are_ascii() {
        let size = |letter| class_of_letter(letter).unwrap().bytes().count();
        assert_eq!(
            [b'd', b'w', b's', b'h', b'v', b'N', b'D'].map(size),
            [10, 63, 6, 3, 5, 255, 246]
        );
        assert!(class_of_letter(b's').unwrap().contains(0x0b));
        assert_eq!(class_of_letter(b'q'), None);
        assert_eq!(class_of_name(b"punct").unwrap().bytes().count(), 32);
        assert_eq!(ByteSet::ALL.complement(), ByteSet::EMPTY);
    }
}
