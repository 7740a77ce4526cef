//! The README shows what the program prints.

use otp_contract::{Certainty, Contract, Scheme};

use crate::served::program;

const README: &str = include_str!("../../../README.md");

/// The lines of the console block that starts with this command, without the command.
fn block(command: &str) -> Vec<&'static str> {
    let start = README.find(&format!("```console\n$ {command}\n")).unwrap();
    README[start..].lines().skip(2).take_while(|line| *line != "```").collect()
}

/// Whether `line` is `shown`, in which `…` stands for anything.
fn matches(shown: &str, line: &str) -> bool {
    let mut rest = line;
    let parts: Vec<_> = shown.split('…').collect();
    for (index, part) in parts.iter().enumerate() {
        let found = if index == 0 { rest.starts_with(part).then_some(0) } else { rest.find(part) };
        let Some(at) = found else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty() || shown.ends_with('…')
}

/// Each line of the block occurs in the output, in order.
fn expect_shown(block: &[&str], printed: &str) {
    let mut lines = printed.lines();
    for shown in block.iter().filter(|line| line.trim() != "…") {
        assert!(
            lines.any(|line| matches(shown, line)),
            "the README shows `{shown}`, but the program prints\n{printed}"
        );
    }
}

#[test]
fn the_samples_of_check_are_what_the_program_prints() {
    let clean = program(&["check", "--seed", "42"]).output().unwrap();
    expect_shown(&block("cargo run --release -- check --seed 42"), &String::from_utf8(clean.stdout).unwrap());
    let faulty = program(&["check", "exotel", "--fault", "no-expiry", "--seed", "7"]).output().unwrap();
    expect_shown(
        &block("cargo run --release -- check exotel --target http://127.0.0.1:8080"),
        &String::from_utf8(faulty.stdout).unwrap(),
    );
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
