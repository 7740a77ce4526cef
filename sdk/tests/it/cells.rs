//! Each client receives every documented response of the contract from which it is generated.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use otp_contract::{Contract, DOCUMENTS, Place, Scheme};
use otp_verify::Outcome;
use serde_json::json;
use wiremock::Request;

use crate::vendor_call::{self, ACCOUNT, CODE, SECRET, SESSION};

#[tokio::test]
async fn every_cell_of_every_contract_is_classified_as_documented() {
    let mut table = String::new();
    let mut seen_cells = BTreeSet::new();
    for contract in vendor_call::contracts() {
        let vendor = contract.vendor.as_str();
        for cell in &contract.verify().cells {
            for status in vendor_call::statuses(&contract, cell) {
                let place = format!("{vendor}/{} with {status}", cell.name);
                let body = vendor_call::rendered(cell).to_string();
                let (result, requests) =
                    vendor_call::exchange(vendor, status, body.as_bytes(), "application/json").await;

                let approved = cell.outcome == otp_contract::Outcome::Approved;
                assert_eq!(result.kind, if approved { "Approved" } else { "Refused" }, "{place}");
                assert!(
                    result.outcomes.iter().any(|outcome| outcome.as_str() == cell.outcome.as_str()),
                    "{place}: {:?}",
                    result.outcomes
                );
                assert!(result.typed || !cell.body_specified, "{place}: no typed body");
                assert_eq!(result.status, Some(status), "{place}");
                assert_eq!(result.raw.as_deref(), Some(body.as_bytes()), "{place}");
                let [request] = requests.as_slice() else { panic!("{place}: {} requests", requests.len()) };
                assert_is_the_documented_call(&contract, request);

                let outcome = result.outcome.map_or("-", Outcome::as_str);
                let others: Vec<_> = result.outcomes.iter().map(|outcome| outcome.as_str()).collect();
                let means = result.error.as_ref().map_or_else(String::new, |error| {
                    format!("{:?}, attempt consumed: {:?}", error.next_step(), error.attempt_consumed())
                });
                let variant = &result.variant;
                writeln!(
                    table,
                    "{vendor}/{} {status} is {variant} {outcome} of {}",
                    cell.name,
                    others.join(" ")
                )
                .unwrap();
                writeln!(table, "    {means}").unwrap();
                seen_cells.insert((contract.vendor.clone(), cell.name.clone()));
            }
        }
    }
    let all: BTreeSet<_> = vendor_call::contracts()
        .into_iter()
        .flat_map(|contract| {
            contract
                .verify()
                .cells
                .iter()
                .map(|cell| (contract.vendor.clone(), cell.name.clone()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(seen_cells, all, "a cell is not covered");
    insta::assert_snapshot!(table);
}

/// Checks method, path and credentials, that session and code are where the contract has them, and that nothing else is
/// sent.
fn assert_is_the_documented_call(contract: &Contract, request: &Request) {
    let operation = &contract.verify();
    assert_eq!(request.method.as_str(), operation.method);
    let path = operation.path.fill(|name| {
        let session = &operation.session.location;
        if session.place == Place::Path && session.name == name { SESSION } else { ACCOUNT }.to_owned()
    });
    assert_eq!(request.url.path(), path);

    let header = |name: &str| -> Vec<_> {
        request.headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    };
    match &operation.security[0].scheme {
        Scheme::Bearer => assert_eq!(header("authorization"), [format!("Bearer {SECRET}")]),
        // `canary-user-55de:canary-secret-02e8`
        Scheme::Basic => {
            assert_eq!(header("authorization"), ["Basic Y2FuYXJ5LXVzZXItNTVkZTpjYW5hcnktc2VjcmV0LTAyZTg="]);
        }
        Scheme::ApiKey { name, .. } => {
            assert_eq!(header(name), [SECRET]);
            assert!(header("authorization").is_empty());
        }
    }
    assert!(header("api-version").is_empty());
    assert_eq!(header("accept"), ["application/json"]);
    assert_eq!(
        header("user-agent"),
        [format!("otp-verify/{} ({} api/{})", env!("CARGO_PKG_VERSION"), contract.vendor, version(contract))]
    );

    let (mut body, mut query) = (json!({}), Vec::new());
    for (location, value) in [(&operation.session.location, SESSION), (&operation.code.location, CODE)] {
        match location.place {
            Place::Path => {}
            Place::Query => query.push((location.name.clone(), value.to_owned())),
            Place::Body | Place::Form => body[&location.name] = value.into(),
        }
    }
    let sent: Vec<_> = request.url.query_pairs().into_owned().collect();
    assert_eq!(sent, query);
    if operation.has_json_body() {
        assert_eq!(request.body_json::<serde_json::Value>().unwrap(), body);
        assert_eq!(header("content-type"), ["application/json"]);
    } else {
        assert!(request.body.is_empty());
    }
}

#[test]
fn the_outcomes_match_those_of_the_contracts() {
    let outcomes: Vec<_> = Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
    let expected: Vec<_> =
        otp_contract::Role::Verify.outcomes().iter().map(|outcome| outcome.as_str()).collect();
    assert_eq!(outcomes, expected);
}

/// The version of the document, which is not part of the contract.
fn version(contract: &Contract) -> &'static str {
    let text = DOCUMENTS.iter().find(|document| document.vendor == contract.vendor).unwrap().text;
    let line = text.lines().find_map(|line| line.strip_prefix("  version: ")).unwrap();
    line.trim_matches('"')
}
