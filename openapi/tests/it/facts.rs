//! Every JSON body, every row of a table and every number of the five vendors' pages, and where the contracts have them.
//!
//! The facts stand here a second time, read from the pages and not from the contracts, so that a contract that loses or
//! changes one fails a test.

use otp_contract::{Backing, Cell, Certainty, Contract, Fact, Outcome, Situation};
use serde_json::{Value, json};

/// What a page prints about a response.
struct Printed {
    vendor: &'static str,
    cell: &'static str,
    outcome: Outcome,
    /// The HTTP status, if the page prints one.
    status: Option<u16>,
    /// The body, if the page prints one.
    body: Option<Value>,
}

fn printed(
    vendor: &'static str,
    cell: &'static str,
    outcome: Outcome,
    status: impl Into<Option<u16>>,
    body: impl Into<Option<Value>>,
) -> Printed {
    Printed { vendor, cell, outcome, status: status.into(), body: body.into() }
}

fn zeckta() -> Vec<Printed> {
    let body = |success: bool, message: &str, status: &str, inner: &str| {
        json!({
            "success": success,
            "message": message,
            "data": {
                "sessionId": "feab6011-2469-4804-ace5-ee9dcb5b9ef2",
                "status": status,
                "verified": success,
                "message": inner,
            },
        })
    };
    let row = |cell, outcome, status, message: &str, word: &str, inner: &str| {
        printed("zeckta", cell, outcome, status, body(status == 200, message, word, inner))
    };
    let reached = "Maximum verification attempts reached";
    vec![
        row(
            "approved",
            Outcome::Approved,
            200,
            "OTP verification successful",
            "APPROVED",
            "OTP verified successfully",
        ),
        row("wrong_code", Outcome::WrongCode, 400, "Invalid OTP", "INVALID", "Invalid OTP"),
        row("expired", Outcome::Expired, 410, "OTP expired", "EXPIRED", "OTP expired"),
        row("attempts_exhausted", Outcome::AttemptsExhausted, 423, reached, "MAX_ATTEMPTS_REACHED", reached),
        row(
            "already_used",
            Outcome::AlreadyUsed,
            409,
            "OTP already used",
            "ALREADY_USED",
            "OTP already verified",
        ),
        row(
            "unknown_session",
            Outcome::UnknownSession,
            404,
            "OTP session not found",
            "NOT_FOUND",
            "OTP session not found",
        ),
    ]
}

fn kaleyra() -> Vec<Printed> {
    let error = |cell, outcome, code: &str, kind: &str, parameter: &str, message: &str| {
        let body = json!({"error": {
            "code": code, "type": kind, "parameter": parameter, "message": message, "reference": "",
        }});
        printed("kaleyra", cell, outcome, None, body)
    };
    let (lower, upper) = ("validation_error", "VALIDATION_ERROR");
    let approved = json!({"data": {
        "verify_id": "4d3d0959-805e-43fa-bece-5815ce0795a2", "message": "OTP verified successfully.",
    }});
    let alphanumeric = "OTP can contain only alphanumeric values.";
    vec![
        printed("kaleyra", "approved", Outcome::Approved, None, approved),
        error("already_used", Outcome::AlreadyUsed, "E910", lower, "", "OTP already verified"),
        error("wrong_code", Outcome::WrongCode, "E912", lower, "OTP", "Invalid Request/OTP"),
        error(
            "attempts_exhausted",
            Outcome::AttemptsExhausted,
            "E911",
            lower,
            "OTP",
            "Exceeded max number of attempts",
        ),
        error("expired", Outcome::Expired, "E913", lower, "", "The OTP has already expired"),
        error("missing_code", Outcome::MissingCode, "E801", upper, "otp", "otp field is mandatory"),
        error(
            "missing_session",
            Outcome::MissingSession,
            "E800",
            upper,
            "verify_id",
            "verify_id field is mandatory",
        ),
        error("malformed_code", Outcome::MalformedCode, "E803", upper, "OTP", alphanumeric),
    ]
}

