//! HTML texts.

use super::domain::registered_domain;
use super::signature::Arguments;
use crate::views::lazy::Views;
use gatepost_mail::{HtmlFacts, LinkKind};

/// What `html_has` can ask for.
pub(super) const TRAITS: &[&str] = &[
    "form",
    "password_input",
    "script",
    "iframe",
    "meta_refresh",
    "javascript_decoder",
    "image",
    "hidden_text",
];

/// Links looked at by one question.
const LINKS_LIMIT: usize = 1_000;

fn texts<'v>(views: &'v Views<'_>) -> impl Iterator<Item = &'v HtmlFacts> {
    views
        .case()
        .message
        .texts
        .iter()
        .filter_map(|text| text.html.as_ref())
}

pub(super) fn has(views: &Views<'_>, arguments: &Arguments) -> bool {
    texts(views).any(|html| match arguments.text(0) {
        "form" => html.has_form,
        "password_input" => html.has_password_input,
        "script" => html.has_script,
        "iframe" => html.has_iframe,
        "meta_refresh" => html.has_meta_refresh,
        "javascript_decoder" => html.javascript_decoders > 0,
        "image" => html.image_count > 0,
        "hidden_text" => html.hidden_bytes > 0,
        _ => false,
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "bytes of one message are far below 2^52"
)]
pub(super) fn hidden_ratio(views: &Views<'_>, arguments: &Arguments) -> bool {
    let (hidden, visible) = texts(views).fold((0, 0), |(hidden, visible), html| {
        (hidden + html.hidden_bytes, visible + html.visible_bytes)
    });
    hidden > 0 && arguments.spans(hidden as f64 / (hidden + visible) as f64, true)
}

pub(super) fn title(views: &Views<'_>, arguments: &Arguments) -> bool {
    arguments.pattern(0).is_some_and(|pattern| {
        texts(views).any(|html| views.matches(pattern, html.title.as_bytes()))
    })
}

pub(super) fn link_mismatch(views: &Views<'_>, _: &Arguments) -> bool {
    texts(views)
        .flat_map(|html| &html.links)
        .filter(|link| link.kind == LinkKind::Anchor)
        .take(LINKS_LIMIT)
        .any(|link| {
            match (
                shown_domain(&link.text),
                host(&link.href).and_then(registered_domain),
            ) {
                (Some(shown), Some(real)) => shown != real,
                _ => false,
            }
        })
}

/// The registered domain that a text shows, when the text is nothing but a web address or host
/// name.
fn shown_domain(text: &str) -> Option<String> {
    let text = text.trim();
    if text.contains(char::is_whitespace) || text.contains('@') {
        return None;
    }
    let has_scheme = text.contains("://");
    let host = if has_scheme {
        host(text)?
    } else {
        text.split(['/', '?', '#', ':']).next()?
    };
    // Without a scheme only what looks like a host: `www.` or a known suffix, so that `example.doc`
    // is none.
    let is_host = has_scheme
        || host.to_ascii_lowercase().starts_with("www.")
        || gatepost_mail::public_suffix(&host.to_ascii_lowercase())
            .is_some_and(|suffix| matches!(suffix.name, "com" | "net" | "org"));
    (is_host && host.contains('.'))
        .then(|| registered_domain(host))
        .flatten()
}

/// The host of an http or https address.
fn host(address: &str) -> Option<&str> {
    let (scheme, rest) = address.trim().split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    authority.rsplit('@').next()?.split(':').next()
}

#[cfg(test)]
mod tests {
    use super::{host, shown_domain};

    #[test]
    fn domains_that_a_text_shows() {
        for (text, wanted) in [
            ("https://www.example.com/login", Some("example.com")),
            ("www.example.net", Some("example.net")),
            ("example.com/path", Some("example.com")),
            ("click here", None),
            ("report.doc", None),
            ("user@example.com", None),
            ("", None),
        ] {
            assert_eq!(shown_domain(text).as_deref(), wanted, "{text}");
        }
        assert_eq!(host("HTTP://user:pw@h.example:80/x"), Some("h.example"));
        assert_eq!(host("mailto:a@b.example"), None);
    }
}
