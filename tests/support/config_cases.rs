//! Configuration files with mistakes, and what must be said about them: `NAME.toml` with
//! `NAME.stderr` next to it.
//!
//! Files named `good-…` must load without a word, `warns-…` must load with a warning, all others
//! must not load. `BLESS=1` writes the `.stderr` files; read them before you commit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatepost::config::Config;
use gatepost_words::diagnostic::{Source, render};

/// Runs every case in `folder`; all failures are reported together. Returns how many cases there were.
pub fn run_all(folder: &Path) -> Result<usize, String> {
    let bless = std::env::var_os("BLESS").is_some();
    let mut failures = Vec::new();
    let cases = cases(folder);
    for case in &cases {
        if let Err(failure) = run(case, bless) {
            failures.push(format!("{}: {failure}", case.display()));
        }
    }
    if failures.is_empty() {
        Ok(cases.len())
    } else {
        Err(failures.join("\n"))
    }
}

fn cases(folder: &Path) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut cases: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable directory").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    cases.sort();
    cases
}

fn run(case: &Path, bless: bool) -> Result<(), String> {
    let name = case
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let text = std::fs::read_to_string(case).map_err(|error| error.to_string())?;
    let loaded = Config::from_sources(
        vec![Arc::new(Source::new(name.clone(), text))],
        &BTreeMap::new(),
    );
    let (loads, reported) = match loaded {
        Ok(loaded) => (true, loaded.warnings),
        Err(wrong) => (false, wrong),
    };
    let should_load = name.starts_with("good-") || name.starts_with("warns-");
    if loads != should_load || name.starts_with("good-") != reported.is_empty() {
        return Err(format!(
            "loads: {loads}, and what was said is\n{}",
            render(&reported, false)
        ));
    }
    // Every diagnostic has its place, in the form that editors jump to.
    for diagnostic in &reported {
        let start = format!("{name}:");
        let is_place = diagnostic
            .to_string()
            .strip_prefix(&start)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let is_default = diagnostic.place.is_none() && !diagnostic.is_error();
        if !is_place && !is_default {
            return Err(format!("no place: {diagnostic}"));
        }
    }
    let said = render(&reported, false);
    let expected = case.with_extension("stderr");
    if reported.is_empty() {
        return if expected.exists() {
            Err("it has a .stderr, but nothing is said".to_owned())
        } else {
            Ok(())
        };
    }
    if bless {
        return std::fs::write(&expected, said).map_err(|error| error.to_string());
    }
    let wanted =
        std::fs::read_to_string(&expected).map_err(|error| format!("its .stderr: {error}"))?;
    if said == wanted {
        Ok(())
    } else {
        Err(format!("said\n{said}\nexpected\n{wanted}"))
    }
}
