//! A rule file through the loader.
#![no_main]

#[path = "../../tests/support/fuzz_rules.rs"]
#[allow(dead_code, reason = "each target calls one function of it")]
mod fuzz_rules;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_rules::rule_text(data));
