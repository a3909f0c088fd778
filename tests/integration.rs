//! All tests that need the whole program, as one binary: linking tract once is enough.
#![expect(unreachable_pub, reason = "what the tests share is written as it would be in a library")]
#![expect(clippy::disallowed_methods, reason = "tests read files and start programs")]
#![expect(
    clippy::tests_outside_test_module,
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "this whole binary is a test module"
)]

mod interop;
mod support {
    pub(crate) mod cli_cases;
    pub(crate) mod config_cases;
    pub(crate) mod dialogue;
    pub(crate) mod golden;
    pub(crate) mod mta;
    pub(crate) mod regressions;
    pub(crate) mod rules_cases;
}

use std::path::{Path, PathBuf};

use gatepost::engine::Generation;

/// A folder beside this file.
fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// What an installation without any configuration runs.
fn shipped() -> Generation {
    gatepost::cli::shipped_generation().unwrap_or_else(|diagnostics| panic!("{diagnostics:#?}"))
}

/// At least so many cases: a folder that was emptied by mistake is a failure, not a success.
fn at_least(least: usize, outcome: Result<usize, String>) {
    match outcome {
        Ok(count) => assert!(count >= least, "only {count} cases were found, at least {least} are expected"),
        Err(failures) => panic!("\n{failures}"),
    }
}

#[test]
fn golden_mails() {
    at_least(60, support::golden::run_all(&folder("golden"), &shipped()));
}

#[test]
fn milter_dialogues() {
    at_least(40, support::dialogue::run_all(folder("dialogue")));
}

#[test]
fn configuration_files() {
    at_least(30, support::config_cases::run_all(&folder("config")));
}

#[test]
fn rule_files() {
    at_least(25, support::rules_cases::run_all(&folder("rules")));
}

#[test]
fn commands() {
    at_least(10, support::cli_cases::run_all(&folder("cli"), Path::new(env!("CARGO_BIN_EXE_gatepost"))));
}
