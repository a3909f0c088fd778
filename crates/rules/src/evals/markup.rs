//! SpamAssassin's tests on HTML, over what [`HtmlScan`] counts.

use super::signature::Arguments;
use crate::views::html_scan::scan::HtmlScan;
use crate::views::lazy::Views;
use gatepost_words::bytes;

/// Whether a number lies above the argument at `index` and not above the one after it.
fn above(arguments: &Arguments, index: usize, value: f64) -> bool {
    arguments.number(index).is_none_or(|min| value > min)
        && arguments.number(index + 1).is_none_or(|max| value <= max)
}

/// The first text that the page shows as its form: `== 0`, `!= 0`, `< 384`.
fn compares(value: f64, expression: &str) -> bool {
    let text = expression.trim();
    let end = text
        .find(|c: char| !"<>=!".contains(c))
        .unwrap_or(text.len());
    let Ok(number) = bytes::skip_str(text, end).trim().parse::<f64>() else {
        return false;
    };
    let is_equal = (value - number).abs() < f64::EPSILON;
    match bytes::head_str(text, end) {
        "==" => is_equal,
        "!=" => !is_equal,
        "<" => value < number,
        "<=" => value <= number,
        ">" => value > number,
        ">=" => value >= number,
        _ => false,
    }
}

pub(super) fn test(views: &Views<'_>, arguments: &Arguments) -> bool {
    views.html().iter().any(|html| match arguments.text(0) {
        "html" => true,
        "font_low_contrast" => html.low_contrast,
        "font_invalid_color" => html.invalid_colour,
        "font_face_bad" => html.bad_font_face,
        "embeds" => html.embeds,
        "form_action_mailto" => html.form_mailto,
        _ => false,
    })
}

pub(super) fn range(views: &Views<'_>, arguments: &Arguments) -> bool {
    views
        .html()
        .iter()
        .filter_map(|html| html.number(arguments.text(0)))
        .any(|value| above(arguments, 1, value))
}

pub(super) fn comparison(views: &Views<'_>, arguments: &Arguments) -> bool {
    let values = views
        .html()
        .iter()
        .filter_map(|html| html.number(arguments.text(0)));
    values
        .into_iter()
        .any(|value| compares(value, arguments.text(1)))
}

pub(super) fn tag_balance(views: &Views<'_>, arguments: &Arguments) -> bool {
    let open = views
        .html()
        .iter()
        .filter_map(|html| html.inside.get(arguments.text(0)));
    open.into_iter()
        .any(|open| compares(f64::from(*open), arguments.text(1)))
}

pub(super) fn tag_exists(views: &Views<'_>, arguments: &Arguments) -> bool {
    let name = arguments.text(0).to_ascii_lowercase();
    views
        .html()
        .iter()
        .any(|html| html.inside.contains_key(&name))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "bytes of one message are far below 2^52"
)]
pub(super) fn image_only(views: &Views<'_>, arguments: &Arguments) -> bool {
    let fits = |html: &&HtmlScan| {
        html.inside.contains_key("img") && above(arguments, 0, html.length as f64)
    };
    views.html().iter().any(|html| fits(&html))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "bytes of one message are far below 2^52"
)]
pub(super) fn image_ratio(views: &Views<'_>, arguments: &Arguments) -> bool {
    let with_images = views.html().iter().filter(|html| html.image_area > 0.0);
    with_images
        .into_iter()
        .any(|html| above(arguments, 0, html.non_space as f64 / html.image_area))
}

pub(super) fn text_match(views: &Views<'_>, arguments: &Arguments) -> bool {
    let Some(pattern) = arguments.pattern(1) else {
        return false;
    };
    views.html().iter().any(|html| {
        let texts: &[String] = match arguments.text(0) {
            "anchor" => &html.anchors,
            "title" => &html.titles,
            "comment" => &html.comments,
            _ => &[],
        };
        texts
            .iter()
            .any(|text| views.matches(pattern, text.as_bytes()))
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "bytes of one message are far below 2^52"
)]
pub(super) fn title_ratio(views: &Views<'_>, arguments: &Arguments) -> bool {
    let subject = views.text("Subject").len() as f64;
    let longest = views
        .html()
        .iter()
        .flat_map(|html| &html.titles)
        .map(String::len)
        .max()
        .unwrap_or(0) as f64;
    subject > 0.0
        && arguments
            .number(0)
            .is_some_and(|ratio| longest / subject > ratio)
}

pub(super) fn iframe_source(views: &Views<'_>, _: &Arguments) -> bool {
    views.html().iter().any(|html| html.has_iframe_source)
}
