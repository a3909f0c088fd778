//! From a view to the slots of the site learner's tables: where each 4-gram of its header, each
//! word and each pair of neighbouring words has its weight.
//!
//! Three tables, because they see different things, and because what an attacker can change of one
//! does not touch the others. 4-grams and words of session and header, each in the name space of
//! its field: what is in one field says nothing in another, and a field that no sender ever writes
//! says nothing at all. And words of the decoded text, one window of [`WINDOW`] bytes after the
//! other: a window says the same whatever is around it (but for the pair that its first word
//! makes with the word before).
//!
//! What claims an identity has a name space of its own: those that no server attests share one,
//! those of each authenticated sender domain have another. So a forged sender inherits nothing from
//! the real one, and a stranger who is authenticated as himself nothing from a sender whose name he
//! writes next to it.

use super::site_settings::SiteSettings;
use crate::features::SiteView;
use gatepost_words::bytes;

/// Slots that one mail sets: sorted, each once in its section. What a label log has to keep in
/// order to replay or undo a label.
///
/// With tables of `n` slots, numbers below `n` are those of 4-grams of the header, those from `n`
/// to `2n` those of words there, and from then on each `n` numbers are those of one window of the
/// text; all windows share one table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots(Vec<u32>);

/// What the slots of a mail are divided into: 0 and 1 are 4-grams and words of the header, the
/// others the windows of the text.
pub(super) type Section = u32;

/// The section of the first window.
pub(super) const FIRST_WINDOW: Section = 2;
/// Tables of weights.
pub(super) const TABLES: usize = 3;
/// Bytes of a window of the text; a word belongs to the window in which it begins.
const WINDOW: usize = 640;

impl Slots {
    /// Most slots of one mail: every byte of the header begins a 4-gram, every third one there and
    /// in the text a word and a pair; and once more all of them in the copy of the recipient's
    /// domain.
    pub const LIMIT: usize =
        2 * (SiteView::LIMIT + 2 * (SiteView::LIMIT / 3 + SiteView::TEXT / 3 + 2));

    /// The slot numbers.
    pub fn numbers(&self) -> &[u32] {
        &self.0
    }

    /// Slots from a label log.
    pub fn from_numbers(mut numbers: Vec<u32>) -> Self {
        numbers.truncate(Self::LIMIT);
        numbers.sort_unstable();
        numbers.dedup();
        Self(numbers)
    }

    /// The slots of a view in tables of that size, in the copy of its domain too.
    pub(super) fn of(view: &SiteView, settings: &SiteSettings) -> Self {
        let mut slots = Vec::with_capacity(view.bytes().len() + view.text().len() / 2);
        each_section(view, settings, |_, section| {
            let mut sorted = section.to_vec();
            sorted.sort_unstable();
            slots.extend_from_slice(&sorted);
        });
        slots.dedup();
        Self(slots)
    }

    /// The sections with their slots.
    pub(super) fn sections(&self, bits: u32) -> impl Iterator<Item = (Section, &[u32])> {
        self.0
            .chunk_by(move |a, b| a >> bits == b >> bits)
            .map(move |slots| (section(slots, bits), slots))
    }
}

/// The section of slots that belong to one.
pub(super) fn section(slots: &[u32], bits: u32) -> Section {
    slots.first().map_or(0, |slot| slot >> bits)
}

/// Which table has the weights of a section.
fn table(section: Section) -> usize {
    section.min(FIRST_WINDOW) as usize
}

/// Where in the tables, which follow one another, the weight of a slot is.
pub(super) fn place(slot: u32, bits: u32) -> usize {
    table(slot >> bits) << bits | (slot & ((1 << bits) - 1)) as usize
}

/// The copy of one recipient domain: every slot has a second one, in the same section, that belongs
/// to this domain.
pub(super) struct Copied {
    name_space: u32,
    bits: u32,
}

impl Copied {
    /// That of the view's recipient, where the settings name its domain.
    pub(super) fn of(view: &SiteView, settings: &SiteSettings) -> Option<Self> {
        settings.domain(view).map(|domain| Self {
            name_space: name_space(domain),
            bits: settings.bits,
        })
    }

    /// The second slot. An odd factor and an exclusive or: no two slots share their second one.
    pub(super) fn slot(&self, slot: u32) -> u32 {
        let mask = (1 << self.bits) - 1;
        slot & !mask | (slot ^ self.name_space).wrapping_mul(0x9e37_79b1) & mask
    }
}

