//! The MIME entities.

use super::signature::Arguments;
use crate::views::lazy::Views;
use gatepost_mail::EntityKind;

pub(super) fn attachment_name(views: &Views<'_>, arguments: &Arguments) -> bool {
    let Some(pattern) = arguments.pattern(0) else {
        return false;
    };
    let mut names = views
        .case()
        .message
        .entities
        .iter()
        .filter_map(|entity| entity.file_name.as_deref());
    names.any(|name| views.matches(pattern, name.as_bytes()))
}

pub(super) fn attachment_type(views: &Views<'_>, arguments: &Arguments) -> bool {
    let Some(pattern) = arguments.pattern(0) else {
        return false;
    };
    let mut leaves = views
        .case()
        .message
        .entities
        .iter()
        .filter(|entity| entity.kind != EntityKind::Multipart);
    leaves.any(|entity| views.matches(pattern, entity.media_type.to_string().as_bytes()))
}
