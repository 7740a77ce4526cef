//! Sends the fuzzer's bytes as requests to the sandbox.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otp_test_support::check_arbitrary_request;

fuzz_target!(|data: &[u8]| check_arbitrary_request(data));
