//! From a view to the slots of the site learner's tables: where each 4-gram of its bytes, each word and each pair of
//! neighbouring words has its weight.
//!
//! Two tables, because the two see different things. 4-grams of the raw bytes see everything a mail carries, markup and
//! headers as they were written, and do not care how words are cut or disguised. Words are read from the header fields, each
//! with the name of its field, and from the decoded text, so that base64 hides nothing; they need fewer labels.
//!
//! What claims an identity has a name space of its own in both: those that nobody vouches for share one, those of each
//! authenticated sender domain have another. So a forged sender inherits nothing from the real one, and a stranger who is
//! authenticated as himself nothing from anybody whose name he writes beside it.

use super::SiteSettings;
use crate::features::MilterView;

/// Slots that one mail sets: sorted, each once. What a label log has to keep in order to replay or undo a label.
///
/// With tables of `n` slots, numbers below `n` are those of 4-grams, those from `n` to `2n` those of words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots(Vec<u32>);

impl Slots {
    /// Most slots of one mail: every byte begins a 4-gram, every third one in the header a word and a pair; and once more
    /// all of them in the copy of the recipient's domain.
    pub const LIMIT: usize = 2 * (MilterView::LIMIT + 2 * (MilterView::HEAD / 3 + WORDS + 1));

    /// The slot numbers.
    pub fn numbers(&self) -> &[u32] {
        &self.0
    }

    /// Slots from a label log; numbers outside of the learner's tables are ignored when they are used.
    pub fn from_numbers(mut numbers: Vec<u32>) -> Self {
        numbers.truncate(Self::LIMIT);
        numbers.sort_unstable();
        numbers.dedup();
        Self(numbers)
    }

    /// The slots of a view in tables of that size, in the copy of its domain too.
    pub(super) fn of(view: &MilterView, settings: &SiteSettings) -> Self {
        let mut slots = Vec::with_capacity(view.bytes().len() + 2 * WORDS);
        each_slot(view, settings, |slot| slots.push(slot));
        sort(&mut slots);
        slots.dedup();
        Self(slots)
    }

    /// The slots of 4-grams and those of words.
    pub(super) fn tables(&self, bits: u32) -> [&[u32]; 2] {
        let middle = self.0.partition_point(|slot| slot >> bits == 0);
        self.0.split_at_checked(middle).map_or([&self.0, &[]], |(grams, words)| [grams, words])
    }
}

/// The copy of one recipient domain: every slot has a second one, in the same table, that belongs to this domain.
pub(super) struct Copied {
    name_space: u32,
    bits: u32,
}

impl Copied {
    /// That of the view's recipient, where the settings name its domain.
    pub(super) fn of(view: &MilterView, settings: &SiteSettings) -> Option<Self> {
        settings.domain(view).map(|domain| Self { name_space: name_space(domain), bits: settings.bits })
    }

    /// The second slot. An odd factor and an exclusive or: no two slots share their second one.
    pub(super) fn slot(&self, slot: u32) -> u32 {
        let mask = (1 << self.bits) - 1;
        slot & !mask | (slot ^ self.name_space).wrapping_mul(0x9e37_79b1) & mask
    }
}

/// Mixed into what claims an identity that nobody vouches for.
const UNAUTHENTICATED: u32 = 0xa5c3_96e1;

/// Calls `take` with the position and the slot of each 4-gram, in order.
pub(super) fn each_gram(view: &MilterView, bits: u32, mut take: impl FnMut(usize, u32)) {
    let bytes = view.bytes();
    let claims = view.sender().map_or(UNAUTHENTICATED, name_space);
    let shift = 32 - bits;
    let mut grams = |from: usize, to: usize, name_space: u32| {
        let end = to.saturating_add(3).min(bytes.len());
        for (at, gram) in (from..).zip(bytes.get(from..end).unwrap_or_default().array_windows::<4>()) {
            // Fibonacci hashing: the high bits of the product depend on all four bytes.
            take(at, (u32::from_le_bytes(*gram) ^ name_space).wrapping_mul(0x9e37_79b1) >> shift);
        }
    };
    let mut plain = 0;
    for claim in view.identity() {
        grams(plain, claim.start, 0);
        grams(claim.start, claim.end, claims);
        plain = claim.end;
    }
    grams(plain, bytes.len(), 0);
}

