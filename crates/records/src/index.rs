//! The index of a record log: a hash table in a file next to it, from an id to the places of its
//! records. It is a help only: it is rebuilt when it is missing, torn, or not of this log, and what
//! it points at is read and compared.

use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::MailRecord;
use super::mail_record::IdKind;
use super::reader::LINE_MAX;

/// `GPINDEX` and the version of the form.
const MAGIC: u64 = u64::from_be_bytes(*b"GPINDEX2");
/// Fields of the header: magic, seed, slots, used, since, covered, device, inode, check.
const FIELDS: usize = 9;
/// Bytes of a log that are indexed when it is opened; more would hold up the records, and the mail
/// that waits for them. What is older is found by reading the log.
const CATCH_UP_MAX: u64 = 4 << 20;
const HEADER_BYTES: usize = 8 * FIELDS;
/// The same, as an offset.
const HEADER: u64 = HEADER_BYTES as u64;
/// Bytes of a slot: a hash, and the offset of a record plus one (zero is a free slot).
const SLOT: usize = 16;
/// Slots of a new index.
const SLOTS_MIN: u64 = 4_096;
/// Places of one id that are kept: a queue id has a record for each refused recipient, and a
/// stranger may use one Message-ID for everything. The newest replace the oldest.
const PLACES_MAX: usize = 8;

/// What stands at the beginning of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    seed: u64,
    slots: u64,
    used: u64,
    /// The log is indexed from here on …
    since: u64,
    /// … up to here.
    covered: u64,
    /// The log's device and inode: a rotation renames both files, a copy is another log.
    log: (u64, u64),
}

impl Header {
    fn encode(&self) -> [u8; HEADER_BYTES] {
        let fields = [
            MAGIC,
            self.seed,
            self.slots,
            self.used,
            self.since,
            self.covered,
            self.log.0,
            self.log.1,
        ];
        let mut bytes = [0; HEADER_BYTES];
        let (chunks, _) = bytes.as_chunks_mut::<8>();
        for (chunk, field) in chunks.iter_mut().zip(fields) {
            *chunk = field.to_le_bytes();
        }
        if let Some(last) = chunks.last_mut() {
            *last = check(&fields).to_le_bytes();
        }
        bytes
    }

    fn decode(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let (chunks, _) = bytes.as_chunks::<8>();
        let fields: Vec<u64> = chunks
            .iter()
            .map(|chunk| u64::from_le_bytes(*chunk))
            .collect();
        let [magic, seed, slots, used, since, covered, device, inode, sum] = *fields.as_slice()
        else {
            return None;
        };
        let is_whole = magic == MAGIC
            && sum == check(&[magic, seed, slots, used, since, covered, device, inode])
            && slots.is_power_of_two()
            && used < slots;
        is_whole.then_some(Self {
            seed,
            slots,
            used,
            since,
            covered,
            log: (device, inode),
        })
    }
}

fn check(fields: &[u64]) -> u64 {
    let mut digest = Sha256::new();
    for field in fields {
        digest.update(field.to_le_bytes());
    }
    first_word(&digest.finalize())
}

fn first_word(bytes: &[u8]) -> u64 {
    bytes
        .first_chunk()
        .map_or(0, |word| u64::from_le_bytes(*word))
}

/// A hash that no stranger can aim: an id of theirs does not decide where it is stored, nor does it
/// take the place of one of ours.
fn hash(seed: u64, kind: IdKind, id: &str) -> u64 {
    let mut digest = Sha256::new();
    digest.update(seed.to_le_bytes());
    digest.update([kind as u8]);
    digest.update(id.as_bytes());
    first_word(&digest.finalize())
}

/// An index that is open.
#[derive(Debug)]
pub(super) struct Index {
    path: PathBuf,
    file: File,
    header: Header,
}

