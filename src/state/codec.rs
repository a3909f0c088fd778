//! Bytes of records and snapshots: little-endian numbers, numbers of variable length, checksums.

use super::{Digest, Entry, Label, Record};

/// CRC-32 of IEEE 802.3, the one of zip and Ethernet: finds every torn or flipped record of this length but one in 2^32.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    let step = |crc: u32, &byte: &u8| {
        let index = usize::from(byte ^ crc.to_le_bytes()[0]);
        TABLE.get(index).copied().unwrap_or_default() ^ (crc >> 8)
    };
    !bytes.iter().fold(!0, step)
}

#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "computed at compile time")]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
}

/// Appends a number, seven bits a byte, the low ones first.
pub(super) fn put_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Takes bytes from the front; everything is `None` where they run out or cannot be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn f32(&mut self) -> Option<f32> {
        self.array().map(f32::from_le_bytes)
    }

    /// A number of variable length.
    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// A number of variable length that counts something of which there are at most `most`.
    pub(super) fn count(&mut self, most: usize) -> Option<usize> {
        usize::try_from(self.number()?).ok().filter(|count| *count <= most)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Appends ascending numbers as their differences.
pub(super) fn put_slots(slots: &[u32], out: &mut Vec<u8>) {
    put_number(slots.len() as u64, out);
    let mut last = 0;
    for &slot in slots {
        put_number(u64::from(slot.saturating_sub(last)), out);
        last = slot;
    }
}

pub(super) fn take_slots(input: &mut Input<'_>) -> Option<Vec<u32>> {
    let count = input.count(Label::SLOTS_MAX)?;
    let mut last = 0_u32;
    (0..count)
        .map(|_| {
            last = last.checked_add(u32::try_from(input.number()?).ok()?)?;
            Some(last)
        })
        .collect()
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    let cut = text.get(..text.floor_char_boundary(Label::SOURCE_MAX)).unwrap_or_default();
    put_number(cut.len() as u64, out);
    out.extend_from_slice(cut.as_bytes());
}

fn take_text(input: &mut Input<'_>) -> Option<String> {
    let length = input.count(Label::SOURCE_MAX)?;
    String::from_utf8(input.bytes(length)?.to_vec()).ok()
}

const HAM: u8 = 0;
const SPAM: u8 = 1;
const RETRACTION: u8 = 2;
const ROLLBACK: u8 = 3;

/// Appends the body of a record.
pub(super) fn put_record(record: &Record, out: &mut Vec<u8>) {
    out.extend_from_slice(&record.sequence.to_le_bytes());
    out.extend_from_slice(&record.time.to_le_bytes());
    match &record.entry {
        Entry::Label(label) => {
            out.push(if label.spam { SPAM } else { HAM });
            out.extend_from_slice(&label.digest.0);
            put_text(&label.source, out);
            // Not a number means that the model was not asked.
            out.extend_from_slice(&label.content.unwrap_or(f32::NAN).to_le_bytes());
            put_slots(label.slots.get(..Label::SLOTS_MAX).unwrap_or(&label.slots), out);
        }
        Entry::Retraction(digest) => {
            out.push(RETRACTION);
            out.extend_from_slice(&digest.0);
        }
        Entry::Rollback { since, source } => {
            out.push(ROLLBACK);
            out.extend_from_slice(&since.to_le_bytes());
            out.push(u8::from(source.is_some()));
            put_text(source.as_deref().unwrap_or_default(), out);
        }
    }
}

/// Reads the body of a record; all of it must be used up.
pub(super) fn take_record(body: &[u8]) -> Option<Record> {
    let mut input = Input(body);
    let (sequence, time) = (input.u64()?, input.u64()?);
    let entry = match input.byte()? {
        kind @ (HAM | SPAM) => Entry::Label(Label {
            digest: Digest(input.array()?),
            spam: kind == SPAM,
            source: take_text(&mut input)?,
            content: Some(input.f32()?).filter(|content| content.is_finite()),
            slots: take_slots(&mut input)?,
        }),
        RETRACTION => Entry::Retraction(Digest(input.array()?)),
        ROLLBACK => {
            let since = input.u64()?;
            let is_of_one = input.byte()? == 1;
            let source = take_text(&mut input)?;
            Entry::Rollback { since, source: is_of_one.then_some(source) }
        }
        _ => return None,
    };
    input.is_empty().then_some(Record { sequence, time, entry })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn numbers_of_any_length() {
        for number in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            put_number(number, &mut bytes);
            assert_eq!(Input(&bytes).number(), Some(number));
            bytes.pop();
            assert_eq!(Input(&bytes).number(), None);
        }
        assert_eq!(Input(&[0xff; 11]).number(), None, "longer than any number");
        assert_eq!(Input(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).number(), None, "too large");
    }

    fn label(slots: usize, source: &str) -> Record {
        let slots = (0..slots).map(|slot| u32::try_from(slot).unwrap() * 3).collect();
        let source = source.to_owned();
        let label = Label { digest: Digest([7; 32]), spam: true, source, content: Some(-1.5), slots };
        Record { sequence: 1, time: 2, entry: Entry::Label(label) }
    }

    fn round(record: &Record) -> Option<Record> {
        let mut bytes = Vec::new();
        put_record(record, &mut bytes);
        take_record(&bytes)
    }

    #[test]
    fn lists_and_texts_have_their_limits_at_n_and_n_plus_one() {
        for (slots, source) in [(0, ""), (Label::SLOTS_MAX, &"s".repeat(Label::SOURCE_MAX))] {
            let record = label(slots, source);
            assert_eq!(round(&record), Some(record));
        }
        let Some(Record { entry: Entry::Label(cut), .. }) =
            round(&label(Label::SLOTS_MAX + 1, &"s".repeat(Label::SOURCE_MAX + 1)))
        else {
            panic!("it is cut, not refused");
        };
        assert_eq!((cut.slots.len(), cut.source.len()), (Label::SLOTS_MAX, Label::SOURCE_MAX));
        let mut bytes = Vec::new();
        put_number(Label::SLOTS_MAX as u64 + 1, &mut bytes);
        bytes.resize(20_000, 1);
        assert_eq!(take_slots(&mut Input(&bytes)), None);
    }

    proptest! {
        #[test]
        fn records_are_read_as_they_were_written(
            sequence: u64, time: u64, kind in 0_u8..4, digest: [u8; 32], source in "[a-zä]{0,20}", since: u64,
            content in proptest::option::of(-50.0_f32..50.0), slots in proptest::collection::btree_set(any::<u32>(), 0..50),
        ) {
            let entry = match kind {
                0 | 1 => Entry::Label(Label {
                    digest: Digest(digest), spam: kind == 1, source, content, slots: slots.into_iter().collect(),
                }),
                2 => Entry::Retraction(Digest(digest)),
                _ => Entry::Rollback { since, source: (!source.is_empty()).then_some(source) },
            };
            let record = Record { sequence, time, entry };
            prop_assert_eq!(round(&record), Some(record));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _: Option<Record> = take_record(&bytes);
        }
    }
}