/// Words of the text that are read. Twice as many were no better, in trials that are not part of this repository.
const WORDS: usize = 400;
/// Shorter words are skipped, longer ones cut, in bytes.
const WORD: std::ops::RangeInclusive<usize> = 2..=30;

/// One word of a view.
pub(super) struct Word<'v> {
    /// The name of the header field, or of the item of the session; empty in the text.
    pub(super) field: &'v [u8],
    /// The word as it stands there.
    pub(super) text: &'v [u8],
    /// The slot of the word alone.
    pub(super) alone: u32,
    /// The slot of the word together with the one before it.
    pub(super) with_last: u32,
}

/// Calls `take` with each word of the session, of the header and of the text, in order.
pub(super) fn each_word<'v>(view: &'v MilterView, bits: u32, mut take: impl FnMut(Word<'v>)) {
    let mut last = 0;
    let mut tell = |field: &'v [u8], place: u64, text: &'v [u8]| {
        let text = text.get(..text.len().min(*WORD.end())).unwrap_or_default();
        if text.len() < *WORD.start() {
            return false;
        }
        let hash = hash(place, text);
        let pair = hash.wrapping_mul(3) ^ last;
        last = hash.wrapping_mul(7);
        take(Word { field, text, alone: slot(hash, bits), with_last: slot(pair ^ PAIR, bits) });
        true
    };
    let claims = u64::from(view.sender().map_or(UNAUTHENTICATED, name_space)) << 32;
    let mut claimed = view.identity().iter().peekable();
    let mut field: &[u8] = &[];
    let mut place = 0;
    let mut at = 0;
    for line in view.bytes().split_inclusive(|byte| *byte == b'\n').take_while(|line| *line != b"\n") {
        let mut rest = line;
        if !line.first().is_some_and(u8::is_ascii_whitespace) {
            let end = line.iter().position(|byte| *byte == b':' || byte.is_ascii_whitespace()).unwrap_or(line.len());
            (field, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
            while claimed.next_if(|claim| claim.end <= at).is_some() {}
            let is_claim = claimed.peek().is_some_and(|claim| claim.contains(&at));
            // No header field can pass for an item of the session.
            let origin = if at < view.session() { SESSION } else { 0 };
            place = hash(origin ^ if is_claim { claims } else { 0 }, field);
        }
        for word in rest.split(|byte| !is_of_word(*byte)) {
            tell(field, place, word);
        }
        at += line.len();
    }
    let mut told = 0;
    for word in view.text().as_bytes().split(|byte| !is_of_word(*byte)) {
        told += usize::from(tell(&[], TEXT, word));
        if told == WORDS {
            break;
        }
    }
}

/// Keep words of the session, those of the text and pairs apart from words of fields.
const SESSION: u64 = 0x5e55_0000_0000_0001;
const TEXT: u64 = 0x7e47;
const PAIR: u64 = 0x7061_6972;

/// Letters and digits of all scripts, and what stands inside of prices, host names and shouts.
fn is_of_word(byte: u8) -> bool {
    const ASCII: u128 = {
        let mut bits = 0;
        let mut byte = 0_u8;
        while byte < 0x80 {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'$' | b'\'' | b'-' | b'.' | b'!' | b'_') {
                bits |= 1 << byte;
            }
            byte += 1;
        }
        bits
    };
    byte >= 0x80 || ASCII >> byte & 1 == 1
}

/// 64-bit FNV-1a of a word in lower case (ASCII only), begun at a place.
fn hash(place: u64, word: &[u8]) -> u64 {
    let start = place ^ 0xcbf2_9ce4_8422_2325;
    word.iter()
        .fold(start, |hash, byte| (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Where a word has its weight: in the second table.
fn slot(hash: u64, bits: u32) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "at most 22 bits are left")]
    let slot = (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits)) as u32;
    slot | 1 << bits
}

