//! The composition root: puts rules, model, policies, limits, threads and sockets together as the
//! configuration says, and exchanges on a reload what can be exchanged.
//!
//! Nothing here prints: commands and tests call it, and the daemon itself logs.

mod allocator;
mod generation;
mod learner;
mod memory;
mod needs;
mod public_suffixes;
mod rule_files;
mod server_settings;
mod service;
mod start;

pub use generation::{
    assemble, builtin_generation, compile, learning_in, learning_settings, load_attribution,
    load_generation, load_model, load_site, read_model,
};
pub use needs::{Provided, SocketFound, SocketState, missing_files, sockets};
pub use public_suffixes::use_public_suffix_list;
pub use rule_files::{builtin_rules, chosen_rules, configured_rules};
pub use server_settings::server_settings;
pub use start::{StartError, run};
