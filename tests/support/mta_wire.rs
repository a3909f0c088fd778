//! Words, texts and replies, as they are in packets.

use std::io;

/// Checks a reply text as Postfix does, and makes percent signs single.
pub(super) fn code(payload: &[u8]) -> io::Result<String> {
    let whole = payload
        .strip_suffix(b"\0")
        .ok_or_else(|| broken("a reply code without its NUL"))?;
    let whole = text(whole);
    let lines: Vec<&str> = whole.split("\r\n").collect();
    let code = whole.get(..3).unwrap_or_default();
    for (at, line) in lines.iter().enumerate() {
        let separator = if at + 1 < lines.len() { "-" } else { " " };
        let enhanced = line
            .strip_prefix(code)
            .and_then(|rest| rest.strip_prefix(separator))
            .unwrap_or_default();
        if !code.starts_with(['4', '5'])
            || enhanced.get(..1) != code.get(..1)
            || enhanced.get(1..2) != Some(".")
        {
            return Err(broken(&format!("a malformed reply code: {whole:?}")));
        }
        if line.len() > 510 || !line.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(broken(&format!(
                "a reply line that SMTP does not take: {line:?}"
            )));
        }
    }
    let single = whole.replace("%%", "\u{1}");
    if single.contains('%') {
        return Err(broken(&format!("a single percent sign: {whole:?}")));
    }
    Ok(single.replace('\u{1}', "%"))
}

pub(super) fn strings(words: &[&str]) -> Vec<u8> {
    words
        .iter()
        .flat_map(|word| word.bytes().chain([0]))
        .collect()
}

pub(super) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..at + 4)?
        .try_into()
        .ok()
        .map(u32::from_be_bytes)
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(super) fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}
