//! What settings fill and eval functions read: free mail hosters, top-level domains, addresses that
//! the site welcomes or blocks, hosts, networks, and the tags that stand for stretches of regular
//! expressions.

mod freemail;
mod networks;
mod replacements;
mod tables;

pub(super) use networks::Networks;
pub(super) use tables::Lists;