/// Mixed into what claims an identity that no server attests.
const UNAUTHENTICATED: u32 = 0xa5c3_96e1;

/// One line of session or header, with what is known of its field.
pub(super) struct Line<'v> {
    /// The name of the field, or of the item of the session.
    pub(super) field: &'v [u8],
    /// The line, without that name.
    rest: &'v [u8],
    /// Where the line, its name included, is in the view.
    pub(super) at: std::ops::Range<usize>,
    /// The name space of the field.
    place: u64,
}

/// Calls `take` with each line of session and header, in order.
pub(super) fn each_line<'v>(view: &'v SiteView, mut take: impl FnMut(Line<'v>)) {
    let claims = u64::from(view.sender().map_or(UNAUTHENTICATED, name_space)) << 32;
    let mut claimed = view.identity().iter().peekable();
    let mut field: &[u8] = &[];
    let mut place = 0;
    let mut at = 0;
    for line in view.bytes().split_inclusive(|byte| *byte == b'\n') {
        let mut rest = line;
        // The first line of the header goes on with nothing, whatever it begins with.
        if at == view.session() || !line.first().is_some_and(u8::is_ascii_whitespace) {
            let end = line
                .iter()
                .position(|byte| *byte == b':' || byte.is_ascii_whitespace())
                .unwrap_or(line.len());
            (field, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
            while claimed.next_if(|claim| claim.end <= at).is_some() {}
            let is_claim = claimed.peek().is_some_and(|claim| claim.contains(&at));
            // No header field can pass for an item of the session.
            let origin = if at < view.session() { SESSION } else { 0 };
            place = hash(origin ^ if is_claim { claims } else { 0 }, field);
        }
        take(Line {
            field,
            rest,
            at: at..at + line.len(),
            place,
        });
        at += line.len();
    }
}

/// Calls `take` with the position and the slot of each 4-gram of session and header, in order.
pub(super) fn each_gram(view: &SiteView, bits: u32, mut take: impl FnMut(usize, u32)) {
    let shift = 32 - bits;
    each_line(view, |Line { at, place, .. }| {
        // The last 4-grams of a line end up to three bytes after it.
        let bytes = bytes::slice(view.bytes(), at.start..at.end.saturating_add(3));
        let name_space = (place >> 32) as u32;
        for (at, gram) in at.zip(bytes.array_windows::<4>()) {
            // Fibonacci hashing: the high bits of the product depend on all four bytes.
            take(
                at,
                (u32::from_le_bytes(*gram) ^ name_space).wrapping_mul(0x9e37_79b1) >> shift,
            );
        }
    });
}

/// Shorter words are skipped, longer ones cut, in bytes.
const WORD: std::ops::RangeInclusive<usize> = 2..=30;

/// One word of a view.
pub(super) struct Word<'v> {
    /// The name of the header field, or of the item of the session; empty in the text.
    pub(super) field: &'v [u8],
    /// The word as it is written.
    pub(super) text: &'v [u8],
    /// The slot of the word alone.
    pub(super) alone: u32,
    /// The slot of the word together with the one before it.
    pub(super) with_last: u32,
}

/// Gives words their slots.
struct Words {
    bits: u32,
    /// Hash of the word before.
    last: u64,
}

impl Words {
    /// The word, if it is none of those that are skipped.
    fn word<'v>(
        &mut self,
        section: Section,
        place: u64,
        field: &'v [u8],
        text: &'v [u8],
    ) -> Option<Word<'v>> {
        let text = bytes::head(text, *WORD.end());
        if text.len() < *WORD.start() {
            return None;
        }
        let hash = hash(place, text);
        let pair = hash.wrapping_mul(3) ^ self.last;
        self.last = hash.wrapping_mul(7);
        let slot = |hash: u64| slot(hash, self.bits) | section << self.bits;
        Some(Word {
            field,
            text,
            alone: slot(hash),
            with_last: slot(pair ^ PAIR),
        })
    }
}

/// Calls `take` with each word of session and header, in order.
pub(super) fn each_header_word<'v>(view: &'v SiteView, bits: u32, mut take: impl FnMut(Word<'v>)) {
    let mut words = Words { bits, last: 0 };
    each_line(
        view,
        |Line {
             field, rest, place, ..
         }| {
            for text in rest.split(|byte| !is_of_word(*byte)) {
                if let Some(word) = words.word(1, place, field, text) {
                    take(word);
                }
            }
        },
    );
}

