//! A message as it was received, with what keeps its memory accounted for.

use std::sync::Arc;

use super::Permit;
use gatepost_mail::Transaction;

/// The bytes of a message (or of its header alone), shared by all that work on it. The share of the
/// memory budget that they take is given back when the last owner drops them.
#[derive(Debug)]
pub struct ReceivedMail {
    /// The SMTP side.
    pub transaction: Arc<Transaction>,
    /// The bytes, with CRLF line ends as on the wire.
    pub raw: Vec<u8>,
    /// Their share of the budget; `None` where they are accounted for elsewhere.
    pub permit: Option<Permit>,
}
