//! What the classifier looks at: one mail as a fixed set of numbers, by a versioned [`Schema`].
//!
//! The same code runs in training and in the daemon. Nothing in here may reveal where a message was
//! collected: headers are taken from an allow-list of names (`shape`), of addresses only relations
//! are used (`dense`), and dates, trace fields, list fields, `X-` fields, recipients, Message-IDs
//! and line ends are never looked at. A test feeds all of those and demands the same vector.
//!
//! The site learner has another input, on purpose full of identity: [`SiteView`].

mod dense;
mod domain;
mod extract;
mod fields;
mod hash;
mod language;
mod normalise;
mod schema;
mod sent_header;
mod shape;
mod site_view;
mod trusted_authserv_ids;
mod vector;

pub use extract::{explained, extract};
pub use fields::is_mark;
pub use schema::Schema;
pub(crate) use sent_header::sent_header;
pub use site_view::SiteView;
pub use trusted_authserv_ids::TrustedAuthservIds;
pub use vector::{FeatureVector, Origin};
pub use vector::{parts, ranges, weight};
