//! Bytes of records and snapshots: little-endian numbers, numbers of variable length, texts.

use super::slots::PackedSlots;
use super::{Digest, Entry, Label, Record};

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
        usize::try_from(self.number()?)
            .ok()
            .filter(|count| *count <= most)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    let cut = text
        .get(..text.floor_char_boundary(Label::SOURCE_MAX))
        .unwrap_or_default();
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
            out.extend_from_slice(label.slots.bytes());
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
            slots: PackedSlots::from_bytes(std::mem::take(&mut input.0))?,
        }),
        RETRACTION => Entry::Retraction(Digest(input.array()?)),
        ROLLBACK => {
            let since = input.u64()?;
            let is_of_one = input.byte()? == 1;
            let source = take_text(&mut input)?;
            Entry::Rollback {
                since,
                source: is_of_one.then_some(source),
            }
        }
        _ => return None,
    };
    input.is_empty().then_some(Record {
        sequence,
        time,
        entry,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_of_any_length() {
        for number in [
            0,
            1,
            127,
            128,
            16_383,
            16_384,
            u64::from(u32::MAX),
            u64::MAX - 1,
            u64::MAX,
        ] {
            let mut bytes = Vec::new();
            put_number(number, &mut bytes);
            assert_eq!(Input(&bytes).number(), Some(number));
            bytes.pop();
            assert_eq!(Input(&bytes).number(), None);
        }
        assert_eq!(Input(&[0xff; 11]).number(), None, "longer than any number");
        assert_eq!(
            Input(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).number(),
            None,
            "too large"
        );
    }

    fn label(source: &str) -> Record {
        let (source, slots) = (source.to_owned(), PackedSlots::of(&[3, 6, 9]));
        let label = Label {
            digest: Digest([7; 32]),
            spam: true,
            source,
            content: Some(-1.5),
            slots,
        };
        Record {
            sequence: 1,
            time: 2,
            entry: Entry::Label(label),
        }
    }

    fn round(record: &Record) -> Option<Record> {
        let mut bytes = Vec::new();
        put_record(record, &mut bytes);
        take_record(&bytes)
    }

    #[test]
    fn texts_have_their_limit_at_n_and_n_plus_one() {
        for source in ["", &"s".repeat(Label::SOURCE_MAX)] {
            assert_eq!(round(&label(source)), Some(label(source)));
        }
        let cut = round(&label(&"s".repeat(Label::SOURCE_MAX + 1)));
        assert_eq!(
            cut,
            Some(label(&"s".repeat(Label::SOURCE_MAX))),
            "it is cut, not refused"
        );
    }

    proptest! {
        #[test]
        fn records_are_read_as_they_were_written(
            sequence: u64, time: u64, kind in 0_u8..4, digest: [u8; 32], source in "[a-zä]{0,20}", since: u64,
            content in proptest::option::of(-50.0_f32..50.0), slots in proptest::collection::btree_set(any::<u32>(), 0..50),
        ) {
            let entry = match kind {
                0 | 1 => Entry::Label(Label {
                    digest: Digest(digest), spam: kind == 1, source, content,
                    slots: PackedSlots::of(&slots.into_iter().collect::<Vec<_>>()),
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
