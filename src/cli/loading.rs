//! What commands load, with the warnings printed.

use std::sync::Arc;

use super::failure::Failure;
use super::terminal::{eprint_line, print_diagnostics};
use crate::config::{Config, Loaded, Paths};
use crate::daemon;
use gatepost_learn::classifier::FrozenSite;

/// Loads the configuration; warnings do not stop anything.
pub(super) fn load(paths: &Paths) -> Result<Loaded, Failure> {
    let loaded = Config::load(paths)?;
    print_diagnostics(&loaded.warnings);
    daemon::use_public_suffix_list(&loaded.config)?;
    Ok(loaded)
}

/// What the labels of the site have taught. Where it cannot be read, rules and model judge alone.
pub(super) fn load_site(config: &Config) -> Option<Arc<FrozenSite>> {
    match daemon::load_site(config) {
        Ok(site) => site,
        Err(error) => {
            eprint_line(format_args!(
                "gatepost: warning: {error}; judging without it"
            ));
            None
        }
    }
}
