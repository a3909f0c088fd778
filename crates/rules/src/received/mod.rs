//! Received fields (RFC 5321 §4.4) as the mailers of the world write them: who handed the message to
//! whom.
//!
//! A field is read twice: `clauses` looks for the single facts that any mailer may write (`by`,
//! `id`, how the client logged in), and `forms` tries the shapes of the `from` clause, family by
//! family, in the notation of `notation`. What SpamAssassin 4.0.1 reads, or takes for no handover
//! at all, is read and skipped here too.

mod clauses;
pub(crate) mod field;
mod forms;
pub(crate) mod network;
mod notation;

#[cfg(test)]
mod tests;
