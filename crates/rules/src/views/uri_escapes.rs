//! Escapes in URIs: `%XX` and numeric character references, undone where they hide plain text.

use gatepost_words::bytes;

/// Numeric references of printable ASCII, and of the dots of other scripts, as characters.
pub(super) fn without_references(text: &str) -> String {
    if !text.contains("&#") {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("&#") {
        out.push_str(before);
        let (digits, radix) = match behind.strip_prefix(['x', 'X']) {
            Some(digits) => (digits, 16),
            None => (behind, 10),
        };
        let number = digits
            .split_once(';')
            .filter(|(number, _)| number.len() < 12)
            .and_then(|(number, behind)| {
                let code = u32::from_str_radix(number.trim_start_matches('0'), radix).ok()?;
                match code {
                    0x2e | 0x3002 | 0xff0e | 0xff61 => Some(('.', behind)),
                    0x21..=0x7e => char::from_u32(code).map(|character| (character, behind)),
                    _ => None,
                }
            });
        if let Some((character, behind)) = number {
            out.push(character);
            rest = behind;
        } else {
            out.push_str("&#");
            rest = behind;
        }
    }
    out.push_str(rest);
    out
}

/// Undoes `%XX` where it stands for printable ASCII, and escapes what should be escaped. Without
/// any escape nothing changes.
pub(super) fn unescaped(text: &str, is_octets: bool) -> String {
    let escape_at = |text: &str| {
        text.match_indices('%').find_map(|(at, _)| {
            let digits = text.get(at + 1..at + 3)?;
            digits
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit())
                .then(|| Some((at, u8::from_str_radix(digits, 16).ok()?)))?
        })
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut has_escapes = false;
    while let Some((at, byte)) = escape_at(rest) {
        has_escapes = true;
        push_escaped(bytes::head_str(rest, at), is_octets, &mut out);
        match byte {
            0x21..=0x7e => out.push(char::from(byte)),
            _ => out.push_str(bytes::slice_str(rest, at..at + 3)),
        }
        rest = bytes::skip_str(rest, at + 3);
    }
    if !has_escapes {
        return text.to_owned();
    }
    push_escaped(rest, is_octets, &mut out);
    out
}

fn push_escaped(text: &str, is_octets: bool, out: &mut String) {
    use std::fmt::Write as _;
    let mut buffer = [0; 4];
    for character in text.chars() {
        let code = u32::from(character);
        let is_odd = matches!(character, '\0'..=' ' | '\x7f' | '"' | '%' | '<' | '>')
            || (0x80..=0xff).contains(&code);
        // Writing to a string does not fail.
        let mut put = |code: u32| write!(out, "%{code:02x}").unwrap_or_default();
        if is_octets && !character.is_ascii() {
            character
                .encode_utf8(&mut buffer)
                .bytes()
                .for_each(|byte| put(u32::from(byte)));
        } else if is_odd {
            put(code);
        } else {
            out.push(character);
        }
    }
}
