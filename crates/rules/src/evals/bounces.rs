//! Delivery reports: whether a message that came back went out through the site's own relays.

use super::signature::Arguments;
use crate::views::lazy::Views;

/// The setting that names the relays through which the site sends.
const LIST: &str = "welcomelist_bounce_relays";

pub(super) fn has_relays(views: &Views<'_>, _: &Arguments) -> bool {
    views.lists().has_list(LIST)
}

/// A quoted Received field names one of the site's relays. It is looked for in the text that people
/// see and in the body as it was sent, since reports carry the returned message in either.
pub(super) fn is_own(views: &Views<'_>, _: &Arguments) -> bool {
    if !views.lists().has_list(LIST) {
        return false;
    }
    let shown = views
        .body()
        .iter()
        .filter(|paragraph| is_received(paragraph));
    shown
        .into_iter()
        .any(|paragraph| names_own_relay(views, paragraph))
        || sent_names_own_relay(views)
}

fn sent_names_own_relay(views: &Views<'_>) -> bool {
    let mut is_inside = false;
    views
        .case()
        .message
        .body()
        .split(|byte| *byte == b'\n')
        .any(|line| {
            let is_folded = line
                .first()
                .is_some_and(|byte| matches!(byte, b' ' | b'\t'))
                && !is_received(line);
            is_inside = is_received(line) || (is_inside && is_folded);
            is_inside && names_own_relay(views, line)
        })
}

/// Whether a line begins with the field's name, after marks of quotation or none.
fn is_received(line: &[u8]) -> bool {
    const NAME: &[u8] = b"received:";
    let marks = line
        .iter()
        .take_while(|byte| matches!(byte, b'>' | b' '))
        .count();
    line.get(marks..)
        .and_then(|rest| rest.get(..NAME.len()))
        .is_some_and(|name| name.eq_ignore_ascii_case(NAME))
}

fn names_own_relay(views: &Views<'_>, line: &[u8]) -> bool {
    let words = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| word.len() > 2 && word.contains(&b'.'));
    words
        .into_iter()
        .any(|word| views.lists().lists(LIST, &String::from_utf8_lossy(word)))
}

#[cfg(test)]
mod tests {
    use super::is_received;

    #[test]
    fn fields_are_known_behind_quotation_marks() {
        for (line, wanted) in [
            ("> > Received: from", true),
            ("RECEIVED:", true),
            ("X-Received: x", false),
            ("> receive", false),
            ("", false),
        ] {
            assert_eq!(is_received(line.as_bytes()), wanted, "{line}");
        }
    }
}
