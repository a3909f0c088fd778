//! The charset that HTML names itself, in a `meta` element: the only name that many programs write.

use gatepost_words::bytes::{head, skip};

/// Bytes of HTML that are looked at, as in the HTML standard (§13.2.3.2).
const PRESCAN: usize = 1_024;
/// Elements `meta` that are looked at.
const ELEMENTS: usize = 16;
/// Bytes of a charset's name.
const NAME: usize = 40;

/// The charset of HTML by its `meta` elements, in lower case: `<meta charset=…>` or `<meta
/// http-equiv=… content="…; charset=…">`. Charsets in which the element itself could not be read,
/// and UTF-7, which only attackers name, do not count.
pub(crate) fn html_charset(html: &[u8]) -> Option<String> {
    let html = head(html, PRESCAN).to_ascii_lowercase();
    memchr::memmem::find_iter(&html, b"<meta")
        .take(ELEMENTS)
        .find_map(|at| {
            let element = skip(&html, at.saturating_add(5));
            let end = memchr::memchr(b'>', element)?;
            named(head(element, end))
        })
}

fn named(element: &[u8]) -> Option<String> {
    let at = memchr::memmem::find(element, b"charset")?;
    let value = skip(element, at.saturating_add(7)).trim_ascii_start();
    let value = value.strip_prefix(b"=")?.trim_ascii_start();
    let value = match value.first() {
        Some(b'"' | b'\'') => skip(value, 1),
        _ => value,
    };
    let length = value
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"-_.:+".contains(byte))
        .count();
    let name = String::from_utf8_lossy(head(value, length)).into_owned();
    let is_wide = name.starts_with("utf-16") || name.starts_with("utf-7") || name == "utf7";
    (!is_wide && (1..=NAME).contains(&name.len())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meta_elements_name_the_charset() {
        let far = format!("{}<meta charset=koi8-r>", " ".repeat(PRESCAN - 5));
        for (html, wanted) in [
            ("<META charset=\"Shift_JIS\">", Some("shift_jis")),
            (
                "<meta name=a><meta http-equiv='Content-Type' content='text/html; charset=KOI8-R'>",
                Some("koi8-r"),
            ),
            ("<meta charset = gb2312 >", Some("gb2312")),
            ("<meta charset=utf-7>", None),
            ("<meta charset=utf-16le>", None),
            ("<meta charset>", None),
            ("<meta charset=koi8-r", None),
            ("<p>charset=koi8-r</p>", None),
            (far.as_str(), None),
        ] {
            assert_eq!(html_charset(html.as_bytes()).as_deref(), wanted, "{html}");
        }
    }
}
