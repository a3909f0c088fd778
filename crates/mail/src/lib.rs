//! What is judged: the SMTP transaction (RFC 5321), the message in it (RFC 5322) and its MIME
//! entities (RFC 2045).
//!
//! Reading a message never fails: whatever is odd about it becomes an [`Anomaly`], and every
//! quantity that a stranger controls has a limit in [`Limits`]. Nothing here recurses on the depth
//! of a message.

mod address;
mod anomaly;
#[cfg(test)]
mod bomb_tests;
mod case;
mod decode;
mod entity;
mod header;
mod html;
mod html_entities;
mod html_style;
mod html_token;
mod limits;
mod message;
mod parse;
mod scan;
mod specimen;
mod split;
mod transaction;
mod url;
mod url_scan;
mod words;

pub use address::Mailbox;
pub use anomaly::{Anomaly, AnomalyKind};
pub use case::{Case, ClientNames, Facts};
pub use decode::{decode_charset, decode_windows_1252};
pub use entity::{Entity, EntityKind, MediaType, TransferEncoding};
pub use header::{HeaderAddress, HeaderField};
pub use html::{HtmlFacts, Link, LinkKind, render_html};
pub use html_entities::named_character;
pub use limits::Limits;
pub use message::{Message, TextPart};
pub use specimen::Specimen;
pub use transaction::{Client, ClientAddress, Envelope, ReversePath, Transaction};
pub use url::{Url, UrlSource};
pub use words::{decode_words, decode_words_up_to};
