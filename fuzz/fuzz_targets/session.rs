//! A milter dialogue through the session and the stages of the engine.
#![no_main]

#[path = "../../tests/support/fuzz_session.rs"]
#[allow(dead_code, reason = "each target calls one function of it")]
mod fuzz_session;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_session::session(data));
