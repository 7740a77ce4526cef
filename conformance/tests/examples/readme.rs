//! What the README shows of the examples is what they and the suite print.

use std::process::{Command, Output};

use crate::samples::{README, blocks, expect_shown};
use crate::server::{Server, examples, expect_success, python};
use crate::servers::{EXAMPLES, fastapi};

fn stdout(output: Output) -> String {
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_walk_through_an_example_shows_what_a_reader_sees() {
    let shown = blocks("cargo run --release -- check zeckta --target http://127.0.0.1:8080");
    for (shown, (bug, status)) in shown.iter().zip([("", 0), ("expiry", 1)]) {
        let mut example = fastapi();
        let server = Server::start(example.command.env("CONTROL", "1").env("BUG", bug));
        let arguments = ["check", "zeckta", "--target", &server.url];
        let output = Command::new(env!("CARGO_BIN_EXE_otp-conformance")).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(status));
        expect_shown(shown, &stdout(output));
    }
    assert_eq!(shown.len(), 2);
}

#[test]
fn the_table_of_examples_has_the_bug_and_the_finding_of_each() {
    for (framework, vendor, bug, check) in EXAMPLES {
        let name = otp_contract::Contract::of_vendor(vendor).unwrap().name;
        let row = README.lines().find(|line| line.contains(&format!("(conformance/examples/{framework}/")));
        let row = row.unwrap_or_else(|| panic!("the README has no row for {framework}"));
        assert!(row.contains(&format!(" | {name} | `{bug}` | `{check}`: ")), "{row}");
    }
}

#[test]
fn the_test_with_pytest_is_that_of_the_example_and_passes() {
    let folder = examples().join("fastapi");
    let test = std::fs::read_to_string(folder.join("test_conformance.py")).unwrap();
    assert!(README.contains(&format!("```python\n{test}```\n")), "the README has another test with pytest");
    let copy = tempfile::TempDir::new().unwrap();
    for file in ["server.py", "control.py", "test_conformance.py"] {
        std::fs::copy(folder.join(file), copy.path().join(file)).unwrap();
    }
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_otp-conformance"));
    let path = std::env::var_os("PATH").unwrap();
    let folders = program.parent().map(Into::into).into_iter().chain(std::env::split_paths(&path));
    let mut command = python();
    command
        .args(["-m", "pytest", "-p", "no:cacheprovider"])
        .current_dir(copy.path())
        .env("PATH", std::env::join_paths(folders).unwrap())
        .env_remove("BUG");
    expect_success(&mut command);
    let report = std::fs::read_to_string(copy.path().join("conformance.xml")).unwrap();
    assert!(report.contains("<testcase name=\"approved\" classname=\"zeckta.matrix\""), "{report}");
}

#[test]
fn the_sample_of_the_harness_is_that_of_the_axum_example_and_has_the_names_of_its_checks() {
    let source = include_str!("../axum.rs");
    let main = source[source.find("fn main()").unwrap()..].split("\n\n").next().unwrap();
    assert!(README.contains(&format!("```rust,ignore\n{main}\n```\n")), "the README has not\n{main}");
    let [shown] = blocks("cargo test -p otp-conformance --test axum -- expiry").try_into().unwrap();
    let listed = Command::new(env!("CARGO_BIN_EXE_otp-conformance")).args(["checks", "exotel"]).output();
    let listed = stdout(listed.unwrap());
    let ids = listed.lines().filter_map(|line| line.split(' ').next());
    let selected: Vec<_> = ids.filter(|id| id.contains("expiry")).collect();
    let shown: Vec<_> = shown.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(shown, selected);
}

#[test]
fn the_sample_of_init_control_shows_its_notes() {
    let [shown] = blocks("cargo run --release -- init control --framework fastapi exotel > control.py")
        .try_into()
        .unwrap();
    let arguments = ["init", "control", "--framework", "fastapi", "exotel"];
    let output = Command::new(env!("CARGO_BIN_EXE_otp-conformance")).args(arguments).output().unwrap();
    let notes: Vec<_> = shown.iter().filter(|line| line.starts_with("note:")).copied().collect();
    assert!(!notes.is_empty());
    expect_shown(&notes, &String::from_utf8(output.stderr).unwrap());
}
