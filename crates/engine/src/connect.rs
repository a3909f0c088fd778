//! The stage CONNECT.

use super::Generation;
use super::envelope::verdict;
use gatepost_mail::Client;
use gatepost_words::Stage;
use gatepost_words::verdict::Verdict;

/// Judges a client by its address and name. `None`: nothing speaks against it.
pub fn connect(generation: &Generation, listener: &str, client: &Client) -> Option<Verdict> {
    let policy = &generation.profile(listener).policy;
    policy
        .listed_client(client)
        .map(|evidence| verdict(generation, listener, Stage::Connect, evidence))
}
