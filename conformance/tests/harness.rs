//! What `cargo test` sees of a server whose tests are the checks. The program starts itself again, as the tests of the axum
//! example, because only a process of its own has arguments and an exit status.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "axum.rs"]
mod tests_of_axum;

use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Trial};
use otp_conformance::{Options, Waiver, libtest};
use otp_contract::Contract;

/// Set in the process that is tested.
const INNER: &str = "OTP_HARNESS_INNER";

fn main() -> ExitCode {
    match std::env::var(INNER).as_deref() {
        Ok("axum") => return tests_of_axum::main().unwrap(),
        Ok("waived") => return tests_with_a_waiver(),
        Ok("broken") => return tests_of_a_broken_server(),
        _ => {}
    }
    let trials = vec![
        trial("the_list_has_every_check_and_starts_no_server", the_list_has_every_check),
        trial("a_filter_selects_checks", a_filter_selects_checks),
        trial("an_exact_name_selects_one_check", an_exact_name_selects_one_check),
        trial("a_failed_check_is_a_failed_test_with_its_finding", a_failed_check_is_a_failed_test),
        trial("an_advisory_finding_fails_no_test", an_advisory_finding_fails_no_test),
        trial("a_known_finding_fails_no_test", a_known_finding_fails_no_test),
        trial("a_server_that_does_not_start_fails_one_test", a_server_that_does_not_start_fails_one_test),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn tests_with_a_waiver() -> ExitCode {
    let check = "matrix/foreign_session".parse().unwrap();
    let waiver = Waiver { check, status: Some(200), reason: "ticket 123".to_owned(), until: None };
    let options = Options { waivers: vec![waiver], ..Options::with_seed(1) };
    libtest::main_with(&options, vec![Contract::of_vendor("exotel").unwrap()], tests_of_axum::start)
}

fn tests_of_a_broken_server() -> ExitCode {
    libtest::main(vec![Contract::of_vendor("exotel").unwrap()], async || Err("no database".into()))
}

fn trial(name: &str, test: fn()) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}

/// The exit status of the tests of a server with these arguments, and what they print.
fn run_tests_of(server: &str, bug: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.args(arguments).env(INNER, server).env("BUG", bug).output().unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

fn the_list_has_every_check() {
    let (status, printed) = run_tests_of("broken", "", &["--list"]);
    assert_eq!(status, Some(0), "{printed}");
    let output = Command::new(env!("CARGO_BIN_EXE_otp-conformance"))
        .args(["checks", "exotel", "--format", "json"])
        .output()
        .unwrap();
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let ids = rows.iter().filter(|row| row["area"] != "untestable").map(|row| row["id"].as_str().unwrap());
    let expected: String = ids.map(|id| format!("{id}: test\n")).collect();
    assert_eq!(printed, expected);
}

fn a_filter_selects_checks() {
    let (status, printed) = run_tests_of("axum", "", &["exotel/expiry/", "--skip", "boundary"]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("test exotel/expiry/not-extended"), "{printed}");
    assert!(!printed.contains("test exotel/expiry/boundary"), "{printed}");
    assert!(printed.contains("test result: ok. 2 passed; 0 failed; 0 ignored;"), "{printed}");
}

fn an_exact_name_selects_one_check() {
    let (status, printed) = run_tests_of("axum", "", &["--exact", "exotel/matrix/approved"]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("test result: ok. 1 passed; 0 failed;"), "{printed}");
}

fn a_failed_check_is_a_failed_test() {
    let (status, printed) = run_tests_of("axum", "isolation", &["matrix"]);
    assert_eq!(status, Some(101), "{printed}");
    for (id, result) in [("matrix/foreign_session", "FAILED"), ("matrix/approved", "ok")] {
        let start = format!("test exotel/{id} ");
        let line = printed.lines().find(|line| line.starts_with(&start)).unwrap();
        assert!(line.ends_with(&format!(" ... {result}")), "{printed}");
    }
    assert!(printed.contains("asserts   a session of another tenant cannot be verified\n"), "{printed}");
    assert!(printed.contains("differs   status: expected 4xx, found 200\n"), "{printed}");
    assert!(printed.contains("10 passed; 1 failed; 0 ignored;"), "{printed}");
}

fn an_advisory_finding_fails_no_test() {
    let (status, printed) = run_tests_of("axum", "isolation", &["isolation/uniform-refusal"]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("ignored (advisory finding: "), "{printed}");
}

fn a_known_finding_fails_no_test() {
    let (status, printed) = run_tests_of("waived", "isolation", &["matrix"]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("ignored (known finding: ticket 123)"), "{printed}");
    assert!(printed.contains("10 passed; 0 failed; 1 ignored;"), "{printed}");
}

fn a_server_that_does_not_start_fails_one_test() {
    let (status, printed) = run_tests_of("broken", "", &["matrix"]);
    assert_eq!(status, Some(101), "{printed}");
    assert!(printed.contains("the server does not start: no database"), "{printed}");
    assert!(printed.contains("0 passed; 1 failed; 10 ignored;"), "{printed}");
}
