//! Characters that stand for single bytes, so that a pattern held as a `str` can contain any byte.

/// The character that stands for the byte 0x80; the others follow, up to 0xFF.
const FIRST: u32 = 0xF780;

/// The byte that a character of a pattern stands for: U+F780 to U+F7FF stand for 0x80 to 0xFF. Any
/// other character is matched as its UTF-8 encoding.
pub fn byte_of_stand_in(character: char) -> Option<u8> {
    let offset = u32::from(character).checked_sub(FIRST)?;
    let low = u8::try_from(offset).ok()?;
    (low < 0x80).then_some(low | 0x80)
}

#[cfg(test)]
mod tests {
    use super::byte_of_stand_in;

    #[test]
    fn only_the_upper_half_has_stand_ins() {
        for (character, byte) in [
            ('\u{f77f}', None),
            ('\u{f780}', Some(0x80)),
            ('\u{f7ff}', Some(0xff)),
            ('\u{f800}', None),
            ('a', None),
        ] {
            assert_eq!(byte_of_stand_in(character), byte, "{character:?}");
        }
    }
}
