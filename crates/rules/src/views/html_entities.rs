//! Character references as SpamAssassin's reader decodes them. Unlike browsers it takes 128 to 159
//! for the control characters that they are, and leaves what stands for no character.

use std::borrow::Cow;

use gatepost_mail::named_character;
use gatepost_words::bytes;

/// Bytes of the longest name that is looked up.
const NAME_LIMIT: usize = 10;

/// Where the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In text: an old name may run into the word after it.
    Text,
    /// In the value of an attribute.
    Attribute,
}

/// Decodes the character references of a text; what is none stays.
pub(super) fn decode(text: &str, place: Place) -> Cow<'_, str> {
    let Some(mut next) = memchr::memchr(b'&', text.as_bytes()) else {
        return Cow::Borrowed(text);
    };
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    loop {
        let (before, from) = rest.split_at_checked(next).unwrap_or((rest, ""));
        out.push_str(before);
        let found = reference(from.as_bytes(), place);
        let (character, length) = found.unwrap_or(('&', 1));
        out.push(character);
        rest = bytes::skip_str(from, length);
        let Some(at) = memchr::memchr(b'&', rest.as_bytes()) else {
            out.push_str(rest);
            return Cow::Owned(out);
        };
        next = at;
    }
}

/// The character that a reference at the start of `from` stands for, and the bytes of the
/// reference.
fn reference(from: &[u8], place: Place) -> Option<(char, usize)> {
    let body = from.get(1..)?;
    let (character, length) = match body.strip_prefix(b"#") {
        Some(digits) => numbered(digits)?,
        None => named(body, place)?,
    };
    Some((
        character,
        1 + length + usize::from(body.get(length) == Some(&b';')),
    ))
}

fn numbered(digits: &[u8]) -> Option<(char, usize)> {
    let (digits, radix, prefix) = match digits {
        [b'x' | b'X', digits @ ..] => (digits, 16, 2),
        digits => (digits, 10, 1),
    };
    let length = digits
        .iter()
        .take_while(|byte| char::from(**byte).is_digit(radix))
        .count();
    let number = digits
        .get(..length)?
        .iter()
        .try_fold(0_u32, |number, byte| {
            let digit = char::from(*byte).to_digit(radix)?;
            Some(number * radix + digit).filter(|number| *number <= 0x10_ffff)
        })?;
    if length == 0 || matches!(number, 0 | 0xfffe | 0xffff) {
        return None;
    }
    // Halves of a pair alone are replaced.
    Some((
        char::from_u32(number).unwrap_or('\u{fffd}'),
        prefix + length,
    ))
}

fn named(body: &[u8], place: Place) -> Option<(char, usize)> {
    let length = body
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
        .count();
    let name = |length: usize| std::str::from_utf8(body.get(..length)?).ok();
    if let Some(character) = name(length)
        .filter(|name| name.len() <= NAME_LIMIT)
        .and_then(named_character)
        && (is_old(character) || body.get(length) == Some(&b';'))
    {
        return Some((character, length));
    }
    if place == Place::Attribute {
        return None;
    }
    let shorter = (2..length.min(NAME_LIMIT)).rev();
    shorter
        .filter_map(|length| {
            name(length)
                .and_then(named_character)
                .map(|found| (found, length))
        })
        .find(|(found, _)| is_old(*found))
}

/// Whether a name goes without semicolon: those of Latin-1.
fn is_old(character: char) -> bool {
    u32::from(character) < 256
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_decoded() {
        for (text, in_text, in_attribute) in [
            ("a", "a", "a"),
            ("&lt;&#65;&#x42;&#X43", "<ABC", "<ABC"),
            (
                "&copyx &euro &euro; &Alpha;",
                "\u{a9}x &euro \u{20ac} \u{391}",
                "&copyx &euro \u{20ac} \u{391}",
            ),
            (
                "&#146;&#0;&#xfffe;&#x110000;",
                "\u{92}&#0;&#xfffe;&#x110000;",
                "\u{92}&#0;&#xfffe;&#x110000;",
            ),
            ("&#xd800;&;&#;&", "\u{fffd}&;&#;&", "\u{fffd}&;&#;&"),
            ("&amp;lt; &AMP;", "&lt; &AMP;", "&lt; &AMP;"),
        ] {
            assert_eq!(decode(text, Place::Text), in_text, "{text}");
            assert_eq!(decode(text, Place::Attribute), in_attribute, "{text}");
        }
    }
}
