//! The MIME entities.

use super::Arguments;
use crate::mail::EntityKind;
use crate::rules::views::Views;

pub(super) fn attachment_name(views: &Views<'_>, arguments: &Arguments) -> bool {
    let Some(pattern) = arguments.pattern(0) else { return false };
    let mut names = views.case().message.entities.iter().filter_map(|entity| entity.file_name.as_deref());
    names.any(|name| pattern.matches(name.as_bytes()))
}

pub(super) fn attachment_type(views: &Views<'_>, arguments: &Arguments) -> bool {
    let Some(pattern) = arguments.pattern(0) else { return false };
    let mut leaves = views.case().message.entities.iter().filter(|entity| entity.kind != EntityKind::Multipart);
    leaves.any(|entity| pattern.matches(entity.media_type.to_string().as_bytes()))
}

pub(super) fn html(views: &Views<'_>, _: &Arguments) -> bool {
    views.case().message.texts.iter().any(|text| text.html.is_some())
}

pub(super) fn html_only(views: &Views<'_>, arguments: &Arguments) -> bool {
    html(views, arguments) && views.case().message.texts.iter().all(|text| text.html.is_some())
}

#[expect(clippy::cast_precision_loss, reason = "bytes of one message are far below 2^52")]
pub(super) fn body_length(views: &Views<'_>, arguments: &Arguments) -> bool {
    let length: usize = views.body().iter().skip(1).map(Vec::len).sum();
    arguments.number(0).is_some_and(|limit| (length as f64) < limit)
}
