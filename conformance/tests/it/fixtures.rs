//! Servers without a control, judged with accounts and sessions that were prepared beforehand.

use std::collections::BTreeMap;
use std::process::Output;

use otp_contract::Contract;
use otp_sandbox::{Fault, Settings};
use otp_test_support::{Tenant, TestServer, contracts as all_contracts};
use serde_json::{Value, json};

use crate::served::program;
use crate::suite::contracts;

/// How many sessions of each state to prepare.
#[derive(Clone, Copy)]
struct Supply {
    fresh: usize,
    expired: usize,
    used: usize,
    locked: usize,
}

const ENOUGH: Supply = Supply { fresh: 20, expired: 3, used: 3, locked: 3 };

/// A file of fixtures, and the ids of its sessions.
struct File {
    folder: tempfile::TempDir,
    ids: Vec<String>,
    /// Their codes.
    codes: Vec<String>,
    /// The credentials of their account, as a request carries them.
    credentials: String,
}

impl File {
    fn path(&self) -> String {
        self.folder.path().join("fixtures.toml").display().to_string()
    }
}

fn account(vendor: &str, tenant: &Tenant) -> String {
    let members = |object: &Value| -> String {
        let members = object.as_object().into_iter().flatten();
        members.map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
    };
    let json = tenant.json();
    let schemes: Vec<_> = json["credentials"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| format!("{name} = {{ {} }}", members(value)))
        .collect();
    format!(
        "[[tenants]]\nvendor = \"{vendor}\"\nparameters = {{ {} }}\ncredentials = {{ {} }}\n\n",
        members(&json["parameters"]),
        schemes.join(", ")
    )
}

/// Prepares accounts and sessions with the control of a sandbox.
async fn prepare(server: &TestServer, contract: &Contract, supply: Supply) -> File {
    let vendor = contract.vendor.as_str();
    let owner = server.tenant(vendor).await;
    let mut text = account(vendor, &owner);
    let (mut ids, mut codes) = (Vec::new(), Vec::new());
    let length = contract.verify().code.length;
    let Supply { fresh, expired, used, locked } = supply;
    for (state, count) in [("fresh", fresh), ("expired", expired), ("used", used), ("locked", locked)] {
        for _ in 0..count {
            // Every session has a code of its own, so that none can be taken for another.
            let code = format!("{:0length$}", 100_000 + 7 * ids.len());
            let issued = server.issue(&owner, &code, json!({})).await;
            let id = issued["session"].as_str().unwrap().to_owned();
            match state {
                "expired" => {
                    server.age(&owner, &id, issued["ttl_seconds"].as_u64().unwrap() + 1).await;
                }
                "used" => {
                    server.verify(contract, &owner, &id, &code).await;
                }
                "locked" => {
                    for wrong in 0..issued["max_attempts"].as_u64().unwrap_or(0) {
                        let wrong = format!("{wrong:0length$}");
                        server.verify(contract, &owner, &id, &wrong).await;
                    }
                }
                _ => {}
            }
            text.push_str(&format!(
                "[[tenants.sessions]]\nsession = \"{id}\"\ncode = \"{code}\"\nstate = \"{state}\"\n\n"
            ));
            ids.push(id);
            codes.push(code);
        }
    }
    text.push_str(&account(vendor, &server.tenant(vendor).await));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fixtures.toml"), text).unwrap();
    let (_, credentials) = owner.credential(contract);
    let credentials = credentials.split(' ').next_back().unwrap().to_owned();
    File { folder, ids, codes, credentials }
}

async fn server(vendors: &[&str], faults: &[&str]) -> TestServer {
    let faults = faults.iter().map(|name| Fault::named(name).unwrap()).collect();
    TestServer::start(Settings { contracts: contracts(vendors), faults, ..Settings::default() }).await
}

/// A run, and its report.
async fn check(server: &TestServer, file: &File, options: &[&str]) -> (Output, Value) {
    let path = file.folder.path().join("report.json");
    let report = format!("json={}", path.display());
    let mut command = program(&["check", "--seed", "1", "--verbose", "--target", server.url()]);
    command.args(["--fixtures", &file.path(), "--report", &report]).args(options);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let report = std::fs::read(&path).unwrap();
    (output, serde_json::from_slice(&report).unwrap_or_default())
}

