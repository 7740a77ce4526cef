//! What an error says beyond what was decided: what is left, how long to wait, whom to ask, and what helps.

use std::time::Duration;

use otp_verify::{Consumption, Error, Kind, NextStep, Outcome};
use serde_json::json;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::play::{self, SESSION};

async fn error(vendor: &str, answer: ResponseTemplate) -> Error {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    play::verify(vendor, &server.uri()).await.error.unwrap()
}

fn status(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status)
}

#[tokio::test]
async fn attempts_that_are_left_are_told_where_the_answer_has_them() {
    let body = |left: i64| json!({ "Status": false, "Message": "The OTP is invalid.", "Response": { "remaining_attempts": left } });
    for (left, told, next) in [
        (3, Some(3), NextStep::EnterCodeAgain),
        (0, Some(0), NextStep::RequestNewCode),
        (-1, None, NextStep::EnterCodeAgain),
    ] {
        let error = error("dailystory", status(400).set_body_json(body(left))).await;
        assert_eq!((error.attempts_left(), error.next_step()), (told, next));
        assert_eq!((error.kind(), error.attempt_consumed()), (Kind::WrongCode, Consumption::Yes));
    }
}

#[tokio::test]
async fn a_lock_is_waited_for_as_long_as_the_body_says_or_the_header() {
    let locked = |seconds: u64| {
        let response = json!({ "locked": true, "remaining_attempts": 0, "lockout_seconds": seconds });
        status(429).set_body_json(json!({ "Status": false, "Message": "m", "Response": response }))
    };
    let plain = error("dailystory", locked(7200)).await;
    assert_eq!(plain.retry_after(), Some(Duration::from_secs(7200)));
    assert_eq!(plain.next_step(), NextStep::Wait(Some(Duration::from_secs(7200))));
    assert_eq!((plain.kind(), plain.attempts_left()), (Kind::AttemptsExhausted, Some(0)));
    // The header is the transport's word for this very answer.
    let with_header = error("dailystory", locked(7200).insert_header("retry-after", "60")).await;
    assert_eq!(with_header.retry_after(), Some(Duration::from_secs(60)));
}

#[tokio::test]
async fn a_429_that_no_document_has_is_a_rate_limit_for_every_vendor() {
    for contract in play::contracts() {
        let limited = status(429).insert_header("retry-after", "2").set_body_json(json!({ "code": 429 }));
        let error = error(&contract.vendor, limited).await;
        assert_eq!(error.kind(), Kind::RateLimited, "{error}");
        assert_eq!(error.next_step(), NextStep::Wait(Some(Duration::from_secs(2))));
        assert_eq!((error.attempt_consumed(), error.status()), (Consumption::Unknown, Some(429)));
    }
    assert_eq!(error("zeckta", status(429)).await.next_step(), NextStep::Wait(None));
}

#[tokio::test]
async fn retry_after_may_be_a_date() {
    let gone = status(503)
        .insert_header("date", "Sun, 06 Nov 1994 08:49:37 GMT")
        .insert_header("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT");
    let error = error("d7", gone).await;
    assert_eq!(error.next_step(), NextStep::Wait(Some(Duration::from_secs(10))));
    assert_eq!(error.kind(), Kind::UndocumentedAnswer);
}

#[tokio::test]
async fn the_vendors_id_of_the_call_comes_from_the_body_and_else_from_a_header() {
    let zeckta = json!({ "success": false, "message": "Invalid OTP", "requestId": "body-1",
        "data": { "sessionId": SESSION, "status": "INVALID", "verified": false, "message": "Invalid OTP" } });
    let answer = status(400).insert_header("x-request-id", "head-1").set_body_json(zeckta);
    assert_eq!(error("zeckta", answer).await.request_id().as_deref(), Some("body-1"));

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
async fn every_end_of_a_call_says_what_is_known_of_the_attempt_and_what_helps() {
    let undocumented = [
        (status(200).set_body_string("<html>"), NextStep::ContactSupport),
        (status(307).insert_header("location", "/"), NextStep::FixRequest),
        (status(418), NextStep::ContactSupport),
        (status(500), NextStep::RequestNewCode),
        (status(504), NextStep::RequestNewCode),
    ];
    for (answer, next) in undocumented {
        let error = error("zeckta", answer).await;
        assert_eq!((error.kind(), error.next_step()), (Kind::UndocumentedAnswer, next), "{error}");
        assert_eq!(error.attempt_consumed(), Consumption::Unknown);
        assert!(error.raw().is_some() && error.outcome().is_none() && error.cells().count() == 0);
    }
    let redirect = error("zeckta", status(307).insert_header("location", "/")).await;
    assert!(redirect.to_string().starts_with("redirect refused"), "{redirect}");

    let unsent = play::verify("zeckta", "http://127.0.0.1:1").await.error.unwrap();
    assert_eq!((unsent.kind(), unsent.attempt_consumed()), (Kind::Transport, Consumption::No));
    assert_eq!((unsent.next_step(), unsent.status()), (NextStep::EnterCodeAgain, None));
    assert!(!unsent.no_answer().unwrap().timed_out());
}

#[tokio::test]
async fn an_answer_with_two_meanings_gets_the_step_that_helps_in_both() {
    let body = json!({ "detail": { "code": "INVALID_OTP_CODE", "message": "Invalid OTP code or OTP code expired" } });
    let error = error("d7", status(400).set_body_json(body)).await;
    assert_eq!((error.kind(), error.outcome()), (Kind::Ambiguous, None));
    assert!(error.could_be(Outcome::WrongCode) && error.could_be(Outcome::Expired));
    assert_eq!(
        (error.next_step(), error.attempt_consumed()),
        (NextStep::RequestNewCode, Consumption::Unknown)
    );
}

#[tokio::test]
async fn an_error_names_the_document_that_it_rests_on() {
    let body =
        json!({ "error": { "code": "E913", "type": "validation_error", "parameter": "", "message": "m" } });
    let error = error("kaleyra", status(400).set_body_json(body)).await;
    let cell = error.cells().next().unwrap();
    assert_eq!((cell.vendor(), cell.name(), cell.section()), ("kaleyra", "expired", "OTP Expired"));
    assert_eq!((cell.certainty(), cell.outcome()), (otp_verify::Certainty::Documented, Outcome::Expired));
    assert!(cell.document().contains("Validate OTPs") && !cell.summary().is_empty());
}

#[tokio::test]
async fn a_body_that_is_none_of_the_documents_leaves_open_which_refusal_it_is() {
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
        assert_eq!((error.kind(), error.outcome()), (Kind::Ambiguous, None), "{place}");
        assert_eq!(error.attempt_consumed(), Consumption::Unknown, "{place}");
    }
    // What the document says of the status alone still holds, whoever wrote the body.
    let unauthorized = error("zeckta", status(401).set_body_string(page())).await;
    assert_eq!(unauthorized.kind(), Kind::Unauthorized);
    for vendor in ["kaleyra", "exotel", "dailystory"] {
        for code in [408, 425, 499] {
            let error = error(vendor, status(code).set_body_string(page())).await;
            assert_eq!(error.kind(), Kind::UndocumentedAnswer, "{vendor} {code}");
            assert_eq!(error.attempt_consumed(), Consumption::Unknown, "{vendor} {code}");
        }
    }
}

#[tokio::test]
async fn a_request_id_that_is_empty_is_passed_over() {
    let answer = status(500).insert_header("x-request-id", "").insert_header("x-correlation-id", "abc");
    assert_eq!(error("d7", answer).await.request_id().as_deref(), Some("abc"));
}
