//! All tests that need the whole program, as one binary: linking tract once is enough.
#![expect(
    unreachable_pub,
    reason = "what the tests share is written as it would be in a library"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "tests read files and start programs"
)]
#![expect(
    clippy::tests_outside_test_module,
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "this whole binary is a test module"
)]

mod interop;
mod learning;
mod support {
    pub(crate) mod bombs;
    pub(crate) mod cli_cases;
    pub(crate) mod config_cases;
    pub(crate) mod dialogue;
    pub(crate) mod golden;
    pub(crate) mod mta;
    pub(crate) mod regressions;
    pub(crate) mod rules_cases;
    pub(crate) mod rules_oracle;
}

use std::path::{Path, PathBuf};

use gatepost_engine::{Generation, Scratch};
use gatepost_mail::Specimen;
use gatepost_words::verdict::Disposition;

/// A folder next to this file.
fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name)
}

/// What an installation without any configuration runs.
fn shipped() -> Generation {
    gatepost::daemon::builtin_generation().unwrap_or_else(|diagnostics| panic!("{diagnostics:#?}"))
}

/// At least so many cases: a folder that was emptied by mistake is a failure, not a success.
fn at_least(least: usize, outcome: Result<usize, String>) {
    match outcome {
        Ok(count) => assert!(
            count >= least,
            "only {count} cases were found, at least {least} are expected"
        ),
        Err(failures) => panic!("\n{failures}"),
    }
}

#[test]
fn golden_messages() {
    at_least(60, support::golden::run_all(&folder("golden"), &shipped()));
}

/// Parser, rules, features and model, on every shape that is made to hurt: no abort on a small
/// stack, and a verdict that does not call clean what was not looked at.
#[test]
fn bombs_are_judged_on_a_small_stack() {
    let judge = || {
        let generation = shipped();
        let mut scratch = Scratch::default();
        let shapes = support::bombs::shapes();
        assert!(shapes.len() >= 20, "only {} shapes", shapes.len());
        for (name, raw) in shapes {
            let verdict = gatepost_engine::judge(&generation, &Specimen::stored(raw), &mut scratch)
                .unwrap_or_else(|fault| panic!("{name}: {fault}"));
            let is_cut = verdict
                .anomalies
                .iter()
                .any(|anomaly| anomaly.ends_with("_limit") && *anomaly != "rule_limit");
            assert!(
                !is_cut || verdict.disposition != Disposition::Accept,
                "{name}: {:?}",
                verdict.anomalies
            );
        }
    };
    let thread = std::thread::Builder::new()
        .stack_size(256 << 10)
        .spawn(judge)
        .expect("a thread");
    assert!(thread.join().is_ok(), "see the panic above");
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
    at_least(
        10,
        support::cli_cases::run_all(&folder("cli"), Path::new(env!("CARGO_BIN_EXE_gatepost"))),
    );
}
