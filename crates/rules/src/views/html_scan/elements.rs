//! Elements by name, as HTML 4.01 (index of elements) has them, and what they do to text.

/// The elements of HTML 4.01, strict, transitional and frameset, sorted.
#[rustfmt::skip]
const HTML_4: &[&str] = &[
    "a", "abbr", "acronym", "address", "applet", "area", "b", "base", "basefont", "bdo", "big", "blockquote", "body",
    "br", "button", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del", "dfn", "dir", "div", "dl", "dt",
    "em", "fieldset", "font", "form", "frame", "frameset", "h1", "h2", "h3", "h4", "h5", "h6", "head", "hr", "html", "i",
    "iframe", "img", "input", "ins", "isindex", "kbd", "label", "legend", "li", "link", "map", "menu", "meta", "noframes",
    "noscript", "object", "ol", "optgroup", "option", "p", "param", "pre", "q", "s", "samp", "script", "select", "small",
    "span", "strike", "strong", "style", "sub", "sup", "table", "tbody", "td", "textarea", "tfoot", "th", "thead",
    "title", "tr", "tt", "u", "ul", "var",
];

/// Elements of mailers and old browsers that count as such.
const ACCEPTED: &[&str] = &["nobr", "x-sigsep", "x-tab"];
/// Elements that are shown, but do not count.
const SHOWN: &[&str] = &["bgsound", "embed", "listing", "plaintext", "xmp"];

/// What a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An element of HTML.
    Element,
    /// What office programs write: `o:p`, `st1:place`. It counts as an element and does nothing.
    Namespace,
    /// No element, but browsers show it.
    Shown,
    Unknown,
}

/// Tells what a name in lower case is.
pub(super) fn kind(name: &str) -> Kind {
    if HTML_4.binary_search(&name).is_ok() || ACCEPTED.contains(&name) {
        Kind::Element
    } else if SHOWN.contains(&name) {
        Kind::Shown
    } else if is_namespace(name) {
        Kind::Namespace
    } else {
        Kind::Unknown
    }
}

fn is_namespace(name: &str) -> bool {
    let Some((space, rest)) = name.split_once(':') else {
        return false;
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let is_office = space == "o"
        || space
            .strip_prefix("st")
            .is_some_and(|digit| matches!(digit.as_bytes(), [b'0'..=b'9']));
    is_office
        && !rest.is_empty()
        && rest
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// Whether an element parts the text before it from the text after it.
pub(super) fn parts_text(name: &str) -> bool {
    matches!(
        name,
        "br" | "div"
            | "p"
            | "hr"
            | "blockquote"
            | "pre"
            | "title"
            | "li"
            | "dd"
            | "dt"
            | "td"
            | "th"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "embed"
            | "listing"
            | "plaintext"
            | "xmp"
    )
}

/// The attribute by which an element links to something.
pub(super) fn link_attribute(name: &str) -> Option<&'static str> {
    match name {
        "a" | "area" | "link" | "base" => Some("href"),
        "img" | "frame" | "iframe" | "embed" | "script" | "bgsound" => Some("src"),
        "body" | "table" | "tr" | "td" => Some("background"),
        "form" => Some("action"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{HTML_4, Kind, kind};

    #[test]
    fn names_are_known() {
        assert!(HTML_4.is_sorted() && HTML_4.len() == 91);
        for (name, wanted) in [
            ("table", Kind::Element),
            ("nobr", Kind::Element),
            ("embed", Kind::Shown),
            ("o:p", Kind::Namespace),
            ("st1:place/", Kind::Namespace),
            ("st12:place", Kind::Unknown),
            ("o:", Kind::Unknown),
            ("blink", Kind::Unknown),
        ] {
            assert_eq!(kind(name), wanted, "{name}");
        }
    }
}
