//! The arguments and credentials of a call are canaries, which nothing that this crate prints may contain.

use std::fmt::Debug;
use std::time::Duration;

use otp_verify::__private::http::credentials::KeyPlace;
use otp_verify::{Code, SecretString, SessionId, d7, dailystory, exotel, kaleyra, zeckta};
use serde_json::json;

use crate::every_client::with_builder;
use crate::vendor_call::{self, ACCOUNT, CODE, SECRET, SESSION, USER, builder_with_key};

#[track_caller]
pub(crate) fn assert_no_canary(printed: &str) {
    for canary in [SESSION, CODE, ACCOUNT, USER, SECRET, "canary"] {
        assert!(!printed.contains(canary), "{canary} is in: {printed}");
    }
}

#[track_caller]
fn assert_prints_no_canary(value: &impl Debug) {
    assert_no_canary(&format!("{value:?} {value:#?}"));
}

#[test]
fn clients_and_builders_print_no_secret_and_no_account() {
    macro_rules! check {
        ($builder:expr) => {{
            assert_prints_no_canary(&$builder);
            assert_prints_no_canary(&$builder.base_url("http://127.0.0.1:1").build().unwrap());
        }};
    }
    for contract in vendor_call::contracts() {
        with_builder!(contract.vendor.as_str(), check);
    }
    check!(dailystory::Client::builder_with_basic(USER, SECRET));
}

#[test]
fn a_rejected_value_is_not_repeated() {
    let rejected = [
        zeckta::Client::builder(format!("{SECRET}\n")).build().map(drop),
        zeckta::Client::builder(SECRET).base_url(format!("http://{SECRET}.example.com")).build().map(drop),
        zeckta::Client::builder(SECRET).base_url(format!("https://{USER}:{SECRET}@h")).build().map(drop),
        kaleyra::Client::builder(format!("{ACCOUNT}\n"), SECRET).build().map(drop),
        exotel::Client::builder(ACCOUNT, format!("{USER}:"), SECRET).build().map(drop),
    ];
    for result in rejected {
        let error = result.unwrap_err();
        assert_no_canary(&format!("{error} {error:?}"));
    }
}

#[tokio::test]
async fn no_result_prints_the_secrets_of_a_response() {
    let everything = format!("{SESSION} {CODE} {ACCOUNT} {USER} {SECRET}");
    for contract in vendor_call::contracts() {
        for cell in &contract.verify().cells {
            let mut body = vendor_call::rendered(cell);
            body["leak"] = json!(everything);
            let result = vendor_call::exchange_json(&contract.vendor, cell.sandbox_status, &body).await;
            assert_no_canary(&result.printed);
        }
        for status in [200, 302, 400, 500] {
            let (result, _) =
                vendor_call::exchange(&contract.vendor, status, everything.as_bytes(), "text/plain").await;
            assert_no_canary(&result.printed);
        }
    }
}

#[tokio::test]
async fn no_failure_prints_the_secrets_of_the_call() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let stalled = format!("http://{}", listener.local_addr().unwrap());
    for contract in vendor_call::contracts() {
        for url in [stalled.as_str(), "http://127.0.0.1:1", "http://[::1]:1", "https://127.0.0.1:1"] {
            let result =
                vendor_call::verify_as(&contract.vendor, url, SESSION, CODE, Duration::from_millis(200))
                    .await;
            assert!(["Unsent", "Unanswered"].contains(&result.kind), "{result:?}");
            assert_no_canary(&result.printed);
        }
        let result = vendor_call::verify_as(
            &contract.vendor,
            "http://127.0.0.1:1",
            &format!("{SESSION}\n"),
            CODE,
            Duration::from_millis(200),
        )
        .await;
        assert_no_canary(&result.printed);
    }
}

