//! The JSON report: its published shape, and what it must never contain.

use otp_conformance::{CheckResult, Report};
use otp_sandbox::Fault;
use otp_test_support::contracts as all_contracts;
use serde_json::Value;

use crate::suite::{check, contracts, options};

async fn faulty_report() -> Report {
    let faults = ["wrong-code-claims-success", "reuse", "no-expiry"].map(|name| Fault::named(name).unwrap());
    check(all_contracts(), faults.to_vec(), Vec::new(), &options(5)).await
}

#[tokio::test]
async fn a_report_has_the_published_shape() {
    let schema: Value = serde_json::from_str(include_str!("../../report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let clean = check(contracts(&["d7"]), Vec::new(), Vec::new(), &options(5)).await;
    for report in [clean, faulty_report().await] {
        let json = serde_json::to_value(&report).unwrap();
        let problems: Vec<_> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert_eq!(problems, Vec::<String>::new());
    }
    // The schema itself must be able to reject.
    let mut wrong = serde_json::to_value(faulty_report().await).unwrap();
    wrong["vendors"][0]["checks"][0]["result"] = "fine".into();
    assert!(!validator.is_valid(&wrong));
}

#[tokio::test]
async fn a_finding_shows_expectation_response_and_how_to_reproduce_it() {
    let report = faulty_report().await;
    let check =
        report.vendors[0].checks.iter().find(|check| check.id == "zeckta/matrix/already_used").unwrap();
    assert_eq!(check.result, CheckResult::Failed);
    let finding = check.finding.as_ref().unwrap();
    assert!(finding.expected.starts_with("HTTP 409 {\"success\":false"), "{}", finding.expected);
    assert!(finding.actual.starts_with("HTTP 200 {\"success\":true"), "{}", finding.actual);
    assert_eq!(finding.differences[0].place, "status");
    assert_eq!(finding.exchanges.len(), 2, "the approval, and the second one");
    assert_eq!(finding.curl.len(), 2);
    assert!(finding.curl[1].contains("'\"$CODE_1\"'") && finding.curl[1].contains("'\"$CREDENTIALS_1\"'"));
    assert_eq!(check.citation.section, "OTP Already Used");
}

#[tokio::test]
async fn no_report_contains_a_credential() {
    let json = serde_json::to_string(&faulty_report().await).unwrap();
    assert!(json.contains("$CREDENTIALS_1"));
    // Every credential of the sandbox starts with one of these words.
    for secret in ["token-", "secret-", "key-"] {
        assert!(!json.contains(secret), "{secret} in the report");
    }
    // The encoded form of basic credentials.
    assert!(!json.contains("Basic YXBw"));
}

#[tokio::test]
async fn the_same_seed_runs_the_same_checks_with_as_many_requests() {
    let of = |report: &Report| {
        let checks = report.vendors.iter().flat_map(|vendor| &vendor.checks);
        checks.map(|check| (check.id.clone(), check.requests)).collect::<Vec<_>>()
    };
    let first = check(all_contracts(), Vec::new(), Vec::new(), &options(11)).await;
    let second = check(all_contracts(), Vec::new(), Vec::new(), &options(11)).await;
    assert_eq!(of(&first), of(&second));
    assert_eq!(first.requests, second.requests);
}

#[tokio::test]
async fn no_finding_contains_an_issued_code_in_any_spelling() {
    for (vendor, fault, shown) in [
        ("dailystory", "either-of-two", "otp=$CODE_"),
        ("kaleyra", "code-letter-case", "_LOWER\""),
        ("zeckta", "code-full-width", "_WIDE\""),
        ("zeckta", "code-beginning", "\"${CODE_"),
    ] {
        let fault = vec![Fault::named(fault).unwrap()];
        let report = check(contracts(&[vendor]), fault, Vec::new(), &options(5)).await;
        let found = report.vendors[0].checks.iter().filter(|check| check.id.contains("/request/"));
        let findings: Vec<_> = found.filter_map(|check| check.finding.as_ref()).collect();
        assert!(!findings.is_empty(), "{vendor}");
        let exchanges: Vec<_> = findings.iter().flat_map(|finding| &finding.exchanges).collect();
        let is_shown = exchanges.iter().any(|exchange| {
            exchange.request.url.contains(shown)
                || exchange.request.body.as_ref().is_some_and(|body| body.contains(shown))
        });
        assert!(is_shown, "{vendor} {shown}: {:?}", findings[0].curl);
    }
}

#[tokio::test]
async fn one_cause_is_shown_once_and_names_the_other_checks_that_failed() {
    let fault = vec![Fault::named("reuse").unwrap()];
    let report = check(contracts(&["exotel"]), fault, Vec::new(), &options(5)).await;
    let checks = &report.vendors[0].checks;
    let failed: Vec<_> = checks.iter().filter(|check| check.finding.is_some() && check.gates).collect();
    let (shown, rest): (Vec<_>, Vec<_>) = failed.into_iter().partition(|check| check.cause.is_none());
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].id, "exotel/matrix/already_used");
    assert!(rest.len() > 3);
    assert!(rest.iter().all(|check| check.cause.as_ref() == Some(&shown[0].id)));
    assert!(rest.iter().all(|check| shown[0].also.contains(&check.id)));
}