/// The results of checks by id.
fn results(report: &Value) -> BTreeMap<String, String> {
    let checks =
        report["vendors"].as_array().unwrap().iter().flat_map(|vendor| vendor["checks"].as_array().unwrap());
    checks
        .map(|check| (check["id"].as_str().unwrap().to_owned(), check["result"].as_str().unwrap().to_owned()))
        .collect()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_documented_response_of_every_vendor_is_tried_with_enough_fixtures() {
    for contract in all_contracts() {
        let server = server(&[&contract.vendor], &[]).await;
        let file = prepare(&server, &contract, ENOUGH).await;
        let (output, report) = check(&server, &file, &["--only", "matrix/*"]).await;
        assert_eq!(report["verdict"], "conformant", "{}", text(&output));
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(report["summary"]["skipped"], 0, "{}", text(&output));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_prepared_is_not_tried_and_makes_the_verdict_partial() {
    let contract = Contract::of_vendor("exotel").unwrap();
    let server = server(&["exotel"], &[]).await;
    let file = prepare(&server, &contract, Supply { expired: 0, used: 0, locked: 0, ..ENOUGH }).await;
    let (output, report) = check(&server, &file, &["--only", "matrix/*"]).await;
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert_eq!(report["verdict"], "partial");
    let untried = report["vendors"][0]["untried"].as_array().unwrap();
    assert_eq!(
        untried,
        &[json!({
            "check": "exotel/matrix/expired",
            "reason": "the fixtures have no session of exotel left that is expired"
        })]
    );
    // Used and locked sessions can be made of fresh ones.
    let results = results(&report);
    for cell in ["approved", "already_used", "attempts_exhausted", "unknown_session"] {
        assert_eq!(results[&format!("exotel/matrix/{cell}")], "passed", "{results:?}");
    }
    let (output, _) = check(&server, &file, &["--only", "matrix/unknown_session", "--allow-partial"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_session_is_used_once_and_the_same_in_every_run() {
    let contract = Contract::of_vendor("d7").unwrap();
    let mut runs = Vec::new();
    for _ in 0..2 {
        let server = server(&["d7"], &[]).await;
        let file = prepare(&server, &contract, ENOUGH).await;
        let (output, report) = check(&server, &file, &[]).await;
        assert_eq!(report["verdict"], "partial", "{}", text(&output));
        assert_eq!(report["summary"]["failed"], 0, "{}", text(&output));
        assert_eq!(report["summary"]["error"], 0, "{}", text(&output));
        let mut users: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for check in report["vendors"][0]["checks"].as_array().unwrap() {
            let calls = check["exchanges"].to_string();
            for (number, id) in file.ids.iter().enumerate() {
                if calls.contains(id.as_str()) {
                    users.entry(number).or_default().push(check["id"].as_str().unwrap().to_owned());
                }
            }
        }
        assert!(users.values().all(|checks| checks.len() == 1), "{users:?}");
        // The fresh ones are used up, by the documented responses first.
        assert!(users.len() > 20, "{users:?}");
        assert_eq!(users[&0], ["d7/matrix/approved"]);
        runs.push((users, results(&report)));
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_is_found_through_fixtures() {
    let contract = Contract::of_vendor("exotel").unwrap();
    for (fault, check_id) in [
        ("no-expiry", "exotel/matrix/expired"),
        ("reuse", "exotel/matrix/already_used"),
        ("no-limit", "exotel/matrix/attempts_exhausted"),
    ] {
        let server = server(&["exotel"], &[fault]).await;
        let file = prepare(&server, &contract, ENOUGH).await;
        let (output, report) = check(&server, &file, &["--only", "matrix/*"]).await;
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        let results = results(&report);
        let failed: Vec<_> =
            results.iter().filter(|(_, result)| *result == "failed").map(|(id, _)| id).collect();
        assert_eq!(failed, [check_id], "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_credentials_in_the_file_are_one_message_and_use_no_session() {
    let contract = Contract::of_vendor("exotel").unwrap();
    let server = server(&["exotel"], &[]).await;
    let file = prepare(&server, &contract, ENOUGH).await;
    let right = std::fs::read_to_string(file.path()).unwrap();
    let password = right.split("password = \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    std::fs::write(file.path(), right.replace(&password, "wr0ng")).unwrap();
    let (output, _) = check(&server, &file, &[]).await;
    let text = self::text(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(
        text.contains(
            "exotel cannot be judged: the target refuses the credentials of account 1 in the fixtures: "
        ),
        "{text}"
    );
    assert!(!text.contains("wr0ng"), "{text}");
    // Every session is as it was.
    std::fs::write(file.path(), right).unwrap();
    let (output, report) = check(&server, &file, &["--only", "matrix/*"]).await;
    assert_eq!(report["verdict"], "conformant", "{}", self::text(&output));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_in_the_file_names_the_line() {
    let server = server(&["d7"], &[]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = File { folder, ids: Vec::new(), codes: Vec::new(), credentials: String::new() };
    std::fs::write(file.path(), "[[tenants]]\nvendor = \"d7\"\ncredential = {}\n").unwrap();
    let mut command = program(&["check", "d7", "--target", server.url(), "--fixtures", &file.path()]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = text(&output);
    assert!(
        text.contains("fixtures.toml: line 3, column 1: unknown field `credential`, ")
            && text.contains("did you mean `credentials`?"),
        "{text}"
    );
}

#[test]
fn an_example_of_the_file_is_printed() {
    let output = program(&["init", "fixtures"]).output().unwrap();
    let text = text(&output);
    assert!(text.contains("[[tenants.sessions]]") && text.contains("state = \"fresh\""), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_script_of_a_finding_takes_another_prepared_session() {
    let contract = Contract::of_vendor("exotel").unwrap();
    let server = server(&["exotel"], &["no-expiry"]).await;
    let file = prepare(&server, &contract, Supply { expired: 3, ..ENOUGH }).await;
    let (output, report) = check(&server, &file, &["--only", "matrix/expired"]).await;
    let finding = &report["vendors"][0]["checks"][0]["finding"];
    assert_eq!(finding["steps"][0]["is_prepared"], true, "{}", text(&output));
    assert_eq!(finding["steps"][1]["prepared"], "expired");
    assert!(text(&output).contains("account 1 was prepared beforehand"), "{}", text(&output));
    let script = finding["script"].as_str().unwrap().to_owned();
    let run = |variables: &[(&str, &str)]| {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &script]).envs(variables.iter().copied());
        tokio::task::spawn_blocking(move || command.output().unwrap())
    };
    let without = run(&[]).await.unwrap();
    assert!(
        text(&without).contains("CREDENTIALS_1: what a request of account 1 carries"),
        "{}",
        text(&without)
    );
    // The run has used the first expired session.
    let another = ENOUGH.fresh + 1;
    let shown = run(&[
        ("CREDENTIALS_1", &file.credentials),
        ("SESSION_1", &file.ids[another]),
        ("CODE_1", &file.codes[another]),
    ]);
    let shown = shown.await.unwrap();
    assert_eq!(shown.status.code(), Some(1), "{}{script}", text(&shown));
}
