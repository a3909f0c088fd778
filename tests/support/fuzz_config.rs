//! What fuzzing does with a configuration: any text loads or is reported, and what loads
//! can be shown and loaded again as the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatepost::config::{Config, Which, show};
use gatepost_words::diagnostic::{Source, render};

/// One input: a configuration file, and behind a NUL byte optionally lines `NAME=VALUE` for the
/// environment.
pub fn config_text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (file, variables) = text.split_once('\0').unwrap_or((&text, ""));
    let environment: BTreeMap<String, String> = variables
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (format!("GATEPOST__{name}"), value.to_owned()))
        .collect();
    match Config::from_sources(vec![Arc::new(Source::new("fuzz.toml", file))], &environment) {
        Err(wrong) => {
            assert!(!wrong.is_empty(), "refused without a word");
            assert!(!render(&wrong, false).is_empty());
        }
        Ok(loaded) => {
            let shown =
                show(&loaded.merged, Which::All, None, &[]).expect("everything can be shown");
            let source = Arc::new(Source::new("again.toml", shown.clone()));
            let again = Config::from_sources(vec![source], &BTreeMap::new());
            let again = again.unwrap_or_else(|wrong| panic!("{shown}\n{}", render(&wrong, false)));
            assert_eq!(loaded.merged.tree, again.merged.tree, "{shown}");
        }
    }
}
