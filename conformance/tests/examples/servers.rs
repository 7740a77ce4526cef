//! Each example server conforms, and the suite finds the mistake that its `BUG` switches on.

use std::path::PathBuf;
use std::process::Command;

use otp_conformance::{Options, Report, SubjectOptions, Suite, Verdict};
use otp_contract::Contract;
use tempfile::TempDir;

use crate::server::{Server, examples, expect_success, go, node_folder, python};

/// Each example with its vendor, its planted bug and the check that finds it.
pub(crate) const EXAMPLES: [(&str, &str, &str, &str); 4] = [
    ("fastapi", "zeckta", "expiry", "matrix/expired"),
    ("express", "kaleyra", "reuse", "matrix/already_used"),
    ("nethttp", "d7", "race", "concurrency/single-use"),
    ("axum", "exotel", "isolation", "matrix/foreign_session"),
];

/// A command that starts an example, with the files that it needs.
pub(crate) struct Example {
    pub(crate) command: Command,
    _files: Option<TempDir>,
}

fn example(framework: &str) -> Example {
    match framework {
        "fastapi" => fastapi(),
        "express" => express(),
        "nethttp" => nethttp(),
        _ => axum(),
    }
}

pub(crate) fn fastapi() -> Example {
    let mut command = python();
    command.arg(examples().join("fastapi").join("server.py"));
    Example { command, _files: None }
}

fn express() -> Example {
    let files = ["server.mjs", "control.mjs", "package.json"];
    let folder = node_folder(&files.map(|file| examples().join("express").join(file)));
    let mut command = Command::new("node");
    command.arg(folder.path().join("server.mjs"));
    Example { command, _files: Some(folder) }
}

fn nethttp() -> Example {
    let folder = TempDir::new().unwrap();
    let program = folder.path().join("server");
    expect_success(go(&examples().join("nethttp")).args(["build", "-o"]).arg(&program).arg("."));
    Example { command: Command::new(program), _files: Some(folder) }
}

/// Cargo builds the examples of a package before it runs all its tests, but not if it runs one test program.
fn axum() -> Example {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().parent().unwrap().join("examples").join("axum");
    let modified = |path: PathBuf| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let sources = ["main.rs", "server.rs", "control.rs"].map(|file| examples().join("axum").join(file));
    let newest = sources.into_iter().filter_map(modified).max();
    let is_current = modified(program.clone()) >= newest;
    assert!(is_current, "the example is not built: cargo build -p otp-conformance --example axum");
    Example { command: Command::new(program), _files: None }
}

async fn judge(vendor: &str, url: &str, options: &Options) -> Report {
    let subject = SubjectOptions { targets: vec![url.to_owned()], ..SubjectOptions::default() };
    let contracts = vec![Contract::of_vendor(vendor).unwrap()];
    Suite::connect(contracts, subject).await.unwrap().run(options).await.unwrap()
}

/// Not even an advisory check fails.
async fn expect_conformant(framework: &str, vendor: &str) {
    let mut example = example(framework);
    let server = Server::start(example.command.env("CONTROL", "1").env_remove("BUG"));
    let report = judge(vendor, &server.url, &Options { strict: true, ..Options::with_seed(1) }).await;
    let mut text = Vec::new();
    report.write_as("markdown", &mut text).unwrap();
    assert_eq!(report.verdict, Verdict::Conformant, "{}", String::from_utf8_lossy(&text));
}

/// The first check that fails the run is the one that names the bug.
async fn expect_found(framework: &str) {
    let (_, vendor, bug, check) = EXAMPLES.into_iter().find(|(name, ..)| *name == framework).unwrap();
    let mut example = example(framework);
    let server = Server::start(example.command.env("CONTROL", "1").env("BUG", bug));
    let report = judge(vendor, &server.url, &Options::with_seed(1)).await;
    assert_eq!(report.verdict, Verdict::Nonconformant);
    let checks = report.vendors.iter().flat_map(|vendor| &vendor.checks);
    let failed: Vec<_> = checks.filter(|check| check.finding.is_some() && check.gates).collect();
    let id = format!("{vendor}/{check}");
    assert_eq!(failed.first().map(|check| check.id.as_str()), Some(id.as_str()));
    assert!(failed[0].cause.is_none(), "its finding is shown as a consequence of {:?}", failed[0].cause);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fastapi_example_conforms() {
    expect_conformant("fastapi", "zeckta").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_finds_that_the_fastapi_example_lets_codes_live_for_ever() {
    expect_found("fastapi").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_express_example_conforms() {
    expect_conformant("express", "kaleyra").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_finds_that_the_express_example_approves_a_code_twice() {
    expect_found("express").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nethttp_example_conforms() {
    expect_conformant("nethttp", "d7").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_finds_that_the_nethttp_example_approves_a_code_for_several_calls_at_once() {
    expect_found("nethttp").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_axum_example_conforms() {
    expect_conformant("axum", "exotel").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_finds_that_the_axum_example_verifies_the_sessions_of_another_account() {
    expect_found("axum").await;
}

/// Without CONTROL=1, nobody can make a server issue a code.
#[tokio::test(flavor = "multi_thread")]
async fn no_example_has_a_control_unless_it_is_asked_for() {
    for (framework, vendor, ..) in EXAMPLES {
        let mut example = example(framework);
        let server = Server::start(example.command.env_remove("CONTROL").env_remove("BUG"));
        let subject = SubjectOptions { targets: vec![server.url.clone()], ..SubjectOptions::default() };
        let connected = Suite::connect(vec![Contract::of_vendor(vendor).unwrap()], subject).await;
        let problem = connected.err().map(|failure| failure.to_string()).unwrap_or_default();
        assert!(problem.contains("404"), "{framework}: {problem}");
    }
}
