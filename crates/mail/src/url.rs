//! URLs (RFC 3986) as mail uses and abuses them, in one normal form.

use gatepost_words::bytes::head_str;
use gatepost_words::percent;

use super::PublicSuffixList;

/// Bytes of one URL that are kept.
pub(super) const URL_BYTES: usize = 4 << 10;

/// Where a URL was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlSource {
    /// In text that is read.
    Text,
    /// In an attribute of HTML.
    Html {
        /// The text of the link, for `a` elements.
        anchor_text: Option<String>,
    },
}

/// One URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// As written, at most 4 KiB.
    pub raw: String,
    /// `scheme://host[:port]/path` with user and default port removed, escapes in the host undone,
    /// numeric hosts dotted.
    pub normalized: String,
    /// `http`, `https` or `ftp`; `http` where none was written.
    pub scheme: String,
    /// Lower case, without trailing dot; never empty. Names in other scripts stay as they are.
    pub host: String,
    /// The domain under which its owner is registered (public suffix list); `None` for addresses
    /// and unknown suffixes.
    pub registrable: Option<String>,
    /// From the first `/`, `?` or `#` after the host on; may be empty.
    pub path: String,
    /// Where it was found.
    pub source: UrlSource,
    /// Index into [`super::Message::entities`].
    pub entity: usize,
}

impl Url {
    /// Reads one URL. `None` when it is of another scheme or has no usable host.
    pub(super) fn read(raw: &str, source: UrlSource, entity: usize) -> Option<Self> {
        let raw = head_str(raw, URL_BYTES).trim();
        // Browsers drop line ends and tabs inside, and take a backslash for a slash.
        let clean: String = raw
            .chars()
            .filter(|c| !c.is_control())
            .map(|c| if c == '\\' { '/' } else { c })
            .collect();
        let (scheme, rest) = split_scheme(&clean)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let authority = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
            _ => (authority, ""),
        };
        let host = normal_host(host)?;
        let default_port = matches!(
            (scheme.as_str(), port),
            (_, "") | ("http", "80") | ("https", "443") | ("ftp", "21")
        );
        let port = if default_port {
            String::new()
        } else {
            format!(":{port}")
        };
        let normalized = format!("{scheme}://{host}{port}{path}");
        let registrable = registrable(&host);
        Some(Self {
            raw: raw.to_owned(),
            normalized,
            scheme,
            path: path.to_owned(),
            host,
            registrable,
            source,
            entity,
        })
    }
}

/// The scheme in lower case, and what follows it and its slashes (two, though browsers accept
/// one or three).
fn split_scheme(url: &str) -> Option<(String, &str)> {
    if let Some(rest) = url.strip_prefix("//") {
        return Some(("http".to_owned(), rest));
    }
    let (scheme, rest) = url.split_once(':')?;
    let scheme = scheme.to_ascii_lowercase();
    if matches!(scheme.as_str(), "http" | "https" | "ftp") {
        return Some((scheme, rest.trim_start_matches('/')));
    }
    None
}

/// The host in lower case: escapes undone, trailing dot and white space removed, numbers in any
/// base as dotted quad.
fn normal_host(host: &str) -> Option<String> {
    let host = percent::decode_lossy(host.trim()).to_lowercase();
    let host = host.replace(['\u{3002}', '\u{ff0e}', '\u{ff61}'], ".");
    let host = host.trim_matches('.');
    if host.starts_with('[') && host.ends_with(']') {
        return Some(host.to_owned());
    }
    let is_valid = host
        .chars()
        .all(|c| !c.is_ascii() || c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    if host.is_empty() || host.len() > 255 || !is_valid {
        return None;
    }
    Some(dotted_quad(host).unwrap_or_else(|| host.to_owned()))
}

/// Reads an IPv4 address of one to four numbers in decimal, octal (`0…`) or hexadecimal (`0x…`), as
/// `inet_aton` does.
fn dotted_quad(host: &str) -> Option<String> {
    let mut numbers = Vec::new();
    for part in host.split('.') {
        let (digits, radix) = match part.strip_prefix("0x") {
            Some(digits) => (digits, 16),
            None if part.len() > 1 && part.starts_with('0') => (part, 8),
            None => (part, 10),
        };
        if numbers.len() == 4 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        numbers.push(u32::from_str_radix(digits, radix).ok()?);
    }
    let (last, leading) = numbers.split_last()?;
    let free = 32_u32.saturating_sub(8 * u32::try_from(leading.len()).ok()?);
    if leading.iter().any(|number| *number > 255) || u64::from(*last) >= 1_u64 << free {
        return None;
    }
    let address = leading
        .iter()
        .zip([24_u32, 16, 8])
        .fold(*last, |address, (number, shift)| {
            address | (number << shift)
        });
    Some(std::net::Ipv4Addr::from(address).to_string())
}

/// The registrable domain of a host under a known public suffix.
pub(super) fn registrable(host: &str) -> Option<String> {
    let list = PublicSuffixList::current();
    list.listed_registrable_domain(host).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_normalized() {
        for (raw, expected) in [
            ("http://Example.COM/A?b#c", Some("http://example.com/A?b#c")),
            (
                "HTTPS://user:pass@example.com:443/",
                Some("https://example.com/"),
            ),
            ("http://a@b@example.com", Some("http://example.com")),
            (
                "http://example.com:8080/x",
                Some("http://example.com:8080/x"),
            ),
            ("http:/example.com", Some("http://example.com")),
            ("http:\\\\example.com\\x", Some("http://example.com/x")),
            ("//example.com/x", Some("http://example.com/x")),
            ("http://ex%61mple.com./", Some("http://example.com/")),
            ("http://exam\r\nple.com/a\tb", Some("http://example.com/ab")),
            ("http://0xC0000201/", Some("http://192.0.2.1/")),
            ("http://3221225985/", Some("http://192.0.2.1/")),
            ("http://0300.0.02.01/", Some("http://192.0.2.1/")),
            ("http://192.513/", Some("http://192.0.2.1/")),
            ("http://[2001:DB8::1]:80/", Some("http://[2001:db8::1]/")),
            ("http://bücher.example/", Some("http://bücher.example/")),
            ("http://256.256.256.256/", Some("http://256.256.256.256/")),
            ("http://", None),
            ("http://a b/", None),
            ("mailto:a@example.com", None),
            ("javascript:alert(1)", None),
            ("nothing", None),
            ("", None),
        ] {
            let url = Url::read(raw, UrlSource::Text, 0);
            assert_eq!(
                url.as_ref().map(|url| url.normalized.as_str()),
                expected,
                "{raw:?}"
            );
        }
    }

    #[test]
    fn registrable_domains_are_found() {
        for (host, expected) in [
            ("www.example.co.uk", Some("example.co.uk")),
            ("example.com", Some("example.com")),
            ("com", None),
            ("192.0.2.1", None),
            ("host.unknown-suffix", None),
            ("", None),
        ] {
            assert_eq!(registrable(host).as_deref(), expected, "{host}");
        }
    }

    #[test]
    fn urls_are_cut_at_the_limit() {
        let url = |length: usize| format!("http://example.com/{}", "a".repeat(length - 19));
        for (length, kept) in [(URL_BYTES, URL_BYTES), (URL_BYTES + 1, URL_BYTES)] {
            assert_eq!(
                Url::read(&url(length), UrlSource::Text, 0)
                    .unwrap()
                    .raw
                    .len(),
                kept
            );
        }
    }
}
