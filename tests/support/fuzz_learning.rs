//! What fuzzing does with what the learner keeps: any bytes are read as a label log and as a
//! snapshot, without a panic and within bounds; what was read is written and read again as the
//! same; and what stood before damage is found.

use gatepost_store::{Entry, PackedSlots, Record, Snapshot, bytes_around, bytes_of, read_bytes};
use gatepost_words::Label;

/// Of slots; any number will do.
const SCHEMA: u32 = 0x0114;

/// All records of a log in order, and whether it is one at all.
fn records(log: &[u8]) -> Option<Vec<Record>> {
    let mut records = Vec::new();
    let report = read_bytes(log, SCHEMA, &mut |record| records.push(record)).ok()?;
    let passed = report.damaged + report.torn;
    assert!(
        passed <= log.len() as u64,
        "{passed} bytes were passed over in {}",
        log.len()
    );
    // The shortest record, a retraction without its digest even, is longer than its frame.
    assert!(
        records.len() * 12 <= log.len(),
        "{} records in {} bytes",
        records.len(),
        log.len()
    );
    Some(records)
}

/// A label log behind the two bytes that say where and how it is damaged.
pub fn label_log(data: &[u8]) {
    let Some((&[at, flip], bytes)) = data.split_first_chunk() else {
        return;
    };
    // As it is; as the body of a record, so that its fields are reached; and behind a header, so
    // that the records are.
    drop(records(bytes));
    let mut read = records(&bytes_around(bytes, SCHEMA)).expect("the header is ours");
    let ours = [&bytes_of(&[], SCHEMA), bytes].concat();
    read.extend(records(&ours).expect("the header is ours"));
    for record in &read {
        check(record);
    }
    let written = bytes_of(&read, SCHEMA);
    assert_eq!(
        records(&written).as_ref(),
        Some(&read),
        "what was written is read as something else"
    );

    // Damage at one byte, and an end there: what is whole before it is found.
    let place = usize::from(at) * written.len() / 256;
    let whole = (0..=read.len())
        .rev()
        .find(|&count| bytes_of(&read[..count], SCHEMA).len() <= place)
        .unwrap_or(0);
    let cut = records(&written[..place]).unwrap_or_default();
    assert_eq!(cut, read[..whole], "cut at {place}");
    let mut damaged = written;
    if let Some(byte) = damaged.get_mut(place) {
        *byte ^= flip;
    }
    // A damaged header is another file.
    if let Some(found) = records(&damaged) {
        assert!(
            found.starts_with(&read[..whole]),
            "damage at {place} reaches what stands before it"
        );
    }
    snapshot(bytes);
}

fn check(record: &Record) {
    if let Entry::Label(stored) = &record.entry {
        assert!(stored.label.source.len() <= Label::SOURCE_MAX);
        assert!(stored.label.trust <= Label::FULL_TRUST);
        let slots = stored.slots.numbers().unwrap_or_default();
        assert!(slots.len() <= PackedSlots::MAX && slots.is_sorted());
    }
}

/// Any bytes as a snapshot, as they are and with a checksum that fits, so that what stands before
/// it is read.
fn snapshot(bytes: &[u8]) {
    drop(Snapshot::from_bytes(bytes));
    let Some(read) = Snapshot::from_bytes(&Snapshot::sealed(bytes.to_vec())) else {
        return;
    };
    let written = read.to_bytes();
    let again = Snapshot::from_bytes(&written).expect("what was written is whole");
    // Bytes, not values: a weight may be no number, which equals nothing.
    assert!(
        again.to_bytes() == written,
        "what was written is read as something else"
    );
}
