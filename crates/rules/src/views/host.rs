//! Host names as SpamAssassin checks and compares them.

use std::borrow::Cow;

use crate::lists::tables::Lists;
use gatepost_words::bytes;

/// A host in lower case with its international labels in ASCII (RFC 3492). What cannot be converted
/// stays as it is.
pub(super) fn to_ascii(host: &str) -> Cow<'_, str> {
    if host.is_ascii() {
        return Cow::Owned(host.to_ascii_lowercase());
    }
    let dotted = host.replace(['\u{3002}', '\u{ff0e}', '\u{ff61}'], ".");
    let labels: Option<Vec<String>> = dotted
        .split('.')
        .map(|label| ascii_label(&label.to_lowercase()))
        .collect();
    Cow::Owned(labels.map_or(dotted, |labels| labels.join(".")))
}

fn ascii_label(label: &str) -> Option<String> {
    if label.is_ascii() {
        return Some(label.to_owned());
    }
    let is_letter =
        |c: char| c.is_alphanumeric() || c == '-' || ('\u{300}'..='\u{36f}').contains(&c);
    let encoded = label.chars().all(is_letter).then(|| punycode(label))??;
    Some(format!("xn--{encoded}")).filter(|label| label.len() <= 63)
}

/// RFC 3492 §6.3. Labels longer than a host can have are refused, and with them any overflow.
fn punycode(label: &str) -> Option<String> {
    const LABEL_LIMIT: usize = 253;
    let characters: Vec<u32> = label.chars().map(u32::from).collect();
    if characters.len() > LABEL_LIMIT {
        return None;
    }
    let mut out: String = label.chars().filter(char::is_ascii).collect();
    let basic = u32::try_from(out.len()).ok()?;
    if basic > 0 {
        out.push('-');
    }
    let length = u32::try_from(characters.len()).ok()?;
    let (mut code, mut delta, mut bias, mut handled) = (128_u32, 0_u32, 72_u32, basic);
    while handled < length {
        let next = characters
            .iter()
            .copied()
            .filter(|character| *character >= code)
            .min()?;
        delta = delta.checked_add((next - code).checked_mul(handled + 1)?)?;
        code = next;
        for character in &characters {
            if *character < code {
                delta = delta.checked_add(1)?;
            } else if *character == code {
                put_number(delta, bias, &mut out);
                bias = adapted(delta, handled + 1, handled == basic);
                delta = 0;
                handled += 1;
            }
        }
        delta = delta.checked_add(1)?;
        code = code.checked_add(1)?;
    }
    Some(out)
}

fn put_number(number: u32, bias: u32, out: &mut String) {
    let digit = |value: u32| {
        u8::try_from(value).map_or('-', |value| {
            char::from(if value < 26 {
                b'a' + value
            } else {
                b'0' + value - 26
            })
        })
    };
    let (mut rest, mut base) = (number, 36_u32);
    loop {
        let threshold = base.saturating_sub(bias).clamp(1, 26);
        if rest < threshold {
            out.push(digit(rest));
            return;
        }
        out.push(digit(threshold + (rest - threshold) % (36 - threshold)));
        rest = (rest - threshold) / (36 - threshold);
        base += 36;
    }
}

fn adapted(delta: u32, count: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / 700 } else { delta / 2 };
    delta += delta / count;
    let mut rounds = 0;
    while delta > 455 {
        delta /= 35;
        rounds += 36;
    }
    rounds + 36 * delta / (delta + 38)
}

/// Whether it is written like a full host name: two labels or more of letters, digits, dashes
/// inside, and underscores in front of the last two.
pub(super) fn is_full_name(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let labels = host.split('.').count();
    host.len() <= 253
        && labels > 1
        && host.split('.').enumerate().all(|(index, label)| {
            let bytes = label.as_bytes();
            let is_edge = |byte: Option<&u8>| {
                byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            };
            (1..=63).contains(&label.len())
                && is_edge(bytes.first())
                && is_edge(bytes.last())
                && bytes
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
                && !(labels - index <= 2 && label.contains('_'))
        })
}

