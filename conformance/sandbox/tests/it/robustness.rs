//! Whatever arrives, the sandbox responds with JSON and a status below 500, approves nothing, and keeps serving.

use otp_test_support::{TestServer, check_arbitrary_request, contracts};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

#[test]
fn arbitrary_bytes_never_fail_or_get_an_approval() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(TestServer::start_default());
    let contracts = contracts();
    let prepared: Vec<_> = contracts
        .iter()
        .map(|contract| {
            runtime.block_on(async {
                let tenant = server.tenant(&contract.vendor).await;
                let session = server.session(&tenant, "123456", json!({})).await;
                let path = tenant.path(contract, &session);
                (contract.verify().method.clone(), path, tenant.credential(contract))
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
            let response = runtime.block_on(server.send(method, &path, &headers, &body));
            prop_assert!((400..500).contains(&response.status), "{} {path}: {}", method, response.status);
            prop_assert!(response.json().is_object());
            Ok(())
        })
        .unwrap();
}

/// The fuzzer's corpus covers every path through the request parser that it has ever found.
#[test]
fn the_corpus_of_the_fuzzer_is_never_approved() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/requests");
    let mut checked = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        let data = std::fs::read(&path).unwrap();
        let result = std::panic::catch_unwind(|| check_arbitrary_request(&data));
        assert!(result.is_ok(), "{}", path.display());
        checked += 1;
    }
    assert!(checked >= 200, "{checked}");
}
