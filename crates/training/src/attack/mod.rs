//! What spammers do to a mail so that a filter that reads text does not know it again: the attacks
//! of `model robustness`.
//!
//! Each attack changes a whole mail, as it would be sent; the reader, the features and the model
//! then see it as any other. Training learns from such copies, and `super::evaluate_attacks` measures how
//! much is still caught.

mod good;
mod kind;
mod mail;
mod text;

pub use kind::Attack;
pub(super) use kind::pseudo_language;

pub(super) use good::{Good, GoodWords};
