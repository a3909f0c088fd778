//! Relative links (RFC 2396 §5.2), with the twists of SpamAssassin: a scheme equal to that of the
//! base counts as none, and a host without scheme that begins with `www` or `ftp` gets one.

use gatepost_words::bytes;

/// The parts of a reference.
#[derive(Clone, Copy, Debug, Default)]
struct Parts<'u> {
    scheme: Option<&'u str>,
    authority: Option<&'u str>,
    path: &'u str,
    query: Option<&'u str>,
    fragment: Option<&'u str>,
}

impl<'u> Parts<'u> {
    fn read(text: &'u str) -> Self {
        let mut parts = Self::default();
        let mut rest = text;
        let end = rest.find([':', '/', '?', '#']).unwrap_or(rest.len());
        if end > 0
            && let Some(behind) = rest.get(end..).and_then(|behind| behind.strip_prefix(':'))
        {
            parts.scheme = rest.get(..end);
            rest = behind;
        }
        if let Some(behind) = rest.strip_prefix("//") {
            let (authority, behind) =
                behind.split_at(behind.find(['/', '?', '#']).unwrap_or(behind.len()));
            parts.authority = Some(authority);
            rest = behind;
        }
        if let Some((before, fragment)) = rest.split_once('#') {
            parts.fragment = Some(fragment);
            rest = before;
        }
        if let Some((before, query)) = rest.split_once('?') {
            parts.query = Some(query);
            rest = before;
        }
        parts.path = rest;
        parts
    }
}

/// What relative links of a page are relative to.
#[derive(Debug)]
pub(super) struct Base(String);

impl Base {
    /// Bytes of the base.
    pub(super) fn length(&self) -> usize {
        self.0.len()
    }

    /// The base that a `base` element names: only an absolute URL is one. A file name at its end
    /// goes away.
    pub(super) fn read(target: &str) -> Option<Self> {
        let (scheme, rest) = target.split_once(':')?;
        if !["http", "https", "ftp"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
        {
            return None;
        }
        let slashes = rest
            .bytes()
            .take(2)
            .take_while(|byte| *byte == b'/')
            .count();
        let host_and_path = bytes::skip_str(rest, slashes);
        let mut kept = target;
        if let Some((directory, file)) = host_and_path.rsplit_once('/')
            && !directory.is_empty()
            && !directory.starts_with('/')
            && let Some((name, extension)) = file.split_once('.')
            && !name.is_empty()
            && !extension.contains('.')
            && (2..=4).contains(&extension.chars().count())
        {
            kept = target.strip_suffix(file).unwrap_or(target);
        }
        let slash = if kept.ends_with('/') { "" } else { "/" };
        Some(Self(format!("{kept}{slash}")))
    }
}

/// A link as it resolves.
pub(super) fn resolved(base: Option<&Base>, link: &str) -> String {
    let mut target = Parts::read(link);
    let base = base.map(|base| Parts::read(&base.0)).unwrap_or_default();
    if target.scheme == base.scheme {
        target.scheme = None;
    }
    let mut path = String::new();
    if target.scheme.is_some() || target.authority.is_some() {
        path.push_str(&without_dots(target.path));
        target.scheme = target.scheme.or(base.scheme);
    } else {
        if target.path.is_empty() {
            path.push_str(base.path);
            target.query = target.query.or(base.query);
        } else if target.path.starts_with('/') {
            path.push_str(&without_dots(target.path));
        } else {
            path.push_str(&without_dots(&merged(base, target.path)));
        }
        target.authority = base.authority;
        target.scheme = base.scheme;
    }
    composed(target, &path)
}

fn merged(base: Parts<'_>, path: &str) -> String {
    if base.authority.is_some() && base.path.is_empty() {
        return format!("/{path}");
    }
    let directory = base
        .path
        .rfind('/')
        .and_then(|at| base.path.get(..=at))
        .unwrap_or_default();
    format!("{directory}{path}")
}

fn composed(parts: Parts<'_>, path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 32);
    match (parts.scheme, parts.authority) {
        (Some(scheme), _) => {
            out.push_str(scheme);
            out.push(':');
        }
        (None, Some(authority)) => {
            for (name, scheme) in [("www", "http:"), ("ftp", "ftp:")] {
                let is_named = authority
                    .get(..3)
                    .is_some_and(|start| start.eq_ignore_ascii_case(name));
                let behind =
                    bytes::skip_str(authority, 3).trim_start_matches(|c: char| c.is_ascii_digit());
                if is_named && behind.starts_with('.') {
                    out.push_str(scheme);
                }
            }
        }
        (None, None) => {}
    }
    if let Some(authority) = parts.authority {
        out.push_str("//");
        out.push_str(authority);
    }
    out.push_str(path);
    for (mark, part) in [('?', parts.query), ('#', parts.fragment)] {
        if let Some(part) = part {
            out.push(mark);
            out.push_str(part);
        }
    }
    out
}

/// A path with `.` and `..` resolved.
fn without_dots(path: &str) -> String {
    let first = ["../", "./"]
        .iter()
        .find_map(|dots| path.strip_prefix(dots).map(|_| dots.len() - 1));
    let mut rest = bytes::skip_str(path, first.unwrap_or(0));
    let mut out = String::with_capacity(path.len());
    // A rest of `0` is nothing, in Perl.
    while !rest.is_empty() && rest != "0" {
        let (segment, behind) = match rest.get(1..).and_then(|behind| behind.find('/')) {
            Some(at) if rest.starts_with('/') => rest.split_at(at + 1),
            _ if rest.starts_with('/') => (rest, ""),
            _ => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        };
        match segment {
            "/." | "/.." => {
                if segment == "/.." {
                    out.truncate(out.rfind('/').unwrap_or(0));
                }
                if behind.is_empty() {
                    out.push('/');
                }
            }
            _ => out.push_str(segment),
        }
        rest = behind;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_resolved() {
        let base = Base::read("http://example.com/a/b/c.html");
        for (link, wanted) in [
            ("d", "http://example.com/a/b/d"),
            ("../d?x", "http://example.com/a/d?x"),
            ("./d#y", "http://example.com/a/b/d#y"),
            ("/d/./e/../f", "http://example.com/d/f"),
            ("//example.net", "http://example.net"),
            ("http://example.net/x/..", "http://example.net/"),
            ("http:d", "http://example.com/a/b/d"),
            ("", "http://example.com/a/b/"),
            ("?q", "http://example.com/a/b/?q"),
            ("https://example.net", "https://example.net"),
        ] {
            assert_eq!(resolved(base.as_ref(), link), wanted, "{link}");
        }
        for (link, wanted) in [
            ("d/../e", "/e"),
            ("//www.example.com/", "http://www.example.com/"),
            ("//ftp2.example.com", "ftp://ftp2.example.com"),
            ("www.example.com", "www.example.com"),
        ] {
            assert_eq!(resolved(None, link), wanted, "{link}");
        }
    }

    #[test]
    fn bases_are_read() {
        for (target, wanted) in [
            ("http://example.com", Some("http://example.com/")),
            ("http://example.com/a.html", Some("http://example.com/")),
            (
                "http://example.com/a.htmlx",
                Some("http://example.com/a.htmlx/"),
            ),
            ("HTTPS://example.com/a/", Some("HTTPS://example.com/a/")),
            ("mailto:a@example.com", None),
            ("a/b", None),
        ] {
            assert_eq!(
                Base::read(target).map(|base| base.0),
                wanted.map(str::to_owned),
                "{target}"
            );
        }
    }
}
