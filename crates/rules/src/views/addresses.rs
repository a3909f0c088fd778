//! The addresses of a header field as SpamAssassin reads them: tolerant of what is no address by
//! RFC 5322, on bytes, with encoded words left alone.

use gatepost_words::bytes;

/// Addresses read from one field.
const ADDRESSES_LIMIT: usize = 10_000;
/// Bytes of one field that are read.
const FIELD_LIMIT: usize = 100 << 10;
/// Closing brackets that are tried for one opening one.
const BRACKETS_LIMIT: usize = 16;

/// One entry of a field.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The display name, else the comment; quotes and comments removed.
    pub(crate) name: Option<Vec<u8>>,
    /// The address, where it looks like one.
    pub(crate) address: Option<Vec<u8>>,
}

/// The entries of a field's value, folded or not.
pub(crate) fn entries(value: &[u8]) -> Vec<Entry> {
    let value = bytes::head(value, FIELD_LIMIT).trim_ascii_end();
    let text = without_group(&without_pairs(value)).to_vec();
    let mut entries = Vec::new();
    let mut rest = text.as_slice();
    while entries.len() < ADDRESSES_LIMIT
        && let Some((entry, length)) = read_entry(rest)
    {
        rest = bytes::skip(rest, length);
        entries.push(entry);
    }
    if rest.contains(&b'@') {
        entries.extend(bracketed(rest));
    }
    entries
}

/// Without pairs of backslashes.
fn without_pairs(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, behind)) = rest.split_first() {
        if let Some(behind) = rest.strip_prefix(b"\\\\") {
            rest = behind;
        } else {
            out.push(*first);
            rest = behind;
        }
    }
    out
}

/// Without the name of a group, and its end where that follows at once.
fn without_group(value: &[u8]) -> &[u8] {
    let head = value
        .iter()
        .position(|byte| b"\"()<>".contains(byte))
        .unwrap_or(value.len());
    let colon = value
        .get(1..head)
        .and_then(|head| head.iter().rposition(|byte| *byte == b':'));
    let Some(members) = colon.and_then(|at| value.get(at + 2..)) else {
        return value;
    };
    let members = trimmed_start(members);
    if members.starts_with(b";") {
        &[]
    } else {
        members
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn trimmed_start(text: &[u8]) -> &[u8] {
    let start = text
        .iter()
        .position(|byte| !is_space(*byte))
        .unwrap_or(text.len());
    bytes::skip(text, start)
}

fn blanks(text: &[u8]) -> usize {
    text.len() - trimmed_start(text).len()
}

fn from(text: &[u8], at: usize) -> &[u8] {
    bytes::skip(text, at)
}

/// The length of a quoted string at the start.
fn quoted(text: &[u8]) -> Option<usize> {
    delimited(text, b'"', b'"')
}

/// The length of a comment at the start; comments in it end it.
fn comment(text: &[u8]) -> Option<usize> {
    delimited(text, b'(', b')')
}

fn delimited(text: &[u8], open: u8, close: u8) -> Option<usize> {
    if text.first() != Some(&open) {
        return None;
    }
    let mut is_escaped = false;
    for (at, byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            _ if *byte == close => return Some(at + 1),
            _ if *byte == open => return None,
            _ => {}
        }
    }
    None
}

/// The length of words and quoted strings at the start.
fn phrase(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = from(text, at);
        at += match rest.first() {
            None | Some(b',' | b';' | b'<') => return at,
            Some(b'"') => match quoted(rest) {
                Some(length) => length,
                None => return at,
            },
            Some(_) => rest
                .iter()
                .position(|byte| b"\",;<".contains(byte))
                .unwrap_or(rest.len()),
        };
    }
}

/// The length of an address at the start.
fn mailbox(text: &[u8]) -> Option<usize> {
    let in_user = |byte: &u8| !is_space(*byte) && !b"@<>()[],:;".contains(byte);
    let domain = |at: usize| -> Option<usize> {
        let rest = text.get(at..)?.strip_prefix(b"@")?;
        let length = rest
            .iter()
            .position(|byte| is_space(*byte) || b"\"<>()[],:;".contains(byte))
            .unwrap_or(rest.len());
        if length > 0 {
            return Some(at + 1 + length);
        }
        let inner = rest.strip_prefix(b"[")?;
        let length = inner
            .iter()
            .take_while(|byte| byte.is_ascii_digit() || b":.".contains(byte))
            .count();
        (length > 0 && inner.get(length) == Some(&b']')).then_some(at + length + 3)
    };
    if let Some(end) = quoted(text).and_then(domain) {
        return Some(end);
    }
    let user = text
        .iter()
        .position(|byte| !in_user(byte))
        .unwrap_or(text.len());
    if user == 0 { None } else { domain(user) }
}