#[tokio::test]
async fn nothing_prints_a_key_in_the_url() {
    let stalled = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let stalled = format!("http://{}", stalled.local_addr().unwrap());
    let server = wiremock::MockServer::start().await;
    let redirect = wiremock::ResponseTemplate::new(302).insert_header("location", "/elsewhere");
    wiremock::Mock::given(wiremock::matchers::any()).respond_with(redirect).mount(&server).await;
    for place in [KeyPlace::Query, KeyPlace::Cookie, KeyPlace::Header] {
        for url in
            [stalled.clone(), server.uri(), "http://127.0.0.1:1".to_owned(), "https://[::1]:1".to_owned()]
        {
            let builder = builder_with_key(place, "key", Some("App"), SECRET)
                .base_url(url)
                .timeout(Duration::from_millis(200));
            assert_prints_no_canary(&builder);
            let client = builder.build().unwrap();
            assert_prints_no_canary(&client);
            let call = client.verify(SESSION, Code::new(CODE));
            assert_prints_no_canary(&call);
            let result = vendor_call::CallResult::new(call.await);
            assert_ne!(result.kind, "Approved");
            assert_no_canary(&result.printed);
        }
        let error = builder_with_key(place, "key", None, &format!("{SECRET}\n")).build().unwrap_err();
        assert_no_canary(&format!("{error} {error:?}"));
    }

    // A client of the program may follow a redirect.
    let http = vendor_call::program_http_client().build().unwrap();
    let builder = builder_with_key(KeyPlace::Query, "key", None, SECRET).base_url(server.uri());
    let client = builder.http_client(http).timeout(Duration::from_secs(5)).build().unwrap();
    let result = vendor_call::CallResult::new(client.verify(SESSION, Code::new(CODE)).await);
    assert_no_canary(&result.printed);
}

#[tokio::test]
async fn neither_a_call_nor_a_panic_with_its_error_prints_a_secret() {
    let client =
        exotel::Client::builder(ACCOUNT, USER, SECRET).base_url("http://127.0.0.1:1").build().unwrap();
    let call = client.verify(SESSION, Code::new(CODE)).header("x-canary", SECRET);
    assert_prints_no_canary(&call);
    assert_prints_no_canary(&(Code::new(CODE), SessionId::from(SESSION), SecretString::from(SECRET)));
    assert_no_canary(&format!("{} {}", Code::new(CODE), SessionId::from(SESSION)));

    let result = call.await;
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| result.unwrap()));
    assert_no_canary(panic.unwrap_err().downcast_ref::<String>().unwrap());

    let call = client.verify(SESSION, Code::new(CODE)).header(SECRET, "\n").header("authorization", SECRET);
    let error = call.await.unwrap_err();
    assert!(matches!(error, exotel::Error::InvalidInput(_)));
    assert_no_canary(&format!("{error} {error:?}"));
}

#[tokio::test]
async fn the_typed_body_prints_only_its_variant() {
    let server = wiremock::MockServer::start().await;
    let body =
        json!({ "detail": { "code": "INVALID_OTP_CODE", "message": format!("{SECRET} {CODE} {SESSION}") } });
    wiremock::Mock::given(wiremock::matchers::any())
        .respond_with(wiremock::ResponseTemplate::new(400).set_body_json(body))
        .mount(&server)
        .await;
    let client = d7::Client::builder(SECRET).base_url(server.uri()).build().unwrap();
    let error = client.verify(SESSION, Code::new(CODE)).await.unwrap_err();
    assert_eq!(format!("{:?}", error.body().unwrap()), "Http400(..)");
}

#[tokio::test]
async fn messages_are_lower_case_fragments_without_a_url() {
    let mut messages = Vec::new();
    for contract in vendor_call::contracts() {
        for (status, body) in [(200, "{}"), (302, ""), (401, "{}"), (500, "<html>")] {
            let (result, _) =
                vendor_call::exchange(&contract.vendor, status, body.as_bytes(), "text/html").await;
            messages.push(result.message);
        }
        messages.push(vendor_call::verify(&contract.vendor, "http://127.0.0.1:1").await.message);
    }
    for message in messages {
        assert!(message.starts_with(char::is_lowercase) && !message.ends_with('.'), "{message}");
        assert!(!message.contains('/'), "{message}");
    }
}