/// Whether a host has a dot and ends in a top-level domain.
pub(super) fn has_known_end(host: &str, lists: &Lists) -> bool {
    let host = to_ascii(host);
    let is_spaced = host.contains(|c: char| c.is_ascii_whitespace() || c == '\u{b}');
    !is_spaced
        && host
            .rsplit_once('.')
            .is_some_and(|(_, end)| lists.is_tld(end))
}

/// The host of a cleaned URI, when it is an address or a full name under a known top-level domain.
pub(crate) fn host_of(uri: &str, lists: &Lists) -> Option<String> {
    let uri = uri.to_lowercase();
    if ["javascript:", "cid:", "file:"]
        .iter()
        .any(|scheme| uri.starts_with(scheme))
    {
        return None;
    }
    let host = if let Some(address) = uri.strip_prefix("mailto:") {
        let address = address
            .split_once('?')
            .map_or(address, |(address, _)| address);
        address
            .split_once('@')
            .map(|(_, host)| host)
            .filter(|host| !host.contains('@'))?
    } else {
        let letters = uri.bytes().take_while(u8::is_ascii_lowercase).count();
        let behind = uri
            .get(letters..)
            .and_then(|behind| behind.strip_prefix(':'))
            .filter(|_| letters > 0);
        let rest = behind.map_or(uri.as_str(), |rest| {
            let slashes = rest
                .bytes()
                .take(2)
                .take_while(|byte| *byte == b'/')
                .count();
            bytes::skip_str(rest, slashes)
        });
        let authority = bytes::head_str(rest, rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let host = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        match host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => host,
        }
    };
    // What need not be escaped there is looked at in the form without escapes.
    let has_needless_escape = host.match_indices('%').any(|(at, _)| {
        let digits = host
            .get(at + 1..at + 3)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        digits.is_some_and(|byte| (0x21..=0x7e).contains(&byte))
    });
    if has_needless_escape {
        return None;
    }
    let host = to_ascii(host).into_owned();
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    (is_address || (is_full_name(&host) && has_known_end(&host, lists))).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn international_names_become_ascii() {
        for (host, wanted) in [
            ("WWW.Example.com", "www.example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("例え。example", "xn--r8jz45g.example"),
            ("Пример.example", "xn--e1afmkfd.example"),
            ("a\u{2028}b.example", "a\u{2028}b.example"),
        ] {
            assert_eq!(to_ascii(host), wanted, "{host}");
        }
    }

    #[test]
    fn full_names() {
        for (host, wanted) in [
            ("example.com", true),
            ("example.com..", true),
            ("com", false),
            ("a..com", false),
            ("-a.com", false),
            ("a_b.example.com", true),
            ("a_b.com", false),
            ("a%b.com", false),
        ] {
            assert_eq!(is_full_name(host), wanted, "{host}");
        }
        for (length, wanted) in [(63, true), (64, false)] {
            assert_eq!(
                is_full_name(&format!("{}.com", "a".repeat(length))),
                wanted,
                "{length}"
            );
        }
    }

    #[test]
    fn hosts_are_found() {
        let lists = Lists::default();
        for (uri, wanted) in [
            (
                "http://user:x@www.example.com:80/a@b",
                Some("www.example.com"),
            ),
            ("http:192.0.2.1/", Some("192.0.2.1")),
            ("mailto:a@example.com?subject=b@c", Some("example.com")),
            ("mailto:a@b@example.com", None),
            ("javascript:a.com", None),
            ("http://example.notld/", None),
            ("http://exam%70le.com/", None),
            ("/images/a.gif", None),
        ] {
            assert_eq!(host_of(uri, &lists).as_deref(), wanted, "{uri}");
        }
    }
}
