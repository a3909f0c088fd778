//! Messages on disk: the one reader of `scan`, `learn`, `rules hits|diff|bench` and `model`.
//!
//! What is named is a file, a directory, a Maildir, a mailbox (mbox), a queue file of Postfix or
//! standard input, compressed with gzip, bzip2 or zstd or not. Each message is handed over with its
//! name; what is not a message is handed over as [`Unread`], so that it is reported and counted and
//! never learned.
//!
//! | Module | For |
//! |---|---|
//! | `item` | what is handed over: a message, or why there is none |
//! | `walk` | files, directories, Maildirs; special files are never opened |
//! | `content` | one stream of bytes, whatever is in it |
//! | `sniff` | what the first bytes are |
//! | `compressed` | gzip, bzip2, zstd, with a limit |
//! | `mbox` | mailboxes |
//! | `queue_file`, `postcat` | Postfix's queue files, and what `postcat -q` prints of them |

mod compressed;
mod content;
mod folder_class;
mod item;
mod mbox;
mod postcat;
mod queue_file;
mod sniff;
mod walk;
#[cfg(test)]
mod walk_tests;

pub use folder_class::folder_class;
pub use item::{Envelope, Item, Unread};
pub use walk::{read_all, read_one};
