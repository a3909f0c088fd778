//! Opening regular files only: a FIFO in their place would be waited for, a device read for ever.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// The number of `/dev/null` (Linux, devices.txt): empty, and never waited for.
const NULL_DEVICE: u64 = 0x103;

/// Opens a regular file for reading, and nothing else: the error for anything else is `InvalidInput`
/// (`IsADirectory` for a directory) and names it.
///
/// The second look is at what was opened: the name may have been given to something else meanwhile,
/// and then opening must not wait.
pub fn open_regular(path: &Path) -> io::Result<File> {
    demand_regular(&std::fs::metadata(path)?)?;
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    demand_regular(&file.metadata()?)?;
    Ok(file)
}

fn demand_regular(metadata: &Metadata) -> io::Result<()> {
    let kind = metadata.file_type();
    let is_null = kind.is_char_device() && metadata.rdev() == NULL_DEVICE;
    if kind.is_file() || is_null {
        return Ok(());
    }
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let what = if kind.is_fifo() {
        "a FIFO, not waited for"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_char_device() || kind.is_block_device() {
        "a device"
    } else {
        "a special file"
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, what))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make files")]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_regular_file_is_named_and_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success());
        let error = |path: &Path| open_regular(path).unwrap_err();
        assert!(error(&fifo).to_string().starts_with("a FIFO"));
        assert_eq!(error(Path::new("/dev/zero")).to_string(), "a device");
        let kind = error(directory.path()).kind();
        assert_eq!(kind, io::ErrorKind::IsADirectory);
        assert!(open_regular(Path::new("/dev/null")).is_ok());
        let file = directory.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert!(open_regular(&file).is_ok());
    }
}
