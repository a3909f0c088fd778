//! What the learner keeps on disk through its readers.
#![no_main]

#[path = "../../tests/support/fuzz_learning.rs"]
mod fuzz_learning;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_learning::label_log(data));
