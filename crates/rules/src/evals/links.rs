//! The links of HTML texts: where they lead, next to what they show.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::domain::registered_domain;
use super::signature::Arguments;
use crate::views::lazy::Views;
use gatepost_mail::{Link, LinkKind};
use gatepost_words::bytes;

/// Redirections inside of one URL that are followed.
const REDIRECTIONS_LIMIT: usize = 10;
/// URLs of one message that are looked at.
const URLS_LIMIT: usize = 2_000;

/// The links of each HTML text.
fn anchors<'v>(views: &'v Views<'_>) -> impl Iterator<Item = impl Iterator<Item = &'v Link>> {
    let texts = views
        .case()
        .message
        .texts
        .iter()
        .filter_map(|text| text.html.as_ref());
    texts.map(|html| {
        html.links
            .iter()
            .filter(|link| link.kind == LinkKind::Anchor)
    })
}

/// What is after the scheme of the first URL in a text that has one of the schemes; lower
/// case.
fn behind_scheme(text: &str, schemes: &[&str]) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let place = schemes
        .iter()
        .find_map(|scheme| lower.find(scheme).map(|at| at + scheme.len()))?;
    lower.get(place..).map(str::to_owned)
}

/// The host after the scheme.
fn host(text: &str, schemes: &[&str]) -> Option<String> {
    let rest = behind_scheme(text, schemes)?;
    let end = rest
        .find(|c: char| c.is_whitespace() || "/:?#".contains(c))
        .unwrap_or(rest.len());
    rest.get(..end)
        .filter(|host| !host.is_empty())
        .map(str::to_owned)
}

/// Whether a text begins as a URL of a bare address of IPv4, with or without a user.
fn leads_to_address(text: &str, schemes: &[&str]) -> bool {
    let Some(scheme) = schemes.iter().find(|scheme| starts_with(text, scheme)) else {
        return false;
    };
    let rest = bytes::skip_str(text, scheme.len()).trim_start_matches('/');
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority
        .split_once('@')
        .map_or(authority, |(_, host)| host);
    let digits = host
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || *byte == b'.')
        .count();
    host.get(..digits)
        .is_some_and(|start| start.split('.').filter(|octet| !octet.is_empty()).count() >= 4)
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len())
        .is_some_and(|begin| begin.eq_ignore_ascii_case(start))
}

pub(super) fn https_mismatch(views: &Views<'_>, arguments: &Arguments) -> bool {
    anchors(views).any(|anchors| {
        let (mut targets, mut is_found) = (BTreeSet::new(), false);
        for link in anchors.filter(|link| starts_with(link.href.trim_start(), "http")) {
            let real = host(&link.href, &["http://", "https://"])
                .and_then(|host| registered_domain(&host));
            let Some(real) = real else { continue };
            targets.insert(link.href.as_str());
            let Some(shown) = host(&link.text, &["https://"]) else {
                continue;
            };
            let is_address = shown.parse::<Ipv4Addr>().is_ok();
            let shown = if is_address {
                Some(shown)
            } else {
                registered_domain(&shown)
            };
            is_found |= shown.is_some_and(|shown| shown != real);
        }
        let count = u32::try_from(targets.len()).map_or(f64::MAX, f64::from);
        is_found
            && arguments.number(0).is_none_or(|min| count >= min.max(1.0))
            && arguments.number(1).is_none_or(|max| count < max)
    })
}

pub(super) fn address_mismatch(views: &Views<'_>, _: &Arguments) -> bool {
    anchors(views).flatten().any(|link| {
        let is_secure = behind_scheme(&link.text, &["https:"]).is_some();
        leads_to_address(link.href.trim_start(), &["https:", "http:"])
            && is_secure
            && !leads_to_address(&link.text, &["https:"])
    })
}

pub(super) fn cut(views: &Views<'_>, _: &Arguments) -> bool {
    views.html().iter().any(|html| html.has_long_link)
}

pub(super) fn redirector(views: &Views<'_>, _: &Arguments) -> bool {
    let forms = views
        .uri()
        .iter()
        .filter_map(|form| std::str::from_utf8(form).ok());
    forms.take(URLS_LIMIT).any(leads_elsewhere)
}

/// Whether a URL holds another one of another registered domain.
fn leads_elsewhere(url: &str) -> bool {
    let schemes = ["http://", "https://"];
    let domain = |host: String| registered_domain(&host).unwrap_or(host);
    let mut outer = url.to_ascii_lowercase();
    for _ in 0..REDIRECTIONS_LIMIT {
        if !schemes.iter().any(|scheme| outer.starts_with(scheme)) {
            return false;
        }
        let Some(from) = host(&outer, &["://"]) else {
            return false;
        };
        // The other one begins after the first host and a character more.
        let Some(rest) = outer
            .find("://")
            .and_then(|at| outer.get(at + 3 + from.len()..))
        else {
            return false;
        };
        let inner = rest
            .char_indices()
            .skip(1)
            .map(|(at, _)| at)
            .find_map(|at| {
                let inner = rest.get(at..)?;
                (inner.starts_with("http:") || inner.starts_with("https:")).then_some(inner)
            });
        let Some(inner) = inner else { return false };
        let target = inner
            .split_once(':')
            .map_or("", |(_, rest)| rest.trim_start_matches('/'));
        let to = target
            .split(['/', ':', '?'])
            .next()
            .unwrap_or_default()
            .to_owned();
        if to.is_empty() {
            return false;
        }
        if domain(from) != domain(to) {
            return true;
        }
        outer = format!("http://{target}");
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{leads_elsewhere, leads_to_address};

    #[test]
    fn redirections() {
        for (url, wanted) in [
            ("http://www.example.com/r?u=http://www.example.net/", true),
            ("http://www.example.com/r?u=http://mail.example.com/", false),
            (
                "http://a.example.com/?http://b.example.com/?https:example.net",
                true,
            ),
            ("http://www.example.com/", false),
            ("mailto:a@example.com?http://example.net/", false),
        ] {
            assert_eq!(leads_elsewhere(url), wanted, "{url}");
        }
    }

    #[test]
    fn bare_addresses() {
        for (text, wanted) in [
            ("http://192.0.2.1/x", true),
            ("HTTP:192.0.2.1", true),
            ("http://user@192.0.2.1:80/", true),
            ("http://192.0.2/", false),
            ("http://www.example.com/192.0.2.1", false),
            ("ftp://192.0.2.1/", false),
        ] {
            assert_eq!(
                leads_to_address(text, &["https:", "http:"]),
                wanted,
                "{text}"
            );
        }
    }
}
