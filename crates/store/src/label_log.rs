//! The label log: a file of records that is only appended to.
//!
//! The file begins with 16 bytes: a magic text, and the schema of the slots. A record is a marker
//! of four bytes, the length of its body and the CRC-32 of it (four bytes each), and the body. A
//! reader goes from record to record; where one is not whole it looks for the next marker behind
//! which a whole one stands, and counts what it passed over. So a torn write at the end costs the
//! record that was being written, and a damaged sector those that lay in it.
//!
//! No body contains a marker: behind each byte with which one begins, a zero is put. Without that a
//! mail could be written so that its slots are a record, one that takes everything back, say; it
//! would be found where the record around it is torn.
#![expect(clippy::disallowed_methods, reason = "the log is a file")]

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::Record;
use super::checksum::crc32;
use super::codec::{put_record, take_record};

const MAGIC: &[u8; 12] = b"gatepost-lb2";
const HEADER: usize = 16;
const MARKER: &[u8; 4] = b"\xf7LBL";
/// Marker, length, checksum.
const FRAME: usize = 12;
/// Longest body: of a label with all slots, five bytes each, some of them with a zero behind, and
/// room to spare.
const BODY_MAX: usize = 192 << 10;
/// Bytes that are read at once.
const CHUNK: usize = 256 << 10;

/// How far a log was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Which file: its inode.
    pub(super) file: u64,
    /// Bytes.
    pub(super) offset: u64,
}

impl Position {
    /// Whether it is one within the file at `path`.
    pub fn is_in(&self, path: &Path) -> bool {
        std::fs::metadata(path)
            .is_ok_and(|file| file.ino() == self.file && self.offset <= file.len())
    }
}

/// What reading a log said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogReport {
    /// Where to go on: behind the last whole record.
    pub position: Position,
    /// Bytes passed over between whole records: damage.
    pub damaged: u64,
    /// Bytes behind the last whole record: a write that is going on, or was cut off.
    pub torn: u64,
}

/// Hands every whole record behind `from` (the beginning where it is `None` or another file) to
/// `take`. A file that is missing is an empty log.
pub fn read_log(
    path: &Path,
    schema: u32,
    from: Option<Position>,
    take: &mut dyn FnMut(Record),
) -> io::Result<LogReport> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LogReport::default()),
        Err(error) => return Err(error),
    };
    let inode = file.metadata()?.ino();
    let length = file.metadata()?.len();
    let known =
        from.filter(|from| from.file == inode && (HEADER as u64..=length).contains(&from.offset));
    match known {
        Some(from) => {
            file.seek(SeekFrom::Start(from.offset))?;
            scan(file, from, take)
        }
        None => read_whole(file, inode, schema, take),
    }
}

/// As [`read_log`], of a log that is in memory.
pub fn read_bytes(log: &[u8], schema: u32, take: &mut dyn FnMut(Record)) -> io::Result<LogReport> {
    read_whole(log, 0, schema, take)
}

/// A whole log with these records, as [`read_bytes`] reads it.
pub fn bytes_of(records: &[Record], schema: u32) -> Vec<u8> {
    let mut log = header_of(schema);
    for record in records {
        put_framed(&body_of(record), &mut log);
    }
    log
}

/// A log with one record of that body, its checksum right; public for fuzzing, which would never
/// guess it.
pub fn bytes_around(body: &[u8], schema: u32) -> Vec<u8> {
    let mut log = header_of(schema);
    put_framed(body, &mut log);
    log
}

fn read_whole(
    mut log: impl Read,
    inode: u64,
    schema: u32,
    take: &mut dyn FnMut(Record),
) -> io::Result<LogReport> {
    let mut header = Vec::new();
    log.by_ref().take(HEADER as u64).read_to_end(&mut header)?;
    if is_whole(&header, schema)? {
        scan(
            log,
            Position {
                file: inode,
                offset: HEADER as u64,
            },
            take,
        )
    } else {
        Ok(LogReport {
            torn: header.len() as u64,
            ..LogReport::default()
        })
    }
}

/// Reads on from `position`.
fn scan(log: impl Read, position: Position, take: &mut dyn FnMut(Record)) -> io::Result<LogReport> {
    let mut scanner = Scanner {
        log,
        buffer: Vec::new(),
        start: 0,
        read: 0,
        ended: false,
    };
    let (mut good, mut damaged) = (0, 0);
    while let Some((passed, record, size)) = scanner.next()? {
        // What was passed over is known to be damage only when a whole record follows.
        damaged += passed;
        good += passed + size;
        take(record);
    }
    let position = Position {
        offset: position.offset + good,
        ..position
    };
    Ok(LogReport {
        position,
        damaged,
        torn: scanner.read.saturating_sub(good),
    })
}

