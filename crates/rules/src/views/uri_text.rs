//! Finds what mail readers show as a link in rendered text, as SpamAssassin does: URLs with a
//! scheme or `www.`, addresses, and bare hosts with a known top-level domain. One pass: each kind
//! ends at its own delimiters, and what begins inside a link is not looked at again.

use std::ops::Range;

use super::host::{has_known_end, is_full_name};
use crate::lists::tables::Lists;
use gatepost_words::bytes;

/// Bytes of a URL after its start.
const URL_LIMIT: usize = 2_048;
/// Bytes on either side of the @ of an address.
const ADDRESS_LIMIT: usize = 251;
/// Bytes of a bare host in front of its top-level domain.
const HOST_LIMIT: usize = 252;

/// How a link was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Known,
    Mail,
    Bare,
}

/// The links of one paragraph with the scheme that they are meant to have, in order.
pub(super) fn links(text: &str, lists: &Lists) -> Vec<String> {
    let scan = Scan {
        bytes: text.as_bytes(),
        lists,
    };
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((start, token_end)) = scan.next_token(at) {
        at = token_end;
        let mut from = start;
        while let Some((kind, range)) = scan.next_link(from, token_end) {
            from = range.end.max(from + 1);
            // A byte of a character may be a delimiter, as it is to SpamAssassin.
            let written = String::from_utf8_lossy(bytes::slice(scan.bytes, range));
            found.extend(meant(kind, trimmed(&written), lists));
        }
    }
    found
}

struct Scan<'t> {
    bytes: &'t [u8],
    lists: &'t Lists,
}