/// Calls `take` with the section and each word of the text, in order.
pub(super) fn each_text_word<'v>(
    view: &'v SiteView,
    bits: u32,
    mut take: impl FnMut(Section, Word<'v>),
) {
    let mut words = Words { bits, last: 0 };
    let mut at = 0;
    for text in view.text().as_bytes().split(|byte| !is_of_word(*byte)) {
        let window = Section::try_from(at / WINDOW).unwrap_or(Section::MAX);
        let section = FIRST_WINDOW.saturating_add(window);
        if let Some(word) = words.word(section, TEXT, &[], text) {
            take(section, word);
        }
        at += text.len() + 1;
    }
}

/// Keep words of the session, those of the text and pairs apart from words of fields.
const SESSION: u64 = 0x5e55_0000_0000_0001;
const TEXT: u64 = 0x7e47;
const PAIR: u64 = 0x7061_6972;

/// Letters and digits of all scripts, and what is inside of prices, host names and shouts.
fn is_of_word(byte: u8) -> bool {
    const ASCII: u128 = {
        let mut bits = 0;
        let mut byte = 0_u8;
        while byte < 0x80 {
            if byte.is_ascii_alphanumeric()
                || matches!(byte, b'$' | b'\'' | b'-' | b'.' | b'!' | b'_')
            {
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
    word.iter().fold(start, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Where in its table a word has its weight.
#[expect(clippy::cast_possible_truncation, reason = "at most 22 bits are left")]
fn slot(hash: u64, bits: u32) -> u32 {
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits)) as u32
}

/// What sets the claims of one authenticated domain apart: 32-bit FNV-1a.
fn name_space(domain: &str) -> u32 {
    domain.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// Calls `take` with each section and every slot that the view sets in it, as often as it sets it,
/// in no order.
pub(super) fn each_section(
    view: &SiteView,
    settings: &SiteSettings,
    mut take: impl FnMut(Section, &[u32]),
) {
    let copy = Copied::of(view, settings);
    let bits = settings.bits;
    let mut slots: Vec<u32> = Vec::with_capacity(2 * view.bytes().len());
    let mut give = |section: Section, slots: &mut Vec<u32>| {
        if let Some(copy) = &copy {
            let second: Vec<u32> = slots.iter().map(|slot| copy.slot(*slot)).collect();
            slots.extend(second);
        }
        if !slots.is_empty() {
            take(section, slots);
        }
        slots.clear();
    };
    each_gram(view, bits, |_, slot| slots.push(slot));
    give(0, &mut slots);
    each_header_word(view, bits, |word| {
        slots.extend([word.alone, word.with_last]);
    });
    give(1, &mut slots);
    let mut current = FIRST_WINDOW;
    each_text_word(view, bits, |section, word| {
        if section != current {
            give(current, &mut slots);
            current = section;
        }
        slots.extend([word.alone, word.with_last]);
    });
    give(current, &mut slots);
}

/// A set of the slots of one section, one bit for each: quicker than sorting them, where their
/// order does not matter.
pub(super) struct Set {
    words: Vec<u64>,
    mask: u32,
}

impl Set {
    /// An empty set for tables of that size.
    pub(super) fn new(bits: u32) -> Self {
        Self {
            words: vec![0; (1_usize << bits).div_ceil(64)],
            mask: (1 << bits) - 1,
        }
    }

    /// Adds a slot. Says whether it is new.
    pub(super) fn add(&mut self, slot: u32) -> bool {
        let Some((word, bit)) = self.bit(slot) else {
            return false;
        };
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Takes slots out: all that were added, and the set is empty again.
    pub(super) fn remove(&mut self, slots: &[u32]) {
        for slot in slots {
            if let Some((word, bit)) = self.bit(*slot) {
                *word &= !bit;
            }
        }
    }

    fn bit(&mut self, slot: u32) -> Option<(&mut u64, u64)> {
        let slot = slot & self.mask;
        self.words
            .get_mut(slot as usize / 64)
            .map(|word| (word, 1 << (slot % 64)))
    }
}

#[cfg(test)]
#[path = "slots_tests.rs"]
mod tests;