impl Index {
    /// The index of `log` for writing: as it is, brought up to date, or made again.
    pub(super) fn open_for_writing(path: &Path, log: &File) -> io::Result<Self> {
        let identity = identity(log)?;
        let length = log.metadata()?.len();
        let current = Self::open(path, true)
            .ok()
            .filter(|index| index.header.log == identity && index.header.covered <= length);
        let mut index = match current {
            Some(index) => index,
            None => Self::create(path, SLOTS_MIN, identity)?,
        };
        if index.catch_up(log).is_err() {
            // Its table is damaged: made again, from the beginning of the log.
            index = Self::create(path, SLOTS_MIN, identity)?;
            index.catch_up(log)?;
        }
        Ok(index)
    }

    /// The index of `log` for reading; `None` where there is none that fits.
    pub(super) fn open_for_reading(path: &Path, log: &File) -> io::Result<Option<Self>> {
        let identity = identity(log)?;
        let index = Self::open(path, false).ok();
        Ok(index.filter(|index| index.header.log == identity))
    }

    fn open(path: &Path, write: bool) -> io::Result<Self> {
        let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let file = OpenOptions::new()
            .read(true)
            .write(write)
            .custom_flags(no_follow)
            .open(path)?;
        let mut bytes = [0; HEADER_BYTES];
        file.read_exact_at(&mut bytes, 0)?;
        let header = Header::decode(&bytes).ok_or(io::ErrorKind::InvalidData)?;
        if file.metadata()?.len() < HEADER + header.slots * SLOT as u64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            header,
        })
    }

    /// An empty index, put in place of the one that is there.
    fn create(path: &Path, slots: u64, log: (u64, u64)) -> io::Result<Self> {
        let header = Header {
            seed: RandomState::new().build_hasher().finish(),
            slots,
            used: 0,
            since: 0,
            covered: 0,
            log,
        };
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let new = PathBuf::from(name);
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o640)
            .open(&new)?;
        file.set_len(HEADER + slots * SLOT as u64)?;
        file.write_all_at(&header.encode(), 0)?;
        std::fs::rename(&new, path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            header,
        })
    }

    /// Indexes the part of the log that is not indexed yet.
    fn catch_up(&mut self, log: &File) -> io::Result<()> {
        let mut reader = BufReader::new(log.try_clone()?);
        let mut line = Vec::new();
        let recent = log.metadata()?.len().saturating_sub(CATCH_UP_MAX);
        if self.header.covered < recent {
            // From the next line on.
            reader.seek(SeekFrom::Start(recent))?;
            let rest = reader
                .by_ref()
                .take(LINE_MAX)
                .read_until(b'\n', &mut line)?;
            self.header.covered = recent + rest as u64;
            self.header.since = self.header.covered;
        }
        reader.seek(SeekFrom::Start(self.header.covered))?;
        let mut offset = self.header.covered;
        loop {
            line.clear();
            let read = reader
                .by_ref()
                .take(LINE_MAX)
                .read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(());
            }
            if let Ok(record) = MailRecord::from_line(&line) {
                self.insert(&record, offset)?;
            }
            offset += read as u64;
            self.cover(offset)?;
        }
    }

    /// Notes that the log is indexed up to `covered`.
    pub(super) fn cover(&mut self, covered: u64) -> io::Result<()> {
        self.header.covered = covered;
        self.file.write_all_at(&self.header.encode(), 0)
    }

    /// Indexes the record at `offset` of the log by all its ids.
    pub(super) fn insert(&mut self, record: &MailRecord, offset: u64) -> io::Result<()> {
        for (kind, id) in record.ids() {
            if (self.header.used + 1) * 2 > self.header.slots {
                self.grow()?;
            }
            self.put(hash(self.header.seed, kind, id), offset + 1)?;
        }
        Ok(())
    }

    fn put(&mut self, hash: u64, place: u64) -> io::Result<()> {
        let mut same = Vec::new();
        let first = hash & (self.header.slots - 1);
        let mut free = None;
        // A damaged table may have no free slot: one round is all.
        for step in 0..self.header.slots {
            let slot = (first + step) & (self.header.slots - 1);
            let (there, value) = self.slot(slot)?;
            if value == 0 {
                free = Some(slot);
                break;
            }
            if there == hash {
                same.push((value, slot));
            }
        }
        let mut slot = free.ok_or(io::ErrorKind::InvalidData)?;
        if same.len() >= PLACES_MAX {
            let oldest = same.iter().min().copied();
            slot = oldest.map_or(slot, |(_, slot)| slot);
        } else {
            self.header.used += 1;
        }
        self.write_slot(slot, hash, place)
    }

    /// The places of an id of that kind, newest first. Another id may have the same hash.
    pub(super) fn places(&self, kind: IdKind, id: &str) -> io::Result<Vec<u64>> {
        let hash = hash(self.header.seed, kind, id);
        let mut places = Vec::new();
        let mut slot = hash & (self.header.slots - 1);
        // A damaged table may have no free slot: it ends after one round.
        for _ in 0..self.header.slots {
            let (there, value) = self.slot(slot)?;
            if value == 0 {
                break;
            }
            if there == hash {
                places.push(value - 1);
            }
            slot = (slot + 1) & (self.header.slots - 1);
        }
        places.sort_unstable_by(|one, other| other.cmp(one));
        Ok(places)
    }

    /// Removes its file, so that it is made again when the log is opened the next time.
    pub(super) fn discard(&self) {
        // Where that fails too, the records are found by reading the log.
        std::fs::remove_file(&self.path).unwrap_or_default();
    }

    /// Whether all of the log up to [`Self::covered`] is indexed.
    pub(super) fn is_whole(&self) -> bool {
        self.header.since == 0
    }

    /// The end of what is indexed of the log, in bytes.
    pub(super) fn covered(&self) -> u64 {
        self.header.covered
    }

    /// Makes the table twice as large.
    fn grow(&mut self) -> io::Result<()> {
        let mut larger = Self::create(&self.path, self.header.slots * 2, self.header.log)?;
        // The hashes stay: so does the seed.
        larger.header.seed = self.header.seed;
        larger.header.since = self.header.since;
        let mut reader = BufReader::new(self.file.try_clone()?);
        reader.seek(SeekFrom::Start(HEADER))?;
        let mut bytes = [0; SLOT];
        for _ in 0..self.header.slots {
            reader.read_exact(&mut bytes)?;
            let (hash, value) = decode_slot(&bytes);
            if value != 0 {
                larger.put(hash, value)?;
            }
        }
        larger.cover(self.header.covered)?;
        *self = larger;
        Ok(())
    }

    fn slot(&self, slot: u64) -> io::Result<(u64, u64)> {
        let mut bytes = [0; SLOT];
        self.file
            .read_exact_at(&mut bytes, HEADER + slot * SLOT as u64)?;
        Ok(decode_slot(&bytes))
    }

    fn write_slot(&mut self, slot: u64, hash: u64, value: u64) -> io::Result<()> {
        let mut bytes = [0; SLOT];
        let (chunks, _) = bytes.as_chunks_mut::<8>();
        for (chunk, field) in chunks.iter_mut().zip([hash, value]) {
            *chunk = field.to_le_bytes();
        }
        self.file.write_all_at(&bytes, HEADER + slot * SLOT as u64)
    }
}

