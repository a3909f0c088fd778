//! Reads a tar stream (POSIX ustar, with GNU and pax long names) member by member, without touching
//! the disk.

use gatepost_words::bytes;
use std::io::{self, Read};

const BLOCK: usize = 512;
/// Members longer than this are passed over.
const MEMBER: u64 = 64 << 20;
/// Long names longer than this are an error.
const NAME: u64 = 64 << 10;

/// A tar archive that is being read.
pub(super) struct Tar<R> {
    input: R,
}

impl<R: Read> Tar<R> {
    /// Reads members from `input`.
    pub(super) fn new(input: R) -> Self {
        Self { input }
    }

    /// The next regular file: its path and content. `None` at the end.
    pub(super) fn next_file(&mut self) -> io::Result<Option<(String, Vec<u8>)>> {
        let mut long_name = None;
        loop {
            let mut block = [0u8; BLOCK];
            match self.input.read_exact(&mut block) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                Err(error) => return Err(error),
            }
            if block.iter().all(|&byte| byte == 0) {
                return Ok(None);
            }
            let size =
                octal(slice(&block, 124, 12)).ok_or_else(|| bad("a tar header has no size"))?;
            match slice(&block, 156, 1) {
                b"0" | b"\0" if size <= MEMBER => {
                    let name = long_name.take().unwrap_or_else(|| ustar_name(&block));
                    return Ok(Some((name, self.data(size)?)));
                }
                b"L" if size <= NAME => long_name = Some(text(&self.data(size)?)),
                b"x" if size <= NAME => long_name = pax_path(&self.data(size)?).or(long_name),
                _ => {
                    self.skip(size.saturating_add(padding(size)))?;
                    long_name = None;
                }
            }
        }
    }

    fn data(&mut self, size: u64) -> io::Result<Vec<u8>> {
        let mut data = Vec::new();
        (&mut self.input).take(size).read_to_end(&mut data)?;
        if data.len() as u64 != size {
            return Err(bad("the tar archive ends within a member"));
        }
        self.skip(padding(size))?;
        Ok(data)
    }

    fn skip(&mut self, size: u64) -> io::Result<()> {
        io::copy(&mut (&mut self.input).take(size), &mut io::sink()).map(drop)
    }
}

/// The bytes that fill the last block.
fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

fn slice(block: &[u8], at: usize, len: usize) -> &[u8] {
    bytes::slice(block, at..at + len)
}

fn text(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes::head(bytes, end)).into_owned()
}

fn octal(field: &[u8]) -> Option<u64> {
    let digits = text(field);
    u64::from_str_radix(digits.trim(), 8).ok()
}

fn ustar_name(block: &[u8]) -> String {
    let name = text(slice(block, 0, 100));
    let prefix = if slice(block, 257, 6) == b"ustar\0" {
        text(slice(block, 345, 155))
    } else {
        String::new()
    };
    if prefix.is_empty() {
        name
    } else {
        format!("{prefix}/{name}")
    }
}

/// The `path` record of a pax extended header (`LENGTH path=VALUE\n`).
fn pax_path(data: &[u8]) -> Option<String> {
    let data = String::from_utf8_lossy(data);
    data.lines()
        .find_map(|line| line.split_once(" path=").map(|(_, path)| path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, kind: u8, data: &[u8]) -> Vec<u8> {
        let mut block = vec![0u8; BLOCK];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
        block[156] = kind;
        block[257..263].copy_from_slice(b"ustar\0");
        block.extend_from_slice(data);
        block.resize(block.len().next_multiple_of(BLOCK), 0);
        block
    }

    #[test]
    fn files_directories_and_long_names() {
        let long = "d/".repeat(80) + "f";
        let mut archive = member("a/x", b'0', b"one");
        archive.extend(member("a/", b'5', b""));
        archive.extend(member("dev", b'3', &[1; 700]));
        archive.extend(member("L", b'L', long.as_bytes()));
        archive.extend(member("cut", b'0', &[7; 512]));
        archive.extend(member("p", b'x', b"16 path=pax/name\n"));
        archive.extend(member("cut", b'0', &[7; 513]));
        archive.extend([0; 1024]);
        let mut tar = Tar::new(archive.as_slice());
        assert_eq!(
            tar.next_file().unwrap(),
            Some(("a/x".to_owned(), b"one".to_vec()))
        );
        assert_eq!(tar.next_file().unwrap(), Some((long, vec![7; 512])));
        assert_eq!(
            tar.next_file().unwrap(),
            Some(("pax/name".to_owned(), vec![7; 513]))
        );
        assert_eq!(tar.next_file().unwrap(), None);
    }

    #[test]
    fn a_cut_archive_is_an_error() {
        let archive = member("a", b'0', &[1; 600]);
        assert!(Tar::new(&archive[..800]).next_file().is_err());
        let mut no_size = member("a", b'0', b"");
        no_size[124..136].copy_from_slice(b"zzzzzzzzzzzz");
        assert!(Tar::new(no_size.as_slice()).next_file().is_err());
    }
}