impl Scan<'_> {
    /// The next stretch without the delimiters that end any link and with something in it that may
    /// be one.
    fn next_token(&self, from: usize) -> Option<(usize, usize)> {
        let mut at = from;
        loop {
            let rest = self.bytes.get(at..)?;
            let start = at + rest.iter().position(|byte| !ends_url(*byte))?;
            let rest = self.bytes.get(start..)?;
            let end = start
                + rest
                    .iter()
                    .position(|byte| ends_url(*byte))
                    .unwrap_or(rest.len());
            let token = self.bytes.get(start..end)?;
            if token.len() > 3 && memchr::memchr2(b'.', b'@', token).is_some() {
                return Some((start, end));
            }
            if memchr::memmem::find(token, b"://").is_some() {
                return Some((start, end));
            }
            at = end;
        }
    }

    /// The next link between `from` and the end of its token.
    fn next_link(&self, from: usize, token_end: usize) -> Option<(Kind, Range<usize>)> {
        // Where the next @ is and where an address around it would end, as far as it is known.
        let (mut sign, mut address_end) = (None, from);
        for at in from..token_end {
            if !self.may_begin(at) {
                continue;
            }
            if self
                .is_known_start(at)
                .is_some_and(|length| (1..=URL_LIMIT).contains(&(token_end - at - length)))
            {
                return Some((Kind::Known, at..token_end));
            }
            if address_end <= at {
                let rest = bytes::slice(self.bytes, at..token_end);
                address_end = at
                    + rest
                        .iter()
                        .position(|byte| ends_address(*byte))
                        .unwrap_or(rest.len());
                sign = None;
            }
            if sign.is_none_or(|sign| sign < at) {
                let rest = bytes::slice(self.bytes, at..address_end);
                sign = Some(memchr::memchr(b'@', rest).map_or(address_end, |index| at + index));
            }
            let sign_at = sign.unwrap_or(address_end);
            let is_mailto = self.starts(at, b"mailto:")
                && (1..=URL_LIMIT).contains(&address_end.saturating_sub(at + 7));
            let is_address = sign_at < address_end
                && (1..=ADDRESS_LIMIT).contains(&(sign_at - at))
                && (1..=ADDRESS_LIMIT).contains(&(address_end - sign_at - 1));
            if is_mailto || is_address {
                return Some((Kind::Mail, at..address_end));
            }
            if self.is_bare_host(at, token_end) {
                return Some((Kind::Bare, at..token_end));
            }
        }
        None
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn before(&self, at: usize) -> Option<u8> {
        at.checked_sub(1).and_then(|before| self.byte(before))
    }

    fn starts(&self, at: usize, what: &[u8]) -> bool {
        self.bytes
            .get(at..at + what.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(what))
    }

    /// A link begins at the edge of a word, after certain punctuation, or after a shift of
    /// ISO-2022.
    fn may_begin(&self, at: usize) -> bool {
        let before = self.before(at);
        let is_edge = self.byte(at).is_some_and(is_word) != before.is_some_and(is_word);
        is_edge
            || before.is_some_and(|byte| is_space(byte) || b"><\"'`,{[(|\x1b\xa0".contains(&byte))
            || at
                .checked_sub(3)
                .and_then(|start| self.bytes.get(start..at))
                .is_some_and(|shift| shift.starts_with(b"\x1b("))
    }

    /// The length of a scheme or of the start of a host that is known to be one.
    fn is_known_start(&self, at: usize) -> Option<usize> {
        match self.byte(at)?.to_ascii_lowercase() {
            b'h' => [&b"http://"[..], b"https://"]
                .iter()
                .find(|scheme| self.starts(at, scheme))
                .map(|scheme| scheme.len()),
            b'f' => [&b"ftp://"[..], b"ftp."]
                .iter()
                .find(|scheme| self.starts(at, scheme))
                .map(|scheme| scheme.len()),
            b'w' if self.starts(at, b"www") => {
                let digits = (at + 3..at + 5)
                    .take_while(|at| self.byte(*at).is_some_and(|byte| byte.is_ascii_digit()))
                    .count();
                (self.byte(at + 3 + digits) == Some(b'.')).then_some(4 + digits)
            }
            _ => None,
        }
    }

    /// Whether a host begins there, with or without port and path, that fills the rest of the
    /// token.
    fn is_bare_host(&self, at: usize, token_end: usize) -> bool {
        let is_start = self.before(at).is_none_or(|byte| {
            is_space(byte) || b"!\"#$&'()*+,/:;<=>?@[\\]^`{|}~\x1b\xa0".contains(&byte)
        });
        if !is_start
            || !self
                .byte(at)
                .is_some_and(|byte| byte.is_ascii_alphanumeric())
        {
            return false;
        }
        let rest = bytes::slice(self.bytes, at..token_end);
        let is_host =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let length = rest
            .iter()
            .position(|byte| !is_host(byte))
            .unwrap_or(rest.len());
        let (host, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        if is_title(host) {
            return false;
        }
        let host = host.strip_suffix(b".").unwrap_or(host);
        let Some(dot) = host
            .iter()
            .rposition(|byte| *byte == b'.')
            .filter(|dot| (1..=HOST_LIMIT).contains(dot))
        else {
            return false;
        };
        let end = bytes::skip(host, dot + 1).to_ascii_lowercase();
        let is_tld = std::str::from_utf8(&end).is_ok_and(|end| self.lists.is_tld(end));
        is_tld && is_port_and_path(behind) && !is_other_ending(behind)
    }
}

/// Academic titles that end like a host: `Dr.med.`, with the full stop of an abbreviation.
fn is_title(word: &[u8]) -> bool {
    const TITLES: [&[u8]; 5] = [
        b"dr.med.",
        b"dr.ing.",
        b"dr.-ing.",
        b"dipl.ing.",
        b"prof.dr.med.",
    ];
    TITLES.iter().any(|title| word.eq_ignore_ascii_case(title))
}

/// `/.cf`, as in `sendmail.mc/.cf`: the other ending of a file name, and no path.
fn is_other_ending(path: &[u8]) -> bool {
    path.strip_prefix(b"/.").is_some_and(|ending| {
        let ending = ending.trim_ascii_end();
        let ending = ending
            .strip_suffix(b",")
            .or(ending.strip_suffix(b"."))
            .unwrap_or(ending);
        (1..=4).contains(&ending.len()) && ending.iter().all(u8::is_ascii_alphanumeric)
    })
}

/// `:1234`, `/path`, both or nothing.
fn is_port_and_path(rest: &[u8]) -> bool {
    let behind = match rest.strip_prefix(b":") {
        Some(port) => {
            let digits = port.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=5).contains(&digits) {
                return false;
            }
            bytes::skip(port, digits)
        }
        None => rest,
    };
    behind.is_empty() || (behind.starts_with(b"/") && (2..=URL_LIMIT + 1).contains(&behind.len()))
}

/// Without what belongs to the sentence: a closing bracket that was not opened and what is after
/// it, and punctuation at the end.
fn trimmed(written: &str) -> &str {
    let unopened = written
        .get(..written.find('(').unwrap_or(written.len()))
        .unwrap_or_default();
    let written = unopened
        .rfind(')')
        .and_then(|end| written.get(..end))
        .unwrap_or(written);
    written.trim_end_matches(|c: char| "-~!@#^&*()_+=:;'?,.".contains(c))
}

/// The link that is meant, with a scheme; `None` where it is none after all.
fn meant(kind: Kind, written: &str, lists: &Lists) -> Option<String> {
    let starts = |what: &str| {
        written
            .get(..what.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(what))
    };
    if kind == Kind::Mail && !written.contains('@') || starts("cid:") || starts("mid:") {
        return None;
    }
    if kind == Kind::Bare {
        let end = written.find([':', '/']).unwrap_or(written.len());
        let host = bytes::head_str(written, end);
        if !is_full_name(host) {
            return None;
        }
    }
    let without_slashes = written.trim_end_matches('/');
    let is_scheme_only = written.len() - without_slashes.len() <= 2
        && without_slashes
            .strip_suffix(':')
            .is_some_and(|scheme| !scheme.is_empty() && scheme.bytes().all(is_word));
    if is_scheme_only {
        return None;
    }
    let link = with_scheme(written)?;
    if !link
        .get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case("mailto:"))
    {
        return Some(link);
    }
    let link = crate::views::uri_escapes::unescaped(&link, true);
    let host = link.split_once('@').map(|(_, host)| host)?;
    let host = bytes::head_str(host, host.find(['?', '&', '>']).unwrap_or(host.len()));
    has_known_end(host.trim_end_matches("%20"), lists).then_some(link)
}