/// What sets the claims of one authenticated domain apart: 32-bit FNV-1a.
fn name_space(domain: &str) -> u32 {
    domain.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Calls `take` with every slot that a view sets, as often as it sets it.
pub(super) fn each_slot(view: &MilterView, settings: &SiteSettings, mut take: impl FnMut(u32)) {
    let Some(copy) = Copied::of(view, settings) else { return each_plain_slot(view, settings.bits, take) };
    each_plain_slot(view, settings.bits, |slot| {
        take(slot);
        take(copy.slot(slot));
    });
}

fn each_plain_slot(view: &MilterView, bits: u32, mut take: impl FnMut(u32)) {
    each_gram(view, bits, |_, slot| take(slot));
    each_word(view, bits, |word| {
        take(word.alone);
        take(word.with_last);
    });
}

/// A set of slots, one bit for each: quicker than sorting them, where their order does not matter.
pub(super) struct Set(Vec<u64>);

impl Set {
    /// An empty set for tables of that size.
    pub(super) fn new(bits: u32) -> Self {
        Self(vec![0; (2 << bits) / 64])
    }

    /// Adds a slot. Says whether it is new.
    pub(super) fn add(&mut self, slot: u32) -> bool {
        let Some(word) = self.0.get_mut(slot as usize / 64) else { return false };
        let bit = 1 << (slot % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}

/// Bits of the largest slot number.
const SLOT_BITS: u32 = 24;

/// Sorts slots in two passes of 12 bits: with it the slots of a mail take half the time.
fn sort(slots: &mut [u32]) {
    const DIGIT: u32 = SLOT_BITS / 2;
    let low = |slot: u32| slot as usize % (1 << DIGIT);
    let high = |slot: u32| (slot >> DIGIT) as usize % (1 << DIGIT);
    let mut lows = [0_u32; 1 << DIGIT];
    let mut highs = [0_u32; 1 << DIGIT];
    for &slot in slots.iter() {
        for (counts, digit) in [(&mut lows, low(slot)), (&mut highs, high(slot))] {
            if let Some(count) = counts.get_mut(digit) {
                *count += 1;
            }
        }
    }
    let mut other = vec![0; slots.len()];
    scatter(slots, &mut other, &mut lows, low);
    scatter(&other, slots, &mut highs, high);
}

/// Puts each slot in its place by one digit; `counts` becomes the next free places.
fn scatter<const N: usize>(from: &[u32], to: &mut [u32], counts: &mut [u32; N], digit: impl Fn(u32) -> usize) {
    let mut next = 0;
    for count in counts.iter_mut() {
        next += std::mem::replace(count, next);
    }
    for &slot in from {
        if let Some(place) = counts.get_mut(digit(slot)) {
            if let Some(target) = to.get_mut(*place as usize) {
                *target = slot;
            }
            *place += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::Trust;

    fn view(raw: &str) -> MilterView {
        MilterView::of_stored(raw.as_bytes(), &Trust::nobody())
    }

    fn words(raw: &str) -> Vec<(String, String)> {
        let view = view(raw);
        let mut words = Vec::new();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        each_word(&view, 18, |word| words.push((text(word.field), text(word.text))));
        words
    }

    #[test]
    fn slots_are_a_bounded_set() {
        let grams = |raw: &str| Slots::of(&view(raw), &SiteSettings::default()).tables(18)[0].len();
        let empty = grams("\n");
        for (body, more) in [("", 0), ("abc", 3), ("abcd", 4), ("zzzzzzzz", 4)] {
            assert_eq!(grams(&format!("\n{body}")), empty + more, "{body:?}");
        }
        for n in [1_000, 6_000, 20_000] {
            let slots = Slots::of(
                &view(&(0..n).fold("\n".to_owned(), |text, i| text + &format!("{i} "))),
                &SiteSettings::default(),
            );
            assert!(slots.numbers().len() < Slots::LIMIT);
            assert!(slots.numbers().is_sorted_by(|a, b| a < b), "sorted, each once");
        }
    }

    #[test]
    fn a_set_takes_each_slot_once() {
        let mut set = Set::new(16);
        let last = (2 << 16) - 1;
        for (slot, is_new) in [(5, true), (5, false), (last, true), (last, false), (last + 1, false), (u32::MAX, false)]
        {
            assert_eq!(set.add(slot), is_new, "{slot}");
        }
    }

    #[test]
    fn sorting_sorts() {
        let mut choice = 1_u64;
        for length in [0, 1, 2, 1_000] {
            let mut slots: Vec<u32> = (0..length)
                .map(|_| {
                    choice = choice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    u32::try_from(choice >> (64 - SLOT_BITS)).unwrap()
                })
                .collect();
            let mut expected = slots.clone();
            expected.sort_unstable();
            sort(&mut slots);
            assert_eq!(slots, expected);
        }
    }

    #[test]
    fn words_are_those_of_fields_and_of_the_decoded_text() {
        let raw = "Subject: Win $9.99!\n folded\nX: a\nContent-Transfer-Encoding: base64\n\nSGVsbG8sIHdvcmxkIQ==\n";
        let told = words(raw);
        let of = |wanted: &str| -> Vec<&str> {
            told.iter().filter(|(field, _)| field == wanted).map(|(_, text)| text.as_str()).collect()
        };
        assert_eq!(of("Subject"), ["Win", "$9.99!", "folded"]);
        assert_eq!(of("X"), [""; 0], "one letter is no word");
        assert_eq!(of(""), ["Win", "$9.99!", "folded", "Hello", "world!"]);
    }

    #[test]
    fn words_have_their_place_and_no_case() {
        let slots = |raw: &str| {
            let mut slots = Vec::new();
            each_word(&view(raw), 18, |word| slots.push((word.alone, word.with_last)));
            slots
        };
        let first = |raw: &str| slots(raw).last().copied().unwrap();
        let last_alone = |raw: &str| first(raw).0;
        assert_eq!(last_alone("\n\none two"), last_alone("\n\nthree TWO"));
        assert_ne!(first("\n\none two").1, first("\n\nthree two").1, "the pair differs");
        assert_ne!(last_alone("\n\ntwo"), last_alone("Xy: two\n\n"));
        assert_ne!(last_alone("Xy: two\n\n"), last_alone("Yx: two\n\n"));
        assert_ne!(last_alone("helo two\n\n"), slots("Received: from two (x [192.0.2.1])\n\n")[0].0, "not the session");
        for slot in slots("Subject: one two\n\nthree four") {
            assert!((1 << 18..2 << 18).contains(&slot.0) && (1 << 18..2 << 18).contains(&slot.1));
        }
    }

    #[test]
    fn words_are_bounded() {
        let many = |n: usize| format!("\n\n{}", "word ".repeat(n));
        let of_text = |raw: &str| words(raw).iter().filter(|(field, _)| field.is_empty()).count();
        assert_eq!((of_text(&many(WORDS)), of_text(&many(WORDS + 1))), (WORDS, WORDS));
        assert_eq!(words(&format!("\n\n{}", "x".repeat(99))).last().unwrap().1.len(), 30);
    }

    #[test]
    fn the_copy_of_a_domain_lies_in_the_same_table_and_each_has_its_own() {
        let domains = vec!["one.example".to_owned(), "two.example".to_owned()];
        let settings = SiteSettings { domains, bits: 16, ..SiteSettings::default() };
        let copy = |domain: &str| {
            let raw = format!("Delivered-To: a@{domain}\n\n");
            Copied::of(&view(&raw), &settings)
        };
        assert!(copy("three.example").is_none());
        let [one, two] = ["one.example", "two.example"].map(|domain| copy(domain).unwrap());
        let mut seen = std::collections::BTreeSet::new();
        for slot in 0..2 << 16 {
            assert_eq!(one.slot(slot) >> 16, slot >> 16);
            assert!(seen.insert(one.slot(slot)));
        }
        assert_ne!(one.slot(5), two.slot(5));
    }

    #[test]
    fn tables_lie_one_behind_the_other() {
        let slots = Slots::from_numbers(vec![70_000, 5, (1 << 16) - 1, 1 << 16, u32::MAX]);
        let [grams, words] = slots.tables(16);
        assert_eq!((grams, words), (&[5, 65_535][..], &[65_536, 70_000, u32::MAX][..]));
        assert_eq!(Slots::default().tables(16), [&[] as &[u32]; 2]);
    }
}
