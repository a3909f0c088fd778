//! The header fields, and what was odd about the message.

use std::collections::BTreeSet;

use super::domain::registered_domain;
use super::signature::{Argument, Arguments};
use super::wording::is_caseless;
use crate::views::header_request::HeaderRequest;
use crate::views::lazy::Views;
use gatepost_mail::HeaderField;

pub(super) fn anomaly(views: &Views<'_>, arguments: &Arguments) -> bool {
    let Some(Argument::Anomaly(wanted)) = arguments.0.first() else {
        return false;
    };
    views
        .case()
        .message
        .anomalies
        .iter()
        .any(|anomaly| anomaly.kind == *wanted)
}

/// The first address of a field.
fn first_address(views: &Views<'_>, field: &str) -> Option<String> {
    let field = views.case().message.field(field)?;
    field
        .addresses()
        .into_iter()
        .map(|one| one.address)
        .find(|address| !address.is_empty())
}

pub(super) fn missing_to(views: &Views<'_>, _: &Arguments) -> bool {
    views.find("To").is_none() && views.find("Apparently-To").is_none()
}

pub(super) fn from_to_same(views: &Views<'_>, _: &Arguments) -> bool {
    let message = views.case().message;
    let recipients: Vec<_> = ["To", "Cc"]
        .into_iter()
        .flat_map(|name| message.fields(name))
        .flat_map(HeaderField::addresses)
        .collect();
    let [only] = recipients.as_slice() else {
        return false;
    };
    first_address(views, "From").is_some_and(|from| from.eq_ignore_ascii_case(&only.address))
}

pub(super) fn to_in_subject(views: &Views<'_>, arguments: &Arguments) -> bool {
    let to = views.text("To:addr");
    let Some(address) = to.lines().next().filter(|address| !address.is_empty()) else {
        return false;
    };
    let subject = views.text("Subject");
    let subject = subject.trim_end_matches('\n');
    if arguments.text(0) == "address" {
        return has_whole(&subject.to_lowercase(), &address.to_lowercase());
    }
    let user = address.split('@').next().unwrap_or_default();
    is_called(subject, user) || is_answer_to(&subject.to_lowercase(), &user.to_lowercase())
}

/// Whether the text is somewhere as whole words: its ends are ends of words.
fn has_whole(text: &str, wanted: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(wanted).any(|(at, _)| {
        let before = text
            .get(..at)
            .is_some_and(|before| before.ends_with(is_word));
        let behind = text
            .get(at + wanted.len()..)
            .is_some_and(|behind| behind.starts_with(is_word));
        before != wanted.starts_with(is_word) && behind != wanted.ends_with(is_word)
    })
}

fn is_mark(c: char) -> bool {
    matches!(c, ',' | ':' | ';' | '!' | '?' | '-')
}

