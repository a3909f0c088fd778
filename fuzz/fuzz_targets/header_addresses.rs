//! A header field through unfolding, decoding and the address reader.
#![no_main]

#[path = "../../tests/support/fuzz_mail.rs"]
#[allow(dead_code, reason = "each target calls one function of it")]
mod fuzz_mail;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_mail::header_addresses(data));
