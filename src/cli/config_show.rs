//! `gatepost config show`

use std::sync::Arc;

use super::Exit;
use super::failure::Failure;
use super::loading::load;
use super::terminal::Output;
use crate::config::{self, Config, Paths, Which};
use gatepost_words::diagnostic::did_you_mean;

/// Prints the values in force, those that were changed, or the defaults.
pub(super) fn show(
    paths: &Paths,
    changed: bool,
    defaults: bool,
    key: Option<&str>,
) -> Result<Exit, Failure> {
    let loaded = if defaults {
        Config::from_sources(Vec::<Arc<_>>::new(), &std::collections::BTreeMap::new())?
    } else {
        load(paths)?
    };
    let which = if changed { Which::Changed } else { Which::All };
    let Some(text) = config::show(&loaded.merged, which, key, &[]) else {
        return Err(Failure::new(Exit::Usage, unknown(key.unwrap_or_default())));
    };
    let mut out = Output::new();
    out.text(&text)?;
    out.finish()?;
    Ok(Exit::Done)
}

fn unknown(key: &str) -> String {
    match did_you_mean(key, config::KEYS.iter().map(|key| key.path)) {
        Some(meant) => format!("there is no key `{key}`; did you mean `{meant}`?"),
        None => format!("there is no key `{key}`; `gatepost config show` prints all of them"),
    }
}
