//! Requests beyond the plain call in `cells.rs`, and arguments that are rejected before anything is sent.

use std::time::Duration;

use otp_verify::__private::http::credentials::KeyPlace;
use otp_verify::{BuildError, Code, Consumption, dailystory, exotel, kaleyra, zeckta};
use percent_encoding::percent_decode_str;
use serde_json::json;
use wiremock::matchers::{any, body_partial_json};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::vendor_call::{self, CODE, SESSION, builder_with_key, verify_as};

async fn failing_server() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(500)).mount(&server).await;
    server
}

async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.unwrap()
}

#[tokio::test]
async fn an_id_or_code_that_would_change_the_path_is_rejected_before_anything_is_sent() {
    let server = failing_server().await;
    let long = "a".repeat(10_000);
    for contract in vendor_call::contracts() {
        let vendor = contract.vendor.as_str();
        for wrong in ["", ".", "..", "%2e%2e", "a\nb", "a\u{0}", "\u{7f}", "..\\..\\x", &long] {
            for (session, code, argument) in [(wrong, CODE, "session_id"), (SESSION, wrong, "code")] {
                let result = verify_as(vendor, &server.uri(), session, code, Duration::from_secs(5)).await;
                assert_eq!((result.kind, result.status), ("InvalidInput", None), "{vendor} {wrong:?}");
                assert_eq!(result.error().invalid_input().unwrap().argument(), argument);
                assert_eq!(result.error().attempt_consumed(), Consumption::No);
            }
        }
    }
    assert!(requests(&server).await.is_empty());
}

#[test]
fn an_account_that_would_change_the_path_is_rejected_by_the_builder() {
    for sid in ["", ".", "..", "%2e%2e", "a\r\nb", "..\\x", &"a".repeat(10_000)] {
        let error = kaleyra::Client::builder(sid, "key").build().unwrap_err();
        assert!(matches!(&error, BuildError::InvalidInput(input) if input.argument() == "sid"), "{sid:?}");
        let error = exotel::Client::builder(sid, "id", "secret").build().unwrap_err();
        assert!(
            matches!(&error, BuildError::InvalidInput(input) if input.argument() == "account_sid"),
            "{sid:?}"
        );
    }
}

#[tokio::test]
async fn any_other_id_is_one_segment_of_the_path() {
    let ids =
        ["a/b", "a?b", "a#b", "%2e%2ea", "a b", "...", "ä", "a;b", "a&b=c", "a:b@c", "{x}", "a|b^c", "//"];
    for vendor in ["dailystory", "exotel"] {
        for id in ids {
            let server = failing_server().await;
            let _ = verify_as(vendor, &server.uri(), id, CODE, Duration::from_secs(5)).await;
            let requests = requests(&server).await;
            let url = &requests[0].url;
            let last = url.path_segments().unwrap().next_back().unwrap();
            let expected = if vendor == "exotel" { 6 } else { 4 };
            assert_eq!(url.path_segments().unwrap().count(), expected, "{id}: {url}");
            assert_eq!(percent_decode_str(last).decode_utf8().unwrap(), id, "{url}");
        }
    }
}

#[tokio::test]
async fn a_session_and_a_code_in_the_body_are_sent_unchanged() {
    let server = failing_server().await;
    for (session, code) in [("\"}", "\"}"), ("..x", "a/b"), ("ä", "１２３")] {
        let _ = verify_as("d7", &server.uri(), session, code, Duration::from_secs(5)).await;
        let sent = requests(&server).await.pop().unwrap().body_json::<serde_json::Value>().unwrap();
        assert_eq!(sent, json!({ "otp_id": session, "otp_code": code }));
    }
}

