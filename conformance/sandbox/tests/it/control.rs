//! The control protocol, used correctly and incorrectly.

use otp_contract::Contract;
use otp_sandbox::{Sandbox, SandboxError, Settings};
use otp_test_support::{Tenant, TestServer, contracts};
use serde_json::json;

#[tokio::test]
async fn the_control_protocol_describes_itself() {
    let server = TestServer::start_default().await;
    let response = server.send("GET", "/_control/v1", &[], b"").await;
    assert_eq!(response.status, 200);
    let described = response.json();
    assert_eq!(described["protocol"], 1);
    assert_eq!(described["vendors"], json!(["zeckta", "kaleyra", "dailystory", "exotel", "d7"]));
    assert_eq!(described["operations"], json!(["tenants", "sessions", "age", "resend"]));
}

#[tokio::test]
async fn tenants_never_share_an_account_parameter_or_a_credential() {
    let server = TestServer::start_default().await;
    for contract in contracts() {
        let tenants = [server.tenant(&contract.vendor).await, server.tenant(&contract.vendor).await];
        let [one, other] = tenants.each_ref().map(Tenant::json);
        for account in &contract.verify().accounts {
            assert!(one["parameters"][&account.name].is_string());
            assert_ne!(one["parameters"][&account.name], other["parameters"][&account.name]);
        }
        for scheme in &contract.verify().security {
            assert!(one["credentials"][&scheme.name].is_object());
            assert_ne!(one["credentials"][&scheme.name], other["credentials"][&scheme.name]);
        }
    }
}

#[tokio::test]
async fn the_response_to_an_issue_states_the_limits_and_never_the_code() {
    let server = TestServer::start_default().await;
    let cases = [
        ("exotel", json!({}), json!(60), json!(10)),
        ("exotel", json!({"ttl_seconds": 5, "max_attempts": 3}), json!(5), json!(3)),
        ("exotel", json!({"ttl_seconds": null, "max_attempts": null, "unknown": 1}), json!(60), json!(10)),
        ("exotel", json!({"ttl_seconds": 0, "max_attempts": -4}), json!(1), json!(1)),
        ("exotel", json!({"ttl_seconds": u64::MAX, "max_attempts": 1e30}), json!(86_400), json!(100)),
        ("exotel", json!({"ttl_seconds": -1e300, "max_attempts": i64::MIN}), json!(1), json!(1)),
        ("exotel", json!({"ttl_seconds": 7.0, "max_attempts": 4.0}), json!(7), json!(4)),
        ("dailystory", json!({"ttl_seconds": 999_999, "max_attempts": 99}), json!(1200), json!(10)),
        ("d7", json!({"max_attempts": 3}), json!(600), json!(null)),
    ];
    for (vendor, options, ttl, limit) in cases {
        let tenant = server.tenant(vendor).await;
        let issued = server.issue(&tenant, "012345", options.clone()).await;
        assert_eq!((&issued["ttl_seconds"], &issued["max_attempts"]), (&ttl, &limit), "{vendor} {options}");
        assert!(!issued.to_string().contains("012345"));
    }
}

