//! The forms of one URI that rules see: as written, and cleaned of what hides where it leads. Each
//! trick that is undone adds a form; the target of a redirector is cleaned like a URI of its own.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::host::{has_known_end, to_ascii};
use super::uri_escapes::{unescaped, without_references};
use crate::lists::tables::Lists;
use gatepost_words::bytes;

/// Targets of redirectors, one in the other.
const TARGETS_LIMIT: usize = 20;

/// All forms of a URI. `is_octets`: it was found in text, where escapes are made of bytes, not in
/// an attribute.
pub(super) fn forms(uri: &str, is_octets: bool, lists: &Lists) -> BTreeSet<String> {
    let mut forms = BTreeSet::new();
    let mut waiting = vec![uri.to_owned()];
    let mut seen = 0;
    while let Some(uri) = waiting.pop().filter(|_| seen < TARGETS_LIMIT) {
        seen += 1;
        let uri = uri
            .replace('\n', "")
            .trim_matches(is_space)
            .replace('\r', "");
        let is_local =
            uri.starts_with(['#', '?', '&']) || (uri.starts_with('/') && !uri.starts_with("//"));
        if uri.chars().nth(1).is_none() || is_local {
            forms.insert(uri);
            continue;
        }
        if starts(&uri, "mailto:")
            || uri
                .split_once('@')
                .is_some_and(|(user, _)| !user.contains(':'))
        {
            forms.extend(addresses(&uri));
        } else {
            let clean = cleaned(&uri, is_octets);
            let mut cleaner = Cleaner {
                forms: &mut forms,
                waiting: &mut waiting,
                lists,
            };
            cleaner.host(&clean);
            forms.insert(clean);
        }
        forms.insert(uri);
    }
    forms
}

fn is_space(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{b}'
}

fn starts(text: &str, what: &str) -> bool {
    text.get(..what.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(what))
}

/// An address without what may follow it.
fn addresses(uri: &str) -> Vec<String> {
    let mut found = Vec::new();
    let Some((user, rest)) = uri.split_once('@').filter(|(user, _)| !user.is_empty()) else {
        return found;
    };
    let up_to = |stops: &[char]| bytes::head_str(rest, rest.find(stops).unwrap_or(rest.len()));
    let host = up_to(&['?']);
    if !host.is_empty() && host.len() < rest.len() {
        found.push(format!("{user}@{host}"));
    }
    let host = up_to(&['?', '&']);
    if !host.is_empty()
        && rest
            .get(host.len()..)
            .is_some_and(|behind| behind.starts_with('&'))
    {
        found.push(format!("{user}@{host}"));
    }
    if uri.contains("%20") {
        let bare = if starts(user, "mailto:") {
            bytes::skip_str(user, 7)
        } else {
            user
        };
        let bare = bare.trim_start_matches("%20");
        let host = up_to(&['?', '&', '%']);
        if !bare.is_empty() && !host.is_empty() {
            found.push(format!("mailto:{bare}@{host}"));
        }
    }
    let head = uri.split(['?', '&']).next().unwrap_or(uri);
    let bracketed = head.rmatch_indices('<').find_map(|(at, _)| {
        let (user, rest) = uri.get(at + 1..)?.split_once('@')?;
        let (host, _) = rest.split_once('>')?;
        (!user.is_empty() && !user.contains('>') && !host.is_empty())
            .then(|| format!("mailto:{user}@{host}"))
    });
    found.extend(bracketed);
    found
}

/// The form with slashes, scheme and escapes as they are meant.
fn cleaned(uri: &str, is_octets: bool) -> String {
    let mut text = uri.replace('\\', "/");
    for scheme in ["http:", "https:"] {
        if starts(&text, scheme) {
            let (scheme, rest) = text.split_at(scheme.len());
            let slashes = rest
                .bytes()
                .take(2)
                .take_while(|byte| *byte == b'/')
                .count();
            text = format!("{scheme}//{}", bytes::skip_str(rest, slashes));
            break;
        }
    }
    text = unescaped(&text, is_octets);
    let name = text
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        .count();
    if name == 0 || text.as_bytes().get(name) != Some(&b':') {
        text.insert_str(
            0,
            if text.starts_with("ftp.") {
                "ftp://"
            } else {
                "http://"
            },
        );
    }
    if let Some(length) = web_scheme(&text) {
        let rest = bytes::skip_str(&text, length);
        if let Some(end) = rest
            .find(['/', '?', '#'])
            .filter(|end| *end > 0 && !rest.get(*end..).is_some_and(|r| r.starts_with('/')))
        {
            text.insert(length + end, '/');
        }
    }
    without_references(&text)
}

/// The length of `http://` or `https://` at the start.
fn web_scheme(text: &str) -> Option<usize> {
    ["http://", "https://"]
        .iter()
        .find(|scheme| starts(text, scheme))
        .map(|scheme| scheme.len())
}

