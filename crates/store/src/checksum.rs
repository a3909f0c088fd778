//! The checksum of records and snapshots.

/// CRC-32 of IEEE 802.3, the one of zip and Ethernet: of the torn and flipped it overlooks one in
/// 2^32. Eight bytes at a time, so that a start need not wait for it: the table has one row for
/// each of them.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    const ROWS: [[u32; 256]; 8] = rows();
    let [first, second, third, fourth, fifth, sixth, seventh, eighth] = &ROWS;
    let (blocks, rest) = bytes.as_chunks::<8>();
    let mut crc = !0_u32;
    for &[a, b, c, d, e, f, g, h] in blocks {
        let [a, b, c, d] = (crc ^ u32::from_le_bytes([a, b, c, d])).to_le_bytes();
        crc = at(eighth, a) ^ at(seventh, b) ^ at(sixth, c) ^ at(fifth, d);
        crc ^= at(fourth, e) ^ at(third, f) ^ at(second, g) ^ at(first, h);
    }
    !rest.iter().fold(crc, |crc, &byte| {
        at(first, byte ^ crc.to_le_bytes()[0]) ^ (crc >> 8)
    })
}

fn at(row: &[u32; 256], byte: u8) -> u32 {
    row.get(usize::from(byte)).copied().unwrap_or_default()
}

/// The first row is the remainder of each byte; each further one that of a byte with one more zero
/// byte after it.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "computed at compile time"
)]
const fn rows() -> [[u32; 256]; 8] {
    let mut rows = [[0; 256]; 8];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 {
                0xedb8_8320 ^ (value >> 1)
            } else {
                value >> 1
            };
            bit += 1;
        }
        rows[0][index] = value;
        index += 1;
    }
    let mut row = 1;
    while row < 8 {
        let mut index = 0;
        while index < 256 {
            let before = rows[row - 1][index];
            rows[row][index] = rows[0][(before & 0xff) as usize] ^ (before >> 8);
            index += 1;
        }
        row += 1;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, bit by bit.
    fn slowly(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| {
                if crc & 1 == 1 {
                    0xedb8_8320 ^ (crc >> 1)
                } else {
                    crc >> 1
                }
            })
        })
    }

    #[test]
    fn it_is_the_one_of_the_standard_at_every_length() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let bytes: Vec<u8> = (0..100_u32)
            .map(|n| (n * n * 7 + 3).to_le_bytes()[0])
            .collect();
        for length in 0..bytes.len() {
            assert_eq!(
                crc32(&bytes[..length]),
                slowly(&bytes[..length]),
                "{length}"
            );
        }
    }
}
