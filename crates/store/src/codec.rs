//! Bytes of records and snapshots: little-endian numbers, numbers of variable length, texts.

use gatepost_words::{Class, Label, LabelKind, MessageDigest};

use super::entry::{Entry, Record, StoredLabel};
use super::slots::PackedSlots;

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
    let text = Label::truncated_source(text);
    put_number(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

fn take_text(input: &mut Input<'_>) -> Option<String> {
    let length = input.count(Label::SOURCE_MAX)?;
    String::from_utf8(input.bytes(length)?.to_vec()).ok()
}

/// Labels of the first version of the log, which knew two classes: read, no longer written.
const HAM_OF_VERSION_2: u8 = 0;
const SPAM_OF_VERSION_2: u8 = 1;
const RETRACTION: u8 = 2;
const ROLLBACK: u8 = 3;
const LABEL: u8 = 4;

/// The number of a class in the log. It never changes its meaning.
fn class_code(class: Class) -> u8 {
    match class {
        Class::Ham => 0,
        Class::Spam => 1,
        Class::Phish => 2,
        Class::Malware => 3,
        Class::Bulk => 4,
        Class::Unwanted => 5,
    }
}

/// The number of a kind of label in the log. It never changes its meaning.
fn kind_code(kind: LabelKind) -> u8 {
    match kind {
        LabelKind::Correction => 0,
        LabelKind::AuditSample => 1,
        LabelKind::BulkImport => 2,
    }
}

/// Appends the body of a record.
pub(super) fn put_record(record: &Record, out: &mut Vec<u8>) {
    out.extend_from_slice(&record.sequence.to_le_bytes());
    out.extend_from_slice(&record.time.to_le_bytes());
    match &record.entry {
        Entry::Label(stored) => {
            out.push(LABEL);
            put_label(&stored.label, out);
            put_learned(stored, out);
        }
        Entry::Retraction(message) => {
            out.push(RETRACTION);
            out.extend_from_slice(&message.0);
        }
        Entry::Rollback { since, source } => {
            out.push(ROLLBACK);
            out.extend_from_slice(&since.to_le_bytes());
            out.push(u8::from(source.is_some()));
            put_text(source.as_deref().unwrap_or_default(), out);
        }
    }
}

fn put_label(label: &Label, out: &mut Vec<u8>) {
    out.push(class_code(label.class));
    out.push(kind_code(label.kind));
    out.push(label.trust.min(Label::FULL_TRUST));
    out.extend_from_slice(&label.time.to_le_bytes());
    // No record has the number 0.
    put_number(label.supersedes.unwrap_or(0), out);
    out.extend_from_slice(&label.message.0);
    put_text(&label.source, out);
}

/// What the learner derived from the message.
fn put_learned(stored: &StoredLabel, out: &mut Vec<u8>) {
    // Not a number means that the model was not asked.
    out.extend_from_slice(&stored.content.unwrap_or(f32::NAN).to_le_bytes());
    out.extend_from_slice(stored.slots.bytes());
}

/// Reads the body of a record; all of it must be used up.
pub(super) fn take_record(body: &[u8]) -> Option<Record> {
    let mut input = Input(body);
    let sequence = input.u64()?;
    let time = input.u64()?;
    let entry = match input.byte()? {
        HAM_OF_VERSION_2 => take_label_of_version_2(&mut input, Class::Ham, time)?,
        SPAM_OF_VERSION_2 => take_label_of_version_2(&mut input, Class::Spam, time)?,
        LABEL => {
            let label = take_label(&mut input)?;
            take_learned(&mut input, label)?
        }
        RETRACTION => Entry::Retraction(MessageDigest(input.array()?)),
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

fn take_label(input: &mut Input<'_>) -> Option<Label> {
    let class = input.byte()?;
    let kind = input.byte()?;
    let trust = input.byte()?;
    let time = input.u64()?;
    let supersedes = input.number()?;
    Some(Label {
        class: Class::ALL
            .into_iter()
            .find(|known| class_code(*known) == class)?,
        kind: LabelKind::ALL
            .into_iter()
            .find(|known| kind_code(*known) == kind)?,
        trust: Some(trust).filter(|trust| *trust <= Label::FULL_TRUST)?,
        time,
        supersedes: Some(supersedes).filter(|sequence| *sequence > 0),
        message: MessageDigest(input.array()?),
        source: take_text(input)?,
    })
}

/// A label of version 2 had neither kind nor trust: it counts as a correction, fully trusted, given
/// when its record was written.
fn take_label_of_version_2(input: &mut Input<'_>, class: Class, time: u64) -> Option<Entry> {
    let label = Label {
        message: MessageDigest(input.array()?),
        class,
        source: take_text(input)?,
        kind: LabelKind::Correction,
        trust: Label::FULL_TRUST,
        time,
        supersedes: None,
    };
    take_learned(input, label)
}

fn take_learned(input: &mut Input<'_>, label: Label) -> Option<Entry> {
    let content = Some(input.f32()?).filter(|content| content.is_finite());
    let slots = PackedSlots::from_bytes(std::mem::take(&mut input.0))?;
    Some(Entry::Label(StoredLabel {
        label,
        content,
        slots,
    }))
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
        let label = Label {
            message: MessageDigest([7; 32]),
            class: Class::Phish,
            source: source.to_owned(),
            kind: LabelKind::AuditSample,
            trust: 40,
            time: 3,
            supersedes: Some(1),
        };
        Record {
            sequence: 2,
            time: 4,
            entry: Entry::Label(StoredLabel {
                label,
                content: Some(-1.5),
                slots: PackedSlots::of(&[3, 6, 9]),
            }),
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
            "it is truncated, not refused"
        );
    }

    #[test]
    fn every_class_and_kind_has_a_number_of_its_own() {
        let classes = Class::ALL.map(class_code);
        assert_eq!(classes, [0, 1, 2, 3, 4, 5], "numbers never change");
        let kinds = LabelKind::ALL.map(kind_code);
        assert_eq!(kinds, [0, 1, 2], "numbers never change");
    }

    #[test]
    fn a_label_that_cannot_be_is_refused() {
        let mut bytes = Vec::new();
        put_record(&label("ann"), &mut bytes);
        // After sequence, time and the kind of entry: class, kind, trust.
        for (at, wrong) in [(17, 6), (18, 3), (19, 101)] {
            let mut changed = bytes.clone();
            changed[at] = wrong;
            assert_eq!(take_record(&changed), None, "byte {at}");
        }
    }

    proptest! {
        #[test]
        fn records_are_read_as_they_were_written(
            [sequence, time, given, since] in any::<[u64; 4]>(),
            entry in 0_u8..4,
            class in proptest::sample::select(&Class::ALL),
            kind in proptest::sample::select(&LabelKind::ALL),
            trust in 0..=Label::FULL_TRUST,
            supersedes in proptest::option::of(1..u64::MAX),
            digest: [u8; 32],
            source in "[a-zä]{0,20}",
            content in proptest::option::of(-50.0_f32..50.0),
            slots in proptest::collection::btree_set(any::<u32>(), 0..50),
        ) {
            let message = MessageDigest(digest);
            let entry = match entry {
                0 | 1 => Entry::Label(StoredLabel {
                    label: Label { message, class, source, kind, trust, time: given, supersedes },
                    content,
                    slots: PackedSlots::of(&slots.into_iter().collect::<Vec<_>>()),
                }),
                2 => Entry::Retraction(message),
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