struct Cleaner<'f> {
    forms: &'f mut BTreeSet<String>,
    waiting: &'f mut Vec<String>,
    lists: &'f Lists,
}

/// The digits after the colon of `:80`.
fn port_number(port: &str) -> &str {
    let digits = bytes::skip_str(port, 1);
    let end = digits.find(|c: char| !c.is_ascii_digit());
    end.map_or(digits, |end| digits.split_at(end).0)
}

impl Cleaner<'_> {
    /// Adds the forms of a URL with another host, and the target that it leads on to.
    fn host(&mut self, url: &str) {
        let Some((scheme, rest)) = web_scheme(url).and_then(|length| url.split_at_checked(length))
        else {
            return;
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let (user, authority) = match authority.split_once('@') {
            Some((user, host)) if !host.is_empty() && !host.starts_with(':') => (Some(user), host),
            _ => (None, authority),
        };
        let (host, port) = authority
            .find(':')
            .and_then(|at| authority.split_at_checked(at))
            .unwrap_or((authority, ""));
        if host.is_empty() {
            return;
        }
        let rest = format!("{port}{path}");
        let number = port_number(port);
        let default = if scheme == "http://" { "80" } else { "443" };
        // What follows the port where it is the default one, so that it can be left out.
        let without_port = (number == default)
            .then(|| rest.get(1 + default.len()..))
            .flatten();
        if let Some(rest) =
            without_port.filter(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        {
            self.forms.insert(format!("{scheme}{host}{rest}"));
        }
        let ascii = to_ascii(host).into_owned();
        let mut host = host.to_owned();
        if ascii != host.to_lowercase() {
            self.forms.insert(format!("{scheme}{ascii}{rest}"));
            let rest = match number {
                "" => "",
                _ => without_port.unwrap_or(&rest),
            };
            if !rest.is_empty() {
                self.forms.insert(format!("{scheme}{ascii}{rest}"));
            }
            host.clone_from(&ascii);
        }
        if host.contains(|c: char| c <= ' ') {
            host.retain(|c| c > ' ');
            self.forms.insert(format!("{scheme}{host}{rest}"));
        }
        self.redirect(&format!("{scheme}{host}{rest}"), &rest);
        if let Some((_, behind)) = host.rsplit_once('@').filter(|(user, _)| !user.is_empty()) {
            host = behind.to_owned();
            self.forms.insert(format!("{scheme}{host}{rest}"));
        }
        let trimmed = host.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        if trimmed.len() < host.len() {
            host = trimmed.to_owned();
            self.forms.insert(format!("{scheme}{host}{rest}"));
        }
        if let Some(address) = numeric(&host) {
            self.forms.insert(format!("{scheme}{address}{rest}"));
        } else if scheme == "http://"
            && user.is_none()
            && ascii != "localhost"
            && (number.is_empty() || number == "80")
            && let Some(name) = single_label(&ascii)
            && !has_known_end(&ascii, self.lists)
        {
            // What browsers try for a host of one label.
            self.forms.insert(format!("http://www.{name}.com{rest}"));
        }
    }

    /// Where a redirector leads: as the configured patterns say, else the next URL inside.
    fn redirect(&mut self, url: &str, rest: &str) {
        if let Some(target) = self.lists.redirect_target(url) {
            self.waiting.push(target);
            return;
        }
        let lower = rest.to_ascii_lowercase();
        let inner = lower.match_indices("http").find_map(|(at, _)| {
            let behind = lower.get(at + 4..)?;
            let behind = behind
                .strip_prefix('s')
                .filter(|behind| behind.starts_with(':'))
                .unwrap_or(behind);
            let inner = behind
                .strip_prefix(':')
                .filter(|inner| !inner.is_empty() && !inner.starts_with(['&', '#']))?;
            let end = inner.find(['&', '#']).unwrap_or(inner.len());
            rest.get(at..rest.len() - inner.len() + end)
        });
        if let Some(inner) = inner.filter(|inner| inner.contains('.')) {
            self.waiting.push(inner.to_owned());
        }
    }
}

/// The only label of a host, or the only one after `www.`.
fn single_label(host: &str) -> Option<&str> {
    let name = host
        .strip_prefix("www.")
        .filter(|name| !name.is_empty() && !name.contains('.'))
        .unwrap_or(host);
    (!name.is_empty() && !name.contains('.')).then_some(name)
}

/// An address in numbers of any base: four of them, or one for all.
fn numeric(host: &str) -> Option<String> {
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_decimal =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let hex = |text: &str| {
        text.strip_prefix("0x")
            .or_else(|| text.strip_prefix("0X"))
            .filter(|digits| is_hex(digits))
            .map(str::to_owned)
    };
    let parts: Vec<&str> = host.split('.').take(5).collect();
    match parts.as_slice() {
        [one] => {
            let number = match hex(one) {
                Some(digits) => {
                    let from = digits.len().saturating_sub(8);
                    u64::from_str_radix(digits.get(from..)?, 16).ok()?
                }
                None => one.parse::<u64>().ok().filter(|_| is_decimal(one))?,
            };
            // More than 32 bits: the upper ones count.
            let shift = 64_u32
                .saturating_sub(number.leading_zeros())
                .div_ceil(4)
                .saturating_sub(8)
                * 4;
            u32::try_from((number >> shift) & u64::from(u32::MAX))
                .ok()
                .map(|number| Ipv4Addr::from(number).to_string())
        }
        [_, _, _, _] => {
            let octet = |part: &&str| {
                if let Some(digits) = hex(part) {
                    let digits = digits.trim_start_matches('0');
                    return u64::from_str_radix(digits, 16)
                        .ok()
                        .map(|number| number.to_string())
                        .or(Some(String::new()));
                }
                if !is_decimal(part) {
                    return None;
                }
                let digits = part.trim_start_matches('0');
                let is_octal = digits.len() < part.len()
                    && digits
                        .bytes()
                        .skip(1)
                        .all(|byte| (b'0'..=b'7').contains(&byte))
                    && match digits.bytes().next() {
                        Some(b'1'..=b'3') => digits.len() <= 3,
                        Some(b'4'..=b'7') => digits.len() <= 2,
                        _ => false,
                    };
                let value = if is_octal {
                    u64::from_str_radix(digits, 8).ok()?.to_string()
                } else {
                    digits.to_owned()
                };
                Some(value)
            };
            let octets: Option<Vec<String>> = parts.iter().map(octet).collect();
            octets.map(|octets| octets.join("."))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(uri: &str) -> Vec<String> {
        forms(uri, true, &Lists::default()).into_iter().collect()
    }

    #[test]
    fn urls_are_cleaned() {
        for (uri, wanted) in [
            ("http://example.com/", vec!["http://example.com/"]),
            (
                " http:\\\\example.com?a\r\n",
                vec!["http://example.com/?a", "http:\\\\example.com?a"],
            ),
            ("example.com", vec!["example.com", "http://example.com"]),
            (
                "http://%65xample.com/%20%7e%",
                vec!["http://%65xample.com/%20%7e%", "http://example.com/%20~%25"],
            ),
            (
                "http://u:p@example.com:80/",
                vec!["http://example.com/", "http://u:p@example.com:80/"],
            ),
            (
                "http://example.com./",
                vec!["http://example.com./", "http://example.com/"],
            ),
            (
                "http://0x7f.0.010.1/",
                vec!["http://0x7f.0.010.1/", "http://127..8.1/"],
            ),
            (
                "http://0x7f000001/",
                vec!["http://0x7f000001/", "http://127.0.0.1/"],
            ),
            (
                "http://2130706433/",
                vec!["http://127.0.0.1/", "http://2130706433/"],
            ),
            (
                "http://example/a",
                vec!["http://example/a", "http://www.example.com/a"],
            ),
            (
                "http://example.com/&#46;&#x2e;",
                vec!["http://example.com/&#46;&#x2e;", "http://example.com/.."],
            ),
            (
                "http://example.com/?u=http://example.net/&x",
                vec![
                    "http://example.com/?u=http://example.net/&x",
                    "http://example.net/",
                ],
            ),
            ("/a.gif", vec!["/a.gif"]),
            ("#", vec!["#"]),
        ] {
            assert_eq!(sorted(uri), wanted, "{uri}");
        }
    }

    #[test]
    fn addresses_are_cleaned() {
        for (uri, wanted) in [
            (
                "mailto:a@example.com?subject=b",
                vec!["mailto:a@example.com", "mailto:a@example.com?subject=b"],
            ),
            ("a@example.com&b", vec!["a@example.com", "a@example.com&b"]),
            (
                "mailto:%20a@example.com%20",
                vec!["mailto:%20a@example.com%20", "mailto:a@example.com"],
            ),
            (
                "mailto:<a@example.com>",
                vec!["mailto:<a@example.com>", "mailto:a@example.com"],
            ),
        ] {
            assert_eq!(sorted(uri), wanted, "{uri}");
        }
    }

    #[test]
    fn targets_stop_at_the_limit() {
        let nested = |count: usize| {
            (0..count)
                .map(|n| format!("http://a{n}.example/"))
                .collect::<Vec<_>>()
                .concat()
        };
        assert_eq!(sorted(&nested(TARGETS_LIMIT)).len(), TARGETS_LIMIT);
        assert_eq!(sorted(&nested(TARGETS_LIMIT + 1)).len(), TARGETS_LIMIT);
    }
}
