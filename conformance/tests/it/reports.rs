//! The JSON report: its published shape, and what must never stand in it.

use otp_conformance::{CheckResult, Report};
use otp_sandbox::Fault;
use serde_json::Value;

use crate::house::{check, contracts, options, vendors};

async fn faulty_report() -> Report {
    let faults = ["wrong-code-claims-success", "reuse", "no-expiry"].map(|name| Fault::named(name).unwrap());
    check(contracts(&vendors()), faults.to_vec(), Vec::new(), &options(5)).await
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
    // The schema itself must be able to refuse.
    let mut wrong = serde_json::to_value(faulty_report().await).unwrap();
    wrong["vendors"][0]["checks"][0]["result"] = "fine".into();
    assert!(!validator.is_valid(&wrong));
}

#[tokio::test]
async fn a_finding_says_what_was_expected_what_came_and_how_to_see_it_again() {
    let report = faulty_report().await;
    let check =
        report.vendors[0].checks.iter().find(|check| check.id == "zeckta/matrix/already_used").unwrap();
    assert_eq!(check.result, CheckResult::Failed);
    let finding = check.finding.as_ref().unwrap();
    assert!(finding.expected.starts_with("HTTP 409 {\"success\":false"), "{}", finding.expected);
    assert!(finding.actual.starts_with("HTTP 200 {\"success\":true"), "{}", finding.actual);
    assert_eq!(finding.differences[0].place, "status");
    assert_eq!(finding.exchanges.len(), 2, "the approval, and the one too many");
    assert_eq!(finding.curl.len(), 2);
    assert!(finding.curl[1].contains("'\"$CODE_1\"'") && finding.curl[1].contains("'\"$CREDENTIALS_1\"'"));
    assert_eq!(check.citation.section, "OTP Already Used");
}

#[tokio::test]
async fn no_credential_stands_in_a_report() {
    let json = serde_json::to_string(&faulty_report().await).unwrap();
    assert!(json.contains("$CREDENTIALS_1"));
    // The sandbox makes every credential with one of these words in front.
    for secret in ["token-", "secret-", "key-"] {
        assert!(!json.contains(secret), "{secret} in the report");
    }
    // Basic credentials would show encoded.
    assert!(!json.contains("Basic YXBw"));
}

#[tokio::test]
async fn the_same_seed_makes_the_same_checks_and_sends_as_many_requests() {
    let of = |report: &Report| {
        let checks = report.vendors.iter().flat_map(|vendor| &vendor.checks);
        checks.map(|check| (check.id.clone(), check.requests)).collect::<Vec<_>>()
    };
    let first = check(contracts(&vendors()), Vec::new(), Vec::new(), &options(11)).await;
    let second = check(contracts(&vendors()), Vec::new(), Vec::new(), &options(11)).await;
    assert_eq!(of(&first), of(&second));
    assert_eq!(first.requests, second.requests);
}

#[tokio::test]
async fn no_code_that_was_issued_stands_in_a_finding_in_whatever_spelling_it_was_tried() {
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
        let told = exchanges.iter().any(|exchange| {
            exchange.request.url.contains(shown)
                || exchange.request.body.as_ref().is_some_and(|body| body.contains(shown))
        });
        assert!(told, "{vendor} {shown}: {:?}", findings[0].curl);
    }
}

#[tokio::test]
async fn one_cause_is_told_once_and_names_the_checks_that_it_broke_as_well() {
    let fault = vec![Fault::named("reuse").unwrap()];
    let report = check(contracts(&["exotel"]), fault, Vec::new(), &options(5)).await;
    let checks = &report.vendors[0].checks;
    let failed: Vec<_> = checks.iter().filter(|check| check.finding.is_some()).collect();
    let (told, rest): (Vec<_>, Vec<_>) = failed.into_iter().partition(|check| check.cause.is_none());
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].id, "exotel/matrix/already_used");
    assert!(rest.len() > 3);
    assert!(rest.iter().all(|check| check.cause.as_ref() == Some(&told[0].id)));
    assert_eq!(told[0].also, rest.iter().map(|check| check.id.clone()).collect::<Vec<_>>());
}