/// A comment, white space, and what ends an entry; the comment's content, and where the next entry
/// begins.
fn tail(text: &[u8], at: usize) -> Option<(Option<&[u8]>, usize)> {
    let mut at = at + blanks(from(text, at));
    let mut content = None;
    if let Some(length) = comment(from(text, at)) {
        content = text.get(at + 1..at + length - 1);
        at += length;
        at += blanks(from(text, at));
    }
    match text.get(at) {
        None => Some((content, at)),
        Some(b',' | b';') => Some((content, at + 1)),
        Some(_) => None,
    }
}

/// Reads one entry; returns it and its length with what ends it.
fn read_entry(text: &[u8]) -> Option<(Entry, usize)> {
    let start = blanks(text);
    if start == text.len() {
        return None;
    }
    let name_end = start + phrase(from(text, start));
    if text.get(name_end) == Some(&b'<')
        && let Some((address, comment, end)) = in_brackets(text, name_end)
    {
        let name = text.get(start..name_end).filter(|name| !name.is_empty());
        let address = without_comments(address);
        let address = Some(address).filter(|address| mailbox(address) == Some(address.len()));
        return Some((settled(name, address, comment), end));
    }
    if let Some((length, (comment, end))) =
        mailbox(from(text, start)).and_then(|length| Some((length, tail(text, start + length)?)))
    {
        let address = text.get(start..start + length).map(<[u8]>::to_vec);
        return Some((settled(None, address, comment), end));
    }
    if name_end == start {
        return None;
    }
    let (comment, end) = tail(text, name_end)?;
    Some((settled(text.get(start..name_end), None, comment), end))
}

/// An address in brackets, the comment after it, and where the next entry begins.
type Bracketed<'t> = (&'t [u8], Option<&'t [u8]>, usize);

/// An address in angle brackets at `open`, the comment after it, and where the next entry begins.
fn in_brackets(text: &[u8], open: usize) -> Option<Bracketed<'_>> {
    let start = open + 1 + blanks(from(text, open + 1));
    let rest = from(text, start);
    let special = start + rest.iter().position(|byte| matches!(byte, b'>' | b'@'))?;
    let run = special
        + from(text, special)
            .iter()
            .position(|byte| is_space(*byte))
            .unwrap_or(text.len() - special);
    let try_end = |end: usize| {
        let close = end + blanks(from(text, end));
        if text.get(close) != Some(&b'>') {
            return None;
        }
        let (comment, next) =
            tail(text, behind_repeats(text, close + 1)).or_else(|| tail(text, close + 1))?;
        Some((text.get(start..end)?, comment, next))
    };
    if let Some(found) = try_end(run) {
        return Some(found);
    }
    let mut closing = (special + 1..run)
        .rev()
        .filter(|at| text.get(*at) == Some(&b'>'))
        .take(BRACKETS_LIMIT);
    let found = closing.find_map(try_end);
    found.or_else(|| {
        let inside = text.get(start..special)?.trim_ascii_end().len();
        (text.get(special) == Some(&b'>')).then(|| try_end(start + inside))?
    })
}

/// After further addresses in angle brackets, which some write twice.
fn behind_repeats(text: &[u8], at: usize) -> usize {
    let mut end = at;
    loop {
        let open = end + blanks(from(text, end));
        if text.get(open) != Some(&b'<') {
            return end;
        }
        let inner = from(text, open + 1);
        let length = inner
            .iter()
            .position(|byte| is_space(*byte))
            .unwrap_or(inner.len());
        match inner
            .get(..length)
            .and_then(|run| run.iter().rposition(|byte| *byte == b'>'))
        {
            Some(close) => end = open + close + 2,
            None => return end,
        }
    }
}

fn without_comments(text: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::with_capacity(text.len()), 0);
    while let Some(byte) = text.get(at) {
        if let Some(length) = comment(from(text, at)) {
            at += length;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    out
}

/// What a phrase says: quotes removed, comments outside of them dropped.
fn plain_phrase(text: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::with_capacity(text.len()), 0);
    while at < text.len() {
        let rest = from(text, at);
        if let Some(length) = quoted(rest) {
            out.extend(
                bytes::slice(rest, 1..length - 1)
                    .iter()
                    .filter(|byte| **byte != b'\\'),
            );
            at += length;
        } else {
            let length = rest
                .iter()
                .skip(1)
                .position(|byte| *byte == b'"')
                .map_or(rest.len(), |length| length + 1);
            let words = bytes::head(rest, length);
            out.extend(without_comments(words));
            at += length;
        }
    }
    out
}

