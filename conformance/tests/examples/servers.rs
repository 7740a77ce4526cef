//! Each example server conforms, and the suite finds the mistake that its `BUG` switches on.

use std::path::PathBuf;
use std::process::Command;

use otp_conformance::{Options, Report, SubjectOptions, Suite, Verdict};
use otp_contract::Contract;
use tempfile::TempDir;

use crate::server::{Server, examples, expect_success, go, node_folder, python};

/// A command that starts an example, with the files that it needs.
struct Example(Command, Option<TempDir>);

fn fastapi() -> Example {
    let mut command = python();
    command.arg(examples().join("fastapi").join("server.py"));
    Example(command, None)
}

fn express() -> Example {
    let files = ["server.mjs", "control.mjs", "package.json"];
    let folder = node_folder(&files.map(|file| examples().join("express").join(file)));
    let mut command = Command::new("node");
    command.arg(folder.path().join("server.mjs"));
    Example(command, Some(folder))
}

fn nethttp() -> Example {
    let folder = TempDir::new().unwrap();
    let program = folder.path().join("server");
    expect_success(go(&examples().join("nethttp")).args(["build", "-o"]).arg(&program).arg("."));
    Example(Command::new(program), Some(folder))
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
    Example(Command::new(program), None)
}

async fn judge(vendor: &str, url: &str, options: &Options) -> Report {
    let subject = SubjectOptions { targets: vec![url.to_owned()], ..SubjectOptions::default() };
    let contracts = vec![Contract::of_vendor(vendor).unwrap()];
    Suite::connect(contracts, subject).await.unwrap().run(options).await.unwrap()
}

/// Not even an advisory check fails.
async fn expect_conformant(vendor: &str, example: Example) {
    let Example(mut command, _files) = example;
    let server = Server::start(command.env("CONTROL", "1").env_remove("BUG"));
    let report = judge(vendor, &server.url, &Options { strict: true, ..Options::with_seed(1) }).await;
    let mut text = Vec::new();
    report.write_as("markdown", &mut text).unwrap();
    assert_eq!(report.verdict, Verdict::Conformant, "{}", String::from_utf8_lossy(&text));
}

/// The first check that fails the run is `check`.
async fn expect_found(vendor: &str, example: Example, bug: &str, check: &str) {
    let Example(mut command, _files) = example;
    let server = Server::start(command.env("CONTROL", "1").env("BUG", bug));
    let report = judge(vendor, &server.url, &Options::with_seed(1)).await;
    assert_eq!(report.verdict, Verdict::Nonconformant);
    let checks = report.vendors.iter().flat_map(|vendor| &vendor.checks);
    let failed: Vec<_> = checks.filter(|check| check.finding.is_some() && check.gates).collect();
    let id = format!("{vendor}/{check}");
    assert_eq!(failed.first().map(|check| check.id.as_str()), Some(id.as_str()));
    assert!(failed[0].cause.is_none(), "its finding is shown as a consequence of {:?}", failed[0].cause);
}

/// Without CONTROL=1, nobody can make the server issue a code.
async fn expect_no_control(vendor: &str, example: Example) {
    let Example(mut command, _files) = example;
    let server = Server::start(command.env_remove("CONTROL").env_remove("BUG"));
    let subject = SubjectOptions { targets: vec![server.url.clone()], ..SubjectOptions::default() };
    let connected = Suite::connect(vec![Contract::of_vendor(vendor).unwrap()], subject).await;
    let problem = connected.err().map(|failure| failure.to_string()).unwrap_or_default();
    assert!(problem.contains("404"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fastapi_example_conforms() {
    expect_conformant("zeckta", fastapi()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_finds_that_the_fastapi_example_lets_codes_live_for_ever() {
    expect_found("zeckta", fastapi(), "expiry", "matrix/expired").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_express_example_conforms() {
    expect_conformant("kaleyra", express()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_finds_that_the_express_example_approves_a_code_twice() {
    expect_found("kaleyra", express(), "reuse", "matrix/already_used").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nethttp_example_conforms() {
    expect_conformant("d7", nethttp()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_finds_that_the_nethttp_example_approves_a_code_for_several_calls_at_once() {
    expect_found("d7", nethttp(), "race", "concurrency/single-use").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_axum_example_conforms() {
    expect_conformant("exotel", axum()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_finds_that_the_axum_example_verifies_the_sessions_of_another_account() {
    expect_found("exotel", axum(), "isolation", "matrix/foreign_session").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_example_has_a_control_unless_it_is_asked_for() {
    expect_no_control("zeckta", fastapi()).await;
    expect_no_control("kaleyra", express()).await;
    expect_no_control("d7", nethttp()).await;
    expect_no_control("exotel", axum()).await;
}
