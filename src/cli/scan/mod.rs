//! `gatepost scan`: judging mail offline, by the same pure function as the daemon.
//!
//! One thread reads, several judge, one prints: in input order, whatever finishes first. What is in
//! memory at one time is bounded by the queues between them.

mod command;
mod print;
mod session;

pub(super) use command::scan;