fn decode_slot(bytes: &[u8; SLOT]) -> (u64, u64) {
    let (hash, value) = bytes.split_at(8);
    (first_word(hash), first_word(value))
}

pub(super) fn identity(log: &File) -> io::Result<(u64, u64)> {
    let metadata = log.metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}

/// The index of the log at `path`.
pub(super) fn index_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".index");
    PathBuf::from(name)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests damage files")]
mod tests {
    use super::*;

    const OLD: &str = include_str!("../fixtures/version-1.jsonl");

    fn log(directory: &Path, text: &str) -> (PathBuf, File) {
        let path = directory.join("r");
        std::fs::write(&path, text).unwrap();
        let file = File::open(&path).unwrap();
        (index_path(&path), file)
    }

    /// The places of an id of whatever kind.
    fn places_of(index: &Index, id: &str) -> Vec<u64> {
        let of = |kind| index.places(kind, id).unwrap();
        IdKind::ALL.into_iter().flat_map(of).collect()
    }

    #[test]
    fn every_id_of_every_record_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let (path, log) = log(directory.path(), OLD);
        let index = Index::open_for_writing(&path, &log).unwrap();
        assert_eq!(index.covered(), OLD.len() as u64);
        let first = OLD.find('\n').unwrap() as u64 + 1;
        for (id, places) in [
            ("000000000002d", vec![0]),
            ("4bXyz", vec![0]),
            ("000000000002e", vec![first]),
            ("nothing", vec![]),
        ] {
            assert_eq!(places_of(&index, id), places, "{id}");
        }
        let reader = Index::open_for_reading(&path, &log).unwrap().unwrap();
        assert_eq!(places_of(&reader, "4bXyz"), [0]);
    }

    #[test]
    fn it_grows_and_keeps_the_newest_places_of_an_id() {
        let directory = tempfile::tempdir().unwrap();
        let (path, log) = log(directory.path(), OLD);
        let mut index = Index::open_for_writing(&path, &log).unwrap();
        let mut record = MailRecord::from_line(OLD.lines().next().unwrap().as_bytes()).unwrap();
        for offset in 0..SLOTS_MIN {
            record.id = format!("id{offset}");
            index.insert(&record, offset).unwrap();
        }
        assert!(index.header.slots > SLOTS_MIN);
        for offset in 0..SLOTS_MIN {
            assert_eq!(places_of(&index, &format!("id{offset}")), [offset]);
        }
        let newest = places_of(&index, "4bXyz");
        assert_eq!(newest.len(), PLACES_MAX);
        assert_eq!(newest[0], SLOTS_MIN - 1);
    }

    #[test]
    fn an_index_that_is_torn_damaged_or_of_another_log_is_made_again() {
        let directory = tempfile::tempdir().unwrap();
        let (path, file) = log(directory.path(), OLD);
        Index::open_for_writing(&path, &file).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for length in [0, 10, HEADER_BYTES, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(Index::open_for_reading(&path, &file).unwrap().is_none());
            let index = Index::open_for_writing(&path, &file).unwrap();
            assert_eq!(places_of(&index, "4bXyz"), [0], "torn at {length}");
        }
        let mut damaged = whole;
        damaged[9] ^= 1;
        std::fs::write(&path, damaged).unwrap();
        assert!(Index::open_for_reading(&path, &file).unwrap().is_none());
        let shorter = directory.path().join("other");
        std::fs::write(&shorter, "").unwrap();
        let other = File::open(&shorter).unwrap();
        let index = Index::open_for_writing(&path, &other).unwrap();
        assert_eq!(places_of(&index, "4bXyz"), [0_u64; 0]);
    }

    #[test]
    fn a_table_without_a_free_slot_ends_a_search_and_is_made_again() {
        let directory = tempfile::tempdir().unwrap();
        let (path, file) = log(directory.path(), OLD);
        let mut index = Index::open_for_writing(&path, &file).unwrap();
        index.cover(0).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[HEADER_BYTES..].fill(0xff);
        std::fs::write(&path, bytes).unwrap();
        let mut full = Index::open(&path, true).unwrap();
        let record = MailRecord::from_line(OLD.lines().next().unwrap().as_bytes()).unwrap();
        assert!(full.insert(&record, 0).is_err());
        let index = Index::open_for_writing(&path, &file).unwrap();
        assert_eq!(places_of(&index, "4bXyz"), [0]);
    }

    #[test]
    fn only_the_end_of_a_large_log_is_indexed_when_it_is_opened() {
        let directory = tempfile::tempdir().unwrap();
        let filler = format!("{}\n", "x".repeat(1 << 20)).repeat(5);
        let (path, file) = log(directory.path(), &format!("{filler}{OLD}"));
        let index = Index::open_for_writing(&path, &file).unwrap();
        assert!(!index.is_whole());
        assert_eq!(places_of(&index, "4bXyz"), [filler.len() as u64]);
        let (path, file) = log(directory.path(), OLD);
        assert!(Index::open_for_writing(&path, &file).unwrap().is_whole());
    }
}
