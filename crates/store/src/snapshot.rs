//! Snapshots: all that was learned up to one record, in a file that is replaced whole.
#![expect(clippy::disallowed_methods, reason = "snapshots are files")]

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use gatepost_words::fs::replace;

use super::Position;
use super::checksum::crc32;
use super::codec::{Input, put_number};

const MAGIC: &[u8; 12] = b"gatepost-sn3";
/// Longest file: all weights with their squares, and the samples.
const FILE_MAX: u64 = 98 << 20;
/// Permission bits of a snapshot where there was none.
const MODE: u32 = 0o660;
/// Most weights: three tables of the largest size.
const WEIGHTS_MAX: usize = 3 << 22;
/// Most samples.
const SAMPLES_MAX: usize = 1 << 16;

/// The logits of the experts for one message before its label was learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SnapshotSample {
    /// The content model's log-odds.
    pub content: Option<f32>,
    /// The site learner's logit.
    pub site: f32,
    /// The binary projection of the label.
    pub is_spam: bool,
}

/// How a snapshot's file is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// There is none.
    Missing,
    /// It is whole.
    Whole,
    /// It is whole, but made for other slots or settings.
    OtherSchema,
    /// It is truncated, or bytes of it were changed.
    Damaged,
}

/// All that was learned up to one record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Of slots and settings; what was learned under another is no use.
    pub schema: u32,
    /// The record.
    pub sequence: u64,
    /// Where in the label log it ends, as far as that log is still there.
    pub position: Position,
    /// Ham labels.
    pub ham: u64,
    /// Spam labels.
    pub spam: u64,
    /// The samples, from old to new.
    pub samples: Vec<SnapshotSample>,
    /// The weights.
    pub weights: Vec<f32>,
    /// For each weight the sum of its squared gradients.
    pub squares: Vec<f32>,
}

impl Snapshot {
    /// Writes it in the place of the one at `path`: a reader sees the old one or the new one, also
    /// when the machine stops in between.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        replace(path, &self.to_bytes(), MODE)
    }

    /// Reads one; `None` where there is none, or none of that schema, or it is damaged: then all is
    /// learned again.
    pub fn read(path: &Path, schema: u32) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Self::from_bytes(&read_all(file)?).filter(|snapshot| snapshot.schema == schema))
    }

    /// What is at `path`, for a check.
    pub fn condition(path: &Path, schema: u32) -> io::Result<Condition> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Condition::Missing),
            Err(error) => return Err(error),
        };
        Ok(match Self::from_bytes(&read_all(file)?) {
            None => Condition::Damaged,
            Some(snapshot) if snapshot.schema == schema => Condition::Whole,
            Some(_) => Condition::OtherSchema,
        })
    }

    /// The record of the one at `path`, by its first bytes only: whether it is whole shows when it
    /// is read.
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

    /// The bytes of its file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128 + 9 * self.samples.len() + 8 * self.weights.len());
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&self.schema.to_le_bytes());
        let Position { file, offset } = self.position;
        for number in [self.sequence, file, offset, self.ham, self.spam] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        put_number(self.samples.len() as u64, &mut out);
        for sample in &self.samples {
            out.push(u8::from(sample.is_spam));
            out.extend_from_slice(&sample.content.unwrap_or(f32::NAN).to_le_bytes());
            out.extend_from_slice(&sample.site.to_le_bytes());
        }
        for numbers in [&self.weights, &self.squares] {
            put_number(numbers.len() as u64, &mut out);
            for number in numbers {
                out.extend_from_slice(&number.to_le_bytes());
            }
        }
        Self::sealed(out)
    }

    /// Bytes with their checksum after them; public for fuzzing, which would never guess it.
    pub fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.extend_from_slice(&crc32(&bytes).to_le_bytes());
        bytes
    }

    /// The snapshot that these bytes are, all of them; `None` where they are damaged.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (body, checksum) = bytes.split_last_chunk()?;
        if crc32(body) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let mut input = Input(body.strip_prefix(MAGIC)?);
        let mut snapshot = Self {
            schema: input.u32()?,
            sequence: input.u64()?,
            position: Position {
                file: input.u64()?,
                offset: input.u64()?,
            },
            ham: input.u64()?,
            spam: input.u64()?,
            ..Self::default()
        };
        for _ in 0..input.count(SAMPLES_MAX)? {
            let is_spam = input.byte()? == 1;
            let content = Some(input.f32()?).filter(|content| content.is_finite());
            snapshot.samples.push(SnapshotSample {
                is_spam,
                content,
                site: input.f32()?,
            });
        }
        for numbers in [&mut snapshot.weights, &mut snapshot.squares] {
            let count = input.count(WEIGHTS_MAX)?;
            let bytes = input.bytes(count.checked_mul(4)?)?;
            *numbers = bytes
                .as_chunks::<4>()
                .0
                .iter()
                .map(|bytes| f32::from_le_bytes(*bytes))
                .collect();
        }
        input.is_empty().then_some(snapshot)
    }
}

/// In one piece: a buffer that grows while it is read into is written more than once.
fn read_all(file: File) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len().min(FILE_MAX);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
    file.take(FILE_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> Snapshot {
        Snapshot {
            schema: 3,
            sequence: 9,
            position: Position {
                file: 12,
                offset: 1 << 33,
            },
            ham: 4,
            spam: 5,
            samples: vec![
                SnapshotSample {
                    content: Some(1.5),
                    site: -2.0,
                    is_spam: true,
                },
                SnapshotSample {
                    content: None,
                    site: 0.0,
                    is_spam: false,
                },
            ],
            weights: vec![0.0, -1.0, 2.5],
            squares: vec![0.0, 0.5, 4.0],
        }
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("weights");
        assert_eq!(Snapshot::read(&path, 3).unwrap(), None);
        assert_eq!(Snapshot::condition(&path, 3).unwrap(), Condition::Missing);
        snapshot().write(&path).unwrap();
        assert_eq!(Snapshot::read(&path, 3).unwrap(), Some(snapshot()));
        assert_eq!(Snapshot::read(&path, 4).unwrap(), None, "another schema");
        assert_eq!(
            (
                Snapshot::peek(&path, 3).unwrap(),
                Snapshot::peek(&path, 4).unwrap()
            ),
            (Some(9), None)
        );
        assert_eq!(Snapshot::condition(&path, 3).unwrap(), Condition::Whole);
        assert_eq!(
            Snapshot::condition(&path, 4).unwrap(),
            Condition::OtherSchema
        );
        assert_eq!(
            Snapshot::peek(directory.path().join("none").as_path(), 3).unwrap(),
            None
        );
        let newer = Snapshot {
            sequence: 10,
            ..snapshot()
        };
        newer.write(&path).unwrap();
        assert_eq!(Snapshot::read(&path, 3).unwrap(), Some(newer));
        assert_eq!(
            std::fs::read_dir(directory.path()).unwrap().count(),
            1,
            "nothing is left next to it"
        );
        std::fs::write(&path, "half a sn").unwrap();
        assert_eq!(Snapshot::condition(&path, 3).unwrap(), Condition::Damaged);
    }

    #[test]
    fn what_is_cut_or_flipped_at_any_byte_is_no_snapshot() {
        let bytes = snapshot().to_bytes();
        assert_eq!(Snapshot::from_bytes(&bytes), Some(snapshot()));
        for at in 0..bytes.len() {
            assert_eq!(Snapshot::from_bytes(&bytes[..at]), None, "cut at {at}");
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert_eq!(Snapshot::from_bytes(&flipped), None, "flipped at {at}");
        }
    }
}