/// Whether a header is whole; an error where the file is something else.
fn is_whole(header: &[u8], schema: u32) -> io::Result<bool> {
    let expected = header_of(schema);
    if header == expected {
        return Ok(true);
    }
    if expected.starts_with(header) {
        return Ok(false);
    }
    let what = if header.starts_with(MAGIC) {
        "the label log was written for another schema of the learner; move its directory away to begin anew"
    } else {
        "this is no label log"
    };
    Err(io::Error::new(io::ErrorKind::InvalidData, what))
}

fn header_of(schema: u32) -> Vec<u8> {
    [&MAGIC[..], &schema.to_le_bytes()].concat()
}

/// Goes from record to record through a log, holding little of it.
struct Scanner<R> {
    log: R,
    buffer: Vec<u8>,
    start: usize,
    /// Bytes read so far.
    read: u64,
    ended: bool,
}

impl<R: Read> Scanner<R> {
    /// The next whole record, with the bytes passed over before it and its own.
    fn next(&mut self) -> io::Result<Option<(u64, Record, u64)>> {
        let mut passed = 0_u64;
        loop {
            self.fill()?;
            let rest = self.buffer.get(self.start..).unwrap_or_default();
            if let Some((record, size)) = whole(rest) {
                self.start += size;
                return Ok(Some((passed, record, size as u64)));
            }
            // Nothing whole begins here: on to the next marker, or to where one may begin in what
            // is not read yet.
            let found = memchr::memmem::find(rest.get(1..).unwrap_or_default(), MARKER);
            let step = match found {
                Some(at) => at + 1,
                None if self.ended => return Ok(None),
                None => rest.len().saturating_sub(MARKER.len() - 1).max(1),
            };
            self.start += step;
            passed += step as u64;
        }
    }

    /// Makes sure that the longest record is in the buffer, or all that there is.
    fn fill(&mut self) -> io::Result<()> {
        while !self.ended && self.buffer.len() - self.start < FRAME + BODY_MAX {
            self.buffer.drain(..self.start);
            self.start = 0;
            let before = self.buffer.len();
            self.buffer.resize(before + CHUNK, 0);
            let count = loop {
                match self
                    .log
                    .read(self.buffer.get_mut(before..).unwrap_or_default())
                {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    result => break result?,
                }
            };
            self.buffer.truncate(before + count);
            self.read += count as u64;
            self.ended = count == 0;
        }
        Ok(())
    }
}

/// The record at the front, if there is a whole one, and its size.
fn whole(bytes: &[u8]) -> Option<(Record, usize)> {
    let (frame, rest) = bytes.split_at_checked(FRAME)?;
    let (marker, numbers) = frame.split_at_checked(MARKER.len())?;
    let (length, checksum) = numbers.split_at_checked(4)?;
    let length = usize::try_from(u32::from_le_bytes(length.try_into().ok()?)).ok()?;
    if marker != MARKER || length > BODY_MAX {
        return None;
    }
    let body = rest.get(..length)?;
    let checksum = u32::from_le_bytes(checksum.try_into().ok()?);
    if crc32(body) != checksum {
        return None;
    }
    Some((take_record(&unstuffed(body)?)?, FRAME + length))
}

fn body_of(record: &Record) -> Vec<u8> {
    let mut body = Vec::new();
    put_record(record, &mut body);
    body
}

/// Bytes with a zero behind each that could begin a marker.
fn stuffed(bytes: &[u8]) -> Vec<u8> {
    let [begin, ..] = *MARKER;
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 64);
    for part in bytes.split_inclusive(|byte| *byte == begin) {
        out.extend_from_slice(part);
        if part.ends_with(&[begin]) {
            out.push(0);
        }
    }
    out
}

