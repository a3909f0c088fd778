//! Snapshots: all that was learned up to one record, in a file that is replaced whole.
#![expect(clippy::disallowed_methods, reason = "snapshots are files")]

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::codec::{Input, put_number, put_slots, take_slots};

const MAGIC: &[u8; 12] = b"gatepost-sn1";
/// Longest file: 2^22 weights, 4,000 remembered labels of all slots, and the trials.
const FILE_MAX: u64 = 192 << 20;
/// Most weights.
const WEIGHTS_MAX: usize = 1 << 22;
/// Most remembered labels.
const MEMORY_MAX: usize = 4_000;
/// Most trials.
const TRIALS_MAX: usize = 1 << 16;

/// What the experts said of one mail before its label was learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SnapshotTrial {
    /// The content model's log-odds.
    pub content: Option<f32>,
    /// The site learner's logit.
    pub site: f32,
    /// The label.
    pub spam: bool,
}

/// All that was learned up to one record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Of slots and settings; what was learned under another is no use.
    pub schema: u32,
    /// The record.
    pub sequence: u64,
    /// Ham labels heard.
    pub ham: u64,
    /// Spam labels heard.
    pub spam: u64,
    /// State of the random choice.
    pub choice: u64,
    /// The trials, from old to new.
    pub trials: Vec<SnapshotTrial>,
    /// Remembered labels, from old to new.
    pub memory: Vec<(Vec<u32>, bool)>,
    /// The weights.
    pub weights: Vec<f32>,
}

impl Snapshot {
    /// Writes it beside `path` and puts it in its place: who reads sees the old one or the new one, also when the machine
    /// stops in between.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let beside = Path::new(&beside);
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o660).open(beside)?;
        file.write_all(&self.encode())?;
        file.sync_data()?;
        std::fs::rename(beside, path)?;
        // The new name is on the disk only when the directory is.
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory)?.sync_all()
    }

    /// Reads one; `None` where there is none, or none of that schema, or it is damaged: then all is learned again.
    pub fn read(path: &Path, schema: u32) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(FILE_MAX + 1).read_to_end(&mut bytes)?;
        Ok(Self::decode(&bytes).filter(|snapshot| snapshot.schema == schema))
    }

    /// The record of the one at `path`, by its first bytes only: whether it is whole shows when it is read.
    pub fn peek(path: &Path, schema: u32) -> io::Result<Option<u64>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(MAGIC.len() as u64 + 12).read_to_end(&mut bytes)?;
        let mut input = Input(bytes.strip_prefix(MAGIC).unwrap_or_default());
        let is_ours = input.u32() == Some(schema);
        Ok(input.u64().filter(|_| is_ours))
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&self.schema.to_le_bytes());
        for number in [self.sequence, self.ham, self.spam, self.choice] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        put_number(self.trials.len() as u64, &mut out);
        for trial in &self.trials {
            out.push(u8::from(trial.spam));
            out.extend_from_slice(&trial.content.unwrap_or(f32::NAN).to_le_bytes());
            out.extend_from_slice(&trial.site.to_le_bytes());
        }
        put_number(self.memory.len() as u64, &mut out);
        for (slots, spam) in &self.memory {
            out.push(u8::from(*spam));
            put_slots(slots, &mut out);
        }
        put_number(self.weights.len() as u64, &mut out);
        out.extend(self.weights.iter().flat_map(|weight| weight.to_le_bytes()));
        let digest = Sha256::digest(&out);
        out.extend_from_slice(&digest);
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, digest) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
        if Sha256::digest(body).as_slice() != digest {
            return None;
        }
        let mut input = Input(body.strip_prefix(MAGIC)?);
        let mut snapshot = Self {
            schema: input.u32()?,
            sequence: input.u64()?,
            ham: input.u64()?,
            spam: input.u64()?,
            choice: input.u64()?,
            ..Self::default()
        };
        for _ in 0..input.count(TRIALS_MAX)? {
            let spam = input.byte()? == 1;
            let content = Some(input.f32()?).filter(|content| content.is_finite());
            snapshot.trials.push(SnapshotTrial { spam, content, site: input.f32()? });
        }
        for _ in 0..input.count(MEMORY_MAX)? {
            let spam = input.byte()? == 1;
            snapshot.memory.push((take_slots(&mut input)?, spam));
        }
        let count = input.count(WEIGHTS_MAX)?;
        let weights = input.bytes(count.checked_mul(4)?)?;
        snapshot.weights = weights.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        input.is_empty().then_some(snapshot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> Snapshot {
        Snapshot {
            schema: 3,
            sequence: 9,
            ham: 4,
            spam: 5,
            choice: 77,
            trials: vec![
                SnapshotTrial { content: Some(1.5), site: -2.0, spam: true },
                SnapshotTrial { content: None, site: 0.0, spam: false },
            ],
            memory: vec![(vec![1, 5, 9], true), (Vec::new(), false)],
            weights: vec![0.0, -1.0, 2.5],
        }
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("weights");
        assert_eq!(Snapshot::read(&path, 3).unwrap(), None);
        snapshot().write(&path).unwrap();
        assert_eq!(Snapshot::read(&path, 3).unwrap(), Some(snapshot()));
        assert_eq!(Snapshot::read(&path, 4).unwrap(), None, "another schema");
        assert_eq!((Snapshot::peek(&path, 3).unwrap(), Snapshot::peek(&path, 4).unwrap()), (Some(9), None));
        assert_eq!(Snapshot::peek(directory.path().join("none").as_path(), 3).unwrap(), None);
        let newer = Snapshot { sequence: 10, ..snapshot() };
        newer.write(&path).unwrap();
        assert_eq!(Snapshot::read(&path, 3).unwrap(), Some(newer));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_is_cut_or_flipped_at_any_byte_is_no_snapshot() {
        let bytes = snapshot().encode();
        assert_eq!(Snapshot::decode(&bytes), Some(snapshot()));
        for at in 0..bytes.len() {
            assert_eq!(Snapshot::decode(&bytes[..at]), None, "cut at {at}");
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert_eq!(Snapshot::decode(&flipped), None, "flipped at {at}");
        }
    }
}
