//! Documented responses in unusual forms, and responses that no vendor should send.

use otp_contract::{Matching, Outcome};
use serde_json::{Value, json};

use crate::vendor_call::{self, SESSION, exchange, exchange_json};

#[tokio::test]
async fn a_200_with_the_status_failed_is_not_approved() {
    let result = exchange_json("d7", 200, &json!({ "status": "FAILED" })).await;
    assert_eq!((result.kind, result.outcome), ("Refused", Some(otp_verify::Outcome::WrongCode)));
}

#[tokio::test]
async fn one_response_to_a_wrong_and_to_an_expired_code_has_two_outcomes() {
    let detail = json!({ "detail": { "code": "INVALID_OTP_CODE", "message": "Invalid OTP code or OTP code expired" } });
    let result = exchange_json("d7", 400, &detail).await;
    assert_eq!(result.outcome, None);
    assert_eq!(result.outcomes[..2], [otp_verify::Outcome::WrongCode, otp_verify::Outcome::Expired]);
    assert!(result.message.starts_with("d7 did not approve: wrong_code or expired"), "{}", result.message);
}

#[tokio::test]
async fn a_422_without_its_array_is_not_the_documented_one() {
    let documented = json!({ "detail": [{ "loc": ["body"], "msg": "Field required", "type": "missing" }] });
    assert_eq!(
        exchange_json("d7", 422, &documented).await.outcome,
        Some(otp_verify::Outcome::InvalidRequest)
    );
    for detail in [json!([]), json!("Unprocessable"), json!(null)] {
        let result = exchange_json("d7", 422, &json!({ "detail": detail })).await;
        let either = [otp_verify::Outcome::InvalidRequest, otp_verify::Outcome::UnknownSession];
        assert_eq!((result.outcome, result.outcomes.as_slice()), (None, either.as_slice()), "{detail}");
    }
}

#[tokio::test]
async fn a_code_that_may_be_anywhere_is_found_as_a_number_and_as_text() {
    for body in [
        json!({ "code": 1211 }),
        json!({ "code": "1211" }),
        json!({ "code": 1211.0 }),
        json!({ "error": { "details": [{ "code": 1211 }] } }),
        json!({ "http_code": 400, "response": { "error_data": { "code": "1211" } } }),
    ] {
        let result = exchange_json("exotel", 400, &body).await;
        assert_eq!(result.outcome, Some(otp_verify::Outcome::WrongCode), "{body}");
    }
    let both = json!({ "code": 1211, "error": { "code": 1210 } });
    assert_eq!(exchange_json("exotel", 400, &both).await.outcome, None);
}

#[tokio::test]
async fn a_response_that_approves_and_refuses_is_contradictory() {
    let zeckta = |success: bool, status: &str, verified: bool| {
        let data = json!({ "sessionId": SESSION, "status": status, "verified": verified, "message": "m" });
        json!({ "success": success, "message": "m", "data": data })
    };
    let kaleyra = json!({ "verify_id": SESSION, "message": "OTP verified successfully." });
    let exotel = |error: Value| {
        let data =
            json!({ "verification_id": SESSION, "account_sid": vendor_call::ACCOUNT, "status": "success" });
        let response = json!({ "code": 200, "error_data": error, "status": "success", "data": data });
        json!({ "method": "POST", "http_code": 200, "response": response })
    };
    assert_eq!(exchange_json("exotel", 200, &exotel(json!(null))).await.kind, "Approved");
    let cases = [
        ("d7", 200, json!({ "status": "APPROVED", "detail": { "code": "INVALID_OTP_CODE" } })),
        ("d7", 200, json!({ "status": "APPROVED", "detail": { "code": "A_NEW_REASON" } })),
        ("d7", 400, json!({ "status": "APPROVED" })),
        ("d7", 400, json!({ "status": "APPROVED", "detail": { "code": "INVALID_OTP_CODE" } })),
        ("d7", 404, json!({ "status": "APPROVED" })),
        ("d7", 422, json!({ "status": "APPROVED", "detail": [{}] })),
        ("d7", 500, json!({ "status": "APPROVED" })),
        ("zeckta", 200, zeckta(true, "APPROVED", false)),
        ("zeckta", 200, zeckta(true, "INVALID", true)),
        ("zeckta", 200, zeckta(false, "APPROVED", true)),
        ("zeckta", 200, zeckta(true, "INVALID", false)),
        ("zeckta", 400, zeckta(false, "INVALID", true)),
        ("zeckta", 400, zeckta(true, "APPROVED", true)),
        ("zeckta", 302, zeckta(true, "APPROVED", true)),
        ("dailystory", 200, json!({ "Status": true, "Message": "m", "Response": { "locked": true } })),
        ("dailystory", 200, json!({ "Status": true, "Message": "The OTP is invalid.", "Response": {} })),
        ("dailystory", 400, json!({ "Status": true, "Message": "m", "Response": {} })),
        ("dailystory", 429, json!({ "Status": true, "Message": "m", "Response": { "locked": true } })),
        ("kaleyra", 200, json!({ "data": kaleyra, "error": { "code": "E912" } })),
        ("kaleyra", 200, json!({ "data": kaleyra, "error": { "code": "E999" } })),
        ("kaleyra", 200, json!({ "data": kaleyra, "error": "E912" })),
        ("kaleyra", 200, json!({ "data": kaleyra, "error": [{ "code": "E912" }] })),
        ("kaleyra", 200, json!({ "data": kaleyra, "error": true })),
        ("d7", 200, json!({ "status": "APPROVED", "detail": "Resend Failed" })),
        ("kaleyra", 400, json!({ "data": kaleyra })),
        (
            "exotel",
            403,
            json!({ "status": "success", "verification_id": SESSION, "account_sid": vendor_call::ACCOUNT }),
        ),
        ("exotel", 200, json!({ "status": "success", "code": 1211 })),
        (
            "exotel",
            200,
            json!({ "status": "success", "verification_id": SESSION, "account_sid": vendor_call::ACCOUNT, "code": 9999 }),
        ),
        ("exotel", 200, exotel(json!({ "code": 9999 }))),
        ("exotel", 200, exotel(json!({ "message": "x" }))),
        (
            "exotel",
            200,
            json!({ "status": "success", "verification_id": SESSION, "account_sid": vendor_call::ACCOUNT, "code": "1210" }),
        ),
        (
            "exotel",
            200,
            json!({ "status": "success", "verification_id": SESSION, "account_sid": vendor_call::ACCOUNT,
                    "response": { "error_data": { "errorCode": 1017 } } }),
        ),
    ];
    for (vendor, status, body) in cases {
        let result = exchange_json(vendor, status, &body).await;
        assert_eq!((result.kind, result.status), ("Contradictory", Some(status)), "{vendor} {status} {body}");
        assert!(result.outcomes.is_empty());
    }
}

