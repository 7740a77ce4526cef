//! Schemathesis: a fuzzer finds no disagreement between a document and our sandbox.
//!
//! It runs with its default settings. It gets what a user would have to give it, too: the address, credentials, and the
//! path parameters of an account.

use anyhow::Context as _;
use serde_json::Value;

use super::context::{Context, Verdict};
use super::credentials;
use super::process::{command, run};
use super::sandbox::Sandbox;
use crate::document::Document;

/// With a seed of its own in each run, a failure could not be repeated.
const SEED: &str = "42";

/// Sends requests from each document to the sandbox.
pub(super) fn check(context: &Context<'_>) -> anyhow::Result<Vec<Verdict>> {
    let sandbox = Sandbox::start(context.root)?;
    context.documents.iter().map(|document| check_document(context, &sandbox, document)).collect()
}

fn check_document(context: &Context<'_>, sandbox: &Sandbox, document: &Document) -> anyhow::Result<Verdict> {
    let vendor = &document.contract.vendor;
    let account = sandbox.create_account(vendor)?;
    let folder = context.scratch.join("schemathesis").join(vendor);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let field = credentials::of_account(&document.contract, &account)
        .with_context(|| format!("the credentials of {vendor} are not in a header field"))?;
    let file = folder.join("schemathesis.toml");
    std::fs::write(&file, configuration(&field, &account))
        .with_context(|| format!("cannot write {}", file.display()))?;

    let output = run(command(context.tools.python.join("schemathesis"), &context.tools.python, &folder)
        .arg("run")
        .arg(context.root.join(&document.file))
        .args(["--url", &sandbox.url(), "--seed", SEED, "--no-color", "--generation-database", "none"]))?;
    let extent = cases(&output.stdout);
    let problems = match (output.success, &extent) {
        (true, Some(_)) => Vec::new(),
        _ => vec![failures(&output.text()).to_owned()],
    };
    Ok(Verdict { file: document.file.clone(), extent: extent.unwrap_or_default(), problems })
}

/// The configuration file: strings in TOML's basic form, which is that of JSON.
fn configuration((name, value): &(String, String), account: &Value) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    let mut text = format!("headers = {{ {} = {} }}\n[parameters]\n", quoted(name), quoted(value));
    for (name, value) in account["parameters"].as_object().into_iter().flatten() {
        text.push_str(&format!("{} = {value}\n", quoted(&format!("path.{name}"))));
    }
    text
}

/// How many requests were sent: a line such as `280 generated, 280 passed`.
fn cases(report: &str) -> Option<String> {
    let line = report.lines().map(str::trim).find(|line| line.contains(" generated, "))?;
    let count = line.split(' ').next()?;
    Some(format!("{count} requests agree, seed {SEED}"))
}

/// The part of a report that is about failures.
fn failures(report: &str) -> &str {
    let start = ["= FAILURES =", "= ERRORS ="].into_iter().find_map(|title| report.find(title));
    let report = start.map_or(report, |at| &report[at..]);
    let end = ["= WARNINGS =", "= SUMMARY ="].into_iter().find_map(|title| report.find(title));
    end.map_or(report, |at| &report[..at]).trim_matches(['=', ' ', '\n'])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_configuration_has_the_credentials_and_the_account() {
        let field = ("authorization".to_owned(), "Bearer a\"b".to_owned());
        assert_eq!(
            configuration(&field, &json!({ "parameters": { "sid": "HX1" } })),
            "headers = { \"authorization\" = \"Bearer a\\\"b\" }\n[parameters]\n\"path.sid\" = \"HX1\"\n"
        );
    }

    #[test]
    fn a_report_is_reduced_to_its_failures() {
        let report = "Schemathesis\n===== FAILURES =====\n1. Test Case\n===== WARNINGS =====\nMissing\n===== SUMMARY =====\n  29 generated, 1 found\n";
        assert_eq!(failures(report), "FAILURES =====\n1. Test Case");
        assert_eq!(cases(report).unwrap(), "29 requests agree, seed 42");
        assert_eq!(failures("no such file"), "no such file");
        assert_eq!(cases("no such file"), None);
    }
}
