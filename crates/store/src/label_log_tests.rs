//! Tests of the label log: torn ends, damage, limits, and the version before.

use std::path::PathBuf;

use gatepost_words::{Class, Label, LabelKind, MessageDigest};

use super::*;
use crate::appender::Appender;
use crate::codec::put_record;
use crate::entry::{Entry, StoredLabel};
use crate::slots::PackedSlots;

fn body_of(record: &Record) -> Vec<u8> {
    let mut body = Vec::new();
    put_record(record, &mut body);
    body
}

fn stored(message: MessageDigest, class: Class, source: String, slots: &[u32]) -> StoredLabel {
    let label = Label {
        message,
        class,
        source,
        kind: LabelKind::Correction,
        trust: Label::FULL_TRUST,
        time: 1_000,
        supersedes: None,
    };
    StoredLabel {
        label,
        content: None,
        slots: PackedSlots::of(slots),
    }
}

fn record(sequence: u64) -> Record {
    let slots: Vec<u32> = (0..50).map(|slot| slot * 7).collect();
    let message = MessageDigest([u8::try_from(sequence % 256).unwrap(); 32]);
    let class = Class::from_is_spam(sequence.is_multiple_of(2));
    Record {
        sequence,
        time: 1_000 + sequence,
        entry: Entry::Label(stored(message, class, "ann".to_owned(), &slots)),
    }
}

#[test]
fn the_largest_label_is_read_back() {
    let count = u32::try_from(PackedSlots::MAX).unwrap();
    let slots: Vec<u32> = (1..=count).map(|slot| slot * (u32::MAX / count)).collect();
    let source = "x".repeat(Label::SOURCE_MAX);
    let mut largest = stored(MessageDigest([0xf7; 32]), Class::Spam, source, &slots);
    largest.content = Some(1.0);
    largest.label.time = u64::MAX;
    largest.label.supersedes = Some(u64::MAX);
    let records = [Record {
        sequence: 1,
        time: u64::MAX,
        entry: Entry::Label(largest),
    }];
    let mut read = Vec::new();
    read_bytes(&bytes_of(&records, 7), 7, &mut |record| read.push(record)).unwrap();
    assert_eq!(read, records);
}

/// A log with that many records, and where each of them ends.
fn written(directory: &Path, count: u64) -> (PathBuf, Vec<u64>) {
    let path = directory.join("labels");
    let mut log = Appender::open(&path, 1, &LogReport::default()).unwrap();
    let mut ends = vec![log.len()];
    for sequence in 1..=count {
        log.append(&record(sequence)).unwrap();
        ends.push(log.len());
    }
    log.sync().unwrap();
    (path, ends)
}

fn numbers(path: &Path, from: Option<Position>) -> (Vec<u64>, LogReport) {
    let mut numbers = Vec::new();
    let report = read_log(path, 1, from, &mut |record| numbers.push(record.sequence)).unwrap();
    (numbers, report)
}

#[test]
fn a_log_that_is_cut_at_any_byte_keeps_its_whole_records_and_can_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let (path, ends) = written(directory.path(), 4);
    let bytes = std::fs::read(&path).unwrap();
    for cut in 0..=bytes.len() {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let whole = ends
            .iter()
            .filter(|end| **end <= cut as u64)
            .count()
            .saturating_sub(1);
        let (seen, report) = numbers(&path, None);
        assert_eq!(seen.len(), whole, "cut at {cut}");
        assert_eq!(report.damaged, 0);
        let mut log = Appender::open(&path, 1, &report).unwrap();
        log.append(&record(99)).unwrap();
        let (seen, report) = numbers(&path, None);
        assert_eq!(
            (seen.len(), seen.last()),
            (whole + 1, Some(&99)),
            "cut at {cut}"
        );
        assert_eq!((report.torn, report.damaged), (0, 0), "cut at {cut}");
    }
}