/// The user is called by name: `Alice, …`.
fn is_called(subject: &str, user: &str) -> bool {
    let rest = subject
        .strip_prefix(user)
        .map(str::trim_start)
        .and_then(|rest| rest.strip_prefix(is_mark));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

/// The subject is nothing but the user, after `Re:` and a word or not, or between a comma and
/// another mark.
fn is_answer_to(subject: &str, user: &str) -> bool {
    let answer = ["re:", "fw:"]
        .iter()
        .find_map(|mark| subject.strip_prefix(mark))
        .map(str::trim_start);
    let behind_word = answer.and_then(|answer| {
        let length = answer
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .filter(|length| *length > 0)?;
        let rest = answer.get(length..)?;
        Some(rest.trim_start()).filter(|text| text.len() < rest.len())
    });
    let marked = subject
        .strip_prefix(',')
        .and_then(|rest| rest.trim_start().strip_prefix(user));
    let is_marked = marked.is_some_and(|rest| rest.starts_with(is_mark) && rest.len() == 1);
    subject == user || answer == Some(user) || behind_word == Some(user) || is_marked
}

pub(super) fn reply_to_differs(views: &Views<'_>, _: &Arguments) -> bool {
    let (from, reply_to) = (
        first_address(views, "From"),
        first_address(views, "Reply-To"),
    );
    match (
        from.as_deref().and_then(registered_domain),
        reply_to.as_deref().and_then(registered_domain),
    ) {
        (Some(from), Some(reply_to)) => from != reply_to,
        _ => false,
    }
}

pub(super) fn from_name_has_address(views: &Views<'_>, _: &Arguments) -> bool {
    let Some(field) = views.case().message.field("From") else {
        return false;
    };
    field.addresses().iter().any(|one| {
        let Some(own) = registered_domain(&one.address) else {
            return false;
        };
        let name = one.display_name.as_deref().unwrap_or_default();
        let is_address = |c: char| c.is_alphanumeric() || "@._-+".contains(c);
        let mut domains = name
            .split(|c: char| !is_address(c))
            .filter_map(registered_domain_of_address);
        domains.any(|shown| shown != own)
    })
}

fn registered_domain_of_address(word: &str) -> Option<String> {
    let (local, host) = word.rsplit_once('@')?;
    (!local.is_empty() && host.contains('.'))
        .then(|| registered_domain(host))
        .flatten()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "header fields are far below 2^52"
)]
pub(super) fn count_range(views: &Views<'_>, arguments: &Arguments) -> bool {
    let fields = views.case().message.fields(arguments.text(0));
    // A field that is written twice with the same value counts once.
    let count = fields
        .map(|field| field.raw.trim_ascii())
        .collect::<BTreeSet<_>>()
        .len() as f64;
    arguments.number(1).is_none_or(|min| count >= min)
        && arguments.number(2).is_none_or(|max| count <= max)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "bytes of one message are far below 2^52"
)]
pub(super) fn illegal_chars(views: &Views<'_>, arguments: &Arguments) -> bool {
    let name = arguments.text(0);
    let Ok(request) = HeaderRequest::parse(&format!("{}:raw", name.trim_end_matches(":raw")))
    else {
        return false;
    };
    let value = views.header(&request).unwrap_or_default();
    let is_control = |byte: &u8| matches!(byte, 0..=8 | 0x0b | 0x0c | 0x0e..=0x1f);
    // Eight-bit text that is proper UTF-8 is fine.
    if value.trim_ascii().is_empty()
        || (!value.is_ascii()
            && !value.iter().any(is_control)
            && std::str::from_utf8(&value).is_ok())
    {
        return false;
    }
    let mut illegal = value
        .iter()
        .filter(|byte| is_control(byte) || **byte >= 0x7f)
        .count();
    let signs = value
        .iter()
        .filter(|byte| matches!(byte, 0xa2 | 0xa3 | 0xae))
        .count();
    if name.eq_ignore_ascii_case("subject") && illegal > 0 && signs == 1 {
        illegal -= 1;
    }
    let (ratio, count) = (
        arguments.number(1).unwrap_or(0.0),
        arguments.number(2).unwrap_or(0.0),
    );
    illegal as f64 / value.len() as f64 >= ratio && illegal as f64 >= count
}

/// What mailers of several languages write before the subject of an answer or of a forwarded mail.
const MARKS: [&str; 10] = [
    "antwort", "aw", "fw", "fwd", "re", "sv", "vb", "vl", "vs", "wg",
];
/// Bytes of a subject that can shout.
const SUBJECT_MIN: usize = 10;

/// The subject without what is before it in answers.
fn own_subject(subject: &str) -> &str {
    let mut subject = subject.trim();
    while let Some((mark, rest)) = subject.split_once(':')
        && MARKS.iter().any(|known| known.eq_ignore_ascii_case(mark))
    {
        subject = rest.trim_start();
    }
    subject
}

pub(super) fn subject_is_all_caps(views: &Views<'_>, _: &Arguments) -> bool {
    let subject = views.text("Subject");
    let subject = own_subject(&subject);
    let mut letters = subject.chars().filter(char::is_ascii_alphabetic).peekable();
    let is_long = subject.len() >= SUBJECT_MIN && subject.contains(char::is_whitespace);
    is_long
        && letters.peek().is_some()
        && letters.all(|c| c.is_ascii_uppercase())
        && !has_caseless_words(views)
}

/// Whether the subject has encoded words (RFC 2047) in a character set whose letters tell nothing
/// by their case.
fn has_caseless_words(views: &Views<'_>) -> bool {
    let raw = views.text("Subject:raw").to_ascii_lowercase();
    let charsets = raw
        .split("=?")
        .skip(1)
        .filter_map(|word| word.split('?').next());
    charsets.into_iter().any(is_caseless)
}