/// The bytes of which [`stuffed`] made these; `None` where it made none like them.
fn unstuffed(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    let [begin, ..] = *MARKER;
    let Some(first) = memchr::memchr(begin, bytes) else {
        return Some(Cow::Borrowed(bytes));
    };
    let (plain, mut rest) = bytes.split_at_checked(first)?;
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(plain);
    while let Some((_, behind)) = rest.split_first() {
        let behind = behind.strip_prefix(&[0])?;
        let next = memchr::memchr(begin, behind).unwrap_or(behind.len());
        let (plain, others) = behind.split_at_checked(next)?;
        out.push(begin);
        out.extend_from_slice(plain);
        rest = others;
    }
    Some(Cow::Owned(out))
}

/// Appends marker, length, checksum and body.
fn put_framed(body: &[u8], out: &mut Vec<u8>) {
    let body = stuffed(body);
    out.extend_from_slice(MARKER);
    out.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&crc32(&body).to_le_bytes());
    out.extend_from_slice(&body);
}

/// Appends to a log. The caller holds the lock.
#[derive(Debug)]
pub struct Appender {
    file: File,
    length: u64,
    buffer: Vec<u8>,
}

impl Appender {
    /// Opens the log, or begins it. `report` is what reading it just said: a torn end is cut off,
    /// so that what is appended is not taken for a part of it.
    pub fn open(path: &Path, schema: u32, report: &LogReport) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o660)
            .open(path)?;
        let mut length = file.metadata()?.len();
        if report.torn > 0 {
            length = report.position.offset;
            file.set_len(length)?;
        }
        if length == 0 {
            file.write_all(&header_of(schema))?;
            length = HEADER as u64;
        }
        Ok(Self {
            file,
            length,
            buffer: Vec::new(),
        })
    }

    /// Appends one record with one write.
    pub fn append(&mut self, record: &Record) -> io::Result<()> {
        self.buffer.clear();
        put_framed(&body_of(record), &mut self.buffer);
        if let Err(error) = self.file.write_all(&self.buffer) {
            // Half a record must not stand before the next one. If even this fails, readers pass
            // over it.
            self.file.set_len(self.length).unwrap_or_default();
            return Err(error);
        }
        self.length += self.buffer.len() as u64;
        Ok(())
    }

    /// Bytes of the log.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Where the next record will stand.
    pub fn position(&self) -> io::Result<Position> {
        Ok(Position {
            file: self.file.metadata()?.ino(),
            offset: self.length,
        })
    }

    /// Whether there is no record in it.
    pub fn is_empty(&self) -> bool {
        self.length <= HEADER as u64
    }

    /// Brings all that was appended to the disk.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::{Digest, Entry, Label, PackedSlots};
    use super::*;

    fn record(sequence: u64) -> Record {
        let slots = PackedSlots::of(&(0..50).map(|slot| slot * 7).collect::<Vec<_>>());
        let digest = Digest([u8::try_from(sequence % 256).unwrap(); 32]);
        let label = Label {
            digest,
            spam: sequence.is_multiple_of(2),
            source: "ann".to_owned(),
            content: None,
            slots,
        };
        Record {
            sequence,
            time: 1_000 + sequence,
            entry: Entry::Label(label),
        }
    }

    #[test]
    fn the_largest_label_is_read_back() {
        let count = u32::try_from(Label::SLOTS_MAX).unwrap();
        let slots: Vec<u32> = (1..=count).map(|slot| slot * (u32::MAX / count)).collect();
        let source = "x".repeat(Label::SOURCE_MAX);
        let label = Label {
            digest: Digest([0xf7; 32]),
            spam: true,
            source,
            content: Some(1.0),
            slots: PackedSlots::of(&slots),
        };
        let records = [Record {
            sequence: 1,
            time: u64::MAX,
            entry: Entry::Label(label),
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
    fn bodies_are_the_same_when_they_come_back() {
        let [m, ..] = *MARKER;
        for bytes in [
            &[][..],
            &[1, 2],
            &[m],
            &[m, 0],
            &[m, m, 0, 0, m],
            &[0, m, b'L', b'B', b'L', 7],
        ] {
            let body = stuffed(bytes);
            assert!(memchr::memmem::find(&body, MARKER).is_none());
            assert_eq!(unstuffed(&body).as_deref(), Some(bytes));
        }
        for wrong in [&[m][..], &[m, 1], &[1, m, 0, m]] {
            assert_eq!(unstuffed(wrong), None);
        }
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
                .contains("no label log")
        );
        std::fs::write(&path, header_of(2)).unwrap();
        assert!(
            read_log(&path, 1, None, &mut |_| ())
                .unwrap_err()
                .to_string()
                .contains("another schema")
        );
    }
}
