//! Replays the seeds of every fuzz target and every input that once made one fail, on stable, in
//! ordinary tests.
//!
//! A crash that fuzzing finds: `cp fuzz/artifacts/TARGET/crash-…
//! fuzz/regressions/TARGET/YYYY-MM-DD-what.bin`, and it is tested from then on.

#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "tests look at files")]
#![expect(unreachable_pub, reason = "the fuzz targets include the same files")]

use std::fs;
use std::path::{Path, PathBuf};

/// The inputs kept for a target: `fuzz/corpus/TARGET/seed-*` and `fuzz/regressions/TARGET/*`.
fn inputs(target: &str) -> Vec<PathBuf> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let is_seed = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("seed-"))
    };
    let list = |folder: &str| {
        let entries = fs::read_dir(fuzz.join(folder).join(target))
            .into_iter()
            .flatten();
        entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect::<Vec<PathBuf>>()
    };
    let mut files: Vec<PathBuf> = list("corpus").into_iter().filter(is_seed).collect();
    files.extend(list("regressions"));
    files.sort();
    files
}

/// Runs `fuzz` on every kept input of the target. On a stack of 256 KiB: what recurses on a
/// stranger's depth shows here.
fn replay(target: &str, fuzz: fn(&[u8])) {
    let files = inputs(target);
    assert!(
        !files.is_empty(),
        "the target {target} has no seeds in fuzz/corpus/{target}"
    );
    for file in files {
        let data = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let run = std::thread::Builder::new()
            .stack_size(256 << 10)
            .spawn(move || fuzz(&data))
            .expect("a thread");
        assert!(run.join().is_ok(), "{} fails", file.display());
    }
}

#[path = "fuzz_config.rs"]
mod fuzz_config;
#[path = "fuzz_dns.rs"]
mod fuzz_dns;
#[path = "fuzz_learning.rs"]
mod fuzz_learning;
#[path = "fuzz_mail.rs"]
mod fuzz_mail;
#[path = "fuzz_matcher.rs"]
mod fuzz_matcher;
#[path = "fuzz_milter.rs"]
mod fuzz_milter;
#[path = "fuzz_rules.rs"]
mod fuzz_rules;
#[path = "fuzz_session.rs"]
mod fuzz_session;

#[test]
fn milter_frames() {
    replay("milter_frames", fuzz_milter::milter_frames);
}

#[test]
fn session() {
    replay("session", fuzz_session::session);
}

#[test]
fn message() {
    replay("message", fuzz_mail::message);
}

#[test]
fn header_addresses() {
    replay("header_addresses", fuzz_mail::header_addresses);
}

#[test]
fn html() {
    replay("html", fuzz_mail::html);
}

#[test]
fn regex() {
    replay("regex", fuzz_matcher::regex);
}

#[test]
fn matcher() {
    replay("matcher", fuzz_matcher::matcher);
}

#[test]
fn rule_text() {
    replay("rule_text", fuzz_rules::rule_text);
}

#[test]
fn config() {
    replay("config", fuzz_config::config_text);
}

#[test]
fn label_log() {
    replay("label_log", fuzz_learning::label_log);
}

#[test]
fn dns_message() {
    replay("dns_message", fuzz_dns::dns_message);
}
