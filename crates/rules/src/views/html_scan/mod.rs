//! What SpamAssassin's tests on HTML count: tags, nesting, sizes, colours and the area of pictures
//! of one HTML text.

pub(crate) mod colour;
mod elements;
pub(crate) mod scan;