#[tokio::test]
async fn each_error_has_the_documented_status_and_an_error_member() {
    let server = TestServer::start_default().await;
    let tenant = server.tenant("d7").await;
    let id = tenant.id();
    let cases = [
        ("/tenants", json!({"vendor": "acme"}), 404),
        ("/tenants", json!({}), 400),
        ("/tenants", json!(["d7"]), 400),
        ("/tenants", json!({"vendor": 7}), 400),
        ("/sessions", json!({"vendor": "d7", "tenant": "nobody", "code": "123456"}), 404),
        ("/sessions", json!({"vendor": "exotel", "tenant": id, "code": "123456"}), 404),
        ("/sessions", json!({"vendor": "d7", "tenant": id}), 400),
        ("/sessions", json!({"vendor": "d7", "tenant": id, "code": "1"}), 422),
        ("/sessions", json!({"vendor": "d7", "tenant": id, "code": "12345x"}), 422),
        ("/sessions", json!({"vendor": "d7", "tenant": id, "code": "123456", "ttl_seconds": "60"}), 400),
        ("/sessions", json!({"vendor": "d7", "tenant": id, "code": "123456", "recipient_of": "nobody"}), 404),
        ("/sessions", json!({"vendor": "d7", "tenant": id, "code": "123456", "ttl_seconds": 1.5}), 400),
        ("/sessions/age", json!({"vendor": "d7", "tenant": id, "session": "nobody", "seconds": 1}), 404),
        ("/sessions/age", json!({"vendor": "d7", "tenant": id, "session": "nobody", "seconds": 1e40}), 404),
        ("/sessions/age", json!({"vendor": "d7", "tenant": id, "session": "nobody", "seconds": -1}), 400),
        ("/sessions/age", json!({"vendor": "d7", "tenant": id, "session": "nobody", "seconds": 1.5}), 400),
    ];
    for (path, body, status) in cases {
        let response = server.control().post(path, &body).await;
        assert_eq!(response.status, status, "{path} {body}");
        assert!(response.json()["error"].is_string(), "{path} {body}");
        assert!(!response.json().to_string().contains("123456"), "{path} {body}");
    }
    // Duplicate members are ambiguous.
    let twice = format!(r#"{{"vendor": "d7", "tenant": "{id}", "code": "123456", "code": "123456"}}"#);
    assert_eq!(server.send("POST", "/_control/v1/sessions", &[], twice.as_bytes()).await.status, 400);
    assert_eq!(server.send("POST", "/_control/v1", &[], b"").await.status, 405);
}

#[tokio::test]
async fn every_call_needs_the_token_if_one_is_configured() {
    let settings =
        Settings { contracts: contracts(), control_token: Some("sesame".to_owned()), ..Settings::default() };
    let server = TestServer::start(settings).await;
    for (path, method) in
        [("", "GET"), ("/tenants", "POST"), ("/sessions", "POST"), ("/sessions/age", "POST")]
    {
        for headers in [&[][..], &[("authorization", "Bearer simsim")], &[("authorization", "sesame")]] {
            let response = server.send(method, &format!("/_control/v1{path}"), headers, b"{}").await;
            assert_eq!(response.status, 401, "{path} {headers:?}");
            assert_eq!(response.headers["www-authenticate"], "Bearer realm=\"control\"");
        }
    }
    for credential in ["Bearer sesame", "bearer sesame", "BEARER sesame"] {
        let response = server.send("GET", "/_control/v1", &[("authorization", credential)], b"").await;
        assert_eq!(response.status, 200, "{credential}");
    }
}

#[tokio::test]
async fn a_second_resend_replaces_the_last_code_whichever_session_it_names() {
    let server = TestServer::start_default().await;
    for contract in contracts().into_iter().filter(|contract| contract.policy.attempts.is_some()) {
        let tenant = server.tenant(&contract.vendor).await;
        let issue = async |code: &str, earlier: Option<&String>| {
            server.session(&tenant, code, json!({"max_attempts": 3, "recipient_of": earlier})).await
        };
        let first = issue("111111", None).await;
        server.verify(&contract, &tenant, &first, "999999").await;
        let second = issue("222222", Some(&first)).await;
        server.verify(&contract, &tenant, &second, "999999").await;
        let third = issue("333333", Some(&first)).await;
        let by_name = [("first", &first, "111111"), ("second", &second, "222222")];
        for (name, session, code) in by_name.into_iter().filter(|(_, session, _)| **session != third) {
            let status = server.verify(&contract, &tenant, session, code).await.status;
            assert_ne!(status, 200, "{}: the {name} code", contract.vendor);
        }
        server.verify(&contract, &tenant, &third, "999999").await;
        let status = server.verify(&contract, &tenant, &third, "333333").await.status;
        assert_ne!(status, 200, "{}: the count was reset by a new code", contract.vendor);
    }
}

#[tokio::test]
async fn ageing_changes_one_session_and_expires_it_to_the_second() {
    let server = TestServer::start_default().await;
    for contract in contracts() {
        let tenant = server.tenant(&contract.vendor).await;
        let mut sessions = Vec::new();
        for _ in 0..3 {
            sessions.push(server.session(&tenant, "123456", json!({})).await);
        }
        let ttl = contract.policy.lifetime.seconds;
        server.age(&tenant, &sessions[0], ttl - 5).await;
        server.age(&tenant, &sessions[1], ttl).await;
        for (session, approved) in sessions.iter().zip([true, false, true]) {
            let status = server.verify(&contract, &tenant, session, "123456").await.status;
            assert_eq!(status == 200, approved, "{} {session}: {status}", contract.vendor);
        }
    }
}

#[tokio::test]
async fn a_resend_invalidates_the_old_code_and_keeps_the_count() {
    let server = TestServer::start_default().await;
    for contract in contracts().into_iter().filter(|contract| contract.policy.attempts.is_some()) {
        let tenant = server.tenant(&contract.vendor).await;
        let first = server.issue(&tenant, "111111", json!({"max_attempts": 2})).await;
        let first = first["session"].as_str().unwrap().to_owned();
        server.verify(&contract, &tenant, &first, "999999").await;
        let second = server.issue(&tenant, "222222", json!({"max_attempts": 2, "recipient_of": first})).await;
        let second = second["session"].as_str().unwrap().to_owned();
        let keeps_id = contract.verify().session.resend == otp_contract::Resend::Same;
        assert_eq!(first == second, keeps_id, "{}", contract.vendor);
        if !keeps_id {
            assert_ne!(server.verify(&contract, &tenant, &first, "111111").await.status, 200);
        }
        server.verify(&contract, &tenant, &second, "999999").await;
        let status = server.verify(&contract, &tenant, &second, "222222").await.status;
        assert_ne!(status, 200, "{}: the count was reset by a new code", contract.vendor);
    }
}

#[test]
fn invalid_settings_are_errors_that_name_the_cause() {
    let zeckta = || Contract::of_vendor("zeckta").unwrap();
    let twice = Sandbox::new(Settings { contracts: vec![zeckta(), zeckta()], ..Settings::default() });
    assert!(matches!(twice.err(), Some(SandboxError::Path { vendor, .. }) if vendor == "zeckta"));
    let unknown_cell = Settings {
        contracts: vec![zeckta()],
        prefer: vec!["zeckta/nothing".to_owned()],
        ..Settings::default()
    };
    assert!(
        matches!(Sandbox::new(unknown_cell).err(), Some(SandboxError::UnknownCell(cell)) if cell == "zeckta/nothing")
    );
}
