//! What SpamAssassin's tests on HTML count: tags, nesting, sizes, colours and the area of pictures
//! of one HTML text.

mod colour;
mod elements;
mod scan;

pub(super) use colour::Colour;
pub(super) use scan::HtmlScan;
