//! Whatever comes in: an answer below 500 in JSON, no approval, and a server that goes on serving.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::house::{House, contracts};

#[test]
fn no_bytes_make_the_sandbox_fail_or_approve() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let house = runtime.block_on(House::clean());
    let contracts = contracts();
    let prepared: Vec<_> = contracts
        .iter()
        .map(|contract| {
            runtime.block_on(async {
                let tenant = house.tenant(&contract.vendor).await;
                let issued = house.issue(&tenant, "123456", json!({})).await;
                let path = tenant.path(contract, issued["session"].as_str().unwrap());
                (contract.verify().method.clone(), path, tenant.credential())
            })
        })
        .collect();
    let mut runner = TestRunner::new(Config { cases: 300, failure_persistence: None, ..Config::default() });
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "[\\[\\]{}\",:0-9a-z \\\\]{0,80}".prop_map(String::into_bytes),
        "\\{\"(sessionId|code|verify_id|otp|OTP|otp_id|otp_code)\": ?[^}]{0,20}\\}"
            .prop_map(String::into_bytes),
    ];
    let strategy = (0..prepared.len(), body, "(/|\\?|%|[a-z0-9=&.;]){0,20}");
    runner
        .run(&strategy, |(index, body, suffix)| {
            let (method, path, (header, value)) = &prepared[index];
            let path = format!("{path}{suffix}");
            prop_assume!(format!("http://x{path}").parse::<http::Uri>().is_ok());
            let headers = [(header.as_str(), value.as_str()), ("content-type", "application/json")];
            let answer = runtime.block_on(house.send(method, &path, &headers, &body));
            prop_assert!((400..500).contains(&answer.status), "{} {path}: {}", method, answer.status);
            prop_assert!(answer.json().is_object());
            Ok(())
        })
        .unwrap();
}

/// What the fuzzer found worth keeping: together it goes every way through the reading of requests that was ever found.
#[test]
fn the_corpus_of_the_fuzzer_is_refused_as_everything_else_is() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/requests");
    let mut played = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let data = std::fs::read(&path).unwrap();
        let ended = std::panic::catch_unwind(|| crate::harness::play(&data));
        assert!(ended.is_ok(), "{}", path.display());
        played += 1;
    }
    assert!(played >= 200, "{played}");
}
