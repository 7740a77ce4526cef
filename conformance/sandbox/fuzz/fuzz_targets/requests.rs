//! Octets that the fuzzer makes up, as requests.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/harness.rs"]
mod harness;

fuzz_target!(|data: &[u8]| harness::play(data));