#[test]
fn a_flipped_byte_costs_one_record() {
    let directory = tempfile::tempdir().unwrap();
    let (path, ends) = written(directory.path(), 3);
    let bytes = std::fs::read(&path).unwrap();
    for at in usize::try_from(ends[0]).unwrap()..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        std::fs::write(&path, &damaged).unwrap();
        let hit = ends.iter().filter(|end| **end <= at as u64).count() as u64;
        let expected: Vec<u64> = (1..=3).filter(|number| *number != hit).collect();
        let (seen, report) = numbers(&path, None);
        assert_eq!(seen, expected, "byte {at}");
        assert!(report.damaged + report.torn > 0);
    }
}

/// Slots that are a record themselves, as a mail could be made to give them: not found in a
/// torn end.
#[test]
fn a_record_within_a_record_is_none() {
    let rollback = Record {
        sequence: 2,
        time: 1,
        entry: Entry::Rollback {
            since: 0,
            source: None,
        },
    };
    let mut hidden = Vec::new();
    put_framed(&body_of(&rollback), &mut hidden);
    let outer = [body_of(&record(1)), hidden.clone(), vec![1; 40]].concat();
    let log = bytes_around(&outer, 1);
    assert!(
        log.len() > outer.len() + HEADER + FRAME,
        "the marker within is no marker any more"
    );
    for cut in HEADER..log.len() {
        let report =
            read_bytes(&log[..cut], 1, &mut |record| panic!("{record:?} was found")).unwrap();
        assert_eq!(report.torn, (cut - HEADER) as u64);
    }
    // The same without the zeros would be found: the test has not missed its object.
    let mut found = 0;
    read_bytes(&[header_of(1), outer].concat(), 1, &mut |_| found += 1).unwrap();
    assert_eq!(found, 1);
}

#[test]
fn reading_goes_on_where_it_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = written(directory.path(), 2);
    let (_, report) = numbers(&path, None);
    let mut log = Appender::open(&path, 1, &report).unwrap();
    log.append(&record(3)).unwrap();
    let (seen, later) = numbers(&path, Some(report.position));
    assert_eq!(seen, [3]);
    assert_eq!(numbers(&path, Some(later.position)).0, [0_u64; 0]);
    std::fs::rename(&path, directory.path().join("labels.1")).unwrap();
    written(directory.path(), 1);
    assert_eq!(
        numbers(&path, Some(later.position)).0,
        [1],
        "another file is read from its beginning"
    );
}

#[test]
fn more_than_one_chunk() {
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = written(directory.path(), 5_000);
    assert!(std::fs::metadata(&path).unwrap().len() > CHUNK as u64);
    assert_eq!(numbers(&path, None).0, (1..=5_000).collect::<Vec<_>>());
}

#[test]
fn other_files_are_refused_and_none_is_an_empty_log() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("labels");
    assert_eq!(numbers(&path, None), (Vec::new(), LogReport::default()));
    std::fs::write(&path, "something else entirely").unwrap();
    assert!(
        read_log(&path, 1, None, &mut |_| ())
            .unwrap_err()
            .to_string()
            .contains("not a label log")
    );
    std::fs::write(&path, header_of(2)).unwrap();
    assert!(
        read_log(&path, 1, None, &mut |_| ())
            .unwrap_err()
            .to_string()
            .contains("another schema")
    );
}

/// A log of the version before is read, and marked as one of this version by the first that writes.
#[test]
fn a_log_of_the_version_before_is_read_and_goes_on_as_one_of_this_version() {
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = written(directory.path(), 2);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[..MAGIC.len()].copy_from_slice(MAGIC_OF_PREVIOUS_VERSION);
    std::fs::write(&path, &bytes).unwrap();
    let (seen, report) = numbers(&path, None);
    assert_eq!((seen, report.is_previous_version), (vec![1, 2], true));
    let mut log = Appender::open(&path, 1, &report).unwrap();
    log.append(&record(3)).unwrap();
    let (seen, report) = numbers(&path, None);
    assert_eq!((seen, report.is_previous_version), (vec![1, 2, 3], false));
    assert_eq!((report.torn, report.damaged), (0, 0));
    for cut in 0..HEADER {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let (seen, report) = numbers(&path, None);
        assert_eq!((seen.len(), report.torn), (0, cut as u64), "cut at {cut}");
    }
}
