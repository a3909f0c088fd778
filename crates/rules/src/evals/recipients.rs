//! The recipients in the header, and how author and sender belong together.

use super::signature::Arguments;
use crate::views::lazy::Views;
use gatepost_words::bytes;

/// Addresses that are compared with each other.
const ADDRESSES_LIMIT: usize = 256;
/// Fewer recipients are neither similar nor sorted.
const SIMILAR_MIN: usize = 5;
const SORTED_MIN: usize = 7;
/// Characters by which two names are alike.
const ALIKE: usize = 2;
/// Capitals in the ids of one mass mailer.
const RATWARE_CAPITALS: usize = 28;

/// The first line of a request's value.
fn first(views: &Views<'_>, request: &str) -> String {
    views
        .text(request)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// The last two labels of the host, in lower case; `None` where there is no host.
fn short_host(address: &str) -> Option<String> {
    let (_, host) = address.rsplit_once('@')?;
    let mut labels = host.rsplitn(3, '.');
    let short = match (labels.next(), labels.next(), labels.next()) {
        (Some(last), Some(before), Some(_)) if !last.is_empty() && !before.is_empty() => {
            format!("{before}.{last}")
        }
        _ => host.to_owned(),
    };
    (!short.is_empty()).then(|| short.to_lowercase())
}

pub(super) fn other_domain(views: &Views<'_>, _: &Arguments) -> bool {
    let hosts =
        ["From:addr", "EnvelopeFrom:addr"].map(|request| short_host(&first(views, request)));
    matches!(hosts, [Some(from), Some(sender)] if from != sender)
}

pub(super) fn same_sender(views: &Views<'_>, _: &Arguments) -> bool {
    first(views, "EnvelopeFrom:addr").eq_ignore_ascii_case(&first(views, "From:addr"))
}

/// The recipients, without repetitions next to each other.
fn all(views: &Views<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for request in ["ToCc:addr", "Bcc:addr"] {
        if found.len() < SIMILAR_MIN {
            found.extend(views.text(request).lines().map(str::to_owned));
        }
    }
    found.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
    found.truncate(ADDRESSES_LIMIT);
    found
}

pub(super) fn sorted(views: &Views<'_>, _: &Arguments) -> bool {
    let addresses = all(views);
    addresses.len() >= SORTED_MIN && addresses.is_sorted()
}

pub(super) fn similar(views: &Views<'_>, arguments: &Arguments) -> bool {
    arguments.spans(likeness(&all(views)), false)
}

/// How many of all pairs begin alike: users count, and hosts that are not the same.
fn likeness(addresses: &[String]) -> f64 {
    if addresses.len() < SIMILAR_MIN {
        return 0.0;
    }
    let start = |text: &str| text.chars().take(ALIKE).collect::<String>();
    let mut seen = Vec::<(String, String, &str)>::new();
    let (mut alike, mut pairs) = (0_u32, 0_u32);
    for address in addresses {
        let host = address.split_once('@').map_or("", |(_, host)| host);
        let (user_start, host_start) = (start(address), start(host));
        for (user, other_start, other) in &seen {
            alike += u32::from(*user == user_start)
                + u32::from(*other_start == host_start && *other != host);
            pairs += 1;
        }
        seen.push((user_start, host_start, host));
    }
    f64::from(alike) / f64::from(pairs)
}

pub(super) fn ratware_sender(views: &Views<'_>, _: &Arguments) -> bool {
    let (to, sender) = (
        first(views, "To:addr").to_lowercase(),
        first(views, "EnvelopeFrom:addr").to_lowercase(),
    );
    let Some((user, host)) = to.split_once('@').filter(|(user, _)| !user.is_empty()) else {
        return false;
    };
    let Some(domain) = views
        .lists()
        .registered(host)
        .filter(|_| !is_rewritten(&sender))
    else {
        return false;
    };
    is_made_of(&sender, &domain, user)
}

/// Senders as forwarders rewrite them (SRS) name the original sender.
fn is_rewritten(sender: &str) -> bool {
    matches!(
        sender.as_bytes(),
        [b's', b'r', b's', b'0'..=b'9', b'=' | b'+' | b'-', ..]
    )
}

/// Whether the sender is `…domain?user@…`: the recipient's parts, turned around a character between
/// them.
fn is_made_of(sender: &str, domain: &str, user: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    sender.match_indices(domain).any(|(at, _)| {
        let before = bytes::head_str(sender, at);
        let mut behind = bytes::skip_str(sender, at + domain.len()).chars();
        let has_sign = behind.next().is_some();
        let is_user = behind
            .as_str()
            .strip_prefix(user)
            .is_some_and(|rest| rest.starts_with('@'));
        has_sign && is_user && !before.ends_with(is_word)
    })
}

pub(super) fn ratware_name(views: &Views<'_>, _: &Arguments) -> bool {
    let ids = views.text("MESSAGEID");
    let from = views.text("From");
    ids.split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>'))
        .any(|(id, _)| {
            let Some((capitals, address)) = id.split_once('.') else {
                return false;
            };
            let is_made = capitals.len() == RATWARE_CAPITALS
                && capitals.bytes().all(|byte| byte.is_ascii_uppercase());
            is_made && !address.is_empty() && is_quoted_author(&from, address)
        })
}

/// Whether the author is written as `"name" <address>`.
fn is_quoted_author(from: &str, address: &str) -> bool {
    let before = from
        .split_once(&format!("<{address}>"))
        .map(|(before, _)| before.trim_end());
    let name = before.and_then(|before| before.strip_suffix('"'));
    name.and_then(|name| name.rsplit_once('"'))
        .is_some_and(|(_, name)| !name.is_empty())
}

/// Fields in which a percent sign and capitals are usual.
fn may_hold_percent(name: &str) -> bool {
    matches!(
        name.to_ascii_lowercase().as_str(),
        "from"
            | "to"
            | "cc"
            | "subject"
            | "references"
            | "in-reply-to"
            | "message-id"
            | "x-message-id"
            | "resent-message-id"
            | "x-original-message-id"
            | "x-face"
            | "x-uidl"
            | "x-vms-to"
    )
}

pub(super) fn unresolved_template(views: &Views<'_>, _: &Arguments) -> bool {
    views.text("ALL").lines().any(|line| {
        let is_variable = |three: &[u8]| {
            matches!(three, [b'%', first, next] if first.is_ascii_uppercase() && (next.is_ascii_uppercase() || matches!(next, b'_' | b'-')))
        };
        let name = line.split(':').next().unwrap_or_default();
        line.as_bytes().windows(3).any(is_variable) && !may_hold_percent(name)
    })
}

#[cfg(test)]
mod tests {
    use super::{is_made_of, is_quoted_author, is_rewritten, likeness, short_host};

    #[test]
    fn hosts_and_authors() {
        for (address, wanted) in [
            ("a@mail.Example.COM", Some("example.com")),
            ("a@example.com", Some("example.com")),
            ("a@localhost", Some("localhost")),
            ("a@", None),
            ("a", None),
        ] {
            assert_eq!(short_host(address).as_deref(), wanted, "{address}");
        }
        assert!(is_quoted_author("\"A B\" <a@example.com>", "a@example.com"));
        assert!(
            !is_quoted_author("A B <a@example.com>", "a@example.com") && !is_quoted_author("", "a")
        );
        assert!(is_rewritten("srs0=x") && !is_rewritten("srsx=x"));
    }

    #[test]
    fn senders_made_of_recipients() {
        for (sender, wanted) in [
            ("example.com-user@example.net", true),
            ("bounce-example.com=user@example.net", true),
            ("xexample.com-user@example.net", false),
            ("example.comuser@example.net", false),
            ("user@example.com", false),
        ] {
            assert_eq!(
                is_made_of(sender, "example.com", "user"),
                wanted,
                "{sender}"
            );
        }
    }

    #[test]
    fn likeness_of_addresses() {
        let list = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(
            likeness(&list("aa@x.example ab@x.example ac@x.example ad@x.example")).abs() < 1e-9
        );
        assert!((likeness(&list("aab@x aac@x aad@x aae@x aaf@x")) - 1.0).abs() < 1e-9);
        assert!((likeness(&list("ab@xx1 cd@xx2 ef@yy gh@zz ij@vv")) - 0.1).abs() < 1e-9);
    }
}
