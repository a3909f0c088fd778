//! The hash that turns text into bucket numbers. It is part of the schema: a change needs a new
//! `Schema::VERSION`.
//!
//! * A 4-gram of code points a b c d: `mix((a | b << 32) * K1 ^ rotate_left((c | d << 32) * K2, 31)
//!   ^ salt)`.
//! * A named token: 64-bit FNV-1a over its UTF-8 bytes, then `mix`.
//! * `mix` is the finaliser of splitmix64; the bucket is the high half of `hash * buckets` as a
//!   128-bit product, so that the range needs not be a power of two.

const K1: u64 = 0x9e37_79b9_7f4a_7c15;
const K2: u64 = 0xc2b2_ae3d_27d4_eb4f;
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// The finaliser of splitmix64.
const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Hash of four code points; `salt` keeps name spaces apart.
pub(super) fn gram(grams: [char; 4], salt: u64) -> u64 {
    let [a, b, c, d] = grams.map(|c| u64::from(u32::from(c)));
    let left = (a | b << 32).wrapping_mul(K1);
    let right = (c | d << 32).wrapping_mul(K2).rotate_left(31);
    mix(left ^ right ^ salt)
}

/// Hash of a token given in pieces; `["tag:", "a"]` and `["tag:a"]` are the same token.
pub(super) fn token(pieces: &[&str]) -> u64 {
    let bytes = pieces.iter().flat_map(|piece| piece.bytes());
    mix(bytes.fold(FNV_OFFSET, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME)
    }))
}

/// Where `hash` falls in `range`.
pub(super) fn bucket(hash: u64, range: std::ops::Range<usize>) -> usize {
    let width = range.end.saturating_sub(range.start) as u128;
    let offset = (u128::from(hash) * width) >> 64;
    range.start + usize::try_from(offset).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// These numbers are the schema: when they change, every model file is worthless.
    #[test]
    fn the_hash_is_fixed() {
        assert_eq!(gram(['a', 'b', 'c', 'd'], 0), 0xd60b_2f91_4616_38ef);
        assert_eq!(token(&["tag:a"]), 0x95f5_5926_8ee0_40ad);
    }

    #[test]
    fn pieces_are_one_token() {
        assert_eq!(token(&["tag:", "a"]), token(&["tag:a"]));
        assert_ne!(token(&["tag:b"]), token(&["tag:a"]));
    }

    #[test]
    fn buckets_stay_in_range_and_spread() {
        let mut seen = [0u32; 16];
        for i in 0u32..16_000 {
            let bucket = bucket(
                gram(['x', 'y', 'z', char::from_u32(i + 0x4e00).unwrap()], 1),
                100..116,
            );
            seen[bucket - 100] += 1;
        }
        assert!(seen.iter().all(|&n| (850..1150).contains(&n)), "{seen:?}");
        assert_eq!(bucket(u64::MAX, 5..9), 8);
        assert_eq!(bucket(0, 5..9), 5);
    }
}
