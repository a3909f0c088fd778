//! The long documents, as modules, so that the compiler checks their links.
//!
//! * [`operating`]: for the mail admin: installing, reading the log at 3 am, what each fault means,
//!   reload and restart.
//! * [`writing_rules`]: for the mail admin who tunes rule files.
//! * [`threats`]: what strangers try, and the test that covers it.

pub mod operating;
pub mod threats;
pub mod writing_rules;
