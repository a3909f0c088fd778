//! The header fields, and what was odd about the message.

use super::{Argument, Arguments, registered_domain};
use crate::mail::HeaderField;
use crate::rules::views::Views;

pub(super) fn anomaly(views: &Views<'_>, arguments: &Arguments) -> bool {
    let Some(Argument::Anomaly(wanted)) = arguments.0.first() else { return false };
    views.case().message.anomalies.iter().any(|anomaly| anomaly.kind == *wanted)
}

/// The first address of a field.
fn first_address(views: &Views<'_>, field: &str) -> Option<String> {
    let field = views.case().message.field(field)?;
    field.addresses().into_iter().map(|one| one.address).find(|address| !address.is_empty())
}

pub(super) fn missing_to(views: &Views<'_>, _: &Arguments) -> bool {
    let message = views.case().message;
    let field = message.field("To").or_else(|| message.field("Apparently-To"));
    field.is_none_or(|field| field.unfolded().is_empty())
}

pub(super) fn from_to_same(views: &Views<'_>, _: &Arguments) -> bool {
    let message = views.case().message;
    let recipients: Vec<_> =
        ["To", "Cc"].into_iter().flat_map(|name| message.fields(name)).flat_map(HeaderField::addresses).collect();
    let [only] = recipients.as_slice() else { return false };
    first_address(views, "From").is_some_and(|from| from.eq_ignore_ascii_case(&only.address))
}

pub(super) fn matching_env_and_hdr_from(views: &Views<'_>, _: &Arguments) -> bool {
    let sender = views.case().transaction.envelope.reverse_path.mailbox().map(ToString::to_string);
    match (sender, first_address(views, "From")) {
        (Some(sender), Some(from)) => sender.eq_ignore_ascii_case(&from),
        _ => false,
    }
}

pub(super) fn to_in_subject(views: &Views<'_>, arguments: &Arguments) -> bool {
    let Some(address) = first_address(views, "To") else { return false };
    let address = address.to_lowercase();
    let user = address.split('@').next().unwrap_or_default();
    let subject = views.case().message.subject().to_lowercase();
    if arguments.text(0) == "address" {
        return address.contains('@') && subject.contains(&address);
    }
    // The user as a word of its own, and not one that is everywhere.
    let is_word = |c: char| c.is_alphanumeric();
    user.len() > 3 && subject.split(|c: char| !is_word(c) && !"._-+".contains(c)).any(|word| word == user)
}

pub(super) fn reply_to_differs(views: &Views<'_>, _: &Arguments) -> bool {
    let (from, reply_to) = (first_address(views, "From"), first_address(views, "Reply-To"));
    match (from.as_deref().and_then(registered_domain), reply_to.as_deref().and_then(registered_domain)) {
        (Some(from), Some(reply_to)) => from != reply_to,
        _ => false,
    }
}

pub(super) fn from_name_has_address(views: &Views<'_>, _: &Arguments) -> bool {
    let Some(field) = views.case().message.field("From") else { return false };
    field.addresses().iter().any(|one| {
        let Some(own) = registered_domain(&one.address) else { return false };
        let name = one.display_name.as_deref().unwrap_or_default();
        let is_address = |c: char| c.is_alphanumeric() || "@._-+".contains(c);
        let mut domains = name.split(|c: char| !is_address(c)).filter_map(registered_domain_of_address);
        domains.any(|shown| shown != own)
    })
}

fn registered_domain_of_address(word: &str) -> Option<String> {
    let (local, host) = word.rsplit_once('@')?;
    (!local.is_empty() && host.contains('.')).then(|| registered_domain(host)).flatten()
}

#[expect(clippy::cast_precision_loss, reason = "header fields are far below 2^52")]
pub(super) fn count_range(views: &Views<'_>, arguments: &Arguments) -> bool {
    let count = views.case().message.fields(arguments.text(0)).count() as f64;
    arguments.number(1).is_none_or(|min| count >= min) && arguments.number(2).is_none_or(|max| count <= max)
}

#[expect(clippy::cast_precision_loss, reason = "header bytes are far below 2^52")]
pub(super) fn illegal_chars(views: &Views<'_>, arguments: &Arguments) -> bool {
    let message = views.case().message;
    let name = arguments.text(0);
    let all = name == "ALL";
    let fields = message
        .header
        .iter()
        .filter(|field| if all { !field.is("Subject") && !field.is("From") } else { field.is(name) });
    let (mut illegal, mut total) = (0_usize, 0_usize);
    for field in fields {
        illegal += field.raw.iter().filter(|byte| **byte > 127).count();
        total += field.raw.len();
    }
    let (ratio, count) = (arguments.number(1).unwrap_or(0.0), arguments.number(2).unwrap_or(0.0));
    total > 0 && illegal as f64 / total as f64 > ratio && illegal as f64 > count
}

pub(super) fn subject_is_all_caps(views: &Views<'_>, _: &Arguments) -> bool {
    let subject = views.case().message.subject();
    let mut subject = subject.trim();
    while let Some((mark, rest)) = subject.split_once(':')
        && ["re", "fw", "fwd", "aw", "sv"].contains(&mark.to_ascii_lowercase().as_str())
    {
        subject = rest.trim_start();
    }
    let letters = || subject.chars().filter(char::is_ascii_alphabetic);
    let enough = subject.len() >= 10 && subject.contains(char::is_whitespace);
    // Text in other scripts has no case that we could judge by.
    let latin = letters().count() * 2 >= subject.chars().filter(|c| c.is_alphabetic()).count();
    enough && latin && letters().count() > 0 && letters().all(|c| c.is_ascii_uppercase())
}
