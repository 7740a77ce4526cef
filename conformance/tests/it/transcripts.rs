//! What goes over the wire, vendor by vendor, and the tables made from the contracts: reviewed snapshots.

use otp_conformance::{TableFormat, checks, matrix_table};

use crate::house::{check, contracts, options, vendors};

/// What differs from run to run, and what stands for it in a snapshot.
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
    for vendor in vendors() {
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
    let contracts = contracts(&vendors());
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!("matrix_text", matrix_table(&contracts, TableFormat::Text));
        insta::assert_snapshot!("matrix_markdown", matrix_table(&contracts, TableFormat::Markdown));
    });
    let json: serde_json::Value = serde_json::from_str(&matrix_table(&contracts, TableFormat::Json)).unwrap();
    let cells: usize = contracts.iter().map(|contract| contract.verify().cells.len()).sum();
    assert_eq!(json.as_array().unwrap().len(), cells);
}

#[test]
fn the_checks_are_those_that_were_reviewed() {
    let mut text = String::new();
    for check in contracts(&vendors()).iter().flat_map(checks) {
        text.push_str(&format!("{:<44}{}\n", check.id, check.statement));
    }
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("checks", text) });
}
