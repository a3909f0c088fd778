//! Frames: a marker, a length and a checksum around the body of a record, so that whole records are
//! found again after damage.
//!
//! No body contains a marker: after each byte with which one begins, a zero is put. Without that a
//! message could be written so that its slots are a record, one that retracts everything, say; it
//! would be found where the record around it is torn.

use std::borrow::Cow;

use super::checksum::crc32;
use super::codec::{Input, put_record, take_record};
use super::entry::Record;

pub(super) const MARKER: &[u8; 4] = b"\xf7LBL";
/// Marker, length, checksum.
pub(super) const FRAME: usize = 12;
/// Longest body: of a label with all slots, five bytes each, some of them with a zero after them,
/// and room to spare.
pub(super) const BODY_MAX: usize = 192 << 10;

/// Appends a record with its frame.
pub(super) fn put_framed_record(record: &Record, out: &mut Vec<u8>) {
    let mut body = Vec::new();
    put_record(record, &mut body);
    put_framed(&body, out);
}

/// Appends marker, length, checksum and body.
pub(super) fn put_framed(body: &[u8], out: &mut Vec<u8>) {
    let body = stuffed(body);
    out.extend_from_slice(MARKER);
    out.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&crc32(&body).to_le_bytes());
    out.extend_from_slice(&body);
}

/// The record at the front, if there is a whole one, and its size.
pub(super) fn whole_record(bytes: &[u8]) -> Option<(Record, usize)> {
    let mut input = Input(bytes);
    if input.array::<4>()? != *MARKER {
        return None;
    }
    let length = usize::try_from(input.u32()?).ok()?;
    if length > BODY_MAX {
        return None;
    }
    let checksum = input.u32()?;
    let body = input.bytes(length)?;
    if crc32(body) != checksum {
        return None;
    }
    let record = take_record(&unstuffed(body)?)?;
    Some((record, FRAME + length))
}

/// Bytes with a zero after each that could begin a marker.
pub(super) fn stuffed(bytes: &[u8]) -> Vec<u8> {
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
pub(super) fn unstuffed(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    let [begin, ..] = *MARKER;
    let Some(first) = memchr::memchr(begin, bytes) else {
        return Some(Cow::Borrowed(bytes));
    };
    let (plain, mut rest) = bytes.split_at_checked(first)?;
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(plain);
    while let Some((_, after)) = rest.split_first() {
        let after = after.strip_prefix(&[0])?;
        let next = memchr::memchr(begin, after).unwrap_or(after.len());
        let (plain, others) = after.split_at_checked(next)?;
        out.push(begin);
        out.extend_from_slice(plain);
        rest = others;
    }
    Some(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
