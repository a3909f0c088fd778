//! The list of URIs: those in the rendered text and those in the HTML, each in all its forms.

use std::collections::BTreeSet;

use super::body::single_byte;
use super::host::host_of;
use super::html::Link;
use super::uri_clean::forms;
use super::uri_text::links;
use crate::lists::tables::Lists;
use gatepost_mail::DerivedBytes;

/// Bytes of one form.
const FORM_LIMIT: usize = 8_192;
/// Links that are cleaned.
const LINKS_LIMIT: usize = 10_000;

/// The forms of all links, sorted, and whether there were more links than are looked at.
pub(super) fn list(
    paragraphs: &[Vec<u8>],
    html_links: &[Link],
    lists: &Lists,
    derived: &DerivedBytes,
    expired: &dyn Fn() -> bool,
) -> (Vec<Vec<u8>>, bool) {
    let mut list: BTreeSet<Vec<u8>> = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for paragraph in paragraphs {
        let text = String::from_utf8_lossy(paragraph);
        for link in links(&text, lists) {
            if seen.len() >= LINKS_LIMIT || seen.contains(&link) {
                continue;
            }
            if expired() || derived.is_exceeded() {
                break;
            }
            let forms = forms(&link, true, lists);
            derived.take(bytes_of(&forms));
            seen.insert(link);
            // Text is full of what only looks like a link: a host that can exist must be in it.
            if forms.iter().any(|form| host_of(form, lists).is_some()) {
                list.extend(forms.into_iter().map(|form| limited(form.into_bytes())));
            }
        }
    }
    let mut cleaned = BTreeSet::new();
    for link in html_links {
        if expired() || derived.is_exceeded() {
            break;
        }
        if cleaned.len() >= LINKS_LIMIT || !cleaned.insert(link) {
            continue;
        }
        let bytes = |form: String| {
            let is_single =
                !link.is_wide && form.chars().all(|character| u32::from(character) < 256);
            limited(if is_single {
                form.chars().map(single_byte).collect()
            } else {
                form.into_bytes()
            })
        };
        let forms = forms(&link.target, false, lists);
        derived.take(bytes_of(&forms));
        list.extend(forms.into_iter().map(bytes));
    }
    let is_cut = seen.len() >= LINKS_LIMIT || cleaned.len() >= LINKS_LIMIT;
    (list.into_iter().collect(), is_cut)
}

/// Bytes of all forms of one link.
fn bytes_of(forms: &BTreeSet<String>) -> usize {
    forms.iter().map(String::len).sum()
}

fn limited(mut form: Vec<u8>) -> Vec<u8> {
    form.truncate(FORM_LIMIT);
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, html: &[&str]) -> Vec<String> {
        let html: Vec<Link> = html
            .iter()
            .map(|link| Link {
                target: (*link).to_owned(),
                is_wide: false,
            })
            .collect();
        let (list, _) = list(
            &[text.as_bytes().to_vec()],
            &html,
            &Lists::default(),
            &DerivedBytes::of_message(text.len()),
            &|| false,
        );
        list.iter()
            .map(|form| String::from_utf8_lossy(form).into_owned())
            .collect()
    }

    #[test]
    fn text_needs_a_host_and_html_does_not() {
        assert_eq!(shown("http://nonsense.notld/x", &[]), Vec::<String>::new());
        assert_eq!(
            shown("", &["", "x/y.gif"]),
            ["", "http://www.x.com/y.gif", "http://x/y.gif", "x/y.gif"]
        );
        assert_eq!(
            shown(
                "http://example.com/a http://example.com/a",
                &["http://example.com/a"]
            ),
            ["http://example.com/a"]
        );
    }

    #[test]
    fn forms_stop_at_the_limit() {
        for (length, kept) in [(FORM_LIMIT, FORM_LIMIT), (FORM_LIMIT + 1, FORM_LIMIT)] {
            let link = format!("http://example.com/{}", "a".repeat(length - 19));
            assert_eq!(shown("", &[&link])[0].len(), kept);
        }
    }
}
