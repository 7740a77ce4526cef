//! The README shows what the program prints. `tests/examples/` checks what it shows of the example servers.

use otp_contract::{Certainty, Contract, Scheme};

use crate::samples::{README, blocks, expect_shown};
use crate::served::program;

#[test]
fn the_sample_of_check_is_what_the_program_prints() {
    let clean = program(&["check", "--seed", "42"]).output().unwrap();
    let [block] = blocks("cargo run --release -- check --seed 42").try_into().unwrap();
    expect_shown(&block, &String::from_utf8(clean.stdout).unwrap());
}

#[test]
fn the_table_of_vendors_follows_from_the_contracts() {
    let contracts = Contract::all().unwrap();
    for contract in &contracts {
        let operation = contract.verify();
        let schemes: Vec<_> = operation
            .security
            .iter()
            .map(|scheme| match &scheme.scheme {
                Scheme::Bearer => "bearer".to_owned(),
                Scheme::Basic => "basic".to_owned(),
                Scheme::ApiKey { name, .. } => format!("header `{name}`"),
            })
            .collect();
        let documented =
            operation.cells.iter().filter(|cell| cell.certainty == Certainty::Documented).count();
        let row = format!(
            "| {} | `{} {}` | {} | {} | {documented} |",
            contract.name,
            operation.method,
            operation.path,
            schemes.join(" or "),
            operation.cells.len(),
        );
        assert!(README.contains(&row), "the README lacks the row\n{row}");
    }
}

#[test]
fn every_area_of_checks_is_in_the_readme() {
    let printed = program(&["checks", "--format", "json"]).output().unwrap().stdout;
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&printed).unwrap();
    for area in rows.iter().map(|row| row["area"].as_str().unwrap()).filter(|area| *area != "untestable") {
        assert!(README.contains(&format!("`{area}`")), "{area}");
    }
}
