//! What is judged: the SMTP transaction (RFC 5321), the message in it (RFC 5322) and its MIME
//! entities (RFC 2045).
//!
//! Reading a message never fails: whatever is odd about it becomes an [`Anomaly`], and every
//! quantity that a stranger controls has a limit in [`Limits`]. Nothing here recurses on the depth
//! of a message.

mod anomaly;
#[cfg(test)]
mod bomb_tests;
mod case;
mod decode;
mod derived;
mod encoded_word;
mod entity;
mod filter_marks;
mod header;
mod header_block;
mod html;
mod html_entities;
mod html_facts;
mod html_style;
mod html_token;
mod japanese;
mod limits;
mod mailbox;
mod message;
mod meta_charset;
mod mime_content;
mod mime_frames;
mod mime_tree;
mod parse;
mod public_suffix;
mod specimen;
mod transaction;
mod url;
mod url_scan;

pub use anomaly::{Anomaly, AnomalyKind};
pub use case::{Case, ClientNames, Facts};
pub use decode::{decode_charset, decode_windows_1252};
pub use derived::DerivedBytes;
pub use encoded_word::{decode_words, decode_words_up_to};
pub use entity::{Entity, EntityKind, MediaType, TransferEncoding};
pub use filter_marks::{FILTER_MARKS_MAX, FilterMark};
pub use header::{HeaderAddress, HeaderField};
pub use html::render_html;
pub use html_entities::named_character;
pub use html_facts::{HtmlFacts, Link, LinkKind};
pub use japanese::is_shift_jis;
pub use limits::Limits;
pub use mailbox::Mailbox;
pub use message::{Message, TextPart};
pub use public_suffix::{PublicSuffix, PublicSuffixList, public_suffix, registrable_domain};
pub use specimen::Specimen;
pub use transaction::{Client, ClientAddress, Envelope, ReversePath, Transaction};
pub use url::{Url, UrlSource};
