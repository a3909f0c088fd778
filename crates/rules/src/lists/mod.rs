//! What settings fill and eval functions read: free mail hosters, top-level domains, addresses that
//! the site welcomes or blocks, hosts, networks, and the tags that stand for stretches of regular
//! expressions.

mod freemail;
pub(crate) mod networks;
mod replacements;
pub(crate) mod tables;
