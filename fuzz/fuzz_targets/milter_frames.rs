//! Bytes as an MTA could send them, through the codec and the protocol's state machine.
#![no_main]

#[path = "../../tests/support/fuzz_milter.rs"]
#[allow(dead_code, reason = "each target calls one function of it")]
mod fuzz_milter;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_milter::milter_frames(data));
