//! Mail of free hosters: who writes from there, and where the answer would go.

use std::collections::BTreeSet;

use super::listed::senders;
use super::signature::Arguments;
use crate::views::lazy::{Views, address_around};
use gatepost_mail::LinkKind;
use gatepost_words::bytes;

/// Addresses in the text from which on it is taken for a list of addresses and not looked at
/// (SpamAssassin's defaults).
const ADDRESSES_MAX: usize = 5;
const FREEMAILS_MAX: usize = 3;

pub(super) fn from(views: &Views<'_>, arguments: &Arguments) -> bool {
    any(views, arguments, 0, &senders(views))
}

pub(super) fn header(views: &Views<'_>, arguments: &Arguments) -> bool {
    let name = arguments.text(0).trim_end_matches(":addr");
    let addresses = views.addresses(&format!("{name}:addr"));
    any(views, arguments, 1, &addresses)
}

/// Whether one of the addresses is free mail and matches the argument, if there is one.
fn any(views: &Views<'_>, arguments: &Arguments, index: usize, addresses: &[String]) -> bool {
    let fits = |address: &String| {
        arguments
            .pattern(index)
            .is_none_or(|pattern| views.matches(pattern, address.as_bytes()))
    };
    addresses
        .iter()
        .any(|address| views.lists().is_freemail(address) && fits(address))
}

pub(super) fn reply_to(views: &Views<'_>, arguments: &Arguments) -> bool {
    if is_bulk(&views.text("EnvelopeFrom").to_lowercase()) {
        return false;
    }
    let is_free = |addresses: &[String]| {
        addresses
            .iter()
            .any(|address| views.lists().is_freemail(address))
    };
    let (from, reply_to) = (
        views.addresses("From:addr"),
        views.addresses("Reply-To:addr"),
    );
    let is_same = || from.iter().any(|address| reply_to.contains(address));
    let answers = match (is_free(&from), is_free(&reply_to)) {
        (true, true) if !is_same() => return true,
        (true, true) => &reply_to,
        // With the argument `reply` the author must be free mail; the text then says where the
        // answer goes.
        (_, true) if arguments.text(0) != "reply" => &reply_to,
        (true, false) if arguments.text(0) == "reply" && reply_to.is_empty() => &from,
        _ => return false,
    };
    in_body(views).is_some_and(|body| {
        body.iter()
            .any(|address| answers.iter().any(|answer| answer != address))
    })
}

/// Senders of lists and machines, to which no one replies.
fn is_bulk(sender: &str) -> bool {
    let Some((user, _)) = sender.rsplit_once('@') else {
        return false;
    };
    let (first, has_more) = user
        .split_once('-')
        .map_or((user, false), |(first, rest)| (first, !rest.is_empty()));
    let last = user.rsplit_once('-').map_or("", |(_, last)| last);
    match first {
        "postmaster" | "hostmaster" | "domainmaster" if first == user => return true,
        "bounce" | "bounced" | "grbounce" | "grbounced" | "owner" | "return" | "sentto"
            if has_more =>
        {
            return true;
        }
        _ => {}
    }
    let is_manager = matches!(last, "admin" | "bounce" | "bounces" | "owner" | "request");
    let is_forwarded = user
        .split_once('=')
        .is_some_and(|(before, after)| !before.is_empty() && !after.is_empty());
    is_manager || is_forwarded || user.starts_with("double-bounce") || declines_answers(user)
}

/// `noreply` and the like, with a sign between the words or none.
fn declines_answers(user: &str) -> bool {
    if user.ends_with("noreplies") || user.ends_with("no-replies") {
        return true;
    }
    let before = user
        .strip_suffix("reply")
        .map(|before| before.strip_suffix(['-', '_', '.']).unwrap_or(before));
    before.is_some_and(|before| before.ends_with("no"))
}

/// The addresses in the text, as they are found.
struct Found<'v, 'c> {
    views: &'v Views<'c>,
    seen: BTreeSet<String>,
    free: BTreeSet<String>,
}

impl Found<'_, '_> {
    /// Takes an address; `false` when there are so many that it is a list.
    fn add(&mut self, address: &str) -> bool {
        if !self.seen.insert(address.to_owned()) {
            return true;
        }
        if self.views.lists().is_freemail(address) {
            self.free.insert(address.to_owned());
        }
        self.seen.len() < ADDRESSES_MAX && self.free.len() < FREEMAILS_MAX
    }
}

