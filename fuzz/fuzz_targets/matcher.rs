//! Rules and a mail: together they find what each finds alone.
#![no_main]

#[path = "../../tests/support/fuzz_matcher.rs"]
#[allow(dead_code, reason = "each target calls one function of it")]
mod fuzz_matcher;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_matcher::matcher(data));
