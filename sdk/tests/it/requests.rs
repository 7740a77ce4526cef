//! What is sent, beyond the plain call that `cells.rs` looks at, and what is refused before anything is sent.

use std::time::Duration;

use otp_verify::{BuildError, Code, Consumption, dailystory, exotel, kaleyra, zeckta};
use serde_json::json;
use wiremock::matchers::{any, body_partial_json};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::play::{self, CODE, SESSION, verify_as};

async fn silent_server() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(500)).mount(&server).await;
    server
}

async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.unwrap()
}

#[tokio::test]
async fn an_id_or_code_that_would_change_the_path_is_refused_before_anything_is_sent() {
    let server = silent_server().await;
    let long = "a".repeat(10_000);
    for contract in play::contracts() {
        let vendor = contract.vendor.as_str();
        for wrong in ["", ".", "..", "%2e%2e", "a\nb", "a\u{0}", "\u{7f}", "..\\..\\x", &long] {
            for (session, code, argument) in [(wrong, CODE, "session_id"), (SESSION, wrong, "code")] {
                let seen = verify_as(vendor, &server.uri(), session, code, Duration::from_secs(5)).await;
                assert_eq!((seen.kind, seen.status), ("InvalidInput", None), "{vendor} {wrong:?}");
                assert_eq!(seen.error().invalid_input().unwrap().argument(), argument);
                assert_eq!(seen.error().attempt_consumed(), Consumption::No);
            }
        }
    }
    assert!(requests(&server).await.is_empty());
}

#[test]
fn an_account_that_would_change_the_path_is_refused_when_the_client_is_built() {
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
            let server = silent_server().await;
            let _ = verify_as(vendor, &server.uri(), id, CODE, Duration::from_secs(5)).await;
            let requests = requests(&server).await;
            let url = &requests[0].url;
            let last = url.path_segments().unwrap().next_back().unwrap();
            let expected = if vendor == "exotel" { 6 } else { 4 };
            assert_eq!(url.path_segments().unwrap().count(), expected, "{id}: {url}");
            assert_eq!(decoded(last), id, "{url}");
        }
    }
}

#[tokio::test]
async fn any_session_and_code_is_sent_as_it_is_where_it_travels_in_the_body() {
    let server = silent_server().await;
    for (session, code) in [("\"}", "\"}"), ("..x", "a/b"), ("ä", "１２３")] {
        let _ = verify_as("d7", &server.uri(), session, code, Duration::from_secs(5)).await;
        let sent = requests(&server).await.pop().unwrap().body_json::<serde_json::Value>().unwrap();
        assert_eq!(sent, json!({ "otp_id": session, "otp_code": code }));
    }
}

#[tokio::test]
async fn options_are_sent_where_they_are_set_and_refused_out_of_their_range() {
    let server = silent_server().await;
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
async fn further_headers_are_sent_and_those_that_authenticate_or_frame_are_refused() {
    let server = silent_server().await;
    let client = kaleyra::Client::builder("sid", "key").base_url(server.uri()).build().unwrap();
    let call = || client.verify(SESSION, Code::new(CODE));
    let _ = call().header("X-Trace", "1").header("x-trace", "2").header("user-agent", "mine/1").await;
    let sent = requests(&server).await.pop().unwrap();
    assert_eq!(
        (&sent.headers["x-trace"], &sent.headers["user-agent"]),
        (&"2".parse().unwrap(), &"mine/1".parse().unwrap())
    );
    assert_eq!(sent.headers["api-key"], "key");

    let refused = [
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
    for name in refused {
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
async fn a_call_may_take_less_time_than_the_client_allows() {
    let server = MockServer::start().await;
    let late = ResponseTemplate::new(200).set_delay(Duration::from_secs(5));
    Mock::given(any()).respond_with(late).mount(&server).await;
    let client = zeckta::Client::builder("key").base_url(server.uri()).build().unwrap();
    let call = client.verify(SESSION, Code::new(CODE)).timeout(Duration::from_millis(50));
    let error = call.await.unwrap_err();
    assert!(matches!(error, zeckta::Error::Unanswered(_)) && error.no_answer().unwrap().timed_out());
}

#[tokio::test]
async fn dailystory_takes_basic_credentials_too() {
    let server = silent_server().await;
    let client =
        dailystory::Client::builder_with_basic("api", "token").base_url(server.uri()).build().unwrap();
    let _ = client.verify(SESSION, Code::new(CODE)).await;
    assert_eq!(requests(&server).await[0].headers["authorization"], "Basic YXBpOnRva2Vu");
}

#[tokio::test]
async fn a_base_url_may_have_a_path_and_ends_with_or_without_a_slash() {
    for suffix in ["/proxy", "/proxy/"] {
        let server = silent_server().await;
        let base_url = format!("{}{suffix}", server.uri());
        let client = zeckta::Client::builder("key").base_url(base_url).build().unwrap();
        let _ = client.verify(SESSION, Code::new(CODE)).await;
        assert_eq!(requests(&server).await[0].url.path(), "/proxy/v1/messaging/otp/verify");
    }
}

#[test]
fn plain_http_is_refused_but_to_this_machine() {
    let error = zeckta::Client::builder("key").base_url("http://api.zeckta.com").build().unwrap_err();
    assert_eq!(error.to_string(), "base_url is neither https, nor http to this machine");
}

#[tokio::test]
async fn calls_at_once_on_one_client_keep_their_answers_apart() {
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
async fn a_call_costs_one_request_whatever_the_status() {
    for contract in play::contracts() {
        for status in [408, 425, 429, 500, 502, 503, 504] {
            let (seen, requests) = play::exchange(&contract.vendor, status, b"{}", "application/json").await;
            assert_eq!(requests.len(), 1, "{} {seen:?}", contract.vendor);
        }
    }
}

fn decoded(segment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        let hex =
            |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap();
        bytes.push(if byte == b'%' {
            hex(rest.next().unwrap()) << 4 | hex(rest.next().unwrap())
        } else {
            byte
        });
    }
    String::from_utf8(bytes).unwrap()
}