fn is_plausible(address: &[u8]) -> bool {
    !address.starts_with(b"\"\"@") && memchr::memchr_iter(b'"', address).count() != 1
}

/// The entry that name, address and comment make.
fn settled(name: Option<&[u8]>, address: Option<Vec<u8>>, comment: Option<&[u8]>) -> Entry {
    let mut address = address.filter(|address| is_plausible(address));
    let mut name = name.map(plain_phrase);
    if let Some(phrase) = &name {
        let host = phrase
            .iter()
            .position(|byte| *byte == b'@')
            .and_then(|at| phrase.get(at + 1..))
            .unwrap_or_default();
        let host = host.split(|byte| *byte == b'@').next().unwrap_or_default();
        let is_address = address.is_none()
            && mailbox(phrase) == Some(phrase.len())
            && is_plausible(phrase)
            && crate::views::host::is_full_name(&crate::views::host::to_ascii(
                &String::from_utf8_lossy(host),
            ));
        if is_address {
            address = name.take();
        } else if phrase.is_empty() || address.as_ref() == Some(phrase) {
            name = None;
        }
    }
    // A quoted local part may hold an @ of its own (RFC 5321 §4.1.2).
    let address = address.map(|address| {
        let start = quoted(&address).unwrap_or(0);
        let second = address
            .iter()
            .enumerate()
            .skip(start)
            .filter(|(_, byte)| **byte == b'@')
            .nth(1)
            .map(|(at, _)| at);
        bytes::head(&address, second.unwrap_or(address.len())).to_vec()
    });
    Entry {
        name: name.or_else(|| comment.map(<[u8]>::to_vec)),
        address,
    }
}

/// Addresses in angle brackets in what could not be read.
fn bracketed(text: &[u8]) -> Vec<Entry> {
    let mut found = Vec::new();
    for open in memchr::memchr_iter(b'<', text).take(ADDRESSES_LIMIT) {
        let inner = from(text, open + 1);
        let inner = bytes::head(inner, 1_024);
        if let Some(length) = mailbox(inner).filter(|length| inner.get(*length) == Some(&b'>')) {
            let address = inner.get(..length).map(<[u8]>::to_vec);
            found
                .extend(Some(settled(None, address, None)).filter(|entry| entry.address.is_some()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &str) -> String {
        let show = |part: &Option<Vec<u8>>| {
            part.as_deref().map_or("-".into(), |part| {
                String::from_utf8_lossy(part).into_owned()
            })
        };
        entries(value.as_bytes())
            .iter()
            .map(|entry| format!("{}|{};", show(&entry.name), show(&entry.address)))
            .collect::<Vec<_>>()
            .concat()
    }

    #[test]
    fn addresses_are_read() {
        for (value, wanted) in [
            (" a@example.com\n", "-|a@example.com;"),
            (
                "A Name <a@example.com>, b@example.net (B)",
                "A Name |a@example.com;B|b@example.net;",
            ),
            (
                "\"Last, \\\"First\\\"\" <a@example.com>",
                "Last, \"First\" |a@example.com;",
            ),
            ("\"a@example.com\"<a@example.com>", "-|a@example.com;"),
            (
                "\"A <a@example.org>\"@example.com",
                "-|\"A <a@example.org>\"@example.com;",
            ),
            ("\"a@example.com\"", "-|a@example.com;"),
            (
                "Team: a@example.com, <b@example.net>;",
                "-|a@example.com;-|b@example.net;",
            ),
            ("undisclosed-recipients:;", ""),
            ("<>", "-|-;"),
            ("Only a name", "Only a name|-;"),
            ("A <a b@example.com>", "A |-;"),
            ("A <a@example.com> <a@example.com>", "A |a@example.com;"),
            ("a@b@example.com", "-|a@b;"),
            ("\"A\"a@example.com", "-|\"A\"a@example.com;"),
            ("<a(x)@example.com > (B)", "B|a@example.com;"),
            ("\"open <a@example.com>", "-|a@example.com;"),
            (
                "=?utf-8?q?A?= <a@[192.0.2.1]>",
                "=?utf-8?q?A?= |a@[192.0.2.1];",
            ),
            (",a@example.com", ""),
        ] {
            assert_eq!(shown(value), wanted, "{value}");
        }
    }

    #[test]
    fn addresses_stop_at_the_limit() {
        for (count, wanted) in [
            (ADDRESSES_LIMIT, ADDRESSES_LIMIT),
            (ADDRESSES_LIMIT + 1, ADDRESSES_LIMIT),
        ] {
            assert_eq!(entries(&b"a@b.co,".repeat(count)).len(), wanted);
        }
    }
}
