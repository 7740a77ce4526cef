//! Reads arbitrary bytes as a contract: `cargo +nightly fuzz run contracts`. No text may panic, hang or exhaust the memory, and
//! the reader and `lint` must agree about what is a contract.

#![no_main]

use libfuzzer_sys::fuzz_target;
use otp_contract::{Contract, lint, parse_yaml, skeleton};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let read = Contract::from_yaml("fuzzed.yaml", text);
    let problems = lint::contract(text);
    assert!(read.is_ok() || !problems.is_empty(), "the reader refuses what lint accepts");
    for problem in &problems {
        let line = problem.in_file("fuzzed.yaml").to_string();
        assert!(!line.contains(|char: char| char.is_control()), "{line:?}");
    }
    if parse_yaml("fuzzed.yaml", text).is_ok()
        && let Ok(made) = skeleton("fuzzed.yaml", text, "POST /v")
    {
        assert!(parse_yaml("made.yaml", &made.text).is_ok(), "{}", made.text);
    }
});
