//! Names of the views, as the unit of the prefilter.

use super::header_request::HeaderRequest;
use super::mime_parts::MimeParts;

/// A view of the message, as the unit of the prefilter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ViewKey {
    Header(HeaderRequest),
    Body,
    RawBody,
    Uri,
    Full,
    Mime(HeaderRequest),
    MimeParts(MimeParts),
}
