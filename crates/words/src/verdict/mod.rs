//! What is found about a message: evidence, score, disposition, verdict, and the SMTP reply that
//! carries it.
//!
//! A verdict is never an error and an error is never a verdict: what cannot be judged is a fault of
//! `engine`.

mod disposition;
mod evidence;
mod outcome;
mod reply;

pub use disposition::Disposition;
pub use evidence::{Evidence, Hit, RuleName, Score};
pub use outcome::{GenerationId, HeaderEdits, Verdict, VerdictId};
pub use reply::{EnhancedStatusCode, ReplyCode, SmtpReply};
