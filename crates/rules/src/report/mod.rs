//! What people read of a set and of a scan: the text of a rule, templates of headers and reports,
//! what is not supported.

pub(crate) mod explain;
pub(crate) mod tags;
pub(crate) mod unsupported;
