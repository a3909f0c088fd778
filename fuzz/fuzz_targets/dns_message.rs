//! Bytes as a resolver could send them, through the codec and the stub resolver.
#![no_main]

#[path = "../../tests/support/fuzz_dns.rs"]
mod fuzz_dns;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_dns::dns_message(data));
