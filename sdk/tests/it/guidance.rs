//! What an error reports besides the outcome: remaining attempts, how long to wait, the id of the call, and the next
//! step.

use std::time::Duration;

use otp_verify::{Consumption, Error, ErrorKind, NextStep, Outcome};
use serde_json::json;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::vendor_call::{self, SESSION};

async fn error(vendor: &str, response: ResponseTemplate) -> Error {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(response).mount(&server).await;
    vendor_call::verify(vendor, &server.uri()).await.error.unwrap()
}

fn status(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status)
}

#[tokio::test]
async fn remaining_attempts_are_reported_if_the_response_states_them() {
    let body = |left: i64| json!({ "Status": false, "Message": "The OTP is invalid.", "Response": { "remaining_attempts": left } });
    for (left, reported, next) in [
        (3, Some(3), NextStep::EnterCodeAgain),
        (0, Some(0), NextStep::RequestNewCode),
        (-1, None, NextStep::EnterCodeAgain),
    ] {
        let error = error("dailystory", status(400).set_body_json(body(left))).await;
        assert_eq!((error.attempts_left(), error.next_step()), (reported, next));
        assert_eq!((error.kind(), error.attempt_consumed()), (ErrorKind::WrongCode, Consumption::Yes));
    }
}

#[tokio::test]
async fn the_time_to_wait_for_a_lock_comes_from_the_header_or_the_body() {
    let locked = |seconds: u64| {
        let response = json!({ "locked": true, "remaining_attempts": 0, "lockout_seconds": seconds });
        status(429).set_body_json(json!({ "Status": false, "Message": "m", "Response": response }))
    };
    let plain = error("dailystory", locked(7200)).await;
    assert_eq!(plain.retry_after(), Some(Duration::from_secs(7200)));
    assert_eq!(plain.next_step(), NextStep::Wait(Some(Duration::from_secs(7200))));
    assert_eq!((plain.kind(), plain.attempts_left()), (ErrorKind::AttemptsExhausted, Some(0)));
    // The header takes precedence.
    let with_header = error("dailystory", locked(7200).insert_header("retry-after", "60")).await;
    assert_eq!(with_header.retry_after(), Some(Duration::from_secs(60)));
}

#[tokio::test]
async fn an_undocumented_429_is_a_rate_limit_for_every_vendor() {
    for contract in vendor_call::contracts() {
        let limited = status(429).insert_header("retry-after", "2").set_body_json(json!({ "code": 429 }));
        let error = error(&contract.vendor, limited).await;
        assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
        assert_eq!(error.next_step(), NextStep::Wait(Some(Duration::from_secs(2))));
        assert_eq!((error.attempt_consumed(), error.status()), (Consumption::Unknown, Some(429)));
    }
    assert_eq!(error("zeckta", status(429)).await.next_step(), NextStep::Wait(None));
}

#[tokio::test]
async fn retry_after_can_be_a_date() {
    let gone = status(503)
        .insert_header("date", "Sun, 06 Nov 1994 08:49:37 GMT")
        .insert_header("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT");
    let error = error("d7", gone).await;
    assert_eq!(error.next_step(), NextStep::Wait(Some(Duration::from_secs(10))));
    assert_eq!(error.kind(), ErrorKind::UndocumentedResponse);
}

#[tokio::test]
async fn the_id_of_the_call_comes_from_the_body_or_else_from_a_header() {
    let zeckta = json!({ "success": false, "message": "Invalid OTP", "requestId": "body-1",
        "data": { "sessionId": SESSION, "status": "INVALID", "verified": false, "message": "Invalid OTP" } });
    let response = status(400).insert_header("x-request-id", "head-1").set_body_json(zeckta);
    assert_eq!(error("zeckta", response).await.request_id().as_deref(), Some("body-1"));

    let exotel = json!({ "request_id": "48f9", "response": { "error_data": { "code": 1211 } } });
    assert_eq!(
        error("exotel", status(400).set_body_json(exotel)).await.request_id().as_deref(),
        Some("48f9")
    );

    let html = status(502).insert_header("x-request-id", "head-2").set_body_string("<html>");
    assert_eq!(error("d7", html).await.request_id().as_deref(), Some("head-2"));
    assert_eq!(error("d7", status(502)).await.request_id(), None);
}