fn dailystory() -> Vec<Printed> {
    let body = |status: bool, message: &str, response: Value| json!({"Status": status, "Message": message, "Response": response});
    let locked =
        "The maximum number of unsuccessful OTP attempts was exceeded. OTP requests are temporarily locked.";
    let lock = json!({"locked": true, "remaining_attempts": 0, "lockout_seconds": 7200});
    let left = json!({"remaining_attempts": 3});
    vec![
        printed("dailystory", "approved", Outcome::Approved, 200, body(true, "The OTP is valid.", json!({}))),
        printed(
            "dailystory",
            "wrong_code_retry",
            Outcome::WrongCode,
            400,
            body(false, "The OTP is invalid.", left),
        ),
        printed(
            "dailystory",
            "attempts_exhausted",
            Outcome::AttemptsExhausted,
            429,
            body(false, locked, lock),
        ),
        // "If the OTP is invalid, the API will respond with an HTTP 400."
        printed("dailystory", "expired", Outcome::Expired, 400, None),
        printed("dailystory", "invalidated", Outcome::AttemptsExhausted, 400, None),
    ]
}

fn exotel() -> Vec<Printed> {
    let approved = json!({
        "verification_id": "ver_abc123def456",
        "application_id": "your_app_id",
        "account_sid": "your_account_sid",
        "status": "success",
        "date_created": "2024-01-15T10:30:00Z",
        "date_updated": "2024-01-15T10:30:45Z",
    });
    let row = |cell, outcome, status, code: u32, message: &str| {
        printed("exotel", cell, outcome, status, json!({"code": code, "message": message}))
    };
    vec![
        printed("exotel", "approved", Outcome::Approved, 200, approved),
        row("expired", Outcome::Expired, 400, 1210, "OTP expired — the 60-second window has passed"),
        row("wrong_code", Outcome::WrongCode, 400, 1211, "Invalid OTP — the code entered is incorrect"),
        row(
            "attempts_exhausted",
            Outcome::AttemptsExhausted,
            403,
            1016,
            "Max attempts exceeded — user tried more than 10 times",
        ),
        row("already_used", Outcome::AlreadyUsed, 403, 1017, "Verification already completed"),
    ]
}

fn d7() -> Vec<Printed> {
    let invalid = json!({"detail": {
        "code": "INVALID_OTP_CODE", "message": "Invalid OTP code or OTP code expired",
    }});
    let validation = json!({"detail": [{"loc": ["string", 0], "msg": "string", "type": "string"}]});
    let word = |cell, outcome, word: &str| printed("d7", cell, outcome, None, json!({"status": word}));
    vec![
        printed("d7", "approved", Outcome::Approved, 200, json!({"status": "APPROVED"})),
        printed("d7", "wrong_code", Outcome::WrongCode, 400, invalid.clone()),
        printed("d7", "expired", Outcome::Expired, 400, invalid),
        printed("d7", "invalid_request", Outcome::InvalidRequest, 422, validation),
        word("wrong_code_200", Outcome::WrongCode, "FAILED"),
        word("expired_200", Outcome::Expired, "EXPIRED"),
        word("already_used", Outcome::AlreadyUsed, "ALREADY_VERIFIED"),
    ]
}

fn pages() -> Vec<Printed> {
    [zeckta(), kaleyra(), dailystory(), exotel(), d7()].into_iter().flatten().collect()
}

#[test]
fn every_response_that_a_page_prints_is_a_cell_with_the_certainty_that_it_deserves() {
    for fact in pages() {
        let contract = Contract::of_vendor(fact.vendor).unwrap();
        let place = format!("{}/{}", fact.vendor, fact.cell);
        let cell: &Cell = contract.verify().cell(fact.cell).unwrap_or_else(|| panic!("{place}"));
        assert_eq!(cell.outcome, fact.outcome, "{place}");
        assert_eq!(cell.certainty, Certainty::Documented, "{place}");
        assert_eq!(cell.facts.status.is_documented(), fact.status.is_some(), "{place}: status");
        assert_eq!(cell.facts.body.is_documented(), fact.body.is_some(), "{place}: body");
        if let Some(status) = fact.status {
            assert_eq!(cell.status.exact(), Some(status), "{place}");
        }
        if let Some(body) = fact.body {
            assert_eq!(cell.body, body, "{place}");
        }
    }
}

