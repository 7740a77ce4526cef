//! The control protocol, as a test program uses and misuses it.

use otp_contract::Contract;
use otp_sandbox::{Sandbox, SandboxError, Settings};
use serde_json::json;

use crate::house::{House, contracts};

#[tokio::test]
async fn it_describes_itself() {
    let house = House::clean().await;
    let answer = house.send("GET", "/_control/v1", &[], b"").await;
    assert_eq!(answer.status, 200);
    let described = answer.json();
    assert_eq!(described["protocol"], 1);
    assert_eq!(described["vendors"], json!(["zeckta", "kaleyra", "dailystory", "exotel", "d7"]));
    assert_eq!(described["operations"], json!(["tenants", "sessions", "age", "resend"]));
}

#[tokio::test]
async fn tenants_never_share_an_account_parameter_or_a_credential() {
    let house = House::clean().await;
    for contract in contracts() {
        let (one, other) =
            (house.tenant(&contract.vendor).await.made, house.tenant(&contract.vendor).await.made);
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
async fn a_session_states_the_limits_in_force_and_never_its_code() {
    let house = House::clean().await;
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
    for (vendor, wishes, ttl, limit) in cases {
        let tenant = house.tenant(vendor).await;
        let issued = house.issue(&tenant, "012345", wishes.clone()).await;
        assert_eq!((&issued["ttl_seconds"], &issued["max_attempts"]), (&ttl, &limit), "{vendor} {wishes}");
        assert!(!issued.to_string().contains("012345"));
    }
}

#[tokio::test]
async fn each_refusal_has_the_documented_status_and_an_error_member() {
    let house = House::clean().await;
    let tenant = house.tenant("d7").await;
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
        let answer = house.control(path, &body).await;
        assert_eq!(answer.status, status, "{path} {body}");
        assert!(answer.json()["error"].is_string(), "{path} {body}");
        assert!(!answer.json().to_string().contains("123456"), "{path} {body}");
    }
    // Of two tenants or two codes nobody knows which is meant.
    let twice = format!(r#"{{"vendor": "d7", "tenant": "{id}", "code": "123456", "code": "123456"}}"#);
    assert_eq!(house.send("POST", "/_control/v1/sessions", &[], twice.as_bytes()).await.status, 400);
    assert_eq!(house.send("POST", "/_control/v1", &[], b"").await.status, 405);
}

#[tokio::test]
async fn every_call_carries_the_token_where_there_is_one() {
    let settings =
        Settings { contracts: contracts(), control_token: Some("sesame".to_owned()), ..Settings::default() };
    let house = House::open(settings).await;
    for (path, method) in
        [("", "GET"), ("/tenants", "POST"), ("/sessions", "POST"), ("/sessions/age", "POST")]
    {
        for headers in [&[][..], &[("authorization", "Bearer simsim")], &[("authorization", "sesame")]] {
            let answer = house.send(method, &format!("/_control/v1{path}"), headers, b"{}").await;
            assert_eq!(answer.status, 401, "{path} {headers:?}");
            assert_eq!(answer.headers["www-authenticate"], "Bearer realm=\"control\"");
        }
    }
    for shown in ["Bearer sesame", "bearer sesame", "BEARER sesame"] {
        let answer = house.send("GET", "/_control/v1", &[("authorization", shown)], b"").await;
        assert_eq!(answer.status, 200, "{shown}");
    }
}

#[tokio::test]
async fn a_second_resend_replaces_the_last_code_whichever_session_it_names() {
    let house = House::clean().await;
    for contract in contracts().into_iter().filter(|contract| contract.policy.attempts.is_some()) {
        let tenant = house.tenant(&contract.vendor).await;
        let issue = async |code: &str, earlier: Option<&String>| {
            let issued =
                house.issue(&tenant, code, json!({"max_attempts": 3, "recipient_of": earlier})).await;
            issued["session"].as_str().unwrap().to_owned()
        };
        let first = issue("111111", None).await;
        house.verify(&contract, &tenant, &first, "999999").await;
        let second = issue("222222", Some(&first)).await;
        house.verify(&contract, &tenant, &second, "999999").await;
        let third = issue("333333", Some(&first)).await;
        let by_name = [("first", &first, "111111"), ("second", &second, "222222")];
        for (name, session, code) in by_name.into_iter().filter(|(_, session, _)| **session != third) {
            let status = house.verify(&contract, &tenant, session, code).await.status;
            assert_ne!(status, 200, "{}: the {name} code", contract.vendor);
        }
        house.verify(&contract, &tenant, &third, "999999").await;
        let status = house.verify(&contract, &tenant, &third, "333333").await.status;
        assert_ne!(status, 200, "{}: the count was reset by a new code", contract.vendor);
    }
}

#[tokio::test]
async fn ageing_touches_one_session_and_expires_it_to_the_second() {
    let house = House::clean().await;
    for contract in contracts() {
        let tenant = house.tenant(&contract.vendor).await;
        let mut sessions = Vec::new();
        for _ in 0..3 {
            let issued = house.issue(&tenant, "123456", json!({})).await;
            sessions.push(issued["session"].as_str().unwrap().to_owned());
        }
        let ttl = contract.policy.lifetime.seconds;
        house.age(&tenant, &sessions[0], ttl - 5).await;
        house.age(&tenant, &sessions[1], ttl).await;
        for (session, approved) in sessions.iter().zip([true, false, true]) {
            let status = house.verify(&contract, &tenant, session, "123456").await.status;
            assert_eq!(status == 200, approved, "{} {session}: {status}", contract.vendor);
        }
    }
}

#[tokio::test]
async fn a_resend_kills_the_old_code_and_keeps_the_count() {
    let house = House::clean().await;
    for contract in contracts().into_iter().filter(|contract| contract.policy.attempts.is_some()) {
        let tenant = house.tenant(&contract.vendor).await;
        let first = house.issue(&tenant, "111111", json!({"max_attempts": 2})).await;
        let first = first["session"].as_str().unwrap().to_owned();
        house.verify(&contract, &tenant, &first, "999999").await;
        let second = house.issue(&tenant, "222222", json!({"max_attempts": 2, "recipient_of": first})).await;
        let second = second["session"].as_str().unwrap().to_owned();
        let keeps_id = contract.verify().session.resend == otp_contract::Resend::Same;
        assert_eq!(first == second, keeps_id, "{}", contract.vendor);
        if !keeps_id {
            assert_ne!(house.verify(&contract, &tenant, &first, "111111").await.status, 200);
        }
        house.verify(&contract, &tenant, &second, "999999").await;
        let status = house.verify(&contract, &tenant, &second, "222222").await.status;
        assert_ne!(status, 200, "{}: the count was reset by a new code", contract.vendor);
    }
}

#[test]
fn a_sandbox_that_cannot_be_is_refused_by_name() {
    let zeckta = || Contract::of_vendor("zeckta").unwrap();
    let twice = Sandbox::new(Settings { contracts: vec![zeckta(), zeckta()], ..Settings::default() });
    assert!(matches!(twice.err(), Some(SandboxError::Path { vendor, .. }) if vendor == "zeckta"));
    let wish = Settings {
        contracts: vec![zeckta()],
        prefer: vec!["zeckta/nothing".to_owned()],
        ..Settings::default()
    };
    assert!(
        matches!(Sandbox::new(wish).err(), Some(SandboxError::UnknownCell(cell)) if cell == "zeckta/nothing")
    );
}