#[tokio::test]
async fn every_failure_reports_whether_an_attempt_was_consumed_and_the_next_step() {
    let undocumented = [
        (status(200).set_body_string("<html>"), NextStep::ContactSupport),
        (status(307).insert_header("location", "/"), NextStep::FixRequest),
        (status(418), NextStep::ContactSupport),
        (status(500), NextStep::RequestNewCode),
        (status(504), NextStep::RequestNewCode),
    ];
    for (response, next) in undocumented {
        let error = error("zeckta", response).await;
        assert_eq!((error.kind(), error.next_step()), (ErrorKind::UndocumentedResponse, next), "{error}");
        assert_eq!(error.attempt_consumed(), Consumption::Unknown);
        assert!(error.raw().is_some() && error.outcome().is_none() && error.cells().count() == 0);
    }
    let redirect = error("zeckta", status(307).insert_header("location", "/")).await;
    assert!(redirect.to_string().starts_with("redirect rejected"), "{redirect}");

    let unsent = vendor_call::verify("zeckta", "http://127.0.0.1:1").await.error.unwrap();
    assert_eq!((unsent.kind(), unsent.attempt_consumed()), (ErrorKind::Transport, Consumption::No));
    assert_eq!((unsent.next_step(), unsent.status()), (NextStep::EnterCodeAgain, None));
    assert!(!unsent.transport_error().unwrap().timed_out());
}

#[tokio::test]
async fn the_next_step_after_an_ambiguous_response_helps_in_all_its_meanings() {
    let body = json!({ "detail": { "code": "INVALID_OTP_CODE", "message": "Invalid OTP code or OTP code expired" } });
    let error = error("d7", status(400).set_body_json(body)).await;
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Ambiguous, None));
    assert!(error.could_be(Outcome::WrongCode) && error.could_be(Outcome::Expired));
    assert_eq!(
        (error.next_step(), error.attempt_consumed()),
        (NextStep::RequestNewCode, Consumption::Unknown)
    );
}

#[tokio::test]
async fn an_error_names_the_document_on_which_it_is_based() {
    let body =
        json!({ "error": { "code": "E913", "type": "validation_error", "parameter": "", "message": "m" } });
    let error = error("kaleyra", status(400).set_body_json(body)).await;
    let cell = error.cells().next().unwrap();
    assert_eq!((cell.vendor(), cell.name(), cell.section()), ("kaleyra", "expired", "OTP Expired"));
    assert_eq!((cell.certainty(), cell.outcome()), (otp_verify::Certainty::Documented, Outcome::Expired));
    assert!(cell.document().contains("Validate OTPs") && !cell.summary().is_empty());
}

#[tokio::test]
async fn an_undocumented_body_leaves_open_which_refusal_it_is() {
    let page = || "<html>Bad Request</html>".to_owned();
    for (vendor, code, body) in [
        ("d7", 400, page()),
        ("d7", 400, json!({ "detail": { "code": "OTP_BLOCKED" } }).to_string()),
        ("exotel", 400, String::new()),
        ("exotel", 400, json!({ "code": 9999 }).to_string()),
        ("zeckta", 400, json!({ "success": false, "message": "Invalid OTP" }).to_string()),
        ("kaleyra", 400, json!({ "error": { "code": "E999" } }).to_string()),
    ] {
        let error = error(vendor, status(code).set_body_string(body.as_str())).await;
        let place = format!("{vendor} {code} {body}");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Ambiguous, None), "{place}");
        assert_eq!(error.attempt_consumed(), Consumption::Unknown, "{place}");
    }
    // A status that the document defines without a body keeps its meaning with any body.
    let unauthorized = error("zeckta", status(401).set_body_string(page())).await;
    assert_eq!(unauthorized.kind(), ErrorKind::Unauthorized);
    for vendor in ["kaleyra", "exotel", "dailystory"] {
        for code in [408, 425, 499] {
            let error = error(vendor, status(code).set_body_string(page())).await;
            assert_eq!(error.kind(), ErrorKind::UndocumentedResponse, "{vendor} {code}");
            assert_eq!(error.attempt_consumed(), Consumption::Unknown, "{vendor} {code}");
        }
    }
}

#[tokio::test]
async fn an_empty_request_id_is_skipped() {
    let response = status(500).insert_header("x-request-id", "").insert_header("x-correlation-id", "abc");
    assert_eq!(error("d7", response).await.request_id().as_deref(), Some("abc"));
}
