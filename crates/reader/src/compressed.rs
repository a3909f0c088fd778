//! Messages that are stored compressed: by Dovecot's zlib plugin, in amavis' quarantine, as archives.

use std::io::{self, Read};

use super::sniff::Compression;

/// The window of zstd that is accepted (`zstd --long=27`).
const WINDOW_LOG_MAX: u32 = 27;
/// Decompressed bytes of one file. One message ends much earlier, at `limits.message`.
const DECOMPRESSED_MAX: u64 = 4 << 30;

/// A reader of what is compressed in `reader`.
pub(crate) fn decompress<'a>(
    compression: Compression,
    reader: impl Read + 'a,
) -> io::Result<Box<dyn Read + 'a>> {
    let decoder: Box<dyn Read + 'a> = match compression {
        Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(reader)),
        Compression::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(reader)),
        Compression::Zstd => {
            let mut decoder = zstd::Decoder::new(reader)?;
            decoder.window_log_max(WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
    };
    Ok(Box::new(Limited {
        decoder,
        left: DECOMPRESSED_MAX,
    }))
}

/// An error, not an end, at the limit: what is after it must not look as if it were not there.
struct Limited<R> {
    decoder: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let named = |error: io::Error| {
            io::Error::new(error.kind(), format!("cannot be decompressed: {error}"))
        };
        let length = self.decoder.read(buffer).map_err(named)?;
        let Some(left) = self.left.checked_sub(length as u64) else {
            let message = "larger than the limit of decompressed data";
            return Err(io::Error::other(message));
        };
        self.left = left;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_an_error_at_n_plus_one() {
        for (left, fits) in [(10, true), (9, false)] {
            let mut limited = Limited {
                decoder: &[0_u8; 10][..],
                left,
            };
            assert_eq!(limited.read_to_end(&mut Vec::new()).is_ok(), fits);
        }
    }
}