#[test]
fn no_cell_claims_a_response_that_no_page_prints() {
    let pages = pages();
    // The vendor's article prints this body, and the page its status.
    let elsewhere = [("dailystory", "wrong_code")];
    for contract in Contract::all().unwrap() {
        for cell in contract.verify().cells.iter().filter(|cell| cell.certainty == Certainty::Documented) {
            let name = (contract.vendor.as_str(), cell.name.as_str());
            let is_printed = pages.iter().any(|fact| (fact.vendor, fact.cell) == name);
            assert!(is_printed || elsewhere.contains(&name), "{name:?}");
            if elsewhere.contains(&name) {
                assert_ne!(cell.facts.body.source.document, contract.document, "{name:?}");
            }
        }
    }
}

#[test]
fn a_body_that_the_page_prints_for_another_call_is_inferred() {
    // E909 stands on Kaleyra's page, for a member that a validate request does not have.
    let kaleyra = Contract::of_vendor("kaleyra").unwrap();
    let cell = kaleyra.verify().cell("unknown_session").unwrap();
    assert_eq!(cell.body["error"]["code"], "E909");
    assert_eq!(cell.certainty, Certainty::Inferred);
}

#[test]
fn the_numbers_are_documented_where_a_page_states_them_as_rules() {
    // Vendor, lifetime, whether it is a rule of the page; the same for the limit of wrong codes.
    let numbers = [
        ("zeckta", (300, false), Some((5, false))),
        ("kaleyra", (300, false), Some((5, false))),
        ("dailystory", (900, true), Some((5, true))),
        ("exotel", (60, true), Some((10, true))),
        ("d7", (600, false), None),
    ];
    for (vendor, (seconds, is_rule), limit) in numbers {
        let policy = Contract::of_vendor(vendor).unwrap().policy;
        assert_eq!(policy.lifetime.seconds, seconds, "{vendor}");
        assert_eq!(policy.lifetime.backing.is_documented(), is_rule, "{vendor}");
        let found = policy.attempts.map(|limit| (limit.limit, limit.backing.is_documented()));
        assert_eq!(found, limit, "{vendor}");
    }
    // 3 to 20 minutes, 1 to 10 attempts; 7200 seconds stand only in an example.
    let dailystory = Contract::of_vendor("dailystory").unwrap();
    assert_eq!(dailystory.policy.lifetime.max, Some(20 * 60));
    assert_eq!(dailystory.policy.attempts.as_ref().unwrap().max, Some(10));
    assert_eq!(dailystory.policy.lockout_seconds, Some(7_200));
    assert!(!dailystory.verify().is_documented(Fact::Lockout));
}

#[test]
fn a_fact_from_another_page_names_that_page() {
    let elsewhere = [
        ("zeckta", vec![Fact::Host]),
        ("dailystory", vec![Fact::Host, Fact::Method, Fact::Path, Fact::Security]),
        ("exotel", vec![Fact::Length]),
    ];
    for (vendor, facts) in elsewhere {
        let contract = Contract::of_vendor(vendor).unwrap();
        for fact in facts {
            let backing: &Backing = &contract.verify().facts[&fact];
            assert_ne!(backing.source.document, contract.document, "{vendor} {}", fact.as_str());
        }
    }
}

#[test]
fn no_page_names_a_response_to_a_session_of_another_account() {
    for contract in Contract::all().unwrap() {
        let cells = contract.verify().cells.iter().filter(|cell| cell.answers(Situation::ForeignSession));
        for cell in cells {
            assert!(!cell.is_documented_for(Situation::ForeignSession), "{}/{}", contract.vendor, cell.name);
        }
    }
}
