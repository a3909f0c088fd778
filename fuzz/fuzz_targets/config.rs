//! A configuration file through the loader.
#![no_main]

#[path = "../../tests/support/fuzz_config.rs"]
#[allow(dead_code, reason = "each target calls one function of it")]
mod fuzz_config;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_config::config_text(data));