#[tokio::test]
async fn a_body_with_a_duplicate_key_is_contradictory() {
    for body in [
        r#"{"status":"APPROVED","status":"FAILED"}"#,
        r#"{"status":"FAILED","status":"APPROVED"}"#,
        r#"{"status":"APPROVED","status":"APPROVED"}"#,
    ] {
        let (result, _) = exchange("d7", 200, body.as_bytes(), "application/json").await;
        assert_eq!(result.kind, "Contradictory", "{body}");
    }
}

#[tokio::test]
async fn an_approval_with_a_missing_or_changed_signal_is_not_approved() {
    for contract in vendor_call::contracts() {
        for cell in contract.verify().approvals() {
            for member in &cell.members {
                if !member.rule.matching.is_signal() && !matches!(member.rule.matching, Matching::Echo(_)) {
                    continue;
                }
                let replacements =
                    [json!(null), json!("APPROVED "), json!(false), json!(0), json!([]), json!({})];
                for value in replacements.into_iter().map(Some).chain([None]) {
                    let is_unchanged = value.as_ref() == Some(&member.example);
                    if is_unchanged || value.is_none() && member.rule.optional {
                        continue;
                    }
                    let mut body = vendor_call::rendered(cell);
                    replace(&mut body, &member.pointer, value);
                    let result = exchange_json(&contract.vendor, cell.sandbox_status, &body).await;
                    assert_ne!(result.kind, "Approved", "{} {body}", contract.vendor);
                }
            }
        }
    }
}

#[tokio::test]
async fn an_approval_with_another_status_is_not_approved() {
    for contract in vendor_call::contracts() {
        for cell in contract.verify().approvals() {
            for status in [201, 202, 206, 300, 302, 307, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503] {
                let result = exchange_json(&contract.vendor, status, &vendor_call::rendered(cell)).await;
                let expected = if cell.status.matches(status) { "Approved" } else { "Contradictory" };
                assert_eq!((result.kind, result.status), (expected, Some(status)), "{}", contract.vendor);
            }
        }
    }
}

#[tokio::test]
async fn an_undocumented_body_is_never_approved_and_its_status_is_kept() {
    let large = "x".repeat(5 * 1024 * 1024);
    let bodies = [
        "<html><body>APPROVED</body></html>",
        "",
        "{\"status\":\"APPRO",
        "null",
        "[]",
        "\"APPROVED\"",
        &large,
    ];
    for contract in vendor_call::contracts() {
        for status in [200, 201, 302, 400, 401, 403, 404, 409, 410, 418, 422, 423, 429, 500, 502, 503] {
            for body in bodies {
                let (result, requests) =
                    exchange(&contract.vendor, status, body.as_bytes(), "text/html").await;
                let place = format!("{} {status} {:.20}", contract.vendor, body);
                assert_eq!((result.status, requests.len()), (Some(status), 1), "{place}");
                let kept = body.len().min(64 * 1024);
                assert_eq!(result.raw.as_deref(), Some(&body.as_bytes()[..kept]), "{place}");
                assert!(!result.typed, "{place}");
                match result.kind {
                    "Incomplete" => assert_eq!(kept, 64 * 1024, "{place}"),
                    "RateLimited" => assert_eq!((status, result.outcomes.len()), (429, 0), "{place}"),
                    "Undocumented" => assert!(result.outcomes.is_empty(), "{place}"),
                    // A status alone is meaningful if the document does not specify the body.
                    "Refused" => assert!(
                        contract.verify().cells.iter().any(|cell| {
                            !cell.body_specified
                                && cell.outcome != Outcome::Approved
                                && cell.status.matches(status)
                        }),
                        "{place}"
                    ),
                    other => panic!("{place}: {other}"),
                }
            }
        }
    }
}

pub(crate) fn replace(body: &mut Value, pointer: &str, value: Option<Value>) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let members = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => members.insert(name.to_owned(), value),
        None => members.remove(name),
    };
}