#[tokio::test]
async fn options_are_sent_if_set_and_rejected_out_of_range() {
    let server = failing_server().await;
    let client = dailystory::Client::builder("token").base_url(server.uri()).build().unwrap();
    let call = || client.verify(SESSION, Code::new(CODE));
    let _ = call().minutes_valid(20).allow_retry(true).retry_attempts(1).await;
    let mut sent: Vec<_> = requests(&server).await[0].url.query_pairs().into_owned().collect();
    sent.sort();
    let expected = [("allow_retry", "true"), ("minutes_valid", "20"), ("otp", CODE), ("retry_attempts", "1")];
    assert_eq!(sent, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));

    let wrong = [
        call().minutes_valid(2),
        call().minutes_valid(21),
        call().retry_attempts(0),
        call().retry_attempts(11).allow_retry(true),
    ];
    for call in wrong {
        assert!(matches!(call.await, Err(dailystory::Error::InvalidInput(_))));
    }
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn extra_headers_are_sent_and_reserved_ones_are_rejected() {
    let server = failing_server().await;
    let client = kaleyra::Client::builder("sid", "key").base_url(server.uri()).build().unwrap();
    let call = || client.verify(SESSION, Code::new(CODE));
    let _ = call().header("X-Trace", "1").header("x-trace", "2").header("user-agent", "mine/1").await;
    let sent = requests(&server).await.pop().unwrap();
    assert_eq!(
        (&sent.headers["x-trace"], &sent.headers["user-agent"]),
        (&"2".parse().unwrap(), &"mine/1".parse().unwrap())
    );
    assert_eq!(sent.headers["api-key"], "key");

    let reserved = [
        "Authorization",
        "api-key",
        "API-KEY",
        "proxy-authorization",
        "host",
        "content-length",
        "content-type",
        "transfer-encoding",
        "connection",
        "accept",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "",
        "a b",
        "a:b",
    ];
    for name in reserved {
        let error = call().header(name, "1").header("x-fine", "1").await.unwrap_err();
        assert!(matches!(error, kaleyra::Error::InvalidInput(_)), "{name}: {error:?}");
        assert_eq!(error.invalid_input().unwrap().argument(), "header");
    }
    for value in ["a\nb", "a\r\nx-evil: 1", "\0"] {
        assert!(matches!(call().header("x-fine", value).await, Err(kaleyra::Error::InvalidInput(_))));
    }
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn a_call_can_have_a_shorter_timeout_than_the_client() {
    let server = MockServer::start().await;
    let late = ResponseTemplate::new(200).set_delay(Duration::from_secs(5));
    Mock::given(any()).respond_with(late).mount(&server).await;
    let client = zeckta::Client::builder("key").base_url(server.uri()).build().unwrap();
    let call = client.verify(SESSION, Code::new(CODE)).timeout(Duration::from_millis(50));
    let error = call.await.unwrap_err();
    assert!(matches!(error, zeckta::Error::Unanswered(_)) && error.transport_error().unwrap().timed_out());
}

#[tokio::test]
async fn dailystory_also_accepts_basic_credentials() {
    let server = failing_server().await;
    let client =
        dailystory::Client::builder_with_basic("api", "token").base_url(server.uri()).build().unwrap();
    let _ = client.verify(SESSION, Code::new(CODE)).await;
    assert_eq!(requests(&server).await[0].headers["authorization"], "Basic YXBpOnRva2Vu");
}

#[tokio::test]
async fn a_key_is_sent_unchanged_in_any_place() {
    let server = failing_server().await;
    let mut sent = Vec::new();
    for (place, name, prefix, key) in [
        (KeyPlace::Query, "key[]", Some("App"), "a+b c&otp=1#%ä"),
        (KeyPlace::Header, "authorization", Some("App"), "a+b/c="),
        (KeyPlace::Cookie, "sid", None, "a+b/c="),
    ] {
        let client = builder_with_key(place, name, prefix, key).base_url(server.uri()).build().unwrap();
        let call = client.verify(SESSION, Code::new(CODE)).minutes_valid(5);
        let _ = call.await;
        sent.push(requests(&server).await.pop().unwrap());
    }
    let pairs = |request: &Request| request.url.query_pairs().into_owned().collect::<Vec<_>>();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let own = vec![pair("minutes_valid", "5"), pair("otp", CODE)];
    let with_key = [own.clone(), vec![pair("key[]", "App a+b c&otp=1#%ä")]].concat();
    assert_eq!(pairs(&sent[0]), with_key);
    assert!(!sent[0].url.query().unwrap().contains('+'), "{}", sent[0].url);
    assert!(!sent[0].headers.contains_key("authorization"));
    assert_eq!(
        (pairs(&sent[1]), &sent[1].headers["authorization"]),
        (own.clone(), &"App a+b/c=".parse().unwrap())
    );
    assert_eq!((pairs(&sent[2]), &sent[2].headers["cookie"]), (own, &"sid=a+b/c=".parse().unwrap()));
}

#[tokio::test]
async fn a_base_url_can_have_a_path_with_or_without_a_trailing_slash() {
    for suffix in ["/proxy", "/proxy/"] {
        let server = failing_server().await;
        let base_url = format!("{}{suffix}", server.uri());
        let client = zeckta::Client::builder("key").base_url(base_url).build().unwrap();
        let _ = client.verify(SESSION, Code::new(CODE)).await;
        assert_eq!(requests(&server).await[0].url.path(), "/proxy/v1/messaging/otp/verify");
    }
}

#[test]
fn plain_http_is_rejected_except_to_this_machine() {
    let error = zeckta::Client::builder("key").base_url("http://api.zeckta.com").build().unwrap_err();
    assert_eq!(error.to_string(), "base_url must use https, or http to this machine");
}

#[tokio::test]
async fn concurrent_calls_on_one_client_get_their_own_responses() {
    let server = MockServer::start().await;
    for (code, status) in [("1", "APPROVED"), ("2", "FAILED"), ("3", "EXPIRED")] {
        Mock::given(body_partial_json(json!({ "otp_code": code })))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "status": status })))
            .mount(&server)
            .await;
    }
    let client = otp_verify::d7::Client::builder("token").base_url(server.uri()).build().unwrap();
    for _ in 0..8 {
        let clone = client.clone();
        let (approved, wrong, expired) = tokio::join!(
            client.verify(SESSION, Code::new("1")),
            tokio::spawn(async move { clone.verify(SESSION, Code::new("2")).await.unwrap_err().outcome() }),
            client.verify(SESSION, Code::new("3")),
        );
        assert!(approved.is_ok());
        assert_eq!(wrong.unwrap(), Some(otp_verify::Outcome::WrongCode));
        assert_eq!(expired.unwrap_err().outcome(), Some(otp_verify::Outcome::Expired));
    }
}

#[tokio::test]
async fn a_call_sends_one_request_whatever_the_status() {
    for contract in vendor_call::contracts() {
        for status in [408, 425, 429, 500, 502, 503, 504] {
            let (result, requests) =
                vendor_call::exchange(&contract.vendor, status, b"{}", "application/json").await;
            assert_eq!(requests.len(), 1, "{} {result:?}", contract.vendor);
        }
    }
}