/// The free mail addresses in the text; `None` when it has so many that it is a list.
fn in_body(views: &Views<'_>) -> Option<BTreeSet<String>> {
    let mut found = Found {
        views,
        seen: BTreeSet::new(),
        free: BTreeSet::new(),
    };
    let texts = views
        .case()
        .message
        .texts
        .iter()
        .filter_map(|text| text.html.as_ref());
    for link in texts
        .flat_map(|html| &html.links)
        .filter(|link| link.kind == LinkKind::Anchor)
    {
        let href = link.href.trim().to_lowercase();
        if linked(&href).is_some_and(|address| !found.add(address)) {
            return None;
        }
    }
    for paragraph in views.body() {
        let text = String::from_utf8_lossy(paragraph).to_lowercase();
        if !add_paragraph(&text, &mut found) {
            return None;
        }
    }
    Some(found.free)
}

/// The address of a link, right after its scheme.
fn linked(href: &str) -> Option<&str> {
    let rest = href.strip_prefix("mailto:")?;
    let (start, end) = address_around(rest, rest.find('@')?)?;
    rest.get(..end).filter(|_| start == 0)
}

/// Takes the addresses that the author wrote, not those that he quotes; `false` when there are too
/// many.
fn add_paragraph(text: &str, found: &mut Found<'_, '_>) -> bool {
    let mut end_before = 0;
    for (at, _) in text.match_indices('@') {
        let Some((start, end)) = address_around(text, at).filter(|(start, _)| *start >= end_before)
        else {
            continue;
        };
        let (before, behind) = (bytes::head_str(text, start), bytes::skip_str(text, end));
        let address = bytes::slice_str(text, start..end);
        let word = before
            .rsplit(char::is_whitespace)
            .next()
            .unwrap_or_default();
        let is_quoted = (behind.starts_with('>') || is_label(behind)) && !word.ends_with("mailto:");
        let has_tld = address
            .rsplit('.')
            .next()
            .is_some_and(|tld| found.views.lists().is_tld(tld));
        if has_tld {
            end_before = end;
        }
        if has_tld && !is_quoted && !word.contains("://") && !found.add(address) {
            return false;
        }
    }
    true
}

/// The next line of a header that is quoted in the text follows: `a@example.com subject:`. Words
/// for a way to get in touch are no such lines.
fn is_label(behind: &str) -> bool {
    const CONTACTS: [&str; 7] = ["mail", "email", "e-mail", "phone", "tel", "fax", "facsi"];
    let text = behind.trim_start();
    let blanks = behind.len() - text.len();
    let letters = text.bytes().take_while(u8::is_ascii_lowercase).count();
    (1..=10).contains(&blanks)
        && (2..=11).contains(&letters)
        && text.as_bytes().get(letters) == Some(&b':')
        && !CONTACTS.iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::{is_bulk, is_label, linked};

    #[test]
    fn addresses_of_links() {
        for (href, wanted) in [
            ("mailto:a@example.com", Some("a@example.com")),
            (
                "mailto:a@example.com ?&cc=b@example.com",
                Some("a@example.com"),
            ),
            ("mailto:a@example.com?subject=x", Some("a@example.com")),
            ("mailto:<a@example.com>", None),
            ("mailto:?to=a@example.com", Some("?to=a@example.com")),
            ("mailto:a", None),
            ("https://example.com/a@example.com", None),
        ] {
            assert_eq!(linked(href), wanted, "{href}");
        }
    }

    #[test]
    fn bulk_senders() {
        for (user, wanted) in [
            ("postmaster", true),
            ("postmaster-x", false),
            ("owner-list", true),
            ("owner-", false),
            ("list-bounces", true),
            ("no-reply", true),
            ("store-noreply", true),
            ("no.reply", true),
            ("noreplies", true),
            ("a=b", true),
            ("=b", false),
            ("double-bounce", true),
            ("reply", false),
            ("alice", false),
        ] {
            assert_eq!(is_bulk(&format!("{user}@example.com")), wanted, "{user}");
        }
        assert!(!is_bulk("postmaster"));
    }

    #[test]
    fn labels_of_quoted_headers() {
        for (behind, wanted) in [
            (" subject: x", true),
            (" to: x", true),
            ("   fathers: x", true),
            (" fax: 1", false),
            (" email: x", false),
            (" t: x", false),
            ("subject: x", false),
            (" two words: x", false),
            ("", false),
        ] {
            assert_eq!(is_label(behind), wanted, "{behind}");
        }
    }
}
