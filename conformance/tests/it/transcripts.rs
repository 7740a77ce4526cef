//! Reviewed snapshots: the exchanges with each vendor's sandbox, and the tables derived from the contracts.

use crate::served::program;
use crate::suite::{check, contracts, options, vendors};
use otp_test_support::contracts as all_contracts;

/// What differs between runs, and its replacement in a snapshot.
const VOLATILE: [(&str, &str); 9] = [
    (r"127\.0\.0\.1:\d+", "[address]"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "[uuid]"),
    (r"ver_[0-9a-f]{24}", "[verification]"),
    (r"[0-9a-f]{32}", "[dsid]"),
    (r"HX\d{10}", "[sid]"),
    (r"acme[0-9a-f]{12}", "[account]"),
    (r"app[0-9a-f]{16}", "[application]"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "[time]"),
    (r"date: [^\n]*\n", ""),
];

#[tokio::test]
async fn the_transcript_of_each_vendor_is_the_one_that_was_reviewed() {
    for vendor in &vendors() {
        let mut wanted = options(1);
        wanted.transcript = true;
        wanted.only = vec![glob::Pattern::new("*/matrix/*").unwrap()];
        let report = check(contracts(&[vendor]), Vec::new(), Vec::new(), &wanted).await;
        let mut text = String::new();
        for check in &report.vendors[0].checks {
            text.push_str(&format!("# {}: {}\n", check.id, check.statement));
            for exchange in &check.transcript {
                let request = &exchange.request;
                text.push_str(&format!("> {} {}\n", request.method, request.url));
                for [name, value] in request.headers.iter().filter(|[name, _]| name != "accept") {
                    text.push_str(&format!("> {name}: {value}\n"));
                }
                if let Some(body) = &request.body {
                    text.push_str(&format!("> {body}\n"));
                }
                let Some(response) = &exchange.response else { continue };
                text.push_str(&format!("< {}\n", response.status));
                for [name, value] in response.headers.iter().filter(|[name, _]| name == "www-authenticate") {
                    text.push_str(&format!("< {name}: {value}\n"));
                }
                text.push_str(&format!("< {}\n", response.body));
            }
            text.push('\n');
        }
        insta::with_settings!({ filters => VOLATILE.to_vec(), omit_expression => true }, {
            insta::assert_snapshot!(format!("transcript_{vendor}"), text);
        });
    }
}

#[test]
fn the_matrix_is_the_one_that_was_reviewed() {
    let printed = |format: &str| {
        String::from_utf8(program(&["matrix", "--format", format]).output().unwrap().stdout).unwrap()
    };
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!("matrix_text", printed("text"));
        insta::assert_snapshot!("matrix_markdown", printed("markdown"));
    });
    let json: serde_json::Value = serde_json::from_str(&printed("json")).unwrap();
    let cells: usize = all_contracts().iter().map(|contract| contract.verify().cells.len()).sum();
    assert_eq!(json.as_array().unwrap().len(), cells);
}

#[test]
fn the_checks_are_those_that_were_reviewed() {
    let printed = program(&["checks", "--format", "json"]).output().unwrap().stdout;
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&printed).unwrap();
    let mut text = String::new();
    for row in rows.iter().filter(|row| row["area"] != "untestable") {
        text.push_str(&format!(
            "{:<44}{:<11}{}\n",
            row["id"].as_str().unwrap(),
            row["basis"].as_str().unwrap(),
            row["statement"].as_str().unwrap()
        ));
    }
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("checks", text) });
}