fn with_scheme(written: &str) -> Option<String> {
    let starts = |what: &str| {
        written
            .get(..what.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(what))
    };
    let is_www = || {
        let behind = bytes::skip_str(written, 3);
        let digits = behind
            .bytes()
            .take(2)
            .take_while(u8::is_ascii_digit)
            .count();
        starts("www")
            && behind
                .get(digits..)
                .is_some_and(|behind| behind.starts_with('.'))
    };
    if ["http:", "https:", "ftp:", "mailto:"]
        .iter()
        .any(|scheme| starts(scheme))
    {
        return Some(written.to_owned());
    }
    if starts("ftp.") {
        return Some(format!("ftp://{written}"));
    }
    let slash_before_sign = written
        .find('/')
        .zip(written.rfind('@'))
        .is_some_and(|(slash, sign)| sign > slash + 1);
    if is_www() || slash_before_sign {
        return Some(format!("http://{written}"));
    }
    let Some((_, host)) = written.split_once('@') else {
        return written.contains('.').then(|| format!("http://{written}"));
    };
    let has_dot = host
        .char_indices()
        .nth(1)
        .is_some_and(|(second, _)| host.get(second..).is_some_and(|rest| rest.contains('.')));
    if !has_dot || written.contains("&nbsp;") {
        return None;
    }
    let word = ["skype", "email", "e-mail", "mail", "-mail"]
        .iter()
        .find(|word| {
            starts(word)
                && written
                    .get(word.len()..)
                    .is_some_and(|behind| behind.starts_with(':'))
        });
    let address =
        bytes::skip_str(written, word.map_or(0, |word| word.len())).trim_start_matches(':');
    Some(format!("mailto:{address}"))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn ends_url(byte: u8) -> bool {
    is_space(byte) || b"><\"`}]{[|\x1b\xa0".contains(&byte)
}

fn ends_address(byte: u8) -> bool {
    ends_url(byte) || matches!(byte, b',' | b'(' | b'\'' | 0x80..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found() {
        let lists = Lists::default();
        for (text, wanted) in [
            (
                "see http://example.com/a. Or (www2.example.com/b) ",
                vec!["http://example.com/a", "http://www2.example.com/b"],
            ),
            (
                "ftp.example.com http:// https://",
                vec!["ftp://ftp.example.com"],
            ),
            ("change sendmail.mc/.cf, ask Dr.med. Weber", vec![]),
            (
                "see Dr.med/a and dr.med too",
                vec!["http://Dr.med/a", "http://dr.med"],
            ),
            (
                "write to a.b@example.com, c@example.net!",
                vec!["mailto:a.b@example.com", "mailto:c@example.net"],
            ),
            (
                "mailto:a@example.com?x e-mail:b@example.com",
                vec!["mailto:a@example.com?x", "mailto:b@example.com"],
            ),
            (
                "example.com:80/x example.notld a.b/example.com",
                vec!["http://example.com:80/x", "http://example.com"],
            ),
            (
                "example.com. example.com.. example.com,",
                vec!["http://example.com"],
            ),
            (
                "http://example.com/a(b)c) http://example.com/d)e",
                vec!["http://example.com/a(b)c", "http://example.com/d"],
            ),
            ("Vi@gra a@b.nowhere cid:a@example.com", vec![]),
            ("a/b@example.com", vec!["http://a/b@example.com"]),
            (
                "äwww.example.com ähttp://example.com",
                vec!["http://www.example.com", "http://example.com"],
            ),
        ] {
            assert_eq!(links(text, &lists), wanted, "{text}");
        }
    }

    #[test]
    fn links_end_at_the_limits() {
        let lists = Lists::default();
        for (length, count) in [(URL_LIMIT, 1), (URL_LIMIT + 1, 0)] {
            let text = format!("http://{}", "a".repeat(length));
            assert_eq!(links(&text, &lists).len(), count, "{length}");
        }
        for (length, wanted) in [(ADDRESS_LIMIT, 1), (ADDRESS_LIMIT + 1, 0)] {
            let text = format!("{}@example.com", "a".repeat(length));
            assert_eq!(
                links(&text, &lists)
                    .iter()
                    .filter(|link| link.starts_with("mailto:"))
                    .count(),
                wanted,
                "{length}"
            );
        }
    }
}
